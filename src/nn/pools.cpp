// Pooling layers in one, two and three dimensions, with PyTorch's arguments and defaults.
#include "nn/factory.h"

namespace vesal::nn {
namespace {

Shape extents(const Args& args, const std::string& name, int spatial_dims) {
  Shape values = args.get<Shape>(name);
  if (values.size() == 1) values.assign(spatial_dims, values[0]);
  if (static_cast<int>(values.size()) != spatial_dims)
    throw Error(ErrorKind::config, "pooling: " + name + " " + to_string(values) + " for " + std::to_string(spatial_dims) + " spatial dimensions");
  return values;
}

struct Window {
  Shape kernel, stride, padding;
  bool ceil;
  Window(const Args& a, const LayerPlace& place)
      : kernel(extents(a, "kernel_size", place.spatial_dims)),
        stride(a.is_none("stride") ? kernel : extents(a, "stride", place.spatial_dims)),
        padding(extents(a, "padding", place.spatial_dims)),
        ceil(a.get<bool>("ceil_mode")) {}
};

const std::vector<Param> kMaxParams = {required("kernel_size", "extent of the window"), optional("stride", nullptr, "the window by default"),
                                       optional("padding", 0, "on both sides"), optional("dilation", 1, "between the window's elements"),
                                       optional("ceil_mode", false, "round the output's extents up")};
const std::vector<Param> kMeanParams = {required("kernel_size", "extent of the window"), optional("stride", nullptr, "the window by default"),
                                        optional("padding", 0, "on both sides"), optional("ceil_mode", false, "round the output's extents up"),
                                        optional("count_include_pad", true, "count the padding")};

const RegisterLayer max(pools(), {"max"}, kMaxParams, [](const Args& a, const LayerPlace& place) -> LayerPtr {
  const Window w(a, place);
  const Shape dilation = extents(a, "dilation", place.spatial_dims);
  return std::make_shared<Lambda>([=, n = place.spatial_dims](const Tensor& x) {
    if (n == 1) return torch::max_pool1d(x, w.kernel, w.stride, w.padding, dilation, w.ceil);
    if (n == 2) return torch::max_pool2d(x, w.kernel, w.stride, w.padding, dilation, w.ceil);
    return torch::max_pool3d(x, w.kernel, w.stride, w.padding, dilation, w.ceil);
  });
});
const RegisterLayer avg(pools(), {"avg"}, kMeanParams, [](const Args& a, const LayerPlace& place) -> LayerPtr {
  const Window w(a, place);
  const bool count = a.get<bool>("count_include_pad");
  return std::make_shared<Lambda>([=, n = place.spatial_dims](const Tensor& x) {
    if (n == 1) return torch::avg_pool1d(x, w.kernel, w.stride, w.padding, w.ceil, count);
    if (n == 2) return torch::avg_pool2d(x, w.kernel, w.stride, w.padding, w.ceil, count);
    return torch::avg_pool3d(x, w.kernel, w.stride, w.padding, w.ceil, count);
  });
});
const RegisterLayer adaptive_max(pools(), {"adaptivemax"}, {required("output_size", "extents of the output")},
                                 [](const Args& a, const LayerPlace& place) -> LayerPtr {
                                   const Shape size = extents(a, "output_size", place.spatial_dims);
                                   return std::make_shared<Lambda>([=](const Tensor& x) {
                                     if (size.size() == 1) return std::get<0>(torch::adaptive_max_pool1d(x, size));
                                     if (size.size() == 2) return std::get<0>(torch::adaptive_max_pool2d(x, size));
                                     return std::get<0>(torch::adaptive_max_pool3d(x, size));
                                   });
                                 });
const RegisterLayer adaptive_avg(pools(), {"adaptiveavg"}, {required("output_size", "extents of the output")},
                                 [](const Args& a, const LayerPlace& place) -> LayerPtr {
                                   const Shape size = extents(a, "output_size", place.spatial_dims);
                                   return std::make_shared<Lambda>([=](const Tensor& x) {
                                     if (size.size() == 1) return torch::adaptive_avg_pool1d(x, size);
                                     if (size.size() == 2) return torch::adaptive_avg_pool2d(x, size);
                                     return torch::adaptive_avg_pool3d(x, size);
                                   });
                                 });

}  // namespace
}  // namespace vesal::nn
