// The sliding window piece by piece against the whole array: the same numbers, whatever the grid, the overlap and the tiles.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "infer/sliding_window.h"
#include "transforms/slabs.h"

namespace vesal::infer {
namespace {

Array noise(const Shape& shape, unsigned seed) {
  Array a = Array::empty(shape, DType::f32);
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> value(-1, 1);
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<float>()[i] = value(random);
  return a;
}

/// Channel c is a wave of the input that also hangs on the place in the window; `zoom` voxels of the input make one.
Forward wave(std::int64_t channels, std::int64_t zoom, std::int64_t* calls = nullptr) {
  return [=](const Array& x) {
    if (calls) *calls += x.size(0);
    Array in = x;
    for (int axis = 2; axis < x.dim(); ++axis) in = in.slice(axis, 0, x.size(axis), zoom);
    in = in.contiguous();
    Shape shape = in.shape();
    const std::int64_t voxels = in.numel() / in.size(0) / in.size(1);
    shape[1] = channels;
    Array out = Array::empty(shape, DType::f32);
    for (std::int64_t n = 0; n < shape[0]; ++n)
      for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t v = 0; v < voxels; ++v)
          out.data<float>()[(n * channels + c) * voxels + v] =
              static_cast<float>(c + 1) * in.data<float>()[n * in.size(1) * voxels + v] + static_cast<float>((v * 31 + c * 17) % 101) / 50;
    return Outputs{{out}, {}};
  };
}

/// The same network, giving the windows of a batch one after the other in pieces of one to three planes.
Forward by_planes(const Forward& network, std::int64_t* pieces) {
  Forward forward = [](const Array&) -> Outputs { throw Error(ErrorKind::internal, "the whole is not wanted"); };
  forward.by_planes = [=](const Array& batch, const engine::TakePlanes& take) {
    const Array all = network(batch).arrays[0];
    for (std::int64_t n = 0; n < all.size(0); ++n) {
      const Array one = all.select(0, n);
      for (std::int64_t first = 0, next = 0; first < one.size(1); first = next) {
        next = std::min(one.size(1), first + 1 + *pieces % 3);
        take({n, one.shape(), first, one.slice(1, first, next).contiguous()});
        ++*pieces;
      }
    }
    return true;
  };
  return forward;
}

/// Reads random boxes that cover the output, each when it is ready, and twice nothing.
class Collector : public OutputStream {
 public:
  explicit Collector(unsigned seed) : random_(seed) {}
  std::vector<Tile> begin(image::VoxelSourcePtr output, const Edges& edges) override {
    source = output;
    for (std::size_t i = 0; i < edges.size(); ++i) {
      EXPECT_TRUE(std::is_sorted(edges[i].begin(), edges[i].end()));
      EXPECT_EQ(edges[i].empty() ? 0 : edges[i].back(), output->spatial_shape()[i]);
    }
    Shape shape = output->spatial_shape();
    shape.insert(shape.begin(), output->channels());
    got = Array::full(shape, DType::f32, -77);
    boxes = {{Shape(output->spatial_shape().size(), 0), output->spatial_shape()}};
    for (int cuts = 0; cuts < 12; ++cuts) {
      image::Box& box = boxes[random_() % boxes.size()];
      const auto axis = static_cast<int>(random_() % box.begin.size());
      if (box.size(axis) < 2) continue;
      const std::int64_t at = box.begin[axis] + 1 + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(box.size(axis) - 1));
      image::Box right = box;
      right.begin[axis] = at;
      box.end[axis] = at;
      boxes.push_back(right);
    }
    seen.assign(boxes.size(), 0);
    std::vector<Tile> tiles;
    for (const image::Box& box : boxes) tiles.push_back({box, 0});
    return tiles;
  }
  std::int64_t plan(const StreamFacts& f) override {
    facts = f;
    return f.batch;
  }
  void ready(const std::vector<std::int64_t>& tiles) override {
    ++calls;
    for (const std::int64_t t : tiles) {
      ++seen[t];
      transforms::view_of(got, boxes[t]).copy_from(source->read(boxes[t]));
    }
  }
  image::VoxelSourcePtr source;
  std::vector<image::Box> boxes;
  std::vector<int> seen;
  Array got;
  StreamFacts facts;
  int calls = 0;

 private:
  std::mt19937 random_;
};

