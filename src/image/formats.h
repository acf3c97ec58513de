// The front door of image files: one call to read, one to write; the format is told by content and extension.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "image/image.h"

namespace vesal::image {

struct ReadOptions {
  /// Element type wanted; none: as on disk (float64 where the file scales its values), as nibabel gives it.
  std::optional<DType> dtype = std::nullopt;
  /// Which volume of a DICOM study (image/dicom_select.h); "": the program's own rule, else the one most likely meant.
  std::string series = {};
};

struct WriteOptions {
  /// Element type on disk; none: that of the image.
  std::optional<DType> dtype = std::nullopt;
  /// The axis that counts channels; it is written last. none: axis 0 of a 4D array, no channel axis in 3D and 2D.
  std::optional<int> channel_dim = std::nullopt;
  /// Leave out trailing axes of extent 1, the channel axis first (MONAI's SaveImage).
  bool squeeze_end_dims = true;
  /// gzip level, 1 (fast) to 12 (small).
  int level = 6;
};

/// The voxels in the file's index order, [x, y, z] or [x, y, z, c] (possibly a strided view), affine in RAS mm, and MONAI's metadata:
/// filename_or_obj, original_affine, spatial_shape, original_channel_dim (NaN: none, -1: last), space.
/// Throws Error naming the file: not_found, format (damaged), geometry (unusable affine), unsupported, memory.
Image read_image(const std::filesystem::path& path, const ReadOptions& options = {});

/// Writes to a temporary name, then renames. Throws Error(unsupported) for an unknown extension.
void write_image(const std::filesystem::path& path, const Image& image, const WriteOptions& options = {});

/// A file format; its .cpp registers it.
struct Format {
  std::string name;                                     ///< "NIfTI"
  std::vector<std::string> extensions;                  ///< lower case: ".nii.gz"
  bool (*recognises)(std::span<const std::byte> head);  ///< by the first 512 bytes (inflated, if gzip)
  Image (*read)(const std::filesystem::path&, const ReadOptions&);
  void (*write)(const std::filesystem::path&, const Image&, const WriteOptions&);  ///< nullptr: read only
  /// Whether a folder or an archive holds an image of this format; nullptr: the format knows files only.
  bool (*holds)(const std::filesystem::path&) = nullptr;
};
struct RegisterFormat {
  explicit RegisterFormat(Format format);
};
/// Every format, sorted by name.
std::vector<const Format*> all_formats();
/// The format of a file or folder, by content, else by extension. Throws as read_image() does.
const Format& format_of(const std::filesystem::path& path);
/// Whether write_image knows the extension of `path`.
bool can_write(const std::filesystem::path& path);

/// What a reader knows about a freshly read image beside its voxels and affine.
struct ReadFacts {
  int spatial = 3;           ///< axes after these count channels
  DType stored = DType::u8;  ///< element type on disk
  bool placed = true;        ///< whether the file says where its voxels are; .npy and PNG do not
};
/// Sets MONAI's metadata, and "dtype_on_disk".
void set_read_meta(Image& image, const std::filesystem::path& path, const ReadFacts& facts);

/// `image`'s voxels with the channel axis last, as WriteOptions ask for: [x, y, z] or [x, y, z, c]; a view.
Array channel_last(const Array& voxels, const WriteOptions& options);

}  // namespace vesal::image
