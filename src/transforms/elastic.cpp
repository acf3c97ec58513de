// Rand2DElastic, Rand3DElastic (monai.transforms): smooth random deformation and an affine map, in one resampling. As with MONAI, the
// image keeps its affine and the step can not be taken back.
#include <cmath>

#include "transforms/affine_ranges.h"
#include "transforms/deformation.h"
#include "transforms/extents.h"

namespace vesal::transforms {
namespace {

/// What both forms share: any number of images, deformed by one field.
class Elastic {
 public:
  Elastic(const Args& args, int rank)
      : name_(rank == 2 ? "Rand2DElastic" : "Rand3DElastic"),
        rank_(static_cast<std::size_t>(rank)),
        prob_(args.get<double>("prob")),
        magnitude_(range(args, "magnitude_range")),
        affine_(args),
        spatial_size_(args["spatial_size"]) {
    if (!(prob_ >= 0 && prob_ <= 1)) throw Error(ErrorKind::config, "prob = " + std::to_string(prob_) + ", want 0 to 1");
  }
  virtual ~Elastic() = default;
  const std::string& name() const { return name_; }

  /// The first image gives the extents of the field, if the arguments do not.
  std::vector<Image> apply(const std::vector<Image>& images, const std::vector<SampleOptions>& options, Random random) const {
    for (const Image& image : images)
      if (spatial_shape(image).size() != rank_)
        throw Error(ErrorKind::shape,
                    name_ + " wants " + std::to_string(rank_) + " spatial axes, the image has " + std::to_string(spatial_shape(image).size()));
    const Shape own = spatial_shape(images.at(0)), out = spatial_size_.is_none() ? own : extents_or(spatial_size_, own, "spatial_size");
    const bool change = random.chance(prob_);
    std::vector<Image> results;
    if (!change) {
      for (std::size_t i = 0; i < images.size(); ++i) results.push_back(images[i].with(centered(images[i], out, options[i])));
      return results;
    }
    std::vector<Deformed> from;
    for (std::size_t i = 0; i < images.size(); ++i) from.push_back({images[i].array(), options[i]});
    const std::vector<Array> voxels = deformed(from, out, random);
    for (std::size_t i = 0; i < images.size(); ++i) results.push_back(images[i].with(voxels[i]));
    return results;
  }

 protected:
  static Interval range(const Args& args, const std::string& name) {
    const auto ends = args.get<std::vector<double>>(name);
    if (ends.size() != 2 || !std::isfinite(ends[0]) || !std::isfinite(ends[1]))
      throw Error(ErrorKind::config, name + " wants a pair of numbers, (min, max), got " + args[name].repr());
    return {ends[0], ends[1]};
  }
  virtual std::vector<Array> deformed(const std::vector<Deformed>& images, const Shape& out, Random& random) const = 0;
  double magnitude(Random& random) const { return magnitude_.draw(random); }
  image::Affine matrix(Random& random) const { return affine_matrix(affine_.draw(random), static_cast<int>(rank_)); }

 private:
  static Array centered(const Image& image, const Shape& out, const SampleOptions& options) {
    const Shape in = spatial_shape(image);
    return in == out ? image.array().to(DType::f32) : Resampling::affine(about_centers({}, in, out), in, out, options).apply(image.array());
  }

  std::string name_;
  std::size_t rank_;
  double prob_;
  Interval magnitude_;
  AffineRanges affine_;
  Value spatial_size_;
};

class Elastic2D : public Elastic {
 public:
  explicit Elastic2D(const Args& args) : Elastic(args, 2) {
    const auto spacing = args.get<std::vector<double>>("spacing");
    if (spacing.size() > 2 || spacing.empty()) throw Error(ErrorKind::config, "spacing wants a number or a pair, got " + args["spacing"].repr());
    for (std::size_t i = 0; i < 2; ++i) {
      const double s = spacing[std::min(i, spacing.size() - 1)];
      spacing_[i] = s <= 0 ? 1 : s;
    }
    control_shape({1, 1}, spacing_);
  }

 private:
  std::vector<Array> deformed(const std::vector<Deformed>& images, const Shape& out, Random& random) const override {
    const double size = magnitude(random);
    const image::Affine map = matrix(random);
    Shape points = control_shape(out, spacing_);
    points.insert(points.begin(), 2);
    Array offsets = Array::empty(points, DType::f32);
    for (std::int64_t i = 0; i < offsets.numel(); ++i) offsets.data<float>()[i] = static_cast<float>(random.normal());
    return deform(*control_places(offsets, spacing_, size, map, out), images);
  }

