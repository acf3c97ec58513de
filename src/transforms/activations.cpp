// Activations (monai.transforms.Activations): sigmoid, softmax or a callable on a network's output.
#include "base/parallel.h"
#include "kernels/classes.h"
#include "transforms/slabs.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// [C, n...] float32 with the softmax or sigmoid over its first axis, C-contiguous.
Array activate(const Array& voxels, bool sigmoid, bool softmax) {
  const Array in = contiguous_channels(voxels.to(DType::f32));
  Array out = Array::empty(in.shape(), DType::f32);
  const std::int64_t channels = in.size(0);
  if (in.numel() == 0) return out;
  const std::int64_t n = in.numel() / channels, stride = in.strides()[0];
  const float* x = in.data<float>();
  float* y = out.data<float>();
  parallel_for(n, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
    const float* from = x;
    std::int64_t from_stride = stride;
    if (sigmoid) {
      for (std::int64_t c = 0; c < channels; ++c) kernels::sigmoid(x + c * stride + begin, end - begin, y + c * n + begin);
      from = y;
      from_stride = n;
    }
    if (softmax) kernels::softmax(from + begin, channels, from_stride, end - begin, y + begin, n);
  });
  return out;
}

class Activations : public ImageTransform {
 public:
  Activations(bool sigmoid, bool softmax, Value other, int dim) : sigmoid_(sigmoid), softmax_(softmax), other_(std::move(other)), dim_(dim) {}
  std::string type_name() const override { return "Activations"; }

  Image transform(const Image& image) const override {
    const DType type = image.dtype();
    if (image.deferred() && other_.is_none() && dim_ == 0) {
      return image.with(std::make_shared<MappedSource>(image.deferred(), image.deferred()->channels(), type,
                                                       [sigmoid = sigmoid_, softmax = softmax_, type](const Array& voxels) {
                                                         return sigmoid || softmax ? activate(voxels, sigmoid, softmax).to(type) : voxels;
                                                       }));
    }
    Array voxels = image.array();
    if (sigmoid_ || softmax_) {
      if (voxels.dim() == 0) throw Error(ErrorKind::shape, "an array with a channel axis wanted");
      voxels = dim_ == 0 ? activate(voxels, sigmoid_, softmax_) : along_axis(voxels);
    }
    if (!other_.is_none()) voxels = image::array_of(call_value(other_, {{image::to_value(image.with(voxels.to(DType::f32)))}, {}}));
    return image.with(voxels.to(type));
  }

 private:
  /// With the axis moved to the front and back again.
  Array along_axis(const Array& voxels) const {
    std::vector<int> order(voxels.dim());
    const int axis = dim_ < 0 ? dim_ + voxels.dim() : dim_;
    if (axis < 0 || axis >= voxels.dim())
      throw Error(ErrorKind::shape, "dim " + std::to_string(dim_) + " of an array of shape " + to_string(voxels.shape()));
    for (int i = 0; i < voxels.dim(); ++i) order[i] = i;
    std::swap(order[0], order[axis]);
    return activate(voxels.permute(order), sigmoid_, softmax_).permute(order).contiguous();
  }

  bool sigmoid_, softmax_;
  Value other_;
  int dim_;
};

const RegisterTransform activations({
    .name = "Activations",
    .summary = "Sigmoid, softmax over the channels, or a callable",
    .params = {optional("sigmoid", false, "apply a sigmoid"),
               optional("softmax", false, "apply a softmax over dim"),
               optional("other", nullptr, "a callable applied last"),
               {.name = "kwargs", .doc = "dim: axis of the softmax, default 0; other names are ignored", .rest = true}},
    .per_key = {"sigmoid", "softmax", "other"},
    .make = [](const Args& args) -> TransformPtr {
      const Value* dim = args["kwargs"].as_dict().find("dim");
      return std::make_shared<Activations>(args.get<bool>("sigmoid"), args.get<bool>("softmax"), args["other"], dim ? cast<int>(*dim) : 0);
    },
});

}  // namespace
}  // namespace vesal::transforms
