// Doubling the extents of a feature map. Source: MONAI's UpSample and SubpixelUpsample.
#pragma once
#include <string>

#include "nn/layer.h"

namespace vesal::nn {

struct UpsampleSpec {
  int spatial_dims = 3;
  std::int64_t in_channels = 1, out_channels = 1;
  /// "deconv": transposed convolution; "deconvgroup": the same in groups; "nontrainable": linear interpolation, behind a convolution
  /// "preconv" where channels change; "pixelshuffle": a convolution whose channels become voxels.
  std::string mode = "deconv";
  std::int64_t scale = 2;
  bool align_corners = true;  ///< of the linear interpolation
};

/// Throws Error(config) naming the modes there are.
LayerPtr make_upsample(const UpsampleSpec& spec);

}  // namespace vesal::nn
