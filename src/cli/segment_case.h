// One scan through a bundle: segmented, written, measured, described. `vesal segment` and `vesal demo` share it.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "infer/label_map.h"
#include "infer/segmenter.h"
#include "results/segment_results.h"

namespace vesal::cli {

/// A file to make beside the mask, or instead of it.
struct CaseResult {
  const results::ResultKind* kind;
  std::filesystem::path file;
};

struct SegmentCase {
  std::filesystem::path input, output;  ///< output: the mask as an image; empty: none
  std::filesystem::path preview = {};   ///< empty: none
  std::vector<CaseResult> results = {};
  results::ResultOptions how = {};  ///< of the results

  std::string outputs_text() const;  ///< "mask.nii.gz, mask.seg.dcm"
};

struct SegmentOutcome {
  SegmentCase files;
  std::optional<Error> error;  ///< then nothing else is known
  Shape shape;                 ///< of the mask, [C, x, y, z]
  std::array<double, 3> spacing{};
  DType type = DType::u8;
  infer::StageTimes times;
  std::optional<infer::Forecast> forecast;
  double write = 0, preview = 0;  ///< seconds
  std::vector<infer::LabelAmount> labels;
};

/// Measures the mask and writes it and the picture; the outcome's files say where to. Throws when one of them cannot be written.
void write_case(const infer::Segmenter& segmenter, const image::Image& mask, SegmentOutcome& outcome);
/// One scan from file to file. Errors other than a cancel are in the outcome; after one no output file has been made or changed.
SegmentOutcome segment_case(const infer::Segmenter& segmenter, const SegmentCase& files);

/// For --json and --report.
Dict to_report(const SegmentOutcome& outcome);
Dict bundle_report(const infer::Segmenter& segmenter);
/// For people, a few lines.
std::string describe(const SegmentOutcome& outcome);
std::string peak_memory_text();

}  // namespace vesal::cli
