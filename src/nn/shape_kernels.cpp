#include "nn/shape_kernels.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <memory>

#include "nn/tensor.h"

namespace vesal::nn {
namespace {

using Ints = at::IntArrayRef;
using MaybeTensor = c10::optional<Tensor>;

Tensor of_shape(const Tensor& x, const Shape& shape) { return at::empty(shape, x.options()); }
Tensor like(const Tensor& x) { return of_shape(x, shape_of(x)); }

std::int64_t at_axis(Ints values, std::int64_t axis) { return values.size() == 1 ? values[0] : values.at(static_cast<std::size_t>(axis)); }

Tensor convolution(const Tensor& x, const Tensor& weight, const MaybeTensor&, Ints stride, Ints padding, Ints dilation, bool transposed,
                   Ints output_padding, std::int64_t groups, bool, bool, bool, bool) {
  TORCH_CHECK(x.dim() == weight.dim() && x.size(1) == (transposed ? weight.size(0) : weight.size(1) * groups), "channels");
  Shape shape{x.size(0), transposed ? weight.size(1) * groups : weight.size(0)};
  for (std::int64_t i = 0; i + 2 < x.dim(); ++i) {
    const std::int64_t reach = at_axis(dilation, i) * (weight.size(i + 2) - 1), s = at_axis(stride, i), p = at_axis(padding, i), in = x.size(i + 2);
    TORCH_CHECK(transposed || in + 2 * p > reach, "the kernel is larger than the input");
    shape.push_back(transposed ? (in - 1) * s - 2 * p + reach + at_axis(output_padding, i) + 1 : (in + 2 * p - reach - 1) / s + 1);
  }
  return of_shape(x, shape);
}

Tensor batch_norm(const Tensor& x, const MaybeTensor&, const MaybeTensor&, const MaybeTensor&, const MaybeTensor&, bool, double, double, bool) {
  return like(x);
}
Tensor group_norm(const Tensor& x, std::int64_t, const MaybeTensor&, const MaybeTensor&, double, bool) { return like(x); }
Tensor relu(const Tensor& x) { return like(x); }
Tensor& relu_in_place(Tensor& x) { return x; }
Tensor prelu(const Tensor& x, const Tensor&) { return like(x); }

Tensor max_pool(const Tensor& x, Ints kernel, Ints stride, Ints padding, Ints dilation, bool ceil) {
  Shape shape{x.size(0), x.size(1)};
  for (std::int64_t i = 0; i + 2 < x.dim(); ++i) {
    const std::int64_t s = at_axis(stride.empty() ? kernel : stride, i), p = at_axis(padding, i), in = x.size(i + 2);
    const std::int64_t room = in + 2 * p - at_axis(dilation, i) * (at_axis(kernel, i) - 1) - 1;
    TORCH_CHECK(room >= 0, "the window is larger than the input");
    std::int64_t out = (room + (ceil ? s - 1 : 0)) / s + 1;
    if (ceil && (out - 1) * s >= in + p) --out;
    shape.push_back(out);
  }
  return of_shape(x, shape);
}

Tensor adaptive_pool(const Tensor& x, Ints size) {
  Shape shape{x.size(0), x.size(1)};
  for (std::int64_t i = 0; i + 2 < x.dim(); ++i) shape.push_back(at_axis(size, i));
  return of_shape(x, shape);
}

/// Registers where there is nothing yet: later versions of libtorch bring their own.
class Additions {
 public:
  Additions() : library_(torch::Library::IMPL, "aten", c10::DispatchKey::Meta, __FILE__, __LINE__) {
    add("_convolution", &convolution);  // which convolution() calls, and which is what traces hold
    add("batch_norm", &batch_norm);
    add("instance_norm", &batch_norm);
    add("group_norm", &group_norm);
    add("relu", &relu);
    add("relu_", &relu_in_place);
    add("prelu", &prelu);
    for (const char* name : {"max_pool1d", "max_pool2d", "max_pool3d"}) add(name, &max_pool);
    for (const char* name : {"adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"}) add(name, &adaptive_pool);
  }

 private:
  template <class F>
  void add(const char* name, F* kernel) {
    const auto op = c10::Dispatcher::singleton().findSchema({std::string("aten::") + name, ""});
    if (op && !op->hasKernelForDispatchKey(c10::DispatchKey::Meta)) library_.impl(name, kernel);
  }
  torch::Library library_;
};

}  // namespace

void add_shape_kernels() {
  static Additions& additions = *new Additions;  // as long as libtorch itself
  static_cast<void>(additions);
}

}  // namespace vesal::nn
