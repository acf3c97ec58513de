// A small CT series made by rule, written as DICOM files and read back as a volume.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "results/result.h"

namespace vesal::dicom::testing {

struct MadeSeries {
  std::string orientation = "LPS";  ///< of the array whose planes become slices: any of the 48
  bool last_first = false;          ///< file names and instance numbers run against the slices
  std::string patient = "Doe^Jane";
  std::string character_set = "";
  double tilt_mm = 0;  ///< how far each slice lies beside the one before, along the columns
  bool bare = false;   ///< without identifiers of study, series and frame of reference
};
/// Writes it below `folder`: 30 x 26 pixels, 18 slices, spacing 1.5 x 0.8 x 2.5 mm along the array's axes, oblique by a few degrees.
void write_series(const std::filesystem::path& folder, const MadeSeries& how = {});
/// The only volume of a folder.
std::shared_ptr<const image::DicomSource> source_in(const std::filesystem::path& folder);

/// Labels by place: an egg (3), a bent bar with a hole through it (7) and one voxel (200), the same in the world for all orientations.
image::Image labels_on(const image::DicomSource& source);
/// labels_on() as a result with names "spleen", "kidney_left", "thing".
results::Result result_on(std::shared_ptr<const image::DicomSource> source, bool several_channels = false);

}  // namespace vesal::dicom::testing
