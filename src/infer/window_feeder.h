// Sends the windows of images through a network, batch by batch.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "infer/inferer.h"
#include "infer/sliding_window.h"
#include "infer/windows.h"

namespace vesal::infer {

/// Windows of which all voxels are equal, channel by channel (air, padding), go through the network once for each value; their results are
/// kept up to 64 MB. Looks at the cancel flag before each batch.
class WindowFeeder {
 public:
  /// inputs [N, C, spatial...]. The grid is that of the images. Throws Error(shape) if they cannot be padded as the options ask.
  WindowFeeder(const Array& inputs, const WindowGrid& grid, const SlidingWindowInferer::Options& options);

  /// The results of one window: [C, spatial...] for each output, contiguous float32.
  using Take = std::function<void(std::int64_t window, const std::vector<Array>& results)>;
  using TakePlanes = std::function<void(std::int64_t window, const engine::OutputPlanes& planes)>;
  /// Windows are numbered image by image; `take` gets them in the order given. `batch` says how many may go through the network together,
  /// and is asked before each batch. With `take_planes` windows come plane by plane where the network gives them so and nobody needs the
  /// results of a window as a whole. Throws Error(shape) if the network's outputs change their number or shape.
  void run(const std::vector<std::int64_t>& windows, const Forward& network, const std::function<std::int64_t()>& batch, const Take& take,
           const TakePlanes& take_planes = {});

  /// Of these windows, how many go through the network, once the first results are known. For thousands of windows: all.
  std::int64_t distinct(const std::vector<std::int64_t>& windows) const;
  /// The names of the network's outputs, if it has any; known after the first results.
  const std::vector<std::string>& keys() const { return keys_; }

 private:
  void gather(std::int64_t window, Array out) const;
  std::vector<Array> infer(const Array& batch, const Forward& network);
  bool by_planes(const Array& batch, const std::vector<std::int64_t>& windows, const Forward& network, const TakePlanes& take);
  /// Whether the results of a window can be kept for others; as long as they are not known: yes.
  bool can_keep() const;

  WindowGrid grid_;
  Array source_;  ///< padded unless the padding is constant
  bool fill_;     ///< windows reach beyond the source
  double cval_;
  std::vector<std::string> keys_;
  std::vector<Shape> shapes_;                       ///< of the outputs of one window
  std::map<std::string, std::vector<Array>> same_;  ///< results by a constant window's voxel, as bytes
  std::uint64_t same_bytes_ = 0;
};

}  // namespace vesal::infer
