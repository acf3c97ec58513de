#include "base/device.h"

#include <dlfcn.h>

#include <charconv>

#include "base/plugin.h"

namespace vesal {
namespace {

int (*&counter())() {
  static int (*count)() = nullptr;
  return count;
}

}  // namespace

bool has_cuda_driver() {
  static const bool has = [] {
    void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver) dlclose(driver);
    return driver != nullptr;
  }();
  return has;
}

int cuda_device_count() {
  if (plugin::networks().pending()) {
    if (!has_cuda_driver()) return 0;
    plugin::networks().load();
  }
  return counter() ? counter()() : 0;
}
DeviceCounter::DeviceCounter(int (*count)()) { counter() = count; }

std::shared_ptr<Device> Device::parse(const std::string& text) {
  const auto colon = text.find(':');
  const std::string type = text.substr(0, colon);
  int index = -1;
  if (colon != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [p, error] = std::from_chars(text.data() + colon + 1, end, index);
    if (error != std::errc{} || p != end || index < 0) throw Error(ErrorKind::config, "not a device: '" + text + "'");
  }
  if (type != "cpu" && type != "cuda") throw Error(ErrorKind::config, "not a device: '" + text + "' (cpu, cuda or cuda:N)");
  return std::make_shared<Device>(type, index);
}

std::string Device::repr() const { return "device(type='" + type + "'" + (index_ < 0 ? "" : ", index=" + std::to_string(index_)) + ")"; }

std::optional<Value> Device::attribute(std::string_view name) {
  if (name == "type") return Value(type);
  if (name == "index") return index_ < 0 ? Value() : Value(index_);
  return std::nullopt;
}

}  // namespace vesal
