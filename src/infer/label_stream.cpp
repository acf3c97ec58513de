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
/// Rows of voxels are not cut shorter than this: short ones are slow.
constexpr std::int64_t kShortestRow = 64;

/// Boxes of about kTileValues / channels voxels that cover a grid: whole rows along the last axis where that leaves room for some of them.
std::vector<Box> cut(const Shape& grid, std::int64_t channels) {
  std::int64_t voxels = std::max<std::int64_t>(1, kTileValues / std::max<std::int64_t>(1, channels));
  Shape tile(grid.size(), 1);
  for (std::size_t axis = grid.size(); axis-- > 0;) {
    const double share = std::pow(static_cast<double>(voxels), 1.0 / static_cast<double>(axis + 1));
    std::int64_t extent = std::max<std::int64_t>(1, std::llround(share));
    if (axis + 1 == grid.size()) extent = voxels >= 16 * grid[axis] ? grid[axis] : std::max(extent, kShortestRow);
    tile[axis] = std::min(std::max<std::int64_t>(1, grid[axis]), extent);
    voxels = std::max<std::int64_t>(1, voxels / tile[axis]);
  }
  std::vector<Box> boxes{{{}, {}}};
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    std::vector<Box> longer;
    for (const Box& box : boxes) {
      for (std::int64_t begin = 0; begin < grid[axis]; begin += tile[axis]) {
        longer.push_back(box);
        longer.back().begin.push_back(begin);
        longer.back().end.push_back(std::min(grid[axis], begin + tile[axis]));
      }
    }
    boxes = std::move(longer);
  }
  return boxes;
}

}  // namespace

LabelStream::LabelStream(Dict item, const image::Image& place, Steps steps) : item_(std::move(item)), place_(place), steps_(std::move(steps)) {}

std::vector<Tile> LabelStream::begin(image::VoxelSourcePtr output) {
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

  boxes_ = cut(source_->spatial_shape(), source_->channels());
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
