// Which files `vesal segment` reads and writes.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "cli/segment_case.h"

namespace vesal::cli {

/// One scan and an OUT that names an image file: that file. Otherwise OUT is a folder, and the mask of CASE.nii.gz, CASE.nrrd, ... is
/// OUT/CASE.nii.gz. A folder among the inputs stands for the image files directly in it, sorted by name, or, if there are only DICOM
/// files in it, for the one scan they are. The preview is likewise a
/// file for one scan and a folder of CASE.png for several.
/// One scan may have several files: images, and what results::kind_of() knows by its ending. `kinds` (--write) are names of such kinds or "nifti";
/// then OUT is a folder, of CASE.seg.dcm, CASE.nii.gz, CASE_CLASS.stl, ... Throws Error(usage | not_found | unsupported) when two scans would become
/// one file, when an output would replace an input, or when OUT names no format that can be written. Whether the inputs exist is not asked.
std::vector<SegmentCase> plan_segmentation(const std::vector<std::filesystem::path>& inputs, const std::vector<std::filesystem::path>& outs,
                                           const std::filesystem::path& preview, const std::vector<std::string>& kinds = {});

/// The part of the cases that is shard I of N, "I/N" with I from 0: every N-th, so that the parts are equally long and stay the same however often
/// they are asked for. Throws Error(usage).
std::vector<SegmentCase> shard_of(std::vector<SegmentCase> cases, const std::string& shard);
/// Takes out the cases whose files are all there. Files come into place whole, so that one that is there is complete.
void drop_done(std::vector<SegmentCase>& cases);

}  // namespace vesal::cli
