// What DICOM files say, headers only: series, and the slices in them with their places. dicom_volume.h makes volumes of them.
#pragma once
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "image/dicom_pixels.h"

namespace vesal::image {

using Vector3 = std::array<double, 3>;

/// One plane of pixels: a classic file, or a frame of an enhanced one. Places are DICOM's: LPS, mm, centre of the first pixel.
struct DicomSlice {
  DicomFile file{std::filesystem::path()};
  std::int64_t frame = 0;  ///< from 0; DICOM's frame number is one more
  std::string sop_class, sop_instance;
  Vector3 position{};                          ///< ImagePositionPatient
  Vector3 along_row{1, 0, 0}, down{0, 1, 0};   ///< ImageOrientationPatient: as the column index grows, as the row index grows
  double column_spacing = 1, row_spacing = 1;  ///< mm between columns (x), between rows (y); DICOM's PixelSpacing has the rows first
  DicomPixelFormat format;
  std::string transfer_syntax;
  double slope = 1, intercept = 0;
  bool has_rescale = false;
  std::optional<std::pair<std::int64_t, std::int64_t>> padding;  ///< stored values, both inclusive, that stand for no measurement
  std::optional<double> thickness, declared_spacing;             ///< SliceThickness, SpacingBetweenSlices: for a single slice only
  std::string image_type;                                        ///< "ORIGINAL\PRIMARY\AXIAL"
  // What may part a series into several volumes of one place.
  std::optional<double> echo_time, b_value, temporal_position, acquisition, trigger_time;
  bool lossy = false;
  std::string damage;  ///< why its pixels cannot be read, as far as the header tells; "" if nothing is known
};

/// The unit normal of a slice's plane, along_row x down.
Vector3 normal_of(const DicomSlice& slice);

struct DicomSeries {
  std::string study_uid, series_uid, frame_of_reference, modality, description, body_part, number, protocol;
  std::string study_description, study_date, accession, manufacturer;
  std::string patient_name, patient_id;  ///< never for a log
  std::vector<DicomSlice> slices;        ///< in the order of their files' names
  /// What of the series is no slice of a volume, and why: "localizer" -> 2. Also counts doubled files.
  std::vector<std::pair<std::string, std::size_t>> left_out;
  /// Files of the series whose slices cannot be told, and why.
  std::vector<std::pair<std::string, std::string>> damaged;
};

struct DicomStudy {
  std::vector<DicomSeries> series;  ///< sorted by study, number, identifier
  std::size_t files = 0;            ///< looked at
  std::size_t other = 0;            ///< no DICOM files among them
  /// DICOM files so damaged that not even their series is known, and why.
  std::vector<std::pair<std::string, std::string>> damaged;
};

/// Reads the headers of the files find_dicom_files() gives, in parallel; pixels are not touched. Files with the same SOP instance and the same
/// place are counted once. Throws as find_dicom_files() does, and Error(format) if the only file is damaged.
DicomStudy read_dicom_study(const std::filesystem::path& path);

/// The slices of one file. None for what is no plane in space: `left_out` then says what it is; none for what cannot be understood: `damage`
/// then says why. Throws Error(format) if the series is not known either.
struct DicomContents {
  DicomSeries series;  ///< with its slices
  std::string left_out, damage;
};
DicomContents read_dicom_contents(const DicomFile& file, const DicomObject& object);

/// "CT image", "secondary capture", "segmentation", ...
std::string sop_class_name(const std::string& uid);
/// Whether its instances are slices of volumes.
bool is_volumetric(const std::string& sop_class);

/// Text in the character set(s) of (0008,0005) as UTF-8; what cannot be converted becomes '?'.
std::string to_utf8(const std::string& text, const std::vector<std::string>& character_sets);

}  // namespace vesal::image
