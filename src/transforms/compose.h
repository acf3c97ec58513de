// Compose (monai.transforms.Compose): transforms and other callables one after the other.
#pragma once
#include "transforms/transform.h"

namespace vesal::transforms {

/// Data that is a list (after SplitDimd with list_output, or random crops) is transformed item by item, down to `map_items` levels.
class Compose : public Transform, public Randomizable {
 public:
  Compose(std::vector<Value> transforms, int map_items = 1, bool unpack_items = false)
      : transforms_(std::move(transforms)), map_items_(map_items), unpack_items_(unpack_items) {}
  std::string type_name() const override { return "Compose"; }
  Value apply(const Value& data) const override { return consume(data); }
  /// apply() of data that nobody else holds: what a transform has used up is let go of at once.
  Value consume(Value data) const;
  /// Seeds every Randomizable among the transforms with a number drawn from `seed`.
  void set_seed(std::uint64_t seed) override;
  /// transforms, map_items, unpack_items, set_random_state(seed=...), flatten().
  std::optional<Value> attribute(std::string_view name) override;
  std::optional<Value> index(const Value& key) override;
  std::optional<std::int64_t> length() const override { return static_cast<std::int64_t>(transforms_.size()); }
  const std::vector<Value>& transforms() const { return transforms_; }
  int map_items() const { return map_items_; }
  bool unpack_items() const { return unpack_items_; }

 private:
  std::vector<Value> transforms_;
  int map_items_;
  bool unpack_items_;
};

/// The transforms of a list, of a Compose or of one callable as one Compose; throws Error(config) if something cannot be called.
std::shared_ptr<Compose> compose(const Value& transforms);

}  // namespace vesal::transforms
