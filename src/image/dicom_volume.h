// A DICOM series as volumes: which slices make one, in which order and how far apart, and whether they make one at all. Order and spacing follow from
// the positions along the slices' normal, never from instance numbers or declared thicknesses.
#pragma once
#include <string>
#include <vector>

#include "image/dicom_study.h"
#include "image/formats.h"

namespace vesal::image {

/// How far a slice may lie from its place in an even stack: this part of the step, at least this many mm.
constexpr double kDicomTolerance = 0.05, kDicomToleranceMm = 0.01;

struct DicomVolume {                  // slices are never empty
  DicomSeries series;                 ///< its facts; without slices
  std::string part;                   ///< what tells it from the series' other volumes: "echo time 4.9", "" if it is the only one
  std::vector<DicomSlice> slices;     ///< ascending along the normal
  Vector3 step{};                     ///< from slice to slice, LPS mm; not along the normal where the gantry was tilted
  bool tilted = false;                ///< a sheared stack: it is resampled onto an upright grid
  std::vector<std::string> findings;  ///< what was repaired or is worth a look
  std::string refusal;                ///< why it is no volume; "" if it is one

  double step_along_normal() const;
  Shape shape() const;           ///< [columns, rows, slices] of the image that read_dicom_volume gives
  Affine affine() const;         ///< of that image, RAS
  std::string describe() const;  ///< "CT 'abdomen venous', 20 slices of 512 x 512, 0.977 x 0.977 x 2 mm, axial"; no patient
  std::string plane() const;     ///< "axial", "sagittal", "coronal", or "oblique"
};

/// The volumes of a series, the largest first; headers only, except that the pixels of slices at one place are compared. Slices of other
/// orientation, size or pixel spacing are another volume; so are those at the same places that differ in time, echo, diffusion weighting,
/// acquisition or type. Copies of a slice are dropped. Refused are: several slices at one place that contradict each other, missing slices
/// (named), uneven steps, slices that drift sideways unevenly, damaged files, rescaling in only some slices.
std::vector<DicomVolume> volumes_of(const DicomSeries& series);

/// Where the planes of an image came from, and how labels get back there. In `Image::meta["dicom"]` of what was read from DICOM and of what was made
/// of it on the same grid. Immutable.
class DicomSource : public Object {
 public:
  explicit DicomSource(DicomVolume volume);
  std::string type_name() const override { return "DicomSource"; }

  const DicomSeries& series() const { return volume_.series; }
  /// Slice i is plane z = i of the image: its file, frame, SOP class and instance, place and spacing.
  const std::vector<DicomSlice>& slices() const { return volume_.slices; }
  const DicomVolume& volume() const { return volume_; }
  std::int64_t columns() const { return volume_.slices[0].format.columns; }  ///< of the frames in the files
  std::int64_t rows() const { return volume_.slices[0].format.rows; }
  /// (column, row, 0) of frame z -> RAS, as its file has it.
  Affine frame_affine(std::int64_t z) const;
  /// Plane z of [x, y, z] voxels on the image's grid, as [columns, rows] of its frame: a view, or, where the gantry was tilted, the nearest
  /// voxels. Throws Error(shape) for voxels of another grid.
  Array frame_of(const Array& voxels, std::int64_t z) const;

 private:
  DicomVolume volume_;
};
/// Of an image that carries one; nullptr otherwise.
std::shared_ptr<const DicomSource> dicom_source_of(const Image& image);

/// The voxels [x = column, y = row, z = slice], rescaled slice by slice: int16 where every value is a whole number that fits, else float32; or
/// `options.dtype`. Padding (PixelPaddingValue) and what a tilted stack leaves open become the scanner's air: -1024 in CT, 0 elsewhere; CT
/// padding that would stand for tissue is left alone, with a finding. MONOCHROME1 is turned round except in CT, where HU say what they say.
/// Sets MONAI's metadata and "dicom", "modality", "series_instance_uid". Throws Error(geometry) with the refusal, Error(format | memory).
Image read_dicom_volume(const DicomVolume& volume, const ReadOptions& options = {});

}  // namespace vesal::image
