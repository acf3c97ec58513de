// AsDiscrete (monai.transforms.AsDiscrete): argmax, one-hot, threshold and rounding, in this order. Labels are computed slab by slab
// and kept as small integers; readers see them in the dtype asked for.
#include <cmath>
#include <mutex>

#include "kernels/classes.h"
#include "transforms/arguments.h"
#include "transforms/slabs.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

using image::Box;
using image::VoxelSourcePtr;

/// uint8 if the labels fit, else int32.
DType label_type(std::int64_t classes) { return classes <= 256 ? DType::u8 : DType::i32; }

/// Runs `work` over slabs of `from` and keeps its results, of shape [channels, box...], in a fresh array of type `type`.
Array compute(const image::VoxelSource& from, std::int64_t channels, DType type, const std::string& title,
              const std::function<void(const Array& voxels, Array part)>& work) {
  Shape shape = from.spatial_shape();
  shape.insert(shape.begin(), channels);
  Array out = Array::empty(shape, type);
  for_each_slab(from, title, [&](const Box& box, const Array& voxels) {
    Array part = view_of(out, box);
    if (part.is_contiguous()) return work(voxels, part);
    Array whole = Array::empty(part.shape(), type);
    work(voxels, whole);
    part.copy_from(whole);
  });
  return out;
}

/// [1, spatial...] labels: where each voxel's largest channel is.
Array labels_of(const image::VoxelSource& probabilities) {
  const std::int64_t classes = probabilities.channels();
  if (classes == 0) throw Error(ErrorKind::shape, "argmax of no channels");
  return compute(probabilities, 1, label_type(classes), "argmax", [&](const Array& voxels, Array part) {
    const bool wide = voxels.dtype() != DType::f32 && voxels.dtype() != DType::f16 && voxels.dtype() != DType::bf16;
    const Array in = contiguous_channels(voxels.to(wide ? DType::f64 : DType::f32));
    const std::int64_t n = part.numel(), stride = in.strides()[0];
    visit_dtype(part.dtype(), [&](auto tag) {
      using Label = typename decltype(tag)::type;
      if constexpr (std::is_same_v<Label, std::uint8_t> || std::is_same_v<Label, std::int32_t>) {
        if (wide) kernels::argmax(in.data<double>(), classes, stride, n, part.data<Label>());
        else kernels::argmax(in.data<float>(), classes, stride, n, part.data<Label>());
      }
    });
  });
}

/// Labels as small integers in [0, classes), for one-hot; throws Error(shape) on a label outside.
Array checked_labels(const image::VoxelSource& labels, std::int64_t classes) {
  if (labels.channels() != 1) throw Error(ErrorKind::shape, "to_onehot wants one channel of labels, got " + std::to_string(labels.channels()));
  return compute(labels, 1, label_type(classes), "one-hot", [&](const Array& voxels, Array part) {
    const Array in = voxels.to(DType::f64).contiguous();
    for (std::int64_t i = 0; i < in.numel(); ++i) {
      const double v = std::trunc(in.data<double>()[i]);
      if (!(v >= 0 && v < static_cast<double>(classes)))
        throw Error(ErrorKind::shape, "label " + std::to_string(in.data<double>()[i]) + " is outside of to_onehot = " + std::to_string(classes));
    }
    part.copy_from(voxels);
  });
}

Array one_hot(const Array& labels, std::int64_t classes, DType type) {
  const Array in = labels.contiguous();
  Shape shape = in.shape();
  shape[0] = classes;
  Array out = Array::empty(shape, DType::u8);
  visit_dtype(in.dtype(), [&](auto tag) {
    using Label = typename decltype(tag)::type;
    if constexpr (std::is_same_v<Label, std::uint8_t> || std::is_same_v<Label, std::int32_t>)
      kernels::one_hot(in.data<Label>(), in.numel(), classes, out.data<std::uint8_t>());
  });
  return out.to(type);
}

/// voxel >= threshold as 0 or 1; compares in float as torch does, in double for doubles.
void at_least(const Array& voxels, double threshold, Array out) {
  std::uint8_t* to = out.data<std::uint8_t>();
  if (voxels.dtype() == DType::f64) {
    const Array in = voxels.contiguous();
    for (std::int64_t i = 0; i < in.numel(); ++i) to[i] = in.data<double>()[i] >= threshold;
  } else {
    const Array in = voxels.to(DType::f32).contiguous();
    const float limit = static_cast<float>(threshold);
    for (std::int64_t i = 0; i < in.numel(); ++i) to[i] = in.data<float>()[i] >= limit;
  }
}

/// Half to even, as torch.round; integers stay.
Array rounded(const Array& voxels) {
  if (!is_floating(voxels.dtype())) return voxels;
  Array out = voxels.to(DType::f64).clone();
  double* p = out.data<double>();
  for (std::int64_t i = 0; i < out.numel(); ++i) p[i] = std::nearbyint(p[i]);
  return out.to(voxels.dtype());
}

struct Steps {
  bool argmax = false;
  std::optional<std::int64_t> to_onehot;
  std::optional<double> threshold;
  bool rounding = false;
  int dim = 0;
  bool keepdim = true;
  std::optional<DType> type = DType::f32;  ///< none: the input's
};

VoxelSourcePtr mapped(VoxelSourcePtr from, std::int64_t channels, DType type, MappedSource::Map map) {
  return std::make_shared<MappedSource>(std::move(from), channels, type, std::move(map));
}

