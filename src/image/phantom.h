// Phantom: an abdominal CT made by rule, with its exact label map. For demonstrations, tests and pre-training; no patient.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "image/image.h"

namespace vesal::image {

/// What may be fixed; whatever is left at zero or empty is drawn from the seed.
struct PhantomOptions {
  std::array<double, 3> spacing{0, 0, 0};  ///< mm along x (left-right), y, z; drawn: 1.2-3.2 in plane, 1.5-5 through plane
  std::string orientation;                 ///< of the stored array, e.g. "LPS"; drawn from the eight without an axis swap
  double slab_mm = 0;                      ///< length along the body; drawn: 25-120 or 140-360

  // What another scanner or protocol does to the picture of the same body.
  double noise_hu = 0;  ///< standard deviation of noise on top of the scanner's own
  double contrast = 1;  ///< of soft tissue: distances from 40 HU are multiplied by it between -160 and 240 HU; air stays where it is
  double hu_shift = 0;  ///< added everywhere
};

struct Phantom {
  Image ct;      ///< [x, y, z] float32 HU, whole numbers
  Image labels;  ///< [x, y, z] uint8, numbers of phantom_labels()
};

/// Label numbers and names; the numbers are those of the TotalSegmentator CT classes, grouped (26 any vertebra, 92 any rib).
const std::map<int, std::string>& phantom_labels();

/// Same seed and options, same phantom, bit for bit, whatever the number of threads. Throws Error(usage) on senseless options.
Phantom make_phantom(std::uint64_t seed, const PhantomOptions& options = {});

}  // namespace vesal::image
