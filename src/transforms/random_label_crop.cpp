// RandCropByPosNegLabel, RandCropByLabelClasses: windows around voxels drawn by their label. MONAI: the same names.
#include <algorithm>
#include <atomic>
#include <filesystem>

#include "base/log.h"
#include "transforms/extents.h"
#include "transforms/label_indices.h"
#include "transforms/random_transform.h"
#include "transforms/spatial_step.h"

namespace vesal::transforms {
namespace {

/// What the label is asked for: "by sign" (pos, neg) or "by class" (ratios).
class CenterRule {
 public:
  explicit CenterRule(const Args& args)
      : by_sign_(args.all().contains("pos")),
        spatial_size_(args["spatial_size"]),
        samples_(args.get<std::int64_t>("num_samples")),
        threshold_(args.get<double>("image_threshold")),
        allow_smaller_(args.get<bool>("allow_smaller")) {
    if (by_sign_) weights_ = {args.get<double>("pos"), args.get<double>("neg")};
    else {
      if (!args.is_none("ratios")) weights_ = args.get<std::vector<double>>("ratios");
      classes_ = args.get<std::optional<std::int64_t>>("num_classes");
      warn_ = args.get<bool>("warn");
      if (!args.is_none("max_samples_per_class")) most_ = args.get<std::int64_t>("max_samples_per_class");
    }
    double total = 0;
    for (const double w : weights_) {
      if (!(w >= 0)) throw Error(ErrorKind::config, args.component() + ": ratios cannot be negative");
      total += w;
    }
    if (!weights_.empty() && total == 0) throw Error(ErrorKind::config, args.component() + ": at least one ratio must be positive");
    if (samples_ < 1) throw Error(ErrorKind::config, args.component() + ": num_samples = " + std::to_string(samples_) + ", want at least 1");
  }

  std::vector<Array> find(const Array& label, const Array* image) const {
    if (!by_sign_) return class_indices(label, classes_, image, threshold_, most_);
    auto [foreground, background] = foreground_background(label, image, threshold_);
    return {std::move(foreground), std::move(background)};
  }

  /// Centres of the windows on a grid of `shape` voxels.
  std::vector<Shape> draw(const std::vector<Array>& indices, const Shape& shape, Random& random) const {
    check_size(shape);
    const std::vector<double> weights = usable(indices);
    std::vector<Shape> centers;
    const std::int64_t voxels = numel_of(shape);
    for (std::int64_t s = 0; s < samples_; ++s) {
      const Array& from = indices[weighted_choice(weights, random)];
      const std::int64_t at = from.data<std::int64_t>()[random.integer(0, from.numel())];
      if (at < 0 || at >= voxels) throw Error(ErrorKind::shape, "voxel " + std::to_string(at) + " of an image of " + to_string(shape));
      centers.push_back(unravel(at, shape));
    }
    return centers;
  }

  /// The window around one of the centres.
  Image cut(const Image& image, const Shape& center, std::size_t number, const std::string& name) const {
    const Shape shape = spatial_shape(image);
    Shape size = extents_or(spatial_size_, shape, "spatial_size"), end;
    if (center.size() != shape.size())
      throw Error(ErrorKind::shape, "the label has " + std::to_string(center.size()) + " spatial axes, the image " + std::to_string(shape.size()));
    for (std::size_t i = 0; i < shape.size(); ++i) size[i] = std::min(size[i], shape[i]);
    const Shape begin = window_begin(center, size, shape);
    for (std::size_t i = 0; i < shape.size(); ++i) end.push_back(begin[i] + size[i]);
    Image out = crop(image, begin, end, name);
    out.meta["patch_index"] = number;
    Tuple at;
    for (std::size_t i = 0; i < shape.size(); ++i) at.items.emplace_back(begin[i] + size[i] / 2);
    out.meta["crop_center"] = at;
    return out;
  }

  std::size_t samples() const { return static_cast<std::size_t>(samples_); }

 private:
  void check_size(const Shape& shape) const {
    const Shape size = extents_or(spatial_size_, shape, "spatial_size");
    for (std::size_t i = 0; i < shape.size() && !allow_smaller_; ++i)
      if (size[i] > shape[i])
        throw Error(ErrorKind::shape,
                    "a crop of " + to_string(size) + " from an image of " + to_string(shape) + "; pad it first (SpatialPadd) or set allow_smaller");
  }

