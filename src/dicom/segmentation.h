// The parts of a DICOM segmentation that others refer to or read.
#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "dicom/object.h"

namespace vesal::dicom {

/// Names a segment in all objects of one result.
std::string tracking_uid(const Result& result, const Segment& segment);

/// What a BINARY segmentation file holds, by segment number: pixels unpacked and placed by the file's own tags alone.
/// Throws Error(format) naming what is wrong.
std::map<int, Found> read_segmentation(const std::filesystem::path& file);
/// Reads the file and compares every segment with the mask.
void prove_segmentation(const std::filesystem::path& file, const Result& result);

}  // namespace vesal::dicom
