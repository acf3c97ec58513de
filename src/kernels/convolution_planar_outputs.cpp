#include <algorithm>

#include "base/parallel.h"
#include "kernels/convolution_micro.h"
#include "kernels/convolution_planar.h"
#include "kernels/pointwise.h"

namespace vesal::kernels {

PlanarOutputs::PlanarOutputs(const ConvolutionShape& shape, const float* bias)
    : shape_(shape), tiling_(shape, Tiling::Copy::planar, kPlanarSlack), bias_(static_cast<std::size_t>(shape.out_channels), 0.0f) {
  if (bias) std::copy_n(bias, shape.out_channels, bias_.begin());
}

std::int64_t PlanarOutputs::scratch_floats() const { return shape_.in_channels * tiling_.part_size() + kMostPlanarSums; }
std::int64_t PlanarOutputs::scratch_bytes() const { return thread_count() * scratch_floats() * static_cast<std::int64_t>(sizeof(float)); }

void PlanarOutputs::run(const ConvolutionCall& call) const {
  const std::vector<float> slopes = slopes_of(call.function, shape_.out_channels);
  const std::int64_t channels = shape_.out_channels;
  std::vector<double> sums(call.statistics ? static_cast<std::size_t>(tiling_.count() * 2 * channels) : 0, 0.0);
  parallel_for(tiling_.count(), 1, [&](std::int64_t begin, std::int64_t end) {
    float* local = thread_scratch(scratch_floats());
    for (std::int64_t item = begin; item < end; ++item) {
      const Work work{call,
                      slopes,
                      tiling_.tile(item),
                      item + 1 < end ? std::optional(tiling_.tile(item + 1)) : std::nullopt,
                      local,
                      local + shape_.in_channels * tiling_.part_size(),
                      call.statistics ? sums.data() + item * 2 * channels : nullptr};
      tiling_.pack(work.tile, call.in, call.before, local);
      compute(work);
    }
  });
  if (call.statistics) add_up(sums, 1, channels, call.statistics);
}

void PlanarOutputs::expect(const Work& work, const Rows& rows) const {
  const Activations &out = work.call.out, &residual = work.call.residual;
  for (std::int64_t c = 0; c < shape_.out_channels; ++c) {
    for (std::int64_t row = 0; row < rows.rows.count; ++row) {
      const std::int64_t begin = rows.at.begin + row * rows.rows.out_step, floats = rows.count * rows.at.step;
      fetch_row(out.data + c * out.pitch + begin, floats);
      if (residual.data) fetch_row(residual.data + c * residual.pitch + begin, floats);
    }
  }
}

void PlanarOutputs::finish(const Work& work, const Rows& rows, std::int64_t kernel_rows) const {
  const Activations &out = work.call.out, &residual = work.call.residual;
  FinishRow f;
  f.function = work.call.function.function;
  f.residual_after = work.call.residual_after;
  f.count = rows.count;
  f.out_step = rows.at.step;
  for (std::int64_t c = 0; c < shape_.out_channels; ++c) {
    f.sums = work.sums + c * kernel_rows * rows.rows.sums_step;
    f.out = out.data + c * out.pitch + rows.at.begin;
    f.residual = residual.data ? residual.data + c * residual.pitch + rows.at.begin : nullptr;
    f.slope = work.slopes.data() + c;
    if (work.statistics) f.sum = work.statistics + c, f.square = f.sum + shape_.out_channels;
    finish_planar_rows(f, rows.rows);
  }
}

}  // namespace vesal::kernels