  /// The weights of the sets that are not empty.
  std::vector<double> usable(const std::vector<Array>& indices) const {
    std::vector<double> weights = weights_.empty() ? std::vector<double>(indices.size(), 1) : weights_;
    if (weights.size() != indices.size())
      throw Error(ErrorKind::config, std::to_string(weights.size()) + " ratios for " + std::to_string(indices.size()) + " classes");
    bool any = false, dropped = false;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      dropped = dropped || (weights[i] > 0 && indices[i].numel() == 0);
      if (indices[i].numel() == 0) weights[i] = 0;
      any = any || weights[i] > 0;
    }
    for (std::size_t i = 0; i < weights.size() && !any && by_sign_; ++i) any = (weights[i] = indices[i].numel() > 0) || any;
    if (!any)
      throw Error(ErrorKind::shape, "there is no voxel to crop around: the label has none of the classes, or the image none above the threshold");
    if (dropped && warn_ && !warned_.exchange(true))
      log::warning("random crops: a label without one of its classes; others are drawn instead (said once)");
    return weights;
  }

  bool by_sign_, warn_ = true;
  Value spatial_size_;
  std::vector<double> weights_;
  std::optional<std::int64_t> classes_;
  std::int64_t samples_, most_ = 0;
  double threshold_;
  bool allow_smaller_;
  mutable std::atomic<bool> warned_ = false;
};

std::vector<Array> given_indices(const Value& value) {
  std::vector<Array> out;
  for (const Value& v : value.items()) out.push_back(image::array_of(v).to(DType::i64).contiguous());
  return out;
}

/// Array form: label and image are given to the constructor or with the call.
class LabelCrop : public Transform, public Randomizable {
 public:
  LabelCrop(const Args& args, std::string name) : rule_(args), args_(args), name_(std::move(name)) {}
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override { return crops(data, args_); }
  /// (img, label, image, fg_indices and bg_indices, or indices)
  Value call(const CallArgs& args) override {
    std::vector<Param> params{required("img", "")};
    for (const char* name : {"label", "image", "fg_indices", "bg_indices", "indices"})
      if (const Value* own = args_.all().find(name)) params.push_back(optional(name, *own, ""));
    const Args bound = vesal::bind(name_, params, args);
    return crops(bound["img"], bound);
  }

 private:
  Value crops(const Value& data, const Args& with) const {
    const Image image = image::image_of(data);
    std::vector<Array> indices;
    Shape shape = spatial_shape(image);
    const Value label = with["label"];
    if (!label.is_none()) shape = spatial_shape(image::image_of(label));
    if (with.all().contains("indices") && !with.is_none("indices")) indices = given_indices(with["indices"]);
    else if (with.all().contains("fg_indices") && !with.is_none("fg_indices") && !with.is_none("bg_indices"))
      indices = given_indices(List{{with["fg_indices"], with["bg_indices"]}});
    else if (label.is_none()) throw Error(ErrorKind::config, name_ + " wants a label");
    else {
      const Array valid = with.is_none("image") ? Array() : image::array_of(with["image"]);
      indices = rule_.find(image::array_of(label), valid.defined() ? &valid : nullptr);
    }
    Random random = next_stream();
    List out;
    for (const Shape& center : rule_.draw(indices, shape, random))
      out.items.push_back(image::to_value(rule_.cut(image, center, out.items.size(), name_)));
    return out;
  }

  CenterRule rule_;
  Args args_;
  std::string name_;
};

/// Dictionary form: one item in, num_samples items out; all keys are cut at the same places.
class LabelCropd : public Transform, public Randomizable {
 public:
  LabelCropd(const Args& args, std::string name)
      : rule_(args),
        name_(std::move(name)),
        keys_(args.get<std::vector<std::string>>("keys")),
        label_key_(args.get<std::string>("label_key")),
        image_key_(args["image_key"]),
        allow_missing_(args.get<bool>("allow_missing_keys")) {
    for (const char* key : {"fg_indices_key", "bg_indices_key", "indices_key"})
      if (args.all().contains(key) && !args.is_none(key)) index_keys_.push_back(args.get<std::string>(key));
  }
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override {
    return with_context(name_, [&]() -> Value {
      Dict item = data.as_dict();
      const Image label = image::image_of(item.at(label_key_));
      const std::vector<Array> indices = indices_of(item, label);
      Random random = next_stream();
      const auto centers = rule_.draw(indices, spatial_shape(label), random);
      const auto keys = present_keys(item, keys_, allow_missing_, name_);
      for (const std::string& key : keys) check_grid(label, image::image_of(item.at(key)), key);
      for (const std::string& key : index_keys_) item.erase(key);
      List out;
      for (std::size_t i = 0; i < centers.size(); ++i) {
        Dict sample = item;
        for (const std::string& key : keys)
          sample[key] =
              with_context("'" + key + "'", [&] { return image::to_value(rule_.cut(image::image_of(item.at(key)), centers[i], i, name_)); });
        out.items.push_back(std::move(sample));
      }
      return out;
    });
  }

 private:
  std::vector<Array> indices_of(const Dict& item, const Image& label) const {
    List found;
    for (const std::string& key : index_keys_)
      if (const Value* indices = item.find(key)) found.items.push_back(*indices);
    if (found.items.size() == 1 && found.items[0].is_sequence()) return given_indices(found.items[0]);
    if (found.items.size() == 2) return given_indices(found);
    const Value* image = image_key_.is_none() ? nullptr : item.find(image_key_);
    const Array valid = image ? image::array_of(*image) : Array();
    return rule_.find(label.array(), image ? &valid : nullptr);
  }

