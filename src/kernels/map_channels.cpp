#include "kernels/map_channels.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/parallel.h"
#include "kernels/map_rows.h"
#include "kernels/pointwise.h"

namespace vesal::kernels {
namespace {

constexpr std::int64_t kChunk = 4096;  ///< floats of a row: small enough that what was written is still in the first cache when it is summed

/// Floats of one block or planar channel, in rows of kChunk.
struct Rows {
  explicit Rows(const Activations& a) : parts(a.parts()), size(a.part_size()), per_part((size + kChunk - 1) / kChunk) {}
  std::int64_t parts, size, per_part;

  /// body(row, part, first float, floats), on all threads.
  template <class Body>
  void each(Body&& body) const {
    parallel_for(parts * per_part, std::max<std::int64_t>(1, 16384 / std::min(size, kChunk)), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t at = row % per_part * kChunk;
        body(row, row / per_part, at, std::min(kChunk, size - at));
      }
    });
  }
};

/// The coefficients of a block, or those of a planar channel 16 times.
class Repeated {
 public:
  Repeated(const float* of_channels, const Activations& a, std::int64_t part) {
    if (!of_channels) return;
    if (a.planar) std::fill_n(memory_, kBlock, of_channels[part]);
    at_ = a.planar ? memory_ : of_channels + part * kBlock;
  }
  const float* get() const { return at_; }

 private:
  float memory_[kBlock];
  const float* at_ = nullptr;
};

/// The slopes of 16 lanes.
void slopes(const Pointwise& f, const Activations& a, std::int64_t part, float* out) {
  for (std::int64_t l = 0; l < kBlock; ++l) out[l] = slope_at(f, a.planar ? part : part * kBlock + l);
}

/// Zeros in the lanes past the last channel, for functions that leave something else there.
void clear_lanes(const Activations& a, std::int64_t part, std::int64_t count, float* row) {
  const std::int64_t used = a.planar ? kBlock : std::min(kBlock, a.channels - part * kBlock);
  if (used == kBlock) return;
  for (std::int64_t i = 0; i < count; i += kBlock) std::fill(row + i + used, row + i + kBlock, 0.0f);
}

/// Where rows leave their sums: they are added up in a fixed order, so that the threads do not change the result.
class RowSums {
 public:
  explicit RowSums(const Rows& rows) : rows_(rows), sums_(memory()) {
    sums_.assign(static_cast<std::size_t>(rows.parts * rows.per_part * 2 * kBlock), 0.0);
  }
  void add(std::int64_t row, const float* x, std::int64_t count) {
    double* sum = sums_.data() + row * 2 * kBlock;
    sum_row(x, count, sum, sum + kBlock);
  }
  void finish(const Activations& a, double* out) const {
    const std::int64_t padded = kBlock * blocks(a.channels);
    std::fill_n(out, 2 * padded, 0.0);
    for (std::int64_t row = 0; row < rows_.parts * rows_.per_part; ++row)
      for (std::int64_t l = 0; l < kBlock; ++l) {
        const std::int64_t part = row / rows_.per_part, channel = a.planar ? part : part * kBlock + l;
        for (int k = 0; k < 2; ++k) out[k * padded + channel] += sums_[static_cast<std::size_t>((row * 2 + k) * kBlock + l)];
      }
  }

 private:
  static std::vector<double>& memory() {
    thread_local std::vector<double> kept;
    return kept;
  }
  const Rows& rows_;
  std::vector<double>& sums_;
};

}  // namespace

void map_channels(const MapCall& call) {
  const Activations &in = call.in, &out = call.out, &residual = call.residual;
  const Rows rows(in);
  const bool clear = !keeps_zero(call.map.after.function);
  std::optional<RowSums> sums;
  if (call.statistics) sums.emplace(rows);
  rows.each([&](std::int64_t row, std::int64_t part, std::int64_t at, std::int64_t count) {
    float slope[kBlock];
    slopes(call.map.after, in, part, slope);
    const Repeated scale(call.map.scale, in, part), shift(call.map.shift, in, part);
    const Repeated residual_scale(call.residual_scale, in, part), residual_shift(call.residual_shift, in, part);
    float* to = out.data + part * out.pitch + at;
    map_row(in.data + part * in.pitch + at, {scale.get(), shift.get(), slope, call.map.after.function},
            {residual.data ? residual.data + part * residual.pitch + at : nullptr, residual_scale.get(), residual_shift.get(), call.residual_after},
            count, to);
    if (clear) clear_lanes(out, part, count, to);
    if (sums) sums->add(row, to, count);
  });
  if (sums) sums->finish(out, call.statistics);
}

void combine(Operation operation, const Activations& a, const Activations& b, const Activations& out) {
  const bool repeats = b.extents != a.extents;
  Rows(a).each([&](std::int64_t, std::int64_t part, std::int64_t at, std::int64_t count) {
    const float* second = b.data + part * b.pitch;
    float same[kBlock];
    if (repeats && b.planar) {
      std::fill_n(same, kBlock, *second);
      second = same;
    }
    combine_row(operation, a.data + part * a.pitch + at, repeats ? second : second + at, repeats, count, out.data + part * out.pitch + at);
  });
}

void channel_statistics(const Activations& in, double* out) {
  const Rows rows(in);
  RowSums sums(rows);
  rows.each([&](std::int64_t row, std::int64_t part, std::int64_t at, std::int64_t count) { sums.add(row, in.data + part * in.pitch + at, count); });
  sums.finish(in, out);
}

}  // namespace vesal::kernels
