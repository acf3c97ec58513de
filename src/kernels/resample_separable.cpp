#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>

#include "base/cancel.h"
#include "base/parallel.h"
#include "kernels/resample.h"
#include "kernels/rows.h"

namespace vesal::kernels {
namespace {

constexpr int kMaxRows = 16;         ///< rows combined at once
constexpr std::int64_t kBlock = 16;  ///< neighbouring outputs written together when rows do not lie along the output's last axis

/// A row of `count` voxels as contiguous floats: in place if it is that already, else copied to `scratch`.
const float* load_row(const char* at, DType type, std::int64_t stride, std::int64_t count, float* scratch) {
  if (type == DType::f32 && stride == 1) return reinterpret_cast<const float*>(at);
  visit_dtype(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* p = reinterpret_cast<const T*>(at);
    for (std::int64_t i = 0; i < count; ++i) scratch[i] = convert<float>(p[i * stride]);
  });
  return scratch;
}

/// One call's work. Axes are named by how the input lies in memory: a outermost, b, c along rows.
struct Job {
  VolumeView in;
  std::array<AxisTable, 3> tables;  ///< by output axis, for positive strides
  int a = 0, b = 1, c = 2;
  float* out = nullptr;
  std::array<std::int64_t, 3> out_stride{};
  std::int64_t out_channel = 0;
  bool row_identity = false;

  /// Buffers of one thread.
  struct Scratch {
    std::vector<float> loaded, combined, tile;
  };

  void row(std::int64_t channel, std::int64_t ia, std::int64_t ib, Scratch& s, float* to) const {
    const AxisTable &ta = tables[a], &tb = tables[b], &tc = tables[c];
    const char* base = static_cast<const char*>(in.data);
    const float* rows[kMaxRows];
    float weights[kMaxRows];
    int n = 0;
    for (int ka = 0; ka < ta.taps; ++ka)
      for (int kb = 0; kb < tb.taps; ++kb) {
        const float w = ta.weight[ka * ta.out + ia] * tb.weight[kb * tb.out + ib];
        if (w == 0) continue;
        const std::int64_t offset =
            channel * in.channel_stride + ta.index[ka * ta.out + ia] * in.stride[a] + tb.index[kb * tb.out + ib] * in.stride[b];
        rows[n] = load_row(base + offset * static_cast<std::int64_t>(size_of(in.type)), in.type, in.stride[c], tc.in, s.loaded.data() + n * tc.in);
        weights[n++] = w;
      }
    if (n == 0) {
      std::fill(to, to + tc.out, 0.f);
      return;
    }
    const float* mixed = rows[0];
    if (n > 1 || weights[0] != 1.f) {
      float* target = row_identity ? to : s.combined.data();
      weighted_rows(rows, weights, n, tc.in, target);
      mixed = target;
    }
    if (!row_identity) gather_row(mixed, tc.index.data(), tc.weight.data(), tc.taps, tc.out, tc.out, to);
    else if (mixed != to) std::memcpy(to, mixed, sizeof(float) * static_cast<std::size_t>(tc.out));
  }

  /// Outputs [i, i + count) along the output's last axis at one place of `across`, all of the rows' axis.
  void block(std::int64_t channel, int across, std::int64_t at, std::int64_t i, std::int64_t count, Scratch& s) const {
    float* to = out + channel * out_channel + at * out_stride[across];
    const std::int64_t row_size = tables[c].out;
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int64_t ia = across == a ? at : i + k, ib = across == b ? at : i + k;
      row(channel, ia, ib, s, s.tile.data() + k * row_size);
    }
    for (std::int64_t j = 0; j < row_size; ++j) {
      float* cell = to + j * out_stride[c] + i;
      for (std::int64_t k = 0; k < count; ++k) cell[k] = s.tile[k * row_size + j];
    }
  }

  Scratch scratch() const {
    const std::size_t wide = static_cast<std::size_t>(tables[c].in);
    return {std::vector<float>(wide * tables[a].taps * tables[b].taps), std::vector<float>(wide), std::vector<float>(tables[c].out * kBlock)};
  }

