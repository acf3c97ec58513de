// Scaling and shifting intensities by one number: ShiftIntensity, RandShiftIntensity, RandScaleIntensity. MONAI: the same names.
#include "transforms/arguments.h"
#include "transforms/elementwise.h"
#include "transforms/random_transform.h"

namespace vesal::transforms {
namespace {

/// One number per channel, or the same for all.
std::vector<double> drawn(const Interval& interval, bool channel_wise, std::int64_t channels, Random& random) {
  if (!channel_wise) return std::vector<double>(static_cast<std::size_t>(channels), interval.draw(random));
  std::vector<double> out;
  for (std::int64_t c = 0; c < channels; ++c) out.push_back(interval.draw(random));
  return out;
}

/// Smallest and largest number of an integer type; for others nothing is cut off.
std::pair<double, double> limits_of(DType type) {
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return visit_dtype(type, [](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>)
      return std::pair{static_cast<double>(std::numeric_limits<T>::lowest()), static_cast<double>(std::numeric_limits<T>::max())};
    else return std::pair{-kInfinity, kInfinity};
  });
}

/// `safe` keeps integers within their type instead of letting them wrap.
Image shifted(const Image& image, const std::vector<double>& offsets, bool safe) {
  const DType type = image.dtype();
  const auto [low, high] = limits_of(safe ? type : DType::f64);
  const Array out = worked_copy(image.array(), [&, low = low, high = high](std::int64_t c, auto* p, std::int64_t n) {
    using T = std::remove_reference_t<decltype(*p)>;
    const T add = static_cast<T>(offsets[static_cast<std::size_t>(c)]), from = static_cast<T>(low), to = static_cast<T>(high);
    for (std::int64_t i = 0; i < n; ++i) p[i] = std::min(std::max(p[i] + add, from), to);
  });
  return image.with(converted(out, type));
}

class ShiftIntensity : public ImageTransform {
 public:
  explicit ShiftIntensity(const Args& args) : offset_(args.get<double>("offset")), safe_(args.get<bool>("safe")) {}
  std::string type_name() const override { return "ShiftIntensity"; }
  Image transform(const Image& image) const override {
    return shifted(image, std::vector<double>(static_cast<std::size_t>(image.array().size(0)), offset_), safe_);
  }

 private:
  double offset_;
  bool safe_;
};

class RandShiftIntensity : public RandomImageTransform {
 public:
  explicit RandShiftIntensity(const Args& args)
      : RandomImageTransform(args.get<double>("prob")),
        offsets_(interval_argument(args, "offsets")),
        safe_(args.get<bool>("safe")),
        channel_wise_(args.get<bool>("channel_wise")) {}
  std::string type_name() const override { return "RandShiftIntensity"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    return shifted(image, drawn(offsets_, channel_wise_, image.array().size(0), random), safe_);
  }

 private:
  Interval offsets_;
  bool safe_, channel_wise_;
};

class RandScaleIntensity : public RandomImageTransform {
 public:
  explicit RandScaleIntensity(const Args& args)
      : RandomImageTransform(args.get<double>("prob")),
        factors_(interval_argument(args, "factors")),
        channel_wise_(args.get<bool>("channel_wise")),
        type_(dtype_argument(args, "dtype")) {}
  std::string type_name() const override { return "RandScaleIntensity"; }

 protected:
  Image changed(const Image& image, Random& random) const override {
    const Array& voxels = image.array();
    const auto factors = drawn(factors_, channel_wise_, voxels.size(0), random);
    const Array out = worked_copy(voxels, [&](std::int64_t c, auto* p, std::int64_t n) {
      using T = std::remove_reference_t<decltype(*p)>;
      const T by = static_cast<T>(1 + factors[static_cast<std::size_t>(c)]);
      for (std::int64_t i = 0; i < n; ++i) p[i] *= by;
    });
    return image.with(converted(out, type_.value_or(voxels.dtype())));
  }
  Image unchanged(const Image& image) const override { return type_ ? image.with(converted(image.array(), *type_)) : image; }

 private:
  Interval factors_;
  bool channel_wise_;
  std::optional<DType> type_;
};

/// Arguments of the dictionary forms alone: the offset may be multiplied by an entry of MONAI's metadata dictionaries.
std::vector<Param> metadata_params() {
  return {optional("factor_key", Value(), "only None: offsets are not taken from metadata"),
          optional("meta_keys", Value(), "accepted; an image carries its metadata"),
          optional("meta_key_postfix", "meta_dict", "accepted; an image carries its metadata")};
}
void check_metadata(const Args& args) {
  if (!args.is_none("factor_key")) throw Error(ErrorKind::unsupported, args.component() + ": factor_key");
}

const Param kSafe = optional("safe", false, "keep integers within their type instead of letting them wrap");
const Param kChannelWise = optional("channel_wise", false, "a number of its own for every channel");

const RegisterTransform shift_intensity({
    .name = "ShiftIntensity",
    .summary = "Add a number to every voxel",
    .params = {required("offset", "added to every voxel"), kSafe},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      check_metadata(args);
      return std::make_shared<ShiftIntensity>(args);
    },
    .dict_params = metadata_params(),
});

const RegisterRandomTransform rand_shift_intensity({
    .name = "RandShiftIntensity",
    .summary = "Add a random number to every voxel",
    .params = {required("offsets", "range of the number: (min, max), or r for [-r, r]"), kSafe, prob_param(), kChannelWise},
    .per_key = {},
    .make =
        [](const Args& args) {
          check_metadata(args);
          return std::make_shared<RandShiftIntensity>(args);
        },
    .dict_order = {"offsets", "safe", "factor_key", "meta_keys", "meta_key_postfix"},
    .dict_params = metadata_params(),
});

const RegisterRandomTransform rand_scale_intensity({
    .name = "RandScaleIntensity",
    .summary = "Multiply every voxel by 1 + a random number",
    .params = {required("factors", "range of the number: (min, max), or r for [-r, r]"), prob_param(), kChannelWise, dtype_param()},
    .per_key = {},
    .make = [](const Args& args) { return std::make_shared<RandScaleIntensity>(args); },
});

}  // namespace
}  // namespace vesal::transforms
