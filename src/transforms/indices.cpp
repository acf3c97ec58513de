// FgBgToIndices, ClassesToIndices: where the voxels of a label are, found once for the random crops. MONAI: the same names.
#include "transforms/label_indices.h"
#include "transforms/spatial_step.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// Finds the sets of one label and, with output_shape, gives places instead of flat indices.
class IndexRule {
 public:
  explicit IndexRule(const Args& args)
      : classes_(args.all().contains("num_classes")),
        number_(classes_ ? args.get<std::optional<std::int64_t>>("num_classes") : std::nullopt),
        most_(classes_ && !args.is_none("max_samples_per_class") ? args.get<std::int64_t>("max_samples_per_class") : 0),
        threshold_(args.get<double>("image_threshold")) {
    if (!args.is_none("output_shape")) output_shape_ = args.get<Shape>("output_shape");
  }
  std::vector<Value> find(const Value& label, const Value& image) const {
    const Array voxels = image::array_of(label), valid = image.is_none() ? Array() : image::array_of(image);
    const Array* mask = valid.defined() ? &valid : nullptr;
    std::vector<Array> sets;
    if (classes_) sets = class_indices(voxels, number_, mask, threshold_, most_);
    else {
      auto [foreground, background] = foreground_background(voxels, mask, threshold_);
      sets = {std::move(foreground), std::move(background)};
    }
    std::vector<Value> out;
    for (const Array& set : sets) out.push_back(output_shape_.empty() ? set : places(set));
    return out;
  }
  bool classes() const { return classes_; }

 private:
  Array places(const Array& flat) const {
    const auto rank = static_cast<std::int64_t>(output_shape_.size());
    Array out = Array::empty({flat.numel(), rank}, DType::i64);
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      const Shape at = unravel(flat.data<std::int64_t>()[i], output_shape_);
      std::copy(at.begin(), at.end(), out.data<std::int64_t>() + i * rank);
    }
    return out;
  }

  bool classes_;
  std::optional<std::int64_t> number_;
  std::int64_t most_;
  double threshold_;
  Shape output_shape_;
};

class ToIndices : public Transform {
 public:
  ToIndices(const Args& args, std::string name) : rule_(args), name_(std::move(name)) {}
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override { return result(rule_.find(data, Value())); }
  /// (label, image=None)
  Value call(const CallArgs& args) override {
    const Args bound = vesal::bind(name_, {required("label", ""), optional("image", Value(), "")}, args);
    return result(rule_.find(bound["label"], bound["image"]));
  }

 private:
  Value result(std::vector<Value> sets) const { return rule_.classes() ? Value(List{std::move(sets)}) : Value(Tuple{std::move(sets)}); }
  IndexRule rule_;
  std::string name_;
};

class ToIndicesd : public Transform {
 public:
  ToIndicesd(const Args& args, std::string name)
      : rule_(args),
        name_(std::move(name)),
        keys_(args.get<std::vector<std::string>>("keys")),
        image_key_(args["image_key"]),
        allow_missing_(args.get<bool>("allow_missing_keys")) {
    for (const char* postfix : {"indices_postfix", "fg_postfix", "bg_postfix"})
      if (args.all().contains(postfix)) postfixes_.push_back(args.get<std::string>(postfix));
  }
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    const Value* image = image_key_.is_none() ? nullptr : item.find(image_key_);
    const Value mask = image ? *image : Value();
    for (const std::string& key : present_keys(item, keys_, allow_missing_, name_)) {
      std::vector<Value> sets = with_context(name_ + " of '" + key + "'", [&] { return rule_.find(item.at(key), mask); });
      if (rule_.classes()) item[key + postfixes_[0]] = List{std::move(sets)};
      else
        for (std::size_t i = 0; i < 2; ++i) item[key + postfixes_[i]] = std::move(sets[i]);
    }
    return item;
  }

 private:
  IndexRule rule_;
  std::string name_;
  std::vector<std::string> keys_, postfixes_;
  Value image_key_;
  bool allow_missing_;
};

const Param kThreshold =
    optional("image_threshold", 0.0, "with an image: only voxels above it count (of foreground and background: the background's)");
const Param kShape = optional("output_shape", Value(), "give places on a grid of this shape, [n, axes], instead of flat indices");
const Param kNumber = optional("num_classes", Value(), "number of classes of a label with one channel");
const Param kMost = optional("max_samples_per_class", Value(), "keep at most so many evenly spaced voxels of each class");
const Param kImageKey = optional("image_key", Value(), "key of the image that image_threshold is for");

const RegisterTransform foreground({
    .name = "FgBgToIndices",
    .summary = "Where the foreground and the background of a label are",
    .params = {kThreshold, kShape},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<ToIndices>(args, "FgBgToIndices"); },
    .dict_params = {optional("fg_postfix", "_fg_indices", "the foreground goes to KEY + this"),
                    optional("bg_postfix", "_bg_indices", "the background goes to KEY + this"), kImageKey},
    .make_dict = [](const Args& args) -> TransformPtr { return std::make_shared<ToIndicesd>(args, "FgBgToIndicesd"); },
    .dict_order = {"fg_postfix", "bg_postfix", "image_key"},
});

const RegisterTransform classes({
    .name = "ClassesToIndices",
    .summary = "Where the voxels of each class of a label are",
    .params = {kNumber, kThreshold, kShape, kMost},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<ToIndices>(args, "ClassesToIndices"); },
    .dict_params = {optional("indices_postfix", "_cls_indices", "the list of indices goes to KEY + this"), kImageKey},
    .make_dict = [](const Args& args) -> TransformPtr { return std::make_shared<ToIndicesd>(args, "ClassesToIndicesd"); },
    .dict_order = {"indices_postfix", "num_classes", "image_key"},
});

}  // namespace
}  // namespace vesal::transforms