/// The steps on [C, spatial...] voxels, seen as the type asked for.
VoxelSourcePtr discretize(VoxelSourcePtr voxels, const Steps& steps) {
  const DType type = steps.type.value_or(voxels->dtype());
  if (steps.argmax) voxels = std::make_shared<StoredSource>(labels_of(*voxels), DType::i64);
  if (steps.to_onehot) {
    const std::int64_t classes = *steps.to_onehot;
    const auto labels = image::source_of(checked_labels(*voxels, classes));
    voxels = mapped(labels, classes, type, [classes, type](const Array& box) { return one_hot(box, classes, type); });
  }
  if (steps.threshold) {
    const double limit = *steps.threshold;
    if (steps.to_onehot) {
      voxels = mapped(voxels, voxels->channels(), type, [limit, type](const Array& box) {
        Array out = Array::empty(box.shape(), DType::u8);
        at_least(box, limit, out);
        return out.to(type);
      });
    } else {
      Array kept = compute(*voxels, voxels->channels(), DType::u8, "threshold", [&](const Array& box, Array part) { at_least(box, limit, part); });
      voxels = std::make_shared<StoredSource>(std::move(kept), type);
    }
  } else if (steps.rounding) {
    voxels = mapped(voxels, voxels->channels(), type, [type](const Array& box) { return rounded(box).to(type); });
  }
  if (voxels->dtype() == type) return voxels;
  if (auto stored = std::dynamic_pointer_cast<const StoredSource>(voxels)) return std::make_shared<StoredSource>(stored->storage(), type);
  return mapped(voxels, voxels->channels(), type, [type](const Array& box) { return box.to(type); });
}

class AsDiscrete : public ImageTransform {
 public:
  explicit AsDiscrete(Steps steps) : steps_(steps) {}
  std::string type_name() const override { return "AsDiscrete"; }

  Image transform(const Image& image) const override {
    const auto axes = static_cast<int>(image.shape().size());
    if (axes > 1 && steps_.dim == 0 && (steps_.keepdim || !steps_.argmax)) return image.with(discretize(source_of(image), steps_));
    return image.with(along_axis(image.array()));
  }

 private:
  /// Any axis and any number of axes, on arrays that are there.
  Array along_axis(Array voxels) const {
    const int axes = voxels.dim(), dim = steps_.dim < 0 ? steps_.dim + axes : steps_.dim;
    if (dim < 0 || dim >= std::max(axes, 1))
      throw Error(ErrorKind::shape, "dim " + std::to_string(steps_.dim) + " of an array of shape " + to_string(voxels.shape()));
    std::vector<int> order(axes);
    for (int i = 0; i < axes; ++i) order[i] = i;
    if (axes > 0) std::swap(order[0], order[dim]);
    voxels = voxels.permute(order);
    const bool padded = axes < 2;
    while (voxels.dim() < 2) voxels = voxels.unsqueeze(voxels.dim());
    Steps first = steps_;
    if (steps_.argmax && !steps_.keepdim) {  // the axis is gone before one-hot sees it
      first.to_onehot.reset();
      first.threshold.reset();
    }
    voxels = image::materialize(*discretize(image::source_of(voxels), first));
    if (padded) voxels = voxels.squeeze(1);
    if (padded && axes == 0) voxels = voxels.squeeze(0);
    voxels = voxels.permute(order).contiguous();
    if (!steps_.argmax || steps_.keepdim) return voxels;
    voxels = voxels.squeeze(dim);
    Steps then = steps_;
    then.argmax = false;
    if (!then.to_onehot && !then.threshold) return voxels;
    return AsDiscrete(then).along_axis(voxels);
  }

  Steps steps_;
};

Steps steps_of(const Args& args) {
  Steps steps;
  steps.argmax = args.get<bool>("argmax");
  if (args["to_onehot"].is_bool()) throw Error(ErrorKind::config, "AsDiscrete: to_onehot wants the number of classes, not a bool");
  steps.to_onehot = args.get<std::optional<std::int64_t>>("to_onehot");
  if (steps.to_onehot && *steps.to_onehot < 1) throw Error(ErrorKind::config, "AsDiscrete: to_onehot wants at least one class");
  steps.threshold = args.get<std::optional<double>>("threshold");
  if (const auto rounding = args.get<std::optional<std::string>>("rounding")) {
    if (*rounding != "torchrounding") throw Error(ErrorKind::config, "AsDiscrete: rounding is '" + *rounding + "', want torchrounding");
    steps.rounding = true;
  }
  const Dict& more = args["kwargs"].as_dict();
  if (const Value* dim = more.find("dim")) steps.dim = cast<int>(*dim);
  if (const Value* keep = more.find("keepdim")) steps.keepdim = cast<bool>(*keep);
  if (const Value* type = more.find("dtype")) steps.type = dtype_argument(*type);
  return steps;
}

const RegisterTransform as_discrete({
    .name = "AsDiscrete",
    .summary = "Argmax, one-hot, threshold and rounding of a network's output",
    .params = {optional("argmax", false, "take the channel with the largest value"),
               optional("to_onehot", nullptr, "number of classes of a one-hot result"),
               optional("threshold", nullptr, "1 where the value is at least this, else 0"),
               optional("rounding", nullptr, "\"torchrounding\" rounds half to even"),
               {.name = "kwargs", .doc = "dim (0), keepdim (True), dtype (float32); other names are ignored", .rest = true}},
    .per_key = {"argmax", "to_onehot", "threshold", "rounding"},
    .make = [](const Args& args) -> TransformPtr { return std::make_shared<AsDiscrete>(steps_of(args)); },
});

}  // namespace
}  // namespace vesal::transforms
