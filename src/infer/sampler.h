// Samplers: which items of a dataset a pass takes, and in which order (torch.utils.data.Sampler).
#pragma once
#include <cstdint>
#include <vector>

#include "base/value.h"
#include "bundle/iterate.h"

namespace vesal::infer {

class Sampler : public Object, public bundle::Iterable {
 public:
  /// The numbers of this epoch's items, as many as length() says.
  virtual std::vector<std::int64_t> order() const = 0;
  /// Called by an engine when an epoch starts, on all ranks alike: what is drawn depends on it.
  virtual void set_epoch(std::int64_t) {}
  bundle::IteratorPtr iterate() override;
  std::optional<Value> attribute(std::string_view name) override;  ///< set_epoch(n)
};

}  // namespace vesal::infer
