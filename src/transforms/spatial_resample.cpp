// SpatialResample, ResampleToMatch: onto a grid given by its affine and extents, or by another image. MONAI: the same names.
#include "transforms/extents.h"
#include "transforms/regrid.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

SampleOptions options_of(const Args& args) {
  return sample_options(args.get<std::string>("mode"), args.get<std::string>("padding_mode"), args.get<bool>("align_corners"));
}

class SpatialResample : public Transform {
 public:
  explicit SpatialResample(SampleOptions options) : options_(options) {}
  std::string type_name() const override { return "SpatialResample"; }
  /// Without a target the image stays where it is.
  Value apply(const Value& data) const override { return image::to_value(to(image::image_of(data), Value(), Value())); }
  Value call(const CallArgs& args) override {
    const Args given =
        bind("SpatialResample", {required("img", ""), optional("dst_affine", Value(), ""), optional("spatial_size", Value(), "")}, args);
    return image::to_value(to(image::image_of(given["img"]), given["dst_affine"], given["spatial_size"]));
  }
  Image to(const Image& image, const Value& affine, const Value& size) const {
    std::optional<Shape> shape;
    if (!size.is_none()) shape = extents_or(size, spatial_shape(image), "spatial_size");
    return resampled_to(image, affine.is_none() ? image.affine : image::Affine::from_array(image::array_of(affine)), shape, options_, type_name());
  }

 private:
  SampleOptions options_;
};

/// On the other image's grid, with its metadata but for the file's name.
Image matched(const Image& image, const Image& other, const SampleOptions& options) {
  Image out = resampled_to(image, other.affine, spatial_shape(other), options, "ResampleToMatch");
  const Value* name = image.meta.find("filename_or_obj");
  const Value original = name ? *name : Value("resample_to_match_source");
  out.affine = other.affine;
  out.meta = other.meta;
  out.meta["filename_or_obj"] = original;
  return out;
}

class ResampleToMatch : public Transform {
 public:
  explicit ResampleToMatch(SampleOptions options) : options_(options) {}
  std::string type_name() const override { return "ResampleToMatch"; }
  Value apply(const Value&) const override { throw Error(ErrorKind::config, "ResampleToMatch wants an image and the image to match"); }
  Value call(const CallArgs& args) override {
    const Args given = bind("ResampleToMatch", {required("img", ""), required("img_dst", "")}, args);
    return image::to_value(matched(image::image_of(given["img"]), image::image_of(given["img_dst"]), options_));
  }

 private:
  SampleOptions options_;
};

/// What both dictionary forms share: a target per key.
class Resampled : public Transform {
 public:
  using Work = std::function<Image(const Image& image, const Value& target, const SampleOptions& options)>;
  Resampled(std::string name, const Args& args, std::vector<std::string> targets, Work work)
      : name_(std::move(name)),
        keys_(args.get<std::vector<std::string>>("keys")),
        targets_(std::move(targets)),
        work_(std::move(work)),
        allow_missing_(args.get<bool>("allow_missing_keys")) {
    if (targets_.size() == 1) targets_.resize(keys_.size(), targets_[0]);
    if (targets_.size() != keys_.size()) throw Error(ErrorKind::config, name_ + " wants one target for all keys or one per key");
    for (std::size_t i = 0; i < keys_.size(); ++i)
      options_.push_back(options_of(args_of_key(args, {"mode", "padding_mode", "align_corners", "dtype"}, i)));
  }
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (present_keys(item, {keys_[i]}, allow_missing_, name_).empty()) continue;
      item[keys_[i]] = with_context(name_ + " of '" + keys_[i] + "'",
                                    [&] { return image::to_value(work_(image::image_of(item.at(keys_[i])), item.at(targets_[i]), options_[i])); });
    }
    return item;
  }

 private:
  std::string name_;
  std::vector<std::string> keys_, targets_;
  Work work_;
  bool allow_missing_;
  std::vector<SampleOptions> options_;
};

const Param kMode = optional("mode", "bilinear", "bilinear or nearest");
const Param kPadding = optional("padding_mode", "border", "what lies outside: border, zeros or reflection");
const Param kAlign = optional("align_corners", false, "the outermost voxel centres, not edges, are the ends of the grid");
const Param kType = optional("dtype", DType::f64, "accepted; positions are computed in float64, results are float32");
const Param kLazy = optional("lazy", false, "accepted; resampled at once");
const Param kMissing = optional("allow_missing_keys", false, "skip keys the item does not have");

const Register spatial_resample({
    .kind = "transform",
    .name = "SpatialResample",
    .aliases = {},
    .summary = "Resample to a grid: called with the image, dst_affine and spatial_size",
    .params = {kMode, kPadding, kAlign, kType, kLazy},
    .make = [](const Args& args) -> Value { return std::make_shared<SpatialResample>(options_of(args)); },
});

const Register spatial_resampled({
    .kind = "transform",
    .name = "SpatialResampled",
    .aliases = {"SpatialResampleD", "SpatialResampleDict"},
    .summary = "Resample to a grid whose affine is an item (dictionary form)",
    .params = {required("keys", "keys of the images"), kMode, kPadding, kAlign, kType,
               optional("dst_keys", "dst_affine", "keys of the affines, one or one per key"), kMissing, kLazy},
    .make = [](const Args& args) -> Value {
      return std::make_shared<Resampled>(
          "SpatialResampled", args, args.get<std::vector<std::string>>("dst_keys"),
          [](const Image& image, const Value& affine, const SampleOptions& options) { return SpatialResample(options).to(image, affine, Value()); });
    },
});

const Register resample_to_match({
    .kind = "transform",
    .name = "ResampleToMatch",
    .aliases = {},
    .summary = "Resample to the grid of another image: called with both",
    .params = {kMode, kPadding, kAlign, kType, kLazy},
    .make = [](const Args& args) -> Value { return std::make_shared<ResampleToMatch>(options_of(args)); },
});

const Register resample_to_matchd({
    .kind = "transform",
    .name = "ResampleToMatchd",
    .aliases = {"ResampleToMatchD", "ResampleToMatchDict"},
    .summary = "Resample to the grid of another image of the item (dictionary form)",
    .params = {required("keys", "keys of the images"), required("key_dst", "key of the image to match"), kMode, kPadding, kAlign, kType, kMissing,
               kLazy},
    .make = [](const Args& args) -> Value {
      return std::make_shared<Resampled>(
          "ResampleToMatchd", args, args.get<std::vector<std::string>>("key_dst"),
          [](const Image& image, const Value& other, const SampleOptions& options) { return matched(image, image::image_of(other), options); });
    },
});

}  // namespace
}  // namespace vesal::transforms
