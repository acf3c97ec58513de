#include "infer/label_stream.h"

#include <algorithm>
#include <cmath>

#include "base/cancel.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "transforms/slabs.h"
#include "transforms/spatial_step.h"
#include "transforms/transform.h"

namespace vesal::infer {
namespace {

using image::Box;

/// Floats that one tile reads or makes at a time, about.
constexpr std::int64_t kTileValues = std::int64_t{1} << 20;
/// Rows of voxels are cut no shorter than this but at edges: short ones are slow.
constexpr std::int64_t kShortestRow = 32;
/// From so many channels on tiles are compact: a long one would keep bricks waiting that are finished, along an axis that windows come last on.
constexpr std::int64_t kManyChannels = 16;

}  // namespace

LabelStream::LabelStream(Dict item, const image::Image& place, Steps steps) : item_(std::move(item)), place_(place), steps_(std::move(steps)) {}

/// Where to cut the result along an axis: where its planes begin to look beyond an edge of the output, though not into pieces of fewer than
/// eight planes, and evenly in between so that no piece is longer than `longest`.
std::vector<std::int64_t> LabelStream::cuts(int axis, std::int64_t longest, const Edges& edges) const {
  constexpr std::int64_t kThinnest = 8;
  const Shape& grid = source_->spatial_shape();
  Box plane{Shape(grid.size(), 0), grid};
  std::vector<std::int64_t> cuts{0};
  const auto go_to = [&](std::int64_t at) {
    const std::int64_t from = cuts.back(), parts = (at - from + longest - 1) / longest;
    for (std::int64_t i = 1; i <= parts; ++i) cuts.push_back(from + (at - from) * i / parts);
  };
  std::vector<std::ptrdiff_t> last, now;
  for (std::int64_t p = 0; p < grid[axis]; ++p, std::swap(last, now)) {
    plane.begin[axis] = p, plane.end[axis] = p + 1;
    const Box needs = source_->needs(plane);
    now.clear();
    for (std::size_t i = 0; i < edges.size(); ++i) now.push_back(std::lower_bound(edges[i].begin(), edges[i].end(), needs.end[i]) - edges[i].begin());
    if (p > 0 && now != last && p - cuts.back() >= std::min(kThinnest, longest)) go_to(p);
  }
  go_to(grid[axis]);
  return cuts;
}

/// Boxes of at most about kTileValues / channels voxels that cover the result: whole rows along the last axis if the channels are few.
std::vector<Box> LabelStream::cut(const Edges& edges) const {
  const Shape& grid = source_->spatial_shape();
  const std::int64_t channels = source_->channels();
  std::int64_t voxels = std::max<std::int64_t>(1, kTileValues / std::max<std::int64_t>(1, channels));
  std::vector<std::vector<std::int64_t>> all(grid.size());
  for (std::size_t axis = grid.size(); axis-- > 0;) {
    const double share = std::pow(static_cast<double>(voxels), 1.0 / static_cast<double>(axis + 1));
    std::int64_t longest = std::max<std::int64_t>(1, std::llround(share));
    const bool rows = axis + 1 == grid.size(), whole = rows && channels < kManyChannels;
    if (rows) longest = std::max(longest, kShortestRow);
    if (whole) longest = std::max<std::int64_t>(1, grid[axis]);
    all[axis] = whole ? std::vector<std::int64_t>{0, grid[axis]} : cuts(static_cast<int>(axis), longest, edges);
    voxels = std::max<std::int64_t>(1, voxels / longest);
  }
  std::vector<Box> boxes{{{}, {}}};
  for (const auto& along : all) {
    std::vector<Box> longer;
    for (const Box& box : boxes) {
      for (std::size_t i = 0; i + 1 < along.size(); ++i) {
        longer.push_back(box);
        longer.back().begin.push_back(along[i]);
        longer.back().end.push_back(along[i + 1]);
      }
    }
    boxes = std::move(longer);
  }
  return boxes;
}

std::vector<Tile> LabelStream::begin(image::VoxelSourcePtr output, const Edges& edges) {
  discretize_ = steps_.discretize(output->channels());
  item_[steps_.key] = image::to_value(place_.with(std::move(output)));
  with_context("postprocessing", [&] {
    for (const Value& step : steps_.lazy) item_ = transforms::apply(step, Value(std::move(item_))).as_dict();
    shaped_ = image::image_of(item_.at(steps_.key));
    source_ = shaped_.deferred();
    if (!source_) throw Error(ErrorKind::internal, "the network's output was wanted before it was there");
  });
  item_[steps_.key] = Value();
  // What comes of one voxel tells the channels and the type of the labels.
  Shape shape(source_->spatial_shape().size() + 1, 1);
  shape[0] = source_->channels();
  const image::Image probe = discretized(shaped_.with(Array::zeros(shape, DType::f32)));
  const Array voxel = transforms::stored_voxels(probe);
  seen_as_ = probe.dtype();
  shape = source_->spatial_shape();
  shape.insert(shape.begin(), voxel.size(0));
  labels_ = Array::empty(shape, voxel.dtype());

  boxes_ = cut(edges);
  std::vector<Tile> tiles;
  for (const Box& box : boxes_) {
    std::uint64_t bytes = voxel.nbytes();
    for (std::size_t i = 0; i < box.begin.size(); ++i) bytes *= static_cast<std::uint64_t>(box.size(static_cast<int>(i)));
    tiles.push_back({source_->needs(box), bytes});
  }
  return tiles;
}

void LabelStream::ready(const std::vector<std::int64_t>& tiles) {
  Stopwatch watch;
  parallel_for(static_cast<std::int64_t>(tiles.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) work(tiles[static_cast<std::size_t>(i)]);
  });
  seconds_ += watch.lap();
}

image::Image LabelStream::discretized(const image::Image& part) const {
  return with_context("postprocessing", [&] {
    return image::image_of(transforms::apply(discretize_, Value(Dict{{steps_.key, image::to_value(part)}})).as_dict().at(steps_.key));
  });
}

void LabelStream::work(std::int64_t tile) {
  check_cancelled();
  const Box& box = boxes_[static_cast<std::size_t>(tile)];
  Shape extents;
  for (std::size_t i = 0; i < box.begin.size(); ++i) extents.push_back(box.size(static_cast<int>(i)));
  const Array labels = transforms::stored_voxels(discretized(shaped_.with(transforms::window_of(source_, box.begin, extents))));
  transforms::view_of(labels_, box).copy_from(labels);
}

Dict LabelStream::result() const {
  Dict item = item_;
  item[steps_.key] = image::to_value(shaped_.with(std::make_shared<transforms::StoredSource>(labels_, seen_as_)));
  return item;
}

}  // namespace vesal::infer
