// Resize, Zoom, RandZoom: other extents over the same field of view. MONAI: the same names (torch.nn.functional.interpolate).
#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "kernels/interpolate_table.h"
#include "transforms/extents.h"
#include "transforms/grid_rules.h"
#include "transforms/padding.h"
#include "transforms/random_transform.h"

namespace vesal::transforms {
namespace {

using kernels::ResizeMode;

struct Interpolate {
  ResizeMode mode = ResizeMode::area;
  bool align_corners = false;

  Resampling between(const Shape& in, const Shape& out) const {
    if (mode == ResizeMode::cubic && in.size() != 2) throw Error(ErrorKind::unsupported, "bicubic is for images of two spatial axes");
    std::vector<kernels::AxisTable> tables;
    for (std::size_t i = 0; i < in.size(); ++i) tables.push_back(kernels::interpolate_table(in[i], out[i], mode, align_corners));
    return Resampling::separable(std::move(tables));
  }
};

Interpolate interpolate_of(const Args& args) {
  const auto mode = args.get<std::string>("mode");
  const bool align = !args.is_none("align_corners") && args.get<bool>("align_corners");
  if (mode == "area") return {ResizeMode::area, align};
  if (mode == "nearest") return {ResizeMode::nearest, align};
  if (mode == "nearest-exact") return {ResizeMode::nearest_exact, align};
  if (mode == "linear" || mode == "bilinear" || mode == "trilinear") return {ResizeMode::linear, align};
  if (mode == "bicubic") return {ResizeMode::cubic, align};
  throw Error(ErrorKind::config, "mode '" + mode + "': area, nearest, nearest-exact, linear, bilinear, trilinear or bicubic wanted");
}

/// Undone by resizing back; for Zoom after the padding or cropping that kept the size.
class ResizeStep : public Step {
 public:
  ResizeStep(std::string name, const Image& before, Shape resized, Shape after, Shape window, Interpolate how)
      : Step(std::move(name), before.affine, spatial_shape(before), std::move(after)),
        resized_(std::move(resized)),
        window_(std::move(window)),
        how_(how) {}

 protected:
  image::VoxelSourcePtr back(image::VoxelSourcePtr voxels, bool nearest) const override {
    if (!window_.empty()) {
      Shape begin;
      for (const std::int64_t b : window_) begin.push_back(-b);
      voxels = window_of(std::move(voxels), std::move(begin), resized_);
    }
    if (resized_ == input_shape()) return voxels;
    return (nearest ? Interpolate{ResizeMode::nearest, false} : how_).between(resized_, input_shape()).apply(std::move(voxels));
  }

 private:
  Shape resized_, window_;
  Interpolate how_;
};

class Resize : public ImageTransform {
 public:
  explicit Resize(const Args& args)
      : size_(args["spatial_size"]),
        longest_(args.get<std::string>("size_mode") == "longest"),
        how_(interpolate_of(args)),
        smooth_(args.get<bool>("anti_aliasing")),
        sigma_(args["anti_aliasing_sigma"]) {
    const auto size_mode = args.get<std::string>("size_mode");
    if (!longest_ && size_mode != "all") throw Error(ErrorKind::config, "size_mode '" + size_mode + "': all or longest wanted");
    if (longest_ && size_.is_sequence()) throw Error(ErrorKind::config, "spatial_size is one number where size_mode is longest");
  }
  std::string type_name() const override { return "Resize"; }
  Image transform(const Image& image) const override {
    const Shape in = spatial_shape(image), out = extents(in);
    Array voxels = image.array().to(DType::f32);
    if (in != out) {
      if (smooth_) voxels = smoothed(voxels, in, out);
      voxels = how_.between(in, out).apply(voxels);
    }
    Image result = image.with(std::move(voxels));
    result.affine = image.affine * scale_affine(in, out);
    result.trail.push_back(std::make_shared<ResizeStep>("Resize", image, out, out, Shape{}, how_));
    return result;
  }

