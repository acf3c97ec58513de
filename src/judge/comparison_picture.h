// Where a prediction and a reference differ, as a picture; and the pictures of the worst cases.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "judge/evaluation.h"

namespace vesal::judge {

/// Axial, coronal and sagittal planes around what either labels: in green what both say, in blue what the prediction misses, in red what it has too
/// much, in yellow where they say different classes. All on one grid, labels [x, y, z]. [height, width, 3] uint8. Throws Error(shape | geometry).
Array comparison_picture(const image::Image& scan, const image::Image& reference, const image::Image& prediction);

struct CasePicture {
  std::string id;
  double dice = 0;
  std::vector<std::byte> png;
};

/// Keeps the pictures of the cases with the lowest Dice as they come by.
class WorstCases {
 public:
  explicit WorstCases(std::size_t most) : most_(most) {}
  /// For EvaluateOptions::seen. The scan is read again: it was let go of before the network ran. A scan that cannot be shown is left out.
  void consider(const CaseScore& c, const image::Image& prediction, const image::Image& reference);
  const std::vector<CasePicture>& pictures() const { return pictures_; }  ///< worst first

 private:
  std::size_t most_;
  std::vector<CasePicture> pictures_;
};

}  // namespace vesal::judge
