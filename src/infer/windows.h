// The windows of a sliding window: where they lie, what is in them, and what weights their results have.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/array.h"

namespace vesal::infer {

enum class BlendMode { constant, gaussian };
enum class PadMode { constant, reflect, replicate, circular };
BlendMode parse_blend_mode(const std::string& name);
PadMode parse_pad_mode(const std::string& name);

/// Weights of a window [roi...], float32, as MONAI's compute_importance_map: ones, or a Gaussian of sigma = scale * extent per
/// axis that is nowhere less than max(its minimum, 0.001).
Array importance_map(const Shape& roi, BlendMode mode, const std::vector<double>& sigma_scale);

/// Where the windows of an image lie: a grid of starts per axis, the last axis fastest. Images smaller than the roi are padded
/// on both sides, the smaller half first. Coordinates are those of the padded image. Immutable.
class WindowGrid {
 public:
  /// roi entries <= 0 stand for the image's extent. Throws Error(config) for overlaps outside [0, 1) or lists of a wrong length.
  WindowGrid(Shape image, std::vector<std::int64_t> roi, std::vector<double> overlap);
  std::int64_t count() const;
  /// First voxel of window i, per axis.
  Shape start(std::int64_t i) const;
  const Shape& image() const { return image_; }  ///< before padding
  const Shape& padded() const { return padded_; }
  const Shape& roi() const { return roi_; }
  const Shape& pad_before() const { return pad_before_; }
  bool is_padded() const { return image_ != padded_; }
  const std::vector<std::vector<std::int64_t>>& starts() const { return starts_; }
  /// Copies window i of `image` [C, image()...] (any strides and type) to `out` [C, roi()...]; what lies outside keeps its value.
  void copy_window(const Array& image, std::int64_t i, Array out) const;

 private:
  Shape image_, padded_, roi_, pad_before_;
  std::vector<std::vector<std::int64_t>> starts_;
};

/// `image` [N, C, spatial...] enlarged to grid.padded() by reflecting, repeating or wrapping; throws Error(shape) where torch would.
Array pad_image(const Array& image, const WindowGrid& grid, PadMode mode);

}  // namespace vesal::infer