  void run() const {
    if (c == 2) {  // rows of the output are rows of the input
      parallel_for(in.channels * tables[a].out, 1, [&](std::int64_t begin, std::int64_t end) {
        Scratch s = scratch();
        for (std::int64_t t = begin; t < end; ++t) {
          check_cancelled();
          const std::int64_t channel = t / tables[a].out, ia = t % tables[a].out;
          for (std::int64_t ib = 0; ib < tables[b].out; ++ib)
            row(channel, ia, ib, s, out + channel * out_channel + ia * out_stride[a] + ib * out_stride[b]);
        }
      });
      return;
    }
    const int across = a == 2 ? b : a;
    const std::int64_t places = tables[across].out, last = tables[2].out, blocks = (last + kBlock - 1) / kBlock;
    parallel_for(in.channels * blocks * places, 8, [&](std::int64_t begin, std::int64_t end) {
      Scratch s = scratch();
      for (std::int64_t t = begin; t < end; ++t) {
        check_cancelled();
        const std::int64_t channel = t / places / blocks, i = t / places % blocks * kBlock;
        block(channel, across, t % places, i, std::min(kBlock, last - i), s);
      }
    });
  }
};

/// Rows with many taps: one axis at a time, each into a volume of its own.
void one_axis_at_a_time(const VolumeView& in, const std::array<AxisTable, 3>& tables, float* out) {
  VolumeView now = in;
  std::unique_ptr<float[]> held;
  int last = 2;
  while (last > 0 && tables[last].is_identity()) --last;
  for (int axis = 0; axis <= last; ++axis) {
    if (axis != last && tables[axis].is_identity()) continue;
    std::array<AxisTable, 3> one;
    for (int i = 0; i < 3; ++i) one[i] = i == axis ? tables[i] : identity_table(now.size[i]);
    std::array<std::int64_t, 3> size = now.size;
    size[axis] = tables[axis].out;
    const std::int64_t volume = size[0] * size[1] * size[2];
    std::unique_ptr<float[]> fresh(axis == last ? nullptr : new float[static_cast<std::size_t>(in.channels * volume)]);
    float* to = axis == last ? out : fresh.get();
    resample_separable(now, one, to);
    held = std::move(fresh);
    now = {to, DType::f32, in.channels, volume, size, {size[1] * size[2], size[2], 1}};
  }
}

}  // namespace

void resample_separable(const VolumeView& in, const std::array<AxisTable, 3>& tables, float* out) {
  if (in.channels == 0 || tables[0].out == 0 || tables[1].out == 0 || tables[2].out == 0) return;
  Job job{.in = in, .tables = tables, .out = out};
  const std::int64_t item = static_cast<std::int64_t>(size_of(in.type));
  for (int i = 0; i < 3; ++i) {
    if (job.in.stride[i] >= 0) continue;
    job.in.data = static_cast<const char*>(job.in.data) + (in.size[i] - 1) * in.stride[i] * item;
    job.in.stride[i] = -in.stride[i];
    job.tables[i] = tables[i].reversed();
  }
  // Rows lie along the axis with the smallest stride; ties and axes of one voxel go to the output's own order.
  std::array<int, 3> order{0, 1, 2};
  std::stable_sort(order.begin(), order.end(), [&](int x, int y) {
    const auto key = [&](int i) { return in.size[i] == 1 && i != 2 ? std::int64_t{1} << 62 : job.in.stride[i]; };
    return key(x) > key(y);
  });
  job.a = order[0], job.b = order[1], job.c = order[2];
  if (job.tables[job.a].taps * job.tables[job.b].taps > kMaxRows) {
    const auto mixing = std::count_if(tables.begin(), tables.end(), [](const AxisTable& t) { return t.taps > 1; });
    if (mixing > 1) return one_axis_at_a_time(in, tables, out);
    std::swap(job.tables[job.a].taps > 1 ? job.a : job.b, job.c);  // the one long table works within rows
  }
  job.out_stride = {tables[1].out * tables[2].out, tables[2].out, 1};
  job.out_channel = tables[0].out * job.out_stride[0];
  job.row_identity = job.tables[job.c].is_identity();
  job.run();
}

}  // namespace vesal::kernels