SlidingWindowInferer::Options random_options(std::mt19937& random, int axes, std::int64_t zoom) {
  SlidingWindowInferer::Options o;
  const auto below = [&](int n) { return static_cast<std::int64_t>(random() % n); };
  for (int i = 0; i < axes; ++i) o.roi_size.push_back(zoom * (2 + below(5)));
  o.overlap = {zoom == 1 ? static_cast<double>(below(9)) / 10 : 0.5};
  if (zoom > 1)
    for (auto& r : o.roi_size) r = 4 * zoom;
  o.sw_batch_size = 1 + below(5);
  o.mode = below(2) ? BlendMode::gaussian : BlendMode::constant;
  o.padding_mode = below(2) ? PadMode::replicate : PadMode::constant;
  o.cval = 0.25;
  return o;
}

TEST(Stream, GivesTheVoxelsOfTheWholeArray) {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    const int axes = 1 + static_cast<int>(random() % 3);
    const std::int64_t zoom = random() % 4 == 0 ? 2 : 1;
    const SlidingWindowInferer inferer(random_options(random, axes, zoom));
    Shape shape{1, 1 + static_cast<std::int64_t>(random() % 2)};
    for (int i = 0; i < axes; ++i) shape.push_back(zoom * (1 + static_cast<std::int64_t>(random() % 19)));
    SCOPED_TRACE(std::to_string(round) + ": " + to_string(shape) + " roi " + to_string(inferer.options().roi_size));
    const Array input = noise(shape, round);
    const std::int64_t channels = 1 + static_cast<std::int64_t>(random() % 4);
    const Array whole = inferer.infer(input, wave(channels, zoom)).arrays[0].select(0, 0).contiguous();
    Collector collector(round);
    ASSERT_TRUE(inferer.stream(input, wave(channels, zoom), collector));
    ASSERT_EQ(collector.got.shape(), whole.shape());
    for (const int times : collector.seen) EXPECT_EQ(times, 1);
    for (std::int64_t i = 0; i < whole.numel(); ++i) ASSERT_EQ(collector.got.data<float>()[i], whole.data<float>()[i]) << i;
    if (whole.numel() == 0) continue;
    for (const image::Box& box : collector.boxes) EXPECT_THROW(collector.source->read(box), Error) << "still there";
  }
}

TEST(Stream, ManyChannelsAreRoundedToHalfAndTakeTheCheapestOrder) {
  SlidingWindowInferer::Options o;
  o.roi_size = {8, 8, 8};
  o.overlap = {0.5};
  o.mode = BlendMode::gaussian;
  const SlidingWindowInferer inferer(o);
  const Array input = noise({1, 1, 9, 40, 11}, 5);
  const Array whole = inferer.infer(input, wave(40, 1)).arrays[0].select(0, 0).contiguous();
  Collector collector(5);
  ASSERT_TRUE(inferer.stream(input, wave(40, 1), collector));
  for (std::int64_t i = 0; i < whole.numel(); ++i) ASSERT_NEAR(collector.got.data<float>()[i], whole.data<float>()[i], 45.0f / 512) << i;
  EXPECT_LT(collector.facts.held, static_cast<std::uint64_t>(whole.numel()) * 2);
}

TEST(Stream, PlaneByPlaneAsAWhole) {
  std::mt19937 random(19);
  for (int round = 0; round < 40; ++round) {
    const int axes = 1 + static_cast<int>(random() % 3);
    const SlidingWindowInferer inferer(random_options(random, axes, 1));
    Shape shape{1, 1};
    for (int i = 0; i < axes; ++i) shape.push_back(1 + static_cast<std::int64_t>(random() % 19));
    SCOPED_TRACE(std::to_string(round) + ": " + to_string(shape) + " roi " + to_string(inferer.options().roi_size));
    const Array input = noise(shape, round);
    const std::int64_t channels = round % 2 ? 33 : 3;  // sums of float16, of float32
    Collector whole(round), planes(round);
    std::int64_t pieces = 0;
    ASSERT_TRUE(inferer.stream(input, wave(channels, 1), whole));
    ASSERT_TRUE(inferer.stream(input, by_planes(wave(channels, 1), &pieces), planes));
    EXPECT_GE(pieces, whole.facts.windows);
    EXPECT_EQ(planes.facts.held, whole.facts.held);
    for (const int times : planes.seen) EXPECT_EQ(times, 1);
    for (std::int64_t i = 0; i < whole.got.numel(); ++i) ASSERT_EQ(planes.got.data<float>()[i], whole.got.data<float>()[i]) << i;
  }
}

TEST(Stream, PlanesOfChangingShapeAreRefused) {
  SlidingWindowInferer::Options o;
  o.roi_size = {4, 4};
  std::int64_t windows = 0;
  Forward odd = wave(2, 1);
  odd.by_planes = [&](const Array& batch, const engine::TakePlanes& take) {
    const Array out = wave(++windows > 1 ? 3 : 2, 1)(batch).arrays[0].select(0, 0);
    take({0, out.shape(), 0, out});
    return true;
  };
  Collector collector(1);
  EXPECT_THROW(SlidingWindowInferer(o).stream(noise({1, 1, 8, 8}, 1), odd, collector), Error);
  EXPECT_EQ(windows, 2);
}

