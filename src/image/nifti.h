// NIfTI-1 and NIfTI-2 files, .nii and .nii.gz.
#pragma once
#include <filesystem>
#include <span>

#include "image/formats.h"
#include "image/nifti_header.h"

namespace vesal::image {

/// Reads a scan: voxels as a Fortran-order view [x, y, z, ...] of the one buffer the file was inflated into.
/// A narrower type on disk is widened to `options.dtype` in that same buffer. Errors as read_image().
Image read_nifti(const std::filesystem::path& path, const ReadOptions& options = {});

/// The same of a file's bytes in memory, gzip or not. `image.meta` is left empty.
Image parse_nifti(std::span<const std::byte> file, const ReadOptions& options = {});

/// Only the header; for a gzip file no more is inflated.
NiftiHeader read_nifti_header(const std::filesystem::path& path);

/// Writes in blocks, converted and compressed in parallel; deferred voxels are computed slab by slab.
/// .gz is a series of gzip members. Throws Error(io | shape | geometry | unsupported), and then no file is left.
void write_nifti(const std::filesystem::path& path, const Image& image, const WriteOptions& options = {});

}  // namespace vesal::image
