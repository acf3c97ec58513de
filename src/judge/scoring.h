// One prediction against one reference.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "image/image.h"
#include "judge/cases.h"

namespace vesal::judge {

/// NaN where a measure is not defined: distances of an empty mask, Dice of two empty ones.
struct ClassScore {
  std::int64_t label = 0;
  std::string name;
  double dice = 0, hd95_mm = 0, assd_mm = 0;
  double reference_ml = 0, predicted_ml = 0;
};

/// Labels in a volume, 0 included. Throws Error(format) on values that are no whole numbers, or on more than 4096 different ones.
std::set<std::int64_t> labels_in(const Array& volume);

/// [x, y, z] uint8: 1 + the place of a voxel's label among `labels`, 0 for all others; whole numbers as labels_in() wants them.
/// Throws Error(unsupported) above 255 labels.
Array class_places(const Array& volume, const std::vector<std::int64_t>& labels);

/// Voxels of each label, by the map: what the reference says in the bundle's numbers, 0 for what is not mapped. An empty map changes nothing.
/// The smallest type that holds them.
Array mapped_labels(const Array& volume, const LabelMap& map);

/// Scores of each class on one grid. `names` says which classes count, and their names. HD95 and ASSD as monai.metrics measures them, in mm along
/// the voxel axes.
std::vector<ClassScore> score(const Array& reference, const Array& predicted, const image::Affine& affine,
                              const std::map<std::int64_t, std::string>& names);

}  // namespace vesal::judge
