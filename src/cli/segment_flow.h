// Scans through a bundle one after the other, without a pause.
#pragma once
#include <functional>
#include <vector>

#include "cli/segment_case.h"

namespace vesal::cli {

/// While a scan is in the network, the next one is read and prepared and the mask of the last one is measured and written. Where memory_limit()
/// or the machine leaves no room for that, the next scan waits. `done` gets the outcomes in the order of the cases, on the calling thread.
/// Errors other than a cancel are in the outcomes; a cancel is thrown when everything under way has ended.
void segment_cases(const infer::Segmenter& segmenter, const std::vector<SegmentCase>& cases, const std::function<void(const SegmentOutcome&)>& done);

}  // namespace vesal::cli