  /// A crop at the same voxels shows the same place only if both lie on one grid.
  void check_grid(const Image& label, const Image& image, const std::string& key) const {
    if (spatial_shape(label) == spatial_shape(image)) return;
    const auto described = [](const std::string& name, const Image& of) {
      const Value* path = of.meta.find("filename_or_obj");
      const std::string file = path && path->is_string() ? " of " + std::filesystem::path(path->as_string()).filename().string() : "";
      return "'" + name + "'" + file + " is " + to_string(spatial_shape(of));
    };
    throw Error(ErrorKind::geometry, described(key, image) + ", " + described(label_key_, label) + ": they are not on one grid");
  }

  CenterRule rule_;
  std::string name_;
  std::vector<std::string> keys_;
  std::string label_key_;
  Value image_key_;
  bool allow_missing_;
  std::vector<std::string> index_keys_;
};

const Param kKeys = required("keys", "keys of the items to crop");
const Param kLabelKey = required("label_key", "key of the label the centres are drawn by");
const Param kSize = required("spatial_size", "extents of the crops; not positive keeps the image's own");
const Param kPos = optional("pos", 1.0, "weight of centres on foreground");
const Param kNeg = optional("neg", 1.0, "weight of centres on background");
const Param kRatios = optional("ratios", Value(), "weight of each class; all alike if none");
const Param kClasses = optional("num_classes", Value(), "number of classes of a label with one channel");
const Param kSamples = optional("num_samples", 1, "number of crops of each item");
const Param kImageKey =
    optional("image_key", Value(), "key of an image: centres only where it is above image_threshold (for pos and neg: background)");
const Param kThreshold = optional("image_threshold", 0.0, "see the image");
const Param kSmaller = optional("allow_smaller", false, "crop what there is of images smaller than the crop");
const Param kMissing = optional("allow_missing_keys", false, "skip keys the item does not have");
const Param kWarn = optional("warn", true, "warn of classes that are not there");
const Param kMost = optional("max_samples_per_class", Value(), "keep at most so many evenly spaced voxels of each class to draw from");
const Param kLazy = optional("lazy", false, "accepted; crops share the voxels");
const Param kLabel = optional("label", Value(), "the label the centres are drawn by, if not given with the call");
const Param kImage = optional("image", Value(), "an image: centres only where it is above image_threshold (for pos and neg: background)");

template <class T>
Component crop_component(const std::string& name, const std::string& summary, std::vector<Param> params) {
  std::vector<std::string> aliases;
  if (std::is_same_v<T, LabelCropd>) aliases = {name.substr(0, name.size() - 1) + "D", name.substr(0, name.size() - 1) + "Dict"};
  return {"transform",        name,
          std::move(aliases), summary,
          std::move(params),  [name](const Args& args) -> Value { return std::make_shared<T>(args, name); }};
}

const Register pos_neg(crop_component<LabelCrop>("RandCropByPosNegLabel", "Crops around random voxels of foreground or background",
                                                 {kSize, kLabel, kPos, kNeg, kSamples, kImage, kThreshold,
                                                  optional("fg_indices", Value(), "flat indices of the foreground, instead of the label"),
                                                  optional("bg_indices", Value(), "flat indices of the background"), kSmaller, kLazy}));
const Register pos_neg_d(crop_component<LabelCropd>(
    "RandCropByPosNegLabeld", "Crops around random voxels of foreground or background (dictionary form)",
    {kKeys, kLabelKey, kSize, kPos, kNeg, kSamples, kImageKey, kThreshold,
     optional("fg_indices_key", Value(), "key of the foreground's flat indices (FgBgToIndicesd), taken off the item"),
     optional("bg_indices_key", Value(), "key of the background's flat indices, taken off the item"), kSmaller, kMissing, kLazy}));
const Register classes(crop_component<LabelCrop>("RandCropByLabelClasses", "Crops around random voxels of each class",
                                                 {kSize, kRatios, kLabel, kClasses, kSamples, kImage, kThreshold,
                                                  optional("indices", Value(), "flat indices of each class, instead of the label"), kSmaller, kWarn,
                                                  kMost, kLazy}));
const Register classes_d(crop_component<LabelCropd>("RandCropByLabelClassesd", "Crops around random voxels of each class (dictionary form)",
                                                    {kKeys, kLabelKey, kSize, kRatios, kClasses, kSamples, kImageKey, kThreshold,
                                                     optional("indices_key", Value(),
                                                              "key of the flat indices of each class (ClassesToIndicesd), taken off the item"),
                                                     kSmaller, kMissing, kWarn, kMost, kLazy}));

}  // namespace
}  // namespace vesal::transforms