 private:
  Shape extents(const Shape& in) const {
    if (!longest_) return extents_or(size_, in, "spatial_size");
    const double scale = static_cast<double>(size_.as_int()) / static_cast<double>(*std::max_element(in.begin(), in.end()));
    Shape out;
    for (const std::int64_t n : in) {
      out.push_back(static_cast<std::int64_t>(std::nearbyint(static_cast<double>(n) * scale)));
      if (out.back() < 1) throw Error(ErrorKind::shape, "an axis of " + std::to_string(n) + " voxels would vanish");
    }
    return out;
  }
  Array smoothed(const Array& voxels, const Shape& in, const Shape& out) const {
    std::vector<double> sigma(in.size(), -1);
    if (!sigma_.is_none()) {
      const auto given = cast<std::vector<double>>(sigma_);
      if (given.size() != 1 && given.size() != in.size())
        throw Error(ErrorKind::config, "anti_aliasing_sigma wants one number or one per spatial axis");
      for (std::size_t i = 0; i < in.size(); ++i) sigma[i] = given[given.size() == 1 ? 0 : i];
    }
    std::vector<kernels::AxisTable> tables;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double factor = static_cast<double>(in[i]) / static_cast<double>(out[i]);
      const double own = sigma[i] < 0 ? (factor - 1) / 2 : sigma[i];
      tables.push_back(kernels::gaussian_table(in[i], factor > 1 ? own : 0));
    }
    return Resampling::separable(std::move(tables)).apply(voxels);
  }

  Value size_;
  bool longest_;
  Interpolate how_;
  bool smooth_;
  Value sigma_;
};

/// What is left for the padding. "min" and "max", which the zoo's prostate bundle gives, mean nothing to it, nor to MONAI's factors.
Dict padding_arguments(const Args& args) {
  Dict out;
  for (const auto& [name, value] : args["kwargs"].as_dict()) {
    if (name == Value("min") || name == Value("max"))
      log::warning("{}: {} is ignored; the factors are min_zoom and max_zoom", args.component(), name.as_string());
    else out[name] = value;
  }
  return out;
}

/// What Zoom and RandZoom are told but for the factors.
class Zooming {
 public:
  explicit Zooming(const Args& args)
      : how_(interpolate_of(args)),
        pad_(pad_mode(args.get<std::string>("padding_mode"), padding_arguments(args))),
        keep_size_(args.get<bool>("keep_size")) {}

  /// By one factor per spatial axis.
  Image apply(const Image& image, const std::vector<double>& factors, const std::string& name) const {
    const Shape in = spatial_shape(image);
    if (factors.size() != in.size()) throw Error(ErrorKind::config, name + " wants one factor or one per spatial axis");
    Shape zoomed;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double extent = std::floor(static_cast<double>(in[i]) * factors[i]);
      if (!(extent >= 1 && extent < 2147483648.0))
        throw Error(ErrorKind::shape, "zoom would leave " + std::to_string(extent) + " voxels along axis " + std::to_string(i));
      zoomed.push_back(static_cast<std::int64_t>(extent));
    }
    Image out = image.with(zoomed == in ? image.array().to(DType::f32) : how_.between(in, zoomed).apply(image.array().to(DType::f32)));
    out.affine = image.affine * scale_affine(in, zoomed);
    Shape window;
    if (keep_size_ && zoomed != in) {
      Shape end;
      for (std::size_t i = 0; i < in.size(); ++i) {
        window.push_back(zoomed[i] > in[i] ? zoomed[i] / 2 - in[i] / 2 : -((in[i] - zoomed[i]) / 2));
        end.push_back(window[i] + in[i]);
      }
      out = pad_or_crop(out, window, end, pad_, name);
    }
    out.trail = image.trail;
    out.trail.push_back(std::make_shared<ResizeStep>(name, image, zoomed, spatial_shape(out), window, how_));
    return out;
  }

 private:
  Interpolate how_;
  PadMode pad_;
  bool keep_size_;
};

class Zoom : public ImageTransform {
 public:
  explicit Zoom(const Args& args) : zooming_(args), zoom_(args.get<std::vector<double>>("zoom")) {}
  std::string type_name() const override { return "Zoom"; }
  Image transform(const Image& image) const override {
    return zooming_.apply(image, zoom_.size() == 1 ? std::vector<double>(spatial_shape(image).size(), zoom_[0]) : zoom_, type_name());
  }

