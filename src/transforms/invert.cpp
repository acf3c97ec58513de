// Invert, Invertd: results go back to the grid of the image they were made from. MONAI: Invert, Invertd.
//
// What was done is on the image's trail; each step is taken back in turn, box by box: nothing is computed before somebody reads.
#include "base/log.h"
#include "transforms/slabs.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// `voxels` on the grid of `original` as it is now -> on the grid it had before its first step, with its metadata.
Image take_back(const Image& voxels, const Image& original, bool nearest) {
  Image out = voxels;
  if (!original.trail.empty()) {
    image::VoxelSourcePtr source = source_of(voxels);
    for (auto step = original.trail.rbegin(); step != original.trail.rend(); ++step) source = (*step)->undo(std::move(source), nearest);
    out = Image(std::move(source));
  }
  out.affine = original.trail.empty() ? original.affine : original.trail.front()->input_affine();
  out.meta = original.meta;
  out.trail.clear();
  return out;
}

Value finish(Image image, const Value& post_func) {
  const Value value = image::to_value(std::move(image));
  return post_func.is_none() ? value : call_value(post_func, {{value}, {}});
}

class Invert : public Transform {
 public:
  explicit Invert(const Args& args) : nearest_(args.get<bool>("nearest_interp")), post_func_(args["post_func"]) {}
  std::string type_name() const override { return "Invert"; }
  Value apply(const Value& data) const override {
    const auto image = data.object<Image>();
    return image ? finish(take_back(*image, *image, nearest_), post_func_) : data;
  }

 private:
  bool nearest_;
  Value post_func_;
};

class Invertd : public Transform {
 public:
  explicit Invertd(const Args& args) : keys_(args.get<std::vector<std::string>>("keys")), allow_missing_(args.get<bool>("allow_missing_keys")) {
    const std::vector<std::string> originals = args.is_none("orig_keys") ? keys_ : args.get<std::vector<std::string>>("orig_keys");
    if (originals.size() != 1 && originals.size() != keys_.size())
      throw Error(ErrorKind::config, "Invertd: " + std::to_string(originals.size()) + " orig_keys for " + std::to_string(keys_.size()) + " keys");
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      originals_.push_back(originals.size() == 1 ? originals[0] : originals[i]);
      const Args own = args_of_key(args, {"nearest_interp", "post_func"}, i);
      nearest_.push_back(own.get<bool>("nearest_interp"));
      post_funcs_.push_back(own["post_func"]);
    }
  }
  std::string type_name() const override { return "Invertd"; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (present_keys(item, {keys_[i]}, allow_missing_, type_name()).empty()) continue;
      const Value* original = item.find(originals_[i]);
      const auto image = original ? original->object<Image>() : nullptr;
      if (!image) {
        log::warning("Invertd: '{}' stays as it is: the item has no image '{}' to take the steps from", keys_[i], originals_[i]);
        continue;
      }
      item[keys_[i]] = with_context("Invertd of '" + keys_[i] + "'",
                                    [&] { return finish(take_back(image::image_of(item.at(keys_[i])), *image, nearest_[i]), post_funcs_[i]); });
    }
    return item;
  }

 private:
  std::vector<std::string> keys_, originals_;
  bool allow_missing_;
  std::vector<bool> nearest_;
  std::vector<Value> post_funcs_;
};

const char* const kTransformDoc = "the transforms to invert; what is undone are the steps the image carries";
const char* const kNearestDoc = "interpolate by nearest voxel, for labels, not as the transform did";

const Register invert({
    .kind = "transform",
    .name = "Invert",
    .aliases = {},
    .summary = "Take an image back to the grid it had before its spatial transforms",
    .params = {optional("transform", Value(), kTransformDoc), optional("nearest_interp", true, kNearestDoc),
               optional("device", Value(), "accepted; results stay in host memory"), optional("post_func", Value(), "called with the result"),
               optional("to_tensor", true, "accepted; results are images")},
    .make = [](const Args& args) -> Value { return std::make_shared<Invert>(args); },
});

const Register invertd({
    .kind = "transform",
    .name = "Invertd",
    .aliases = {"InvertD", "InvertDict"},
    .summary = "Take a prediction back to the grid of the scan it was made from (dictionary form)",
    .params = {required("keys", "keys of the predictions"), required("transform", kTransformDoc),
               optional("orig_keys", Value(), "keys of the images the predictions were made from; the keys themselves if none"),
               optional("meta_keys", Value(), "accepted; an image carries its metadata"),
               optional("orig_meta_keys", Value(), "accepted; an image carries its metadata"),
               optional("meta_key_postfix", "meta_dict", "accepted; an image carries its metadata"), optional("nearest_interp", true, kNearestDoc),
               optional("to_tensor", true, "accepted; results are images"), optional("device", Value(), "accepted; results stay in host memory"),
               optional("post_func", Value(), "called with each result"), optional("allow_missing_keys", false, "skip keys the item does not have")},
    .make = [](const Args& args) -> Value { return std::make_shared<Invertd>(args); },
});

}  // namespace
}  // namespace vesal::transforms
