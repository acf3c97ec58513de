// Pooling, upsampling, softmax and changes of layout against plain loops in double over random shapes, at every instruction set.
#include "kernels/pool.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/activation_tools.h"
#include "kernels/channel_softmax.h"
#include "kernels/layout.h"
#include "kernels/upsample.h"

namespace vesal::kernels::tests {
namespace {

struct Draw {
  std::mt19937 random;
  std::int64_t pick(std::int64_t low, std::int64_t high) { return std::uniform_int_distribution<std::int64_t>(low, high)(random); }
  Extents extents(std::int64_t most = 12) {
    const std::int64_t dims = pick(1, 3);
    return {dims > 2 ? pick(1, most) : 1, dims > 1 ? pick(1, most) : 1, pick(1, 3 * most)};
  }
};

/// body(channel, x, y, z, number of the voxel).
template <class Body>
void each(std::int64_t channels, const Extents& e, const Body& body) {
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t v = 0; v < voxels(e); ++v) body(c, v / (e[1] * e[2]), v / e[2] % e[1], v % e[2], c * voxels(e) + v);
}

struct Window {
  std::int64_t kernel, stride, padding, dilation, out;
};

TEST(Pool, MaxAndMean) {
  at_every_simd([] {
    Draw d{std::mt19937(4)};
    for (int i = 0; i < 120; ++i) {
      const std::int64_t channels = d.pick(1, 40);
      const Extents in_extents = d.extents();
      const bool max = i % 2 == 0, include = d.pick(0, 1), ceil = d.pick(0, 1);
      Extents out_extents;
      Window w[3];
      std::array<PoolAxis, 3> axes;
      for (std::size_t a = 0; a < 3; ++a) {
        Window& x = w[a];
        do {
          x.kernel = d.pick(1, 4), x.padding = d.pick(0, x.kernel / 2), x.stride = d.pick(1, 3), x.dilation = max ? d.pick(1, 2) : 1;
          const std::int64_t room = in_extents[a] + 2 * x.padding - (x.kernel - 1) * x.dilation - 1;
          x.out = room < 0 ? 0 : room / x.stride + 1;
          if (ceil && room > 0 && room % x.stride && x.out * x.stride < in_extents[a] + x.padding) ++x.out;
          axes[a] = PoolAxis::windows(in_extents[a], x.out, x.kernel, x.stride, x.padding, x.dilation, include);
        } while (x.out == 0 || axes[a].has_empty());
        out_extents[a] = x.out;
      }
      const Plain x = random_numbers(d.random, channels * voxels(in_extents));
      Stored in(channels, in_extents, 16), out(channels, out_extents, 16, NAN);
      in.set(x);
      (max ? max_pool : avg_pool)(in.view, axes, out.view);
      const Plain got = out.plain();
      each(channels, out_extents, [&](std::int64_t c, std::int64_t ox, std::int64_t oy, std::int64_t oz, std::int64_t at) {
        const std::int64_t o[3] = {ox, oy, oz};
        double sum = max ? -INFINITY : 0, divisor = 1;
        std::vector<std::int64_t> places[3];
        for (std::size_t a = 0; a < 3; ++a) {
          std::int64_t padded = 0;
          for (std::int64_t k = 0; k < w[a].kernel; ++k) {
            const std::int64_t p = o[a] * w[a].stride - w[a].padding + k * w[a].dilation;
            padded += p < in_extents[a] + w[a].padding;
            if (p >= 0 && p < in_extents[a]) places[a].push_back(p);
          }
          divisor *= static_cast<double>(include ? padded : static_cast<std::int64_t>(places[a].size()));
        }
        for (const std::int64_t px : places[0])
          for (const std::int64_t py : places[1])
            for (const std::int64_t pz : places[2]) {
              const double v = x[static_cast<std::size_t>(((c * in_extents[0] + px) * in_extents[1] + py) * in_extents[2] + pz)];
              sum = max ? std::max(sum, v) : sum + v;
            }
        ASSERT_NEAR(got[static_cast<std::size_t>(at)], max ? sum : sum / divisor, max ? 0 : 1e-6 * (1 + std::fabs(sum)));
      });
      EXPECT_EQ(out.beyond(), 0);
    }
  });
}

TEST(Pool, NotANumberWins) {
  at_every_simd([] {
    for (const std::int64_t channels : {std::int64_t{1}, std::int64_t{17}}) {
      Stored in(channels, {1, 1, 4}), out(channels, {1, 1, 2});
      in.set(Plain(static_cast<std::size_t>(4 * channels), 1.0f));
      in.at(0, 2) = NAN;
      const PoolAxis one = PoolAxis::windows(1, 1, 1, 1, 0, 1, true), two = PoolAxis::windows(4, 2, 2, 2, 0, 1, true);
      max_pool(in.view, {one, one, two}, out.view);
      EXPECT_EQ(out.at(0, 0), 1);
      EXPECT_TRUE(std::isnan(out.at(0, 1)));
    }
  });
}

TEST(Pool, AdaptiveMeans) {
  at_every_simd([] {
    Draw d{std::mt19937(5)};
    for (int i = 0; i < 60; ++i) {
      const std::int64_t channels = d.pick(1, 40);
      const Extents in_extents = d.extents();
      Extents out_extents{1, 1, 1};
      std::array<PoolAxis, 3> axes;
      for (std::size_t a = 0; a < 3; ++a) {
        if (i % 3) out_extents[a] = d.pick(1, in_extents[a] + 2);
        axes[a] = PoolAxis::adaptive(in_extents[a], out_extents[a]);
      }
      const Plain x = random_numbers(d.random, channels * voxels(in_extents));
      Stored in(channels, in_extents), out(channels, out_extents, 0, NAN);
      in.set(x);
      avg_pool(in.view, axes, out.view);
      const Plain got = out.plain();
      each(channels, out_extents, [&](std::int64_t c, std::int64_t ox, std::int64_t oy, std::int64_t oz, std::int64_t at) {
        const std::int64_t o[3] = {ox, oy, oz};
        std::int64_t begin[3], end[3];
        for (std::size_t a = 0; a < 3; ++a) {
          begin[a] = o[a] * in_extents[a] / out_extents[a];
          end[a] = ((o[a] + 1) * in_extents[a] + out_extents[a] - 1) / out_extents[a];
        }
        double sum = 0;
        for (std::int64_t px = begin[0]; px < end[0]; ++px)
          for (std::int64_t py = begin[1]; py < end[1]; ++py)
            for (std::int64_t pz = begin[2]; pz < end[2]; ++pz)
              sum += x[static_cast<std::size_t>(((c * in_extents[0] + px) * in_extents[1] + py) * in_extents[2] + pz)];
        const double n = static_cast<double>((end[0] - begin[0]) * (end[1] - begin[1]) * (end[2] - begin[2]));
        ASSERT_NEAR(got[static_cast<std::size_t>(at)], sum / n, 2e-6);
      });
      EXPECT_EQ(out.beyond(), 0);
    }
  });
}

/// Where torch reads along one axis, from the formulas of its documentation.
std::vector<std::pair<std::int64_t, double>> taps(std::int64_t o, std::int64_t in, std::int64_t out, std::optional<double> scale, bool linear,
                                                  bool align) {
  const double step = scale ? 1 / *scale : static_cast<double>(in) / static_cast<double>(out);
  if (!linear) return {{std::min(static_cast<std::int64_t>(std::floor(static_cast<float>(o) * static_cast<float>(step))), in - 1), 1}};
  double place =
      align ? (out > 1 ? static_cast<double>(o * (in - 1)) / static_cast<double>(out - 1) : 0) : step * (static_cast<double>(o) + 0.5) - 0.5;
  place = std::clamp(place, 0.0, static_cast<double>(in - 1));
  const auto low = static_cast<std::int64_t>(place);
  return {{low, 1 - (place - static_cast<double>(low))}, {std::min(low + 1, in - 1), place - static_cast<double>(low)}};
}

TEST(Upsample, NearestAndLinear) {
  at_every_simd([] {
    Draw d{std::mt19937(6)};
    for (int i = 0; i < 120; ++i) {
      const std::int64_t channels = d.pick(1, 40);
      const Extents in_extents = d.extents(7);
      const bool linear = i % 2, align = linear && d.pick(0, 1);
      Extents out_extents;
      std::array<UpsampleAxis, 3> axes;
      std::optional<double> scales[3];
      for (std::size_t a = 0; a < 3; ++a) {
        out_extents[a] = in_extents[a] == 1 ? d.pick(1, 2) : d.pick(1, 3 * in_extents[a]);
        if (d.pick(0, 1)) {
          scales[a] = std::vector<double>{2, 1.5, 2.7}[static_cast<std::size_t>(d.pick(0, 2))];
          out_extents[a] = static_cast<std::int64_t>(static_cast<double>(in_extents[a]) * *scales[a]);
        }
        axes[a] = linear ? UpsampleAxis::linear(in_extents[a], out_extents[a], scales[a], align)
                         : UpsampleAxis::nearest(in_extents[a], out_extents[a], scales[a]);
      }
      const Plain x = random_numbers(d.random, channels * voxels(in_extents));
      Stored in(channels, in_extents, 16), out(channels, out_extents, 16, NAN);
      in.set(x);
      upsample(in.view, axes, out.view);
      const Plain got = out.plain();
      each(channels, out_extents, [&](std::int64_t c, std::int64_t ox, std::int64_t oy, std::int64_t oz, std::int64_t at) {
        const std::int64_t o[3] = {ox, oy, oz};
        std::vector<std::pair<std::int64_t, double>> t[3];
        for (std::size_t a = 0; a < 3; ++a) t[a] = taps(o[a], in_extents[a], out_extents[a], scales[a], linear, align);
        double sum = 0;
        for (const auto& [px, wx] : t[0])
          for (const auto& [py, wy] : t[1])
            for (const auto& [pz, wz] : t[2])
              sum += wx * wy * wz * x[static_cast<std::size_t>(((c * in_extents[0] + px) * in_extents[1] + py) * in_extents[2] + pz)];
        ASSERT_NEAR(got[static_cast<std::size_t>(at)], sum, 2e-5) << "case " << i << " at " << ox << ' ' << oy << ' ' << oz;
      });
      EXPECT_EQ(out.beyond(), 0);
    }
  });
}

TEST(ChannelSoftmax, BothLayoutsInPlaceToo) {
  at_every_simd([] {
    Draw d{std::mt19937(7)};
    for (int i = 0; i < 60; ++i) {
      const std::int64_t channels = i % 3 ? d.pick(1, 40) : d.pick(1, 4);
      const Extents extents = d.extents();
      const std::int64_t n = voxels(extents);
      const Plain x = random_numbers(d.random, channels * n, 20);
      Stored in(channels, extents, 16), out(channels, extents, 16, NAN);
      in.set(x);
      Stored& result = i % 2 ? in : out;
      channel_softmax(in.view, result.view);
      const Plain got = result.plain();
      for (std::int64_t v = 0; v < n; ++v) {
        double top = -INFINITY, sum = 0;
        for (std::int64_t c = 0; c < channels; ++c) top = std::max<double>(top, x[static_cast<std::size_t>(c * n + v)]);
        for (std::int64_t c = 0; c < channels; ++c) sum += std::exp(x[static_cast<std::size_t>(c * n + v)] - top);
        for (std::int64_t c = 0; c < channels; ++c) {
          const double want = std::exp(x[static_cast<std::size_t>(c * n + v)] - top) / sum;
          const double away = top - x[static_cast<std::size_t>(c * n + v)];  // rounded to a float before exp
          ASSERT_NEAR(got[static_cast<std::size_t>(c * n + v)], want, (2e-6 + 1e-7 * away) * want + 1e-37);
        }
      }
      EXPECT_EQ(result.beyond(), 0);
    }
  });
}

TEST(Layout, ChannelsGoWhereTheyBelong) {
  at_every_simd([] {
    Draw d{std::mt19937(8)};
    for (int i = 0; i < 120; ++i) {
      const Extents extents = d.extents();
      const std::int64_t n = voxels(extents);
      std::vector<Plain> parts;
      std::int64_t channels = 0;
      for (std::int64_t k = d.pick(1, 3); k > 0; --k) {
        parts.push_back(random_numbers(d.random, d.pick(1, 40) * n));
        channels += static_cast<std::int64_t>(parts.back().size()) / n;
      }
      Stored to(channels, extents, 16, NAN);
      Plain whole, row(static_cast<std::size_t>(channels * n), NAN);
      std::int64_t first = 0;
      for (const Plain& part : parts) {
        Stored from(static_cast<std::int64_t>(part.size()) / n, extents, 32);
        from.set(part);
        copy_channels(from.view, to.view, first);
        copy_channels(from.view, dense(row.data(), channels, extents), first);
        first += from.view.channels;
        whole.insert(whole.end(), part.begin(), part.end());
      }
      EXPECT_EQ(to.plain(), whole);
      EXPECT_EQ(row, whole);
      EXPECT_EQ(to.beyond(), 0);
      Stored again(channels, extents, 0, NAN);
      copy_channels(dense(row.data(), channels, extents), again.view);
      EXPECT_EQ(again.plain(), whole);
      EXPECT_EQ(again.beyond(), 0);
    }
  });
}

TEST(Layout, PaddingAndCutting) {
  at_every_simd([] {
    Draw d{std::mt19937(9)};
    for (int i = 0; i < 80; ++i) {
      const std::int64_t channels = d.pick(1, 40);
      const Extents extents = d.extents();
      Extents before, out_extents;
      for (std::size_t a = 0; a < 3; ++a) {
        before[a] = d.pick(-3, 3);
        out_extents[a] = std::max<std::int64_t>(1, extents[a] + before[a] + d.pick(-3, 3));
      }
      const Plain x = random_numbers(d.random, channels * voxels(extents));
      Stored in(channels, extents, 16), out(channels, out_extents, 16, NAN);
      in.set(x);
      pad(in.view, before, -2, out.view);
      const Plain got = out.plain();
      each(channels, out_extents, [&](std::int64_t c, std::int64_t ox, std::int64_t oy, std::int64_t oz, std::int64_t at) {
        const std::int64_t p[3] = {ox - before[0], oy - before[1], oz - before[2]};
        const bool inside = p[0] >= 0 && p[0] < extents[0] && p[1] >= 0 && p[1] < extents[1] && p[2] >= 0 && p[2] < extents[2];
        const float want = inside ? x[static_cast<std::size_t>(((c * extents[0] + p[0]) * extents[1] + p[1]) * extents[2] + p[2])] : -2;
        ASSERT_EQ(got[static_cast<std::size_t>(at)], want);
      });
      EXPECT_EQ(out.beyond(), 0);
    }
  });
}

}  // namespace
}  // namespace vesal::kernels::tests
