#include "infer/sliding_window.h"

#include <numeric>
#include <optional>

#include "base/progress.h"
#include "base/registry.h"
#include "infer/blend.h"
#include "infer/window_feeder.h"

namespace vesal::infer {

SlidingWindowInferer::SlidingWindowInferer(Options options) : options_(std::move(options)) {
  if (options_.sw_batch_size < 1) throw Error(ErrorKind::config, "SlidingWindowInferer: sw_batch_size must be at least 1");
}

WindowGrid SlidingWindowInferer::grid_of(const Array& inputs) const {
  if (inputs.dim() < 3)
    throw Error(ErrorKind::shape, "SlidingWindowInferer: inputs of shape " + to_string(inputs.shape()) + ", want [N, C, spatial...]");
  return {Shape(inputs.shape().begin() + 2, inputs.shape().end()), options_.roi_size, options_.overlap};
}

Outputs SlidingWindowInferer::infer(const Array& inputs, const Forward& network) const {
  const WindowGrid grid = grid_of(inputs);
  const Array importance = importance_map(grid.roi(), options_.mode, options_.sigma_scale);
  const std::int64_t images = inputs.size(0), per_image = grid.count();
  std::vector<std::int64_t> windows(static_cast<std::size_t>(images * per_image));
  std::iota(windows.begin(), windows.end(), 0);
  std::vector<Blender> blenders;
  Outputs sums;
  Progress progress("sliding window", images * per_image);
  WindowFeeder feeder(inputs, grid, options_);
  feeder.run(
      windows, network, [&] { return options_.sw_batch_size; },
      [&](std::int64_t window, const std::vector<Array>& results) {
        if (blenders.empty()) {
          for (const Array& r : results) {
            blenders.emplace_back(grid, Shape(r.shape().begin() + 1, r.shape().end()), importance, options_.mode);
            Shape whole = blenders.back().output_shape();
            whole.insert(whole.begin(), {images, r.size(0)});
            sums.arrays.push_back(Array::zeros(whole, DType::f32));
          }
        }
        for (std::size_t k = 0; k < results.size(); ++k) {
          Array sum = sums.arrays[k].select(0, window / per_image);
          blenders[k].add(window % per_image, 0, results[k], blenders[k].whole(), sum);
        }
        progress.advance();
      });
  sums.keys = feeder.keys();
  for (std::size_t k = 0; k < sums.arrays.size(); ++k) {
    Array& sum = sums.arrays[k];
    for (std::int64_t i = 0; i < images; ++i) {
      Array one = sum.select(0, i);
      blenders[k].divide(blenders[k].whole(), one);
    }
    sum = blenders[k].crop(sum);
  }
  return sums;
}

SliceInferer::SliceInferer(int spatial_dim, SlidingWindowInferer::Options options) : spatial_dim_(spatial_dim), options_(std::move(options)) {
  if (spatial_dim_ < 0 || spatial_dim_ > 2) throw Error(ErrorKind::config, "SliceInferer: spatial_dim can only be 0, 1 or 2");
  if (options_.roi_size.size() != 2) throw Error(ErrorKind::config, "SliceInferer: roi_size has two entries, for the slices of a volume");
}

SlidingWindowInferer SliceInferer::windows(const Array& inputs) const {
  if (inputs.dim() != 5) throw Error(ErrorKind::shape, "SliceInferer: inputs of shape " + to_string(inputs.shape()) + ", want [N, C, x, y, z]");
  SlidingWindowInferer::Options options = options_;
  options.roi_size.insert(options.roi_size.begin() + spatial_dim_, 1);
  return SlidingWindowInferer(std::move(options));
}

Forward SliceInferer::of_slices(const Forward& network) const {
  return [network, axis = spatial_dim_ + 2](const Array& windows) {
    Outputs out = network(windows.squeeze(axis));
    for (Array& a : out.arrays) a = a.unsqueeze(axis);
    return out;
  };
}

Outputs SliceInferer::infer(const Array& inputs, const Forward& network) const { return windows(inputs).infer(inputs, of_slices(network)); }

bool SliceInferer::stream(const Array& input, const Forward& network, OutputStream& to) const {
  return windows(input).stream(input, of_slices(network), to);
}

namespace {

std::vector<Param> window_params() {
  return {required("roi_size", "extent of a window per axis; -1 or None: the image's"),
          optional("sw_batch_size", 1, "windows that go through the network together"),
          optional("overlap", 0.25, "share by which neighbours overlap, one or one per axis"),
          optional("mode", "constant", "weights of a window: constant or gaussian"),
          optional("sigma_scale", 0.125, "sigma of the Gaussian as a share of the extent"),
          optional("padding_mode", "constant", "how an image smaller than a window is padded: constant, reflect, replicate, circular"),
          optional("cval", 0.0, "value of constant padding"),
          optional("sw_device", {}, "accepted; the network's device decides"),
          optional("device", {}, "accepted; results are summed in host memory"),
          optional("progress", false, "accepted; progress is shown anyhow"),
          optional("cache_roi_weight_map", false, "accepted; the weights are cheap here"),
          optional("cpu_thresh", {}, "accepted; results are summed in host memory"),
          optional("buffer_steps", {}, "accepted; buffering does not change results"),
          optional("buffer_dim", -1, "accepted; buffering does not change results"),
          optional("with_coord", false, "hand window coordinates to the network; not supported")};
}

SlidingWindowInferer::Options window_options(const Args& args) {
  if (args.get<bool>("with_coord")) throw Error(ErrorKind::unsupported, args.component() + ": with_coord");
  SlidingWindowInferer::Options o;
  for (const auto& extent : args.get<std::vector<std::optional<std::int64_t>>>("roi_size")) o.roi_size.push_back(extent.value_or(-1));
  o.sw_batch_size = args.get<std::int64_t>("sw_batch_size");
  o.overlap = args.get<std::vector<double>>("overlap");
  o.mode = parse_blend_mode(args.get<std::string>("mode"));
  o.sigma_scale = args.get<std::vector<double>>("sigma_scale");
  o.padding_mode = parse_pad_mode(args.get<std::string>("padding_mode"));
  o.cval = args.get<double>("cval");
  return o;
}

std::vector<Param> slice_params() {
  std::vector<Param> params = window_params();
  params.insert(params.begin(), optional("spatial_dim", 0, "the axis the slices lie across"));
  return params;
}

const Register sliding({"inferer",
                        "SlidingWindowInferer",
                        {"SlidingWindowInfererAdapt"},
                        "Overlapping windows through the network, results blended",
                        window_params(),
                        [](const Args& args) -> Value { return std::make_shared<SlidingWindowInferer>(window_options(args)); }});
const Register slices({"inferer", "SliceInferer", {}, "A 2D network on every slice of a volume", slice_params(), [](const Args& args) -> Value {
                         return std::make_shared<SliceInferer>(args.get<int>("spatial_dim"), window_options(args));
                       }});

}  // namespace
}  // namespace vesal::infer
