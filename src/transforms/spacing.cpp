// Spacing: resampled to the voxel sizes asked for. MONAI: Spacing, Spacingd.
#include <algorithm>
#include <cmath>
#include <limits>

#include "transforms/regrid.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

using image::Affine;

std::vector<double> sizes_of(const Args& args, const char* name) {
  if (args.is_none(name)) return {};
  std::vector<double> sizes;
  const Value& v = args[name];
  if (v.is_array()) {
    const Array a = v.as_array().to(DType::f64);
    sizes.assign(a.data<double>(), a.data<double>() + a.numel());
  } else {
    for (const auto& size : args.get<std::vector<std::optional<double>>>(name)) sizes.push_back(size.value_or(std::nan("")));
  }
  return sizes;
}

class Spacing : public ImageTransform {
 public:
  explicit Spacing(const Args& args)
      : pixdim_(sizes_of(args, "pixdim")),
        min_(sizes_of(args, "min_pixdim")),
        max_(sizes_of(args, "max_pixdim")),
        diagonal_(args.get<bool>("diagonal")),
        scale_extent_(args.get<bool>("scale_extent")),
        recompute_affine_(args.get<bool>("recompute_affine")),
        options_(sample_options(args.get<std::string>("mode"), args.get<std::string>("padding_mode"), args.get<bool>("align_corners"))) {
    if (pixdim_.empty()) throw Error(ErrorKind::config, "Spacing: pixdim is empty");
    for (std::size_t i = 0; i < std::min(min_.size(), max_.size()); ++i)
      if (max_[i] < min_[i] || (!std::isnan(max_[i]) && min_[i] < 0))
        throw Error(ErrorKind::config, "Spacing: min_pixdim must be positive and no larger than max_pixdim");
  }
  std::string type_name() const override { return "Spacing"; }
  Image transform(const Image& image) const override { return to_grid(image, std::nullopt); }

  /// With other extents than the spacing would give.
  Image to_grid(const Image& image, const std::optional<Shape>& forced) const {
    const Shape shape = spatial_shape(image);
    const int rank = static_cast<int>(shape.size());
    if (rank > 3) throw Error(ErrorKind::unsupported, "Spacing wants at most three spatial axes, got " + std::to_string(rank));
    const Affine from = of_rank(image.affine, rank);
    image::check(from);
    Affine to = zoom_affine(from, target_sizes(from, rank), diagonal_, rank);
    const ShapeOffset grid = shape_and_offset(shape, from, to, scale_extent_);
    for (int r = 0; r < rank; ++r) to(r, 3) = grid.offset[r];
    const Shape& extents = forced ? *forced : grid.shape;

    Image out = regridded(image, to, extents, options_, "Spacing");
    if (recompute_affine_) out.affine = scale_affine(shape, extents);
    return out;
  }

 private:
  std::vector<double> target_sizes(const Affine& from, int rank) const {
    const std::vector<double> own = voxel_sizes(from, rank);
    std::vector<double> sizes;
    for (int i = 0; i < rank; ++i) {
      const auto limit = [&](const std::vector<double>& v) { return i < static_cast<int>(v.size()) ? v[i] : std::nan(""); };
      const double target = i < static_cast<int>(pixdim_.size()) ? pixdim_[i] : pixdim_.back();
      const double low = std::isnan(limit(min_)) ? target : target < limit(min_) ? target : limit(min_);
      const double high = std::isnan(limit(max_)) ? target : target > limit(max_) ? target : limit(max_);
      sizes.push_back(low - kAffineTolerance <= own[i] && own[i] <= high + kAffineTolerance ? own[i] : target);
    }
    return sizes;
  }

  std::vector<double> pixdim_, min_, max_;
  bool diagonal_, scale_extent_, recompute_affine_;
  SampleOptions options_;
};

/// Images of one shape and voxel size come out with one shape, whatever rounding does to each.
class Spacingd : public Transform {
 public:
  explicit Spacingd(const Args& args, const std::vector<std::string>& per_key)
      : keys_(args.get<std::vector<std::string>>("keys")),
        same_shape_(args.get<bool>("ensure_same_shape")),
        allow_missing_(args.get<bool>("allow_missing_keys")) {
    for (std::size_t i = 0; i < keys_.size(); ++i) each_.emplace_back(args_of_key(args, per_key, i));
  }
  std::string type_name() const override { return "Spacingd"; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    std::optional<Image> first;
    std::optional<Shape> first_shape;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (present_keys(item, {keys_[i]}, allow_missing_, type_name()).empty()) continue;
      item[keys_[i]] = with_context("Spacingd of '" + keys_[i] + "'", [&] {
        const Image image = image::image_of(item.at(keys_[i]));
        const bool match = same_shape_ && first && alike(*first, image);
        Image out = each_[i].to_grid(image, match ? first_shape : std::nullopt);
        if (!first) first = image, first_shape = spatial_shape(out);
        return image::to_value(std::move(out));
      });
    }
    return item;
  }

 private:
  static bool alike(const Image& a, const Image& b) {
    const auto sa = image::spacing_of(a.affine), sb = image::spacing_of(b.affine);
    for (int i = 0; i < 3; ++i)
      if (!(std::fabs(sa[i] - sb[i]) <= 1e-3 + 1e-5 * std::fabs(sb[i]))) return false;
    return spatial_shape(a) == spatial_shape(b);
  }

  std::vector<std::string> keys_;
  bool same_shape_, allow_missing_;
  std::vector<Spacing> each_;
};

const std::vector<std::string> kPerKey{"mode", "padding_mode", "align_corners", "dtype", "scale_extent"};

const RegisterTransform registered({
    .name = "Spacing",
    .summary = "Resample to the given voxel sizes",
    .params = {required("pixdim", "voxel size in mm per axis; the last one serves the axes left, none positive keeps the image's own"),
               optional("diagonal", false, "drop the rotation of the affine: the result lies along the world axes"),
               optional("mode", "bilinear", "bilinear (trilinear in 3D) or nearest"),
               optional("padding_mode", "border", "what lies outside: border, zeros or reflection"),
               optional("align_corners", false, "the outermost voxel centres, not edges, are the ends of the grid"),
               optional("dtype", DType::f64, "accepted; positions are computed in float64, results are float32"),
               optional("scale_extent", false, "scale the extent of the voxels rather than the distance of their centres"),
               optional("recompute_affine", false, "take the affine from the ratio of the extents"),
               optional("min_pixdim", Value(), "voxel sizes between this and max_pixdim are kept"),
               optional("max_pixdim", Value(), "voxel sizes between min_pixdim and this are kept"),
               optional("lazy", false, "accepted; resampled at once")},
    .per_key = kPerKey,
    .make = [](const Args& args) { return std::make_shared<Spacing>(args); },
    .dict_params = {optional("ensure_same_shape", true, "give images of one shape and voxel size one output shape")},
    .make_dict = [](const Args& args) { return std::make_shared<Spacingd>(args, kPerKey); },
});

}  // namespace
}  // namespace vesal::transforms