TEST(Stream, KeepsLittle) {
  SlidingWindowInferer::Options o;
  o.roi_size = {8, 8, 8};
  const SlidingWindowInferer inferer(o);
  const Array input = noise({1, 1, 128, 16, 16}, 5);
  class Slabs : public OutputStream {
   public:
    std::vector<Tile> begin(image::VoxelSourcePtr output, const Edges&) override {
      std::vector<Tile> tiles;
      for (std::int64_t x = 0; x < 128; x += 2) tiles.push_back({{{x, 0, 0}, {x + 2, output->spatial_shape()[1], output->spatial_shape()[2]}}, 0});
      return tiles;
    }
    std::int64_t plan(const StreamFacts& facts) override {
      sums = facts.held;
      return facts.batch;
    }
    void ready(const std::vector<std::int64_t>& tiles) override { done += tiles.size(); }
    std::uint64_t sums = 0;
    std::size_t done = 0;
  } slabs;
  ASSERT_TRUE(inferer.stream(input, wave(3, 1), slabs));
  EXPECT_EQ(slabs.done, 64u);
  EXPECT_LE(slabs.sums, 3u * 10 * 16 * 16 * 4) << "a window's extent and what lies before it";
  EXPECT_GE(slabs.sums, 3u * 7 * 16 * 16 * 4) << "its first planes may be done before the last ones come";
}

TEST(Stream, ConstantWindowsGoThroughTheNetworkOnce) {
  SlidingWindowInferer::Options o;
  o.roi_size = {4, 4, 4};
  o.overlap = {0};
  o.sw_batch_size = 3;
  const SlidingWindowInferer inferer(o);
  Array input = Array::zeros({1, 1, 4, 4, 40}, DType::f32);  // ten windows: seven of zeros, two of ones, one with a single other voxel
  input.slice(4, 8, 12).fill(1);
  input.slice(4, 20, 24).fill(1);
  input.data<float>()[17] = 5;
  std::int64_t calls = 0;
  const Array whole = inferer.infer(input, wave(2, 1, &calls)).arrays[0].select(0, 0).contiguous();
  EXPECT_EQ(calls, 3);
  Collector collector(1);
  calls = 0;
  ASSERT_TRUE(inferer.stream(input, wave(2, 1, &calls), collector));
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(collector.facts.windows, 10);
  EXPECT_EQ(collector.facts.windows_left, 2);
  const Array plain = SlidingWindowInferer(o).infer(input, [&](const Array& x) { return wave(2, 1)(x); }).arrays[0].select(0, 0).contiguous();
  for (std::int64_t i = 0; i < whole.numel(); ++i) {
    ASSERT_EQ(whole.data<float>()[i], plain.data<float>()[i]);
    ASSERT_EQ(collector.got.data<float>()[i], whole.data<float>()[i]);
  }
  // Voxel by voxel, each window by itself.
  const Array all = wave(2, 1)(input.slice(4, 0, 4).contiguous()).arrays[0];
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_EQ(whole.data<float>()[i], all.data<float>()[i]);
}

TEST(Stream, SlicesOfAVolume) {
  SlidingWindowInferer::Options o;
  o.roi_size = {5, 6};
  o.overlap = {0.4};
  o.sw_batch_size = 4;
  for (int axis = 0; axis < 3; ++axis) {
    const SliceInferer inferer(axis, o);
    const Array input = noise({1, 1, 7, 9, 8}, axis);
    const Array whole = inferer.infer(input, wave(2, 1)).arrays[0].select(0, 0).contiguous();
    Collector collector(axis);
    ASSERT_TRUE(inferer.stream(input, wave(2, 1), collector));
    for (std::int64_t i = 0; i < whole.numel(); ++i) ASSERT_EQ(collector.got.data<float>()[i], whole.data<float>()[i]) << axis << " " << i;
  }
}

TEST(Stream, SeveralImagesHaveNoPieces) {
  SlidingWindowInferer::Options o;
  o.roi_size = {4};
  Collector collector(1);
  EXPECT_FALSE(SlidingWindowInferer(o).stream(noise({2, 1, 6}, 1), wave(1, 1), collector));
  EXPECT_FALSE(SimpleInferer().stream(noise({1, 1, 6}, 1), wave(1, 1), collector));
}

}  // namespace
}  // namespace vesal::infer
