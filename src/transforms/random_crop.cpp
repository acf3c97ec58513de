// RandSpatialCrop, RandScaleCrop, RandSpatialCropSamples: windows at random places. MONAI: the same names.
#include <algorithm>
#include <cmath>

#include "transforms/extents.h"
#include "transforms/random_transform.h"
#include "transforms/spatial_step.h"

namespace vesal::transforms {
namespace {

/// Extents asked for on a grid: numbers of voxels, or parts of it.
class Extents {
 public:
  Extents(const Args& args, std::string name, bool scale) : name_(std::move(name)), value_(args[name_]), scale_(scale) {}
  bool given() const { return !value_.is_none(); }
  Shape on(const Shape& shape) const {
    if (!scale_) return extents_or(value_, shape, name_);
    std::vector<double> parts = cast<std::vector<double>>(value_);
    if (!value_.is_sequence()) parts.assign(shape.size(), parts[0]);
    if (parts.size() != shape.size()) throw Error(ErrorKind::config, name_ + " wants one number or one per spatial axis");
    Shape out;
    for (std::size_t i = 0; i < shape.size(); ++i) out.push_back(static_cast<std::int64_t>(std::ceil(parts[i] * static_cast<double>(shape[i]))));
    return extents_or(List{{out.begin(), out.end()}}, shape, name_);
  }

 private:
  std::string name_;
  Value value_;
  bool scale_;
};

class RandCrop : public RandomImageTransform {
 public:
  RandCrop(const Args& args, bool scale, std::string name)
      : RandomImageTransform(1),
        name_(std::move(name)),
        size_(args, scale ? "roi_scale" : "roi_size", scale),
        most_(args, scale ? "max_roi_scale" : "max_roi_size", scale),
        random_center_(args.get<bool>("random_center")),
        random_size_(args.get<bool>("random_size")) {}
  std::string type_name() const override { return name_; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    const Shape shape = spatial_shape(image);
    Shape size = size_.on(shape), begin, end;
    if (random_size_) {
      const Shape most = most_.given() ? most_.on(shape) : shape;
      for (std::size_t i = 0; i < shape.size(); ++i) {
        if (size[i] > most[i])
          throw Error(ErrorKind::config, name_ + ": the smallest crop " + to_string(size) + " is larger than the largest " + to_string(most));
        size[i] = random.integer(size[i], most[i] + 1);
      }
    }
    for (std::size_t i = 0; i < shape.size(); ++i) {
      size[i] = std::min(size[i], shape[i]);
      begin.push_back(random_center_ ? random.integer(0, shape[i] - size[i] + 1) : shape[i] / 2 - size[i] / 2);
      end.push_back(begin[i] + size[i]);
    }
    return crop(image, begin, end, name_);
  }

 private:
  std::string name_;
  Extents size_, most_;
  bool random_center_, random_size_;
};

/// Several crops of one image.
class CropSamples : public Transform, public Randomizable {
 public:
  explicit CropSamples(const Args& args)
      : cropper_(std::make_shared<RandCrop>(args, false, "RandSpatialCropSamples")), samples_(args.get<std::int64_t>("num_samples")) {
    if (samples_ < 1) throw Error(ErrorKind::config, args.component() + ": num_samples = " + std::to_string(samples_) + ", want at least 1");
  }
  std::string type_name() const override { return "RandSpatialCropSamples"; }
  Value apply(const Value& data) const override {
    const Image image = image::image_of(data);
    Random random = next_stream();
    List out;
    for (std::int64_t i = 0; i < samples_; ++i) out.items.push_back(sample(image, Random(random.next()), i));
    return out;
  }

 protected:
  Value sample(const Image& image, const Random& random, std::int64_t number) const {
    Image out = cropper_->transform(image, random);
    out.meta["patch_index"] = number;
    return image::to_value(std::move(out));
  }
  std::int64_t samples() const { return samples_; }

 private:
  std::shared_ptr<RandCrop> cropper_;
  std::int64_t samples_;
};

/// Dictionary form: one item in, num_samples items out; all keys are cut at the same places.
class CropSamplesd : public CropSamples {
 public:
  explicit CropSamplesd(const Args& args)
      : CropSamples(args), keys_(args.get<std::vector<std::string>>("keys")), allow_missing_(args.get<bool>("allow_missing_keys")) {}
  std::string type_name() const override { return "RandSpatialCropSamplesd"; }
  Value apply(const Value& data) const override {
    const Dict item = data.as_dict();
    const auto keys = present_keys(item, keys_, allow_missing_, type_name());
    Random random = next_stream();
    List out;
    for (std::int64_t i = 0; i < samples(); ++i) {
      const Random own(random.next());
      Dict cut = item;
      for (const std::string& key : keys)
        cut[key] = with_context(type_name() + " of '" + key + "'", [&] { return sample(image::image_of(item.at(key)), own, i); });
      out.items.push_back(std::move(cut));
    }
    return out;
  }

 private:
  std::vector<std::string> keys_;
  bool allow_missing_;
};

const Param kSize = required("roi_size", "extents of the crop, the smallest with random_size; not positive keeps the image's own");
const Param kMost = optional("max_roi_size", Value(), "with random_size: the largest extents; the image's own if none");
const Param kCenter = optional("random_center", true, "at a random place, not in the middle");
const Param kRandomSize = optional("random_size", false, "of random extents");
const Param kLazy = optional("lazy", false, "accepted; crops share the voxels");

const RegisterRandomTransform spatial_crop({
    .name = "RandSpatialCrop",
    .summary = "A part of the image at a random place",
    .params = {kSize, kMost, kCenter, kRandomSize, kLazy},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandCrop>(args, false, "RandSpatialCrop"); },
});

const RegisterRandomTransform scale_crop({
    .name = "RandScaleCrop",
    .summary = "A part of the image, given in proportion to it, at a random place",
    .params = {required("roi_scale", "extents of the crop as parts of the image's, the smallest with random_size"),
               optional("max_roi_scale", Value(), "with random_size: the largest; the whole image if none"), kCenter, kRandomSize, kLazy},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandCrop>(args, true, "RandScaleCrop"); },
});

const RegisterTransform samples({
    .name = "RandSpatialCropSamples",
    .summary = "Several parts of the image at random places",
    .params = {kSize, required("num_samples", "number of crops"), kMost, kCenter, kRandomSize, kLazy},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<CropSamples>(args); },
    .make_dict = [](const Args& args) -> TransformPtr { return std::make_shared<CropSamplesd>(args); },
});

}  // namespace
}  // namespace vesal::transforms
