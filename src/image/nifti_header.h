// The headers of NIfTI-1 (348 bytes) and NIfTI-2 (540 bytes), in either byte order.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "image/affine.h"
#include "image/voxels.h"

namespace vesal::image {

/// Bytes that parse_nifti_header() needs to see at most.
inline constexpr std::size_t kNiftiHeaderBytes = 540;

struct NiftiHeader {
  int version = 1;          ///< 1 or 2
  bool swapped = false;     ///< the file is in the other byte order
  DType dtype = DType::u8;  ///< of the stored values
  Shape shape;              ///< [x], [x, y], [x, y, z], [x, y, z, t], ... up to 7 axes
  std::array<double, 8> pixdim{1, 1, 1, 1, 1, 1, 1, 1};
  std::uint64_t vox_offset = 352;  ///< of the first voxel in the (inflated) file
  Scaling scaling;                 ///< identity where the file does not scale
  int qform_code = 0, sform_code = 0, xyzt_units = 2;
  std::array<double, 3> quatern{}, qoffset{};
  std::array<std::array<double, 4>, 3> srow{};
  std::string descrip;
};

/// Whether data begin as a single-file NIfTI or the header of a NIfTI pair does.
bool looks_like_nifti(std::span<const std::byte> head);

/// Throws Error(format | unsupported | geometry), the field and its value in the message. Nothing is allocated for voxels.
NiftiHeader parse_nifti_header(std::span<const std::byte> head);

/// nibabel's choice: sform if its code is set, else qform if its code is set, else pixdim alone, x flipped and centred.
/// Throws Error(geometry) if it is not finite, singular, or the quaternion is none.
Affine affine_of(const NiftiHeader& header);

/// Header and the four bytes that say "no extensions", little endian, for a file of this shape; NIfTI-2 if an extent needs it.
/// The affine goes into sform and qform, both with code 1 (scanner) as MONAI writes them; units are mm.
std::vector<std::byte> make_nifti_header(const Shape& shape, DType dtype, const Affine& affine);

}  // namespace vesal::image