 private:
  Zooming zooming_;
  std::vector<double> zoom_;
};

class RandZoom : public RandomImageTransform {
 public:
  explicit RandZoom(const Args& args)
      : RandomImageTransform(args.get<double>("prob")),
        zooming_(args),
        low_(args.get<std::vector<double>>("min_zoom")),
        high_(args.get<std::vector<double>>("max_zoom")) {
    if (low_.empty() || low_.size() != high_.size()) throw Error(ErrorKind::config, "RandZoom: min_zoom and max_zoom have different lengths");
  }
  std::string type_name() const override { return "RandZoom"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    std::vector<double> zoom;
    for (std::size_t i = 0; i < low_.size(); ++i) zoom.push_back(random.uniform(low_[i], high_[i]));
    // One factor is for all axes, two on a volume are for its slices and across them.
    const std::size_t rank = spatial_shape(image).size();
    if (zoom.size() == 1) zoom.resize(rank, zoom[0]);
    else if (zoom.size() == 2 && rank > 2) zoom.insert(zoom.begin(), rank - 2, zoom[0]);
    return zooming_.apply(image, zoom, type_name());
  }
  Image unchanged(const Image& image) const override { return image.with(image.array().to(DType::f32)); }

 private:
  Zooming zooming_;
  std::vector<double> low_, high_;
};

const char* const kModeDoc = "area, nearest, nearest-exact, linear (bilinear, trilinear) or, in 2D, bicubic";
const Param kAlign = optional("align_corners", Value(), "the outermost voxel centres, not edges, are the ends of the grid");
const Param kDType = optional("dtype", DType::f32, "accepted; results are float32");
const Param kLazy = optional("lazy", false, "accepted; resampled at once");

const RegisterTransform resize({
    .name = "Resize",
    .summary = "Resample to the given extents",
    .params = {required("spatial_size", "extents wanted, one or one per axis; not positive keeps the image's own"),
               optional("size_mode", "all", "all, or longest: spatial_size is that of the longest axis, the others keep the proportions"),
               optional("mode", "area", kModeDoc), kAlign, optional("anti_aliasing", false, "smooth before going to fewer voxels"),
               optional("anti_aliasing_sigma", Value(), "of the smoothing, in voxels; (factor - 1) / 2 if none"), kDType, kLazy},
    .per_key = {"mode", "align_corners", "anti_aliasing", "dtype"},
    .make = [](const Args& args) { return std::make_shared<Resize>(args); },
});

const Param kPadding = optional("padding_mode", "edge", "what to fill with where the zoomed image is smaller");
const Param kKeepSize = optional("keep_size", true, "pad or centre-crop to the extents before");
const Param kFill{.name = "kwargs", .doc = "value (constant_values): what constant padding fills with", .rest = true};

const RegisterTransform zoom({
    .name = "Zoom",
    .summary = "Resample by a factor",
    .params = {required("zoom", "factor, one or one per axis"), optional("mode", "area", kModeDoc), kPadding, kAlign, kDType, kKeepSize, kLazy,
               kFill},
    .per_key = {"mode", "padding_mode", "align_corners", "dtype"},
    .make = [](const Args& args) { return std::make_shared<Zoom>(args); },
});

const RegisterRandomTransform rand_zoom({
    .name = "RandZoom",
    .summary = "Resample by a random factor",
    .params = {prob_param(), optional("min_zoom", 0.9, "smallest factor: one for all axes, one per axis, or in 3D two, for x and y and for z"),
               optional("max_zoom", 1.1, "largest factor, as min_zoom"), optional("mode", "area", kModeDoc), kPadding, kAlign, kDType, kKeepSize,
               kLazy, kFill},
    .per_key = {"mode", "padding_mode", "align_corners", "dtype"},
    .make = [](const Args& args) { return std::make_shared<RandZoom>(args); },
});

}  // namespace
}  // namespace vesal::transforms