  std::array<double, 2> spacing_;
};

class Elastic3D : public Elastic {
 public:
  explicit Elastic3D(const Args& args) : Elastic(args, 3), sigma_(range(args, "sigma_range")) {
    if (std::min(sigma_.low, sigma_.high) < 0 || std::max(sigma_.low, sigma_.high) > 256)
      throw Error(ErrorKind::config, "sigma_range " + args["sigma_range"].repr() + ": want 0 to 256 voxels");
  }

 private:
  std::vector<Array> deformed(const std::vector<Deformed>& images, const Shape& out, Random& random) const override {
    const double size = magnitude(random), sigma = sigma_.draw(random);
    const image::Affine map = matrix(random);
    // Slabs of twice what the smoothing reaches over, so that at most half of the noise is made twice.
    const std::int64_t planes = 6 * static_cast<std::int64_t>(std::ceil(sigma) + 1);
    return deform(*smoothed_places(uniform_noise(random.next(), 3, out), sigma, size, map), images, planes);
  }

  Interval sigma_;
};

class ElasticArray : public ImageTransform, public Randomizable {
 public:
  ElasticArray(const Args& args, std::shared_ptr<const Elastic> elastic) : elastic_(std::move(elastic)), options_(sample_options(args)) {}
  std::string type_name() const override { return elastic_->name(); }
  Image transform(const Image& image) const override { return elastic_->apply({image}, {options_}, next_stream())[0]; }

 private:
  std::shared_ptr<const Elastic> elastic_;
  SampleOptions options_;
};

const std::vector<std::string> kPerKey{"mode", "padding_mode"};

class ElasticMap : public Transform, public Randomizable {
 public:
  ElasticMap(const Args& args, std::shared_ptr<const Elastic> elastic)
      : elastic_(std::move(elastic)), keys_(args.get<std::vector<std::string>>("keys")), allow_missing_(args.get<bool>("allow_missing_keys")) {
    for (std::size_t i = 0; i < keys_.size(); ++i) options_.push_back(sample_options(args_of_key(args, kPerKey, i)));
  }
  std::string type_name() const override { return elastic_->name() + "d"; }
  Value apply(const Value& data) const override {
    Dict item = data.as_dict();
    const Random random = next_stream();
    std::vector<std::string> keys;
    std::vector<Image> images;
    std::vector<SampleOptions> options;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (present_keys(item, {keys_[i]}, allow_missing_, type_name()).empty()) continue;
      keys.push_back(keys_[i]);
      options.push_back(options_[i]);
      images.push_back(with_context(type_name() + " of '" + keys_[i] + "'", [&] { return image::image_of(item.at(keys_[i])); }));
    }
    if (keys.empty()) return item;
    const std::vector<Image> out = elastic_->apply(images, options, random);
    for (std::size_t i = 0; i < keys.size(); ++i) item[keys[i]] = image::to_value(out[i]);
    return item;
  }

 private:
  std::shared_ptr<const Elastic> elastic_;
  std::vector<std::string> keys_;
  bool allow_missing_;
  std::vector<SampleOptions> options_;
};

template <class Field>
TransformSpec elastic_spec(const std::string& name, const std::string& summary, Param own) {
  const std::vector<std::string> first{own.name, "magnitude_range", "spatial_size"};
  return {
      .name = name,
      .summary = summary,
      .params = AffineRanges::params({std::move(own), required("magnitude_range", "range of the offsets' size, (min, max) in voxels"), prob_param()},
                                     {result_size_param(), mode_param(), padding_mode_param(), device_param()}),
      .per_key = kPerKey,
      .make = [](const Args& args) -> TransformPtr { return std::make_shared<ElasticArray>(args, std::make_shared<Field>(args)); },
      .make_dict = [](const Args& args) -> TransformPtr { return std::make_shared<ElasticMap>(args, std::make_shared<Field>(args)); },
      .dict_order = first,
  };
}

const RegisterTransform rand_2d_elastic(
    elastic_spec<Elastic2D>("Rand2DElastic", "Deform an image in 2D by a random smooth field and a random affine map",
                            required("spacing", "pixels between the control points, one number or one per axis")));
const RegisterTransform rand_3d_elastic(
    elastic_spec<Elastic3D>("Rand3DElastic", "Deform a volume by a random smooth field and a random affine map",
                            required("sigma_range", "range of the width of the Gaussian that smooths the offsets, (min, max) in voxels")));

}  // namespace
}  // namespace vesal::transforms
