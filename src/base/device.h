// Where a network runs: "cpu", "cuda:0".
#pragma once
#include "base/value.h"

namespace vesal {

class Device : public Object {
 public:
  Device(std::string type, int index) : type(std::move(type)), index_(index) {}
  /// "cpu", "cuda", "cuda:1"; throws Error(config) on anything else.
  static std::shared_ptr<Device> parse(const std::string& text);
  std::string type_name() const override { return "torch.device"; }
  std::string repr() const override;
  std::optional<Value> attribute(std::string_view name) override;
  std::string str() const { return index_ < 0 ? type : type + ":" + std::to_string(index_); }
  const std::string type;
  int ordinal() const { return index_ < 0 ? 0 : index_; }

 private:
  int index_;  ///< -1: not given
};

/// Whether NVIDIA's driver is installed. libtorch finds devices through it only: without it nothing has to be loaded to know that there are none.
bool has_cuda_driver();
/// How many CUDA devices there are: none unless a part that can use them says so, which is loaded where there is a driver.
int cuda_device_count();
/// static const DeviceCounter counter([] { return 1; });
struct DeviceCounter {
  explicit DeviceCounter(int (*count)());
};

}  // namespace vesal
