// Random affine maps, as RandAffine and the elastic transforms draw them.
#pragma once
#include "transforms/affine_sampling.h"
#include "transforms/random_transform.h"

namespace vesal::transforms {

/// The arguments rotate_range, shear_range, translate_range and scale_range: one interval per parameter. Entries that are None are left
/// out, those behind move up, as in MONAI.
class AffineRanges {
 public:
  /// Throws Error(config) naming the argument.
  explicit AffineRanges(const Args& args);
  AffineParameters draw(Random& random) const;

  /// The arguments' descriptions, between those that come before and after.
  static std::vector<Param> params(std::vector<Param> before, const std::vector<Param>& after);

 private:
  std::vector<Interval> rotate_, shear_, translate_, scale_;
};

/// The arguments mode and padding_mode; throws Error(unsupported) for splines.
SampleOptions sample_options(const Args& args, bool align_corners = false);

/// Arguments with MONAI's names and defaults.
Param result_size_param();
Param mode_param();
Param padding_mode_param();
Param device_param();

}  // namespace vesal::transforms
