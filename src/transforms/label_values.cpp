// Labels exchanged for others: MapLabelValue, LabelFilter, ConvertToMultiChannelBasedOnBratsClasses (monai.transforms), Relabeld (vista3d).
#include <cmath>
#include <map>
#include <set>

#include "transforms/arguments.h"
#include "transforms/label_map.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// One value to another; values it does not know stay.
class ValueMap {
 public:
  ValueMap(const std::vector<double>& from, const std::vector<double>& to) {
    if (from.size() != to.size())
      throw Error(ErrorKind::config, std::to_string(from.size()) + " orig_labels for " + std::to_string(to.size()) + " target_labels");
    for (std::size_t i = 0; i < from.size(); ++i) {
      // Later pairs win; a pair of equals is none.
      if (from[i] == to[i]) continue;
      const bool small = from[i] >= 0 && from[i] < 65536 && from[i] == std::trunc(from[i]);
      if (!small) others_[from[i]] = to[i];
      else {
        const auto at = static_cast<std::size_t>(from[i]);
        for (std::size_t k = table_.size(); k <= at; ++k) table_.push_back(static_cast<double>(k));
        table_[at] = to[i];
      }
    }
  }
  double operator()(double v) const {
    if (v >= 0 && v < static_cast<double>(table_.size()))
      if (const auto at = static_cast<std::size_t>(v); static_cast<double>(at) == v) return table_[at];
    if (others_.empty()) return v;
    const auto found = others_.find(v);
    return found == others_.end() ? v : found->second;
  }
  /// Whether bytes stay bytes.
  bool fits_bytes() const {
    for (int v = 0; v < 256; ++v) {
      const double t = (*this)(v);
      if (!(t >= 0 && t <= 255 && t == std::trunc(t))) return false;
    }
    return true;
  }

 private:
  std::vector<double> table_;  ///< of the whole numbers from 0 on
  std::map<double, double> others_;
};

Array mapped(const Array& labels, const ValueMap& map, DType type) {
  return visit_dtype(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_voxels<T>(labels, [&](auto v) { return map(static_cast<double>(v)); });
  });
}

class MapLabelValue : public ImageTransform {
 public:
  MapLabelValue(ValueMap map, std::optional<DType> type) : map_(std::move(map)), type_(type) {}
  std::string type_name() const override { return "MapLabelValue"; }
  Image transform(const Image& image) const override {
    const Array labels = compact_labels(image);
    const DType type = type_.value_or(image.dtype());
    return with_labels(image, mapped(labels, map_, labels.dtype() == DType::u8 && map_.fits_bytes() ? DType::u8 : type), type);
  }

 private:
  ValueMap map_;
  std::optional<DType> type_;
};

class LabelFilter : public ImageTransform {
 public:
  explicit LabelFilter(std::vector<double> labels) : labels_(labels.begin(), labels.end()) {}
  std::string type_name() const override { return "LabelFilter"; }
  Image transform(const Image& image) const override {
    const Array labels = compact_labels(image);
    Array out = visit_dtype(labels.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      return map_voxels<T>(labels, [&](auto v) { return labels_.contains(static_cast<double>(v)) ? v : decltype(v){}; });
    });
    return with_labels(image, std::move(out), image.dtype());
  }

 private:
  std::set<double> labels_;
};

class BratsClasses : public ImageTransform {
 public:
  std::string type_name() const override { return "ConvertToMultiChannelBasedOnBratsClasses"; }
  Image transform(const Image& image) const override {
    Array labels = compact_labels(image);
    if (labels.dim() == 4 && labels.size(0) == 1) labels = labels.squeeze(0);
    const std::vector<Array> parts{map_voxels<bool>(labels, [](auto v) { return v == 1 || v == 4; }),
                                   map_voxels<bool>(labels, [](auto v) { return v == 1 || v == 2 || v == 4; }),
                                   map_voxels<bool>(labels, [](auto v) { return v == 4; })};
    return image.with(stack(parts, 0));
  }
};

/// A map per data set, chosen by the item.
class Relabeld : public Transform {
 public:
  explicit Relabeld(const Args& args)
      : keys_(args.get<std::vector<std::string>>("keys")), dataset_key_(args["dataset_key"]), allow_missing_(args.get<bool>("allow_missing_keys")) {
    for (const auto& [name, pairs] : args["label_mappings"].as_dict()) {
      std::vector<double> from, to;
      if (!pairs.is_none())
        for (const Value& pair : pairs.items()) {
          const auto two = cast<std::vector<std::int64_t>>(pair);
          if (two.size() != 2) throw Error(ErrorKind::config, args.component() + ": label_mappings hold pairs");
          from.push_back(static_cast<double>(two[0])), to.push_back(static_cast<double>(two[1]));
        }
      maps_.emplace(name.as_string(), pairs.is_none() ? nullptr : std::make_shared<MapLabelValue>(ValueMap(from, to), dtype_argument(args, "dtype")));
    }
  }
  std::string type_name() const override { return "Relabeld"; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    const Value* name = item.find(dataset_key_);
    auto map = maps_.find(name ? name->str() : "default");
    if (map == maps_.end()) map = maps_.find("default");
    if (map == maps_.end() || !map->second) return item;
    for (const std::string& key : present_keys(item, keys_, allow_missing_, type_name()))
      item[key] = with_context("Relabeld of '" + key + "'", [&] { return map->second->apply(item.at(key)); });
    return item;
  }

 private:
  std::vector<std::string> keys_;
  Value dataset_key_;
  bool allow_missing_;
  std::map<std::string, std::shared_ptr<MapLabelValue>> maps_;
};

const RegisterTransform map_label_value({
    .name = "MapLabelValue",
    .summary = "Exchange labels for others",
    .params = {required("orig_labels", "labels to exchange"), required("target_labels", "what each becomes"), dtype_param()},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      return std::make_shared<MapLabelValue>(ValueMap(args.get<std::vector<double>>("orig_labels"), args.get<std::vector<double>>("target_labels")),
                                             dtype_argument(args, "dtype"));
    },
});

const RegisterTransform label_filter({
    .name = "LabelFilter",
    .summary = "Only the labels named; the others become 0",
    .params = {required("applied_labels", "labels to keep")},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<LabelFilter>(args.get<std::vector<double>>("applied_labels")); },
});

const RegisterTransform brats({
    .name = "ConvertToMultiChannelBasedOnBratsClasses",
    .summary = "Labels 1, 2, 4 of BraTS as three channels: tumor core, whole tumor, enhancing tumor",
    .params = {},
    .per_key = {},
    .make = [](const Args&) -> TransformPtr { return std::make_shared<BratsClasses>(); },
});

const Register relabel({
    .kind = "transform",
    .name = "Relabeld",
    .aliases = {},
    .summary = "Exchange labels for others, by a map per data set (dictionary form)",
    .params = {required("keys", "keys of the label maps"), required("label_mappings", "for each data set, or \"default\", pairs (label, new label)"),
               dtype_param(DType::i16), optional("dataset_key", "dataset_name", "key of the data set's name"),
               optional("allow_missing_keys", false, "skip keys the item does not have")},
    .make = [](const Args& args) -> Value { return std::make_shared<Relabeld>(args); },
});

}  // namespace
}  // namespace vesal::transforms
