// Results as label maps: small integers on the scan's grid, and how much of each label there is.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/image.h"

namespace vesal::infer {

/// The voxels [C, spatial...] of a result, computed slab by slab if they are deferred. Whole numbers >= 0 come in `wanted` if that is an
/// integer type they all fit into, else in the smallest of uint8, uint16 and uint32; anything else comes as it is (float32).
Array label_array(const image::Image& result, std::optional<DType> wanted = std::nullopt);

/// How much one label, or one channel of several that may overlap, takes.
struct LabelAmount {
  std::int64_t label;  ///< with several channels: the channel
  std::string name;    ///< empty if the bundle does not say
  std::int64_t voxels;
  double ml;
};
/// Every label but 0 of a mask [1, spatial...]; of [C, spatial...] every channel with its voxels that are not 0. Named labels that do
/// not occur count 0. Masks of anything but integers have none.
std::vector<LabelAmount> label_amounts(const image::Image& mask, const std::map<std::int64_t, std::string>& names);

}  // namespace vesal::infer
