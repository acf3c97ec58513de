#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "image/gzip.h"
#include "image/nifti.h"
#include "image/voxels.h"

namespace vesal::image {
namespace {

constexpr std::uint64_t kAlign = 64;
/// Bytes after the voxels that a gzip file may hold: some writers pad.
constexpr std::uint64_t kSlack = 1 << 20;

std::uint64_t rounded_up(std::uint64_t n) { return (n + kAlign - 1) / kAlign * kAlign; }

NiftiHeader header_of(std::span<const std::byte> file) {
  if (file.empty()) throw Error(ErrorKind::format, "the file is empty");
  if (is_gzip(file)) return parse_nifti_header(gunzip_head(file, kNiftiHeaderBytes));
  return parse_nifti_header(file.first(std::min(file.size(), kNiftiHeaderBytes)));
}

/// Puts vox_offset + voxels of the file at `to`, which has room for them and for kSlack bytes more.
void load(std::span<const std::byte> file, std::byte* to, std::uint64_t wanted) {
  if (is_gzip(file)) {
    gunzip(file, {to, wanted + kSlack}, wanted);
    return;
  }
  std::memcpy(to, file.data(), wanted);
}

/// Throws Error(format) if the file cannot hold what its header declares: DEFLATE makes at most 1032 bytes of one.
void check_size(std::span<const std::byte> file, std::uint64_t wanted) {
  const bool gzip = is_gzip(file);
  const std::uint64_t most = gzip ? file.size() * 1032 : file.size();
  if (wanted > most)
    throw Error(ErrorKind::format, "cut short: the header declares " + std::to_string(wanted) + " bytes, the file has " +
                                       std::to_string(file.size()) + (gzip ? " (compressed)" : ""));
}

}  // namespace

Image parse_nifti(std::span<const std::byte> file, const ReadOptions& options) {
  const NiftiHeader header = header_of(file);
  const Affine affine = affine_of(header);
  const std::int64_t count = numel_of(header.shape);
  const DType natural = header.scaling.identity() ? header.dtype : DType::f64;
  const DType target = options.dtype.value_or(natural);
  const std::uint64_t narrow = size_of(header.dtype), wide = std::max<std::uint64_t>(narrow, size_of(target));
  std::uint64_t voxel_bytes = 0, wanted = 0, wide_bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(count), narrow, &voxel_bytes) ||
      __builtin_add_overflow(voxel_bytes, header.vox_offset + kSlack, &wanted) ||
      __builtin_mul_overflow(static_cast<std::uint64_t>(count), wide, &wide_bytes))
    throw Error(ErrorKind::memory, "header: shape " + to_string(header.shape) + " is too large");
  wanted -= kSlack;
  check_size(file, wanted);
  check_allocation(wide_bytes, file.size());

  // One buffer: the file ends at its end, so that widening can go through it from front to back.
  const std::uint64_t growth = wide_bytes - voxel_bytes;
  const std::uint64_t start = rounded_up(header.vox_offset > growth ? header.vox_offset - growth : 0);
  const auto buffer = allocate(start + wide_bytes + kSlack);
  std::byte* base = static_cast<std::byte*>(buffer.get()) + start;
  load(file, base + growth - header.vox_offset, wanted);
  if (header.swapped) swap_bytes(base + growth, count, narrow);
  const bool widens = size_of(target) >= narrow;
  if (widens) widen_in_place(base, header.dtype, target, count, header.scaling);
  const Shape strides = fortran_strides(header.shape);
  Array voxels = Array::wrap(base, header.shape, widens ? target : header.dtype, buffer, strides);
  if (!widens) {
    const auto smaller = allocate(static_cast<std::uint64_t>(count) * size_of(target));
    convert_values(base, header.dtype, smaller.get(), target, count, header.scaling);
    voxels = Array::wrap(smaller.get(), header.shape, target, smaller, strides);
  }
  return Image(std::move(voxels), affine);
}

Image read_nifti(const std::filesystem::path& path, const ReadOptions& options) {
  const MappedFile file(path);
  return with_context("reading " + path.string(), [&] {
    Image image = parse_nifti(file.bytes(), options);
    const NiftiHeader header = header_of(file.bytes());
    set_read_meta(image, path, {.stored = header.dtype});
    image.meta["pixdim"] = Array::from(std::span<const double>(header.pixdim), {8});
    image.meta["qform_code"] = header.qform_code;
    image.meta["sform_code"] = header.sform_code;
    image.meta["xyzt_units"] = header.xyzt_units;
    image.meta["descrip"] = header.descrip;
    return image;
  });
}

NiftiHeader read_nifti_header(const std::filesystem::path& path) {
  const MappedFile file(path);
  return with_context("reading " + path.string(), [&] { return header_of(file.bytes()); });
}

}  // namespace vesal::image
