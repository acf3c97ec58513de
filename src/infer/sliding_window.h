// SlidingWindowInferer: overlapping windows through the network, results blended (MONAI's sliding_window_inference).
#pragma once
#include <cstdint>
#include <vector>

#include "infer/inferer.h"
#include "infer/windows.h"

namespace vesal::infer {

/// Windows are gathered from the input as they are needed, at most sw_batch_size at a time (WindowFeeder). infer() sums the results in one
/// float32 array [C, x, y, z] per image and output. stream() keeps bricks that later windows still add to, takes windows plane by
/// plane if the network gives them so and in an order that keeps little where that is worth it, and sums 32 channels and more in float16:
/// labels may then differ where two classes are equal within a part in a thousand. Both show progress and look at the cancel flag before each batch.
class SlidingWindowInferer : public Inferer {
 public:
  struct Options {
    std::vector<std::int64_t> roi_size;  ///< one for all axes or one per axis; <= 0: the image's extent
    std::int64_t sw_batch_size = 1;
    std::vector<double> overlap{0.25};  ///< in [0, 1), one for all axes or one per axis
    BlendMode mode = BlendMode::constant;
    std::vector<double> sigma_scale{0.125};
    PadMode padding_mode = PadMode::constant;
    double cval = 0;
  };
  explicit SlidingWindowInferer(Options options);
  std::string type_name() const override { return "SlidingWindowInferer"; }
  Outputs infer(const Array& inputs, const Forward& network) const override;
  bool stream(const Array& input, const Forward& network, OutputStream& to) const override;
  const Options& options() const { return options_; }

 private:
  WindowGrid grid_of(const Array& inputs) const;
  Options options_;
};

/// A 2D network on every slice of a volume across `spatial_dim`; roi_size has two entries.
class SliceInferer : public Inferer {
 public:
  SliceInferer(int spatial_dim, SlidingWindowInferer::Options options);
  std::string type_name() const override { return "SliceInferer"; }
  Outputs infer(const Array& inputs, const Forward& network) const override;
  bool stream(const Array& input, const Forward& network, OutputStream& to) const override;

 private:
  SlidingWindowInferer windows(const Array& inputs) const;
  Forward of_slices(const Forward& network) const;
  int spatial_dim_;
  SlidingWindowInferer::Options options_;
};

}  // namespace vesal::infer
