// One picture of a scan and its labels that a person can judge at a glance.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "image/image.h"
#include "image/picture.h"

namespace vesal::image {

/// How much of a label map one label takes.
struct LabelVolume {
  std::int64_t label;
  std::int64_t voxels;
  double ml;
};
/// Every label but 0, ascending. `labels` is [x, y, z] or [1, x, y, z]; throws Error(shape) on anything else.
std::vector<LabelVolume> label_volumes(const Image& labels);

/// What a label is shown in, here and in the results that carry colours; labels from 1.
Colour label_colour(std::int64_t label);

struct PreviewOptions {
  /// Intensities shown black and white; none: 40 +- 200 HU for CT (a scan with air in it), else the 0.5 and 99.5 percentiles.
  std::optional<std::pair<double, double>> window = std::nullopt;
  std::map<std::int64_t, std::string> names = {};  ///< of the labels; without a name "label 3"
  std::string caption = "";                        ///< above the planes
  std::string warning = "";                        ///< top right, e.g. kNotForDiagnosis
  int plane_pixels = 420;                          ///< edge of the square each plane fits into
  bool bare = false;                               ///< the planes alone: whoever shows them says what they are
};
inline constexpr const char* kNotForDiagnosis = "Demonstration, not for diagnosis";

/// Axial, coronal and sagittal planes through the centre of the labels, side by side, as radiologists look at them (the patient's right
/// on the left), in true proportions, labels as tinted areas with outlines, a legend with volumes below. [height, width, 3] uint8.
/// `scan` and `labels` are [x, y, z] or [1, x, y, z] on one grid; throws Error(shape | geometry) otherwise.
Array render_preview(const Image& scan, const Image& labels, const PreviewOptions& options = {});

/// render_preview to a PNG file.
void write_preview(const std::filesystem::path& path, const Image& scan, const Image& labels, const PreviewOptions& options = {});

}  // namespace vesal::image
