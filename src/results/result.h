// What a segmentation can be written as beside an image: DICOM objects, reports, meshes. One file per kind; each registers itself.
#pragma once
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bundle/bundle_folder.h"
#include "image/dicom_volume.h"
#include "image/image.h"
#include "image/picture.h"
#include "results/codes.h"

namespace vesal::results {

/// A class that a mask has voxels of.
struct Segment {
  std::int64_t label;  ///< value in a mask of one channel; the channel of several, which may overlap
  std::string name;    ///< as the bundle has it, else "label 3"
  Anatomy anatomy;
  image::Colour colour;
  std::int64_t voxels = 0;
  double ml = 0;
  std::array<double, 3> centroid{};           ///< RAS mm; of no voxels the origin
  std::array<std::int64_t, 3> low{}, high{};  ///< the box of its voxels, high excluded
};

/// A mask with all that results say about it. Immutable once made; writers may run at the same time.
struct Result {
  image::Image mask;  ///< [C, x, y, z], integers
  /// Those with voxels, ascending by label; segment number i + 1 in every object. If nothing was found, the first class that the bundle names.
  std::vector<Segment> segments;
  std::vector<Segment> classes;                      ///< all that have voxels or a name
  std::shared_ptr<const image::DicomSource> source;  ///< nullptr: the scan was no DICOM
  std::function<image::Image()> scan;                ///< the scan, [1, x, y, z] on the mask's grid, read when it is called
  std::string input;                                 ///< file name of the scan, for people
  std::string software;                              ///< "vesal 0.1.0"
  std::string bundle, version, task;
  std::string warning;   ///< what the bundle says about its use if it is not for diagnosis; else empty
  std::string identity;  ///< all that decides the mask beside the scan: bundle, version, weights, overrides

  /// Voxels [x, y, z] that hold segment s, and the value that they hold there.
  Array voxels_of(const Segment& s) const;
  std::int64_t value_of(const Segment& s) const { return mask.shape()[0] > 1 ? 1 : s.label; }
  /// The UID of an object made of this: the same for the same source instances, identity and kind, so that a job that is done again makes the same
  /// object and an archive keeps one. `what` tells several of one kind apart. Without a DICOM source: of the input's name.
  std::string uid(std::string_view kind, std::string_view what = "instance") const;
  /// The source; throws Error(unsupported) that says which results need none.
  const image::DicomSource& dicom_source() const;
};

/// Measures the mask. `names` as Segmenter::label_names(); `codes` go before the table of known names, by name or by number. Throws Error(shape) for
/// masks of other types than integers, Error(geometry) if the mask does not lie on the source's grid.
Result make_result(image::Image mask, const std::map<std::int64_t, std::string>& names, const bundle::BundleFacts& facts,
                   std::shared_ptr<const image::DicomSource> source, const std::map<std::string, Anatomy>& codes = {});

/// Voxels and the centroid of what an object holds of one segment, as someone finds who only has the object.
struct Found {
  double ml = 0;
  std::array<double, 3> centroid{};  ///< RAS mm
};
/// Compares with the mask: half a voxel in volume and in place; where the gantry was tilted and labels went to the nearest voxels of the source's
/// frames, a tenth of the volume and one voxel. Throws Error(geometry) saying what differs.
void compare(const Result& result, const Segment& segment, const Found& found);

struct ResultKind {
  std::string name;                  ///< of --write: "seg"
  std::vector<std::string> endings;  ///< of file names, lower case; the longest that fits counts
  std::string summary;
  bool dicom = true;               ///< needs a DICOM source
  std::vector<std::string> needs;  ///< kinds it refers to, which have to be written too
  /// Writes to a temporary name, reads that back, compares it with the mask, renames it. Throws Error(geometry) if they differ: then there is no
  /// file.
  void (*write)(const std::filesystem::path&, const Result&);
  bool per_class = false;  ///< with --write a file of its own for each class
};
struct RegisterResult {
  explicit RegisterResult(ResultKind kind);
};
std::vector<const ResultKind*> result_kinds();  ///< sorted by name
/// The kind that a file name's ending tells; nullptr if none, and for image files.
const ResultKind* kind_of(const std::filesystem::path& file);
const ResultKind& result_kind(const std::string& name);  ///< throws Error(usage) with the names there are

/// Writes one kind; "{name}" in the file name stands for a class, and each class gets its own file. Returns the files.
std::vector<std::filesystem::path> write_result(const ResultKind& kind, const std::filesystem::path& file, const Result& result);

}  // namespace vesal::results
