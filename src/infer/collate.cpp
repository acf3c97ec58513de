// From items to batches and back (torch's default_collate, MONAI's list_data_collate and decollate_batch).
#include <algorithm>

#include "image/image.h"
#include "infer/loader.h"

namespace vesal::infer {
namespace {

bool is_voxels(const Value& v) { return v.is_array() || v.object<image::Image>() != nullptr; }

Array stack_values(const std::vector<Value>& values) {
  std::vector<Array> arrays;
  for (const Value& v : values) arrays.push_back(image::array_of(v));
  if (arrays.size() == 1) return arrays[0].unsqueeze(0);
  for (const Array& a : arrays) {
    if (a.shape() != arrays[0].shape())
      throw Error(ErrorKind::shape, "items of one batch differ in shape: " + to_string(arrays[0].shape()) + " and " + to_string(a.shape()));
  }
  return stack(arrays, 0);
}

Value collate_values(const std::vector<Value>& values) {
  const Value& first = values.front();
  const auto all = [&](auto&& is) { return std::all_of(values.begin(), values.end(), is); };
  if (all([](const Value& v) { return is_voxels(v); })) return stack_values(values);
  if (all([](const Value& v) { return v.is_dict(); })) {
    Dict out;
    for (const auto& [key, unused] : first.as_dict()) {
      std::vector<Value> column;
      for (const Value& v : values)
        if (const Value* found = v.as_dict().find(key)) column.push_back(*found);
      if (column.size() == values.size()) out[key] = with_context(key.str(), [&] { return collate_values(column); });
    }
    return out;
  }
  if (all([](const Value& v) { return v.is_int() || v.is_bool(); })) {
    Array a = Array::empty({static_cast<std::int64_t>(values.size())}, DType::i64);
    for (std::size_t i = 0; i < values.size(); ++i) a.data<std::int64_t>()[i] = values[i].as_int();
    return a;
  }
  if (all([](const Value& v) { return v.is_number(); })) {
    Array a = Array::empty({static_cast<std::int64_t>(values.size())}, DType::f64);
    for (std::size_t i = 0; i < values.size(); ++i) a.data<double>()[i] = values[i].as_float();
    return a;
  }
  return List{values};
}

/// Items along the batch axis, or -1 if the value has none.
std::int64_t batch_size(const Value& v) {
  if (v.is_array()) return v.as_array().dim() > 0 ? v.as_array().size(0) : -1;
  if (v.is_sequence()) return static_cast<std::int64_t>(v.items().size());
  if (!v.is_dict()) return -1;
  for (const auto& [key, value] : v.as_dict())
    if (const auto n = batch_size(value); n >= 0) return n;
  return -1;
}

Value pick(const Value& v, std::int64_t i, std::int64_t n) {
  if (v.is_dict()) {
    Dict out;
    for (const auto& [key, value] : v.as_dict()) out[key] = pick(value, i, n);
    return out;
  }
  if (batch_size(v) != n) return v;
  return v.is_array() ? Value(v.as_array().select(0, i)) : v.items()[static_cast<std::size_t>(i)];
}

}  // namespace

Value collate(const Batch& items) {
  if (items.empty()) throw Error(ErrorKind::shape, "empty batch");
  return with_context("collating a batch", [&] { return collate_values(items); });
}

Batch decollate(const Value& batch) {
  const std::int64_t n = batch_size(batch);
  if (n < 0) return {batch};
  Batch items;
  for (std::int64_t i = 0; i < n; ++i) items.push_back(pick(batch, i, n));
  return items;
}

Array stack_key(const Batch& items, const std::string& key) {
  std::vector<Value> column;
  for (const Value& item : items) column.push_back(item.as_dict().at(key));
  if (column.empty()) throw Error(ErrorKind::shape, "empty batch");
  return with_context("batch of '" + key + "'", [&] { return stack_values(column); });
}

}  // namespace vesal::infer
