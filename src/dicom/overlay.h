// The picture of a result over its scan, for reports and captures.
#pragma once
#include "results/result.h"

namespace vesal::dicom {

/// [height, width, 3] uint8; no patient in it. `bare`: the planes alone.
Array overlay_of(const results::Result& result, bool bare = false);

}  // namespace vesal::dicom
