// Datasets: items by number, made by transforms (monai.data.Dataset and CacheDataset).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "transforms/compose.h"

namespace vesal::infer {

/// Item i is the i-th entry of `data` after the transforms. Thread safe.
class Dataset : public Object {
 public:
  /// data: a list, a tuple or an object with length and index; transform: None, a callable or a list of them.
  Dataset(const Value& data, const Value& transform);
  std::string type_name() const override { return "Dataset"; }
  std::optional<std::int64_t> length() const override;
  /// dataset[i], negative from the end; the random transforms go on with their own numbers.
  std::optional<Value> index(const Value& key) override;
  std::optional<Value> attribute(std::string_view name) override;  ///< data, transform

  /// Item i; with a seed its random transforms depend on that alone, on whatever thread they run. Throws Error(config) outside [0, length).
  Value item(std::int64_t i, std::optional<std::uint64_t> seed = std::nullopt);

  /// "item 3 (ct.nii.gz, organs.nii.gz)": for messages, with the names of its files if it has any.
  std::string described(std::int64_t i) const;

  /// Lets go of what is only kept to be faster, so many bytes or a little more, or all there is; how many it were.
  virtual std::uint64_t make_room(std::uint64_t /*bytes*/) { return 0; }

 protected:
  /// Item i after the transforms before the first random one.
  virtual Value fixed_part(std::int64_t i);
  /// Item i of the data itself, before any transform.
  Value raw(std::int64_t i) const;

 private:
  Value data_;
  std::int64_t count_;
  std::shared_ptr<transforms::Compose> all_, fixed_, random_;
};

}  // namespace vesal::infer
