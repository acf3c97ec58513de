// NRRD (.nrrd, .nhdr) and MetaImage (.mha, .mhd) through ITK. ITK's headers stay in itk_formats.cpp.
#pragma once
#include <filesystem>

#include "image/formats.h"

namespace vesal::image {

/// Voxels in ITK's index order [x, y, z] (or [x, y, z, c] for several components), affine turned from ITK's LPS to RAS, as MONAI's ITKReader.
/// Errors as read_image().
Image read_itk(const std::filesystem::path& path, const ReadOptions& options = {});

/// Writes [x, y, z] or [x, y, z, c]; compressed. Throws Error(io | shape | geometry | unsupported), and then no file is left.
void write_itk(const std::filesystem::path& path, const Image& image, const WriteOptions& options = {});

}  // namespace vesal::image
