#include <algorithm>
#include <functional>

#include "base/cancel.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/text.h"
#include "image/gzip.h"
#include "image/nifti.h"

namespace vesal::image {
namespace {

/// Bytes a block holds about, before compression: large enough to compress well, small enough to keep several in flight.
constexpr std::int64_t kBlockBytes = 4 << 20;

/// The file's voxels as they lie there, in pieces: piece(i) gives an array whose C order is the file's order.
struct Pieces {
  Shape shape;  ///< of the whole file, [x, y, z, ...]
  DType dtype;
  std::int64_t count = 0;
  std::function<Array(std::int64_t)> piece;
};

Array reversed(const Array& a) {
  std::vector<int> axes(static_cast<std::size_t>(a.dim()));
  for (int i = 0; i < a.dim(); ++i) axes[static_cast<std::size_t>(i)] = a.dim() - 1 - i;
  return a.permute(axes);
}

std::int64_t planes_per_block(std::int64_t plane_bytes) { return std::max<std::int64_t>(1, kBlockBytes / std::max<std::int64_t>(1, plane_bytes)); }

/// Pieces of an array: runs of z planes within one channel.
Pieces pieces_of(const Array& last, DType dtype) {
  Array file = reversed(last);  // [..., z, y, x], its C order is the file's
  while (file.dim() < 4) file = file.unsqueeze(0);
  while (file.dim() > 4) {
    if (file.size(0) != 1) throw Error(ErrorKind::unsupported, "images of more than four axes are not written: " + to_string(last.shape()));
    file = file.squeeze(0);
  }
  const std::int64_t planes = file.size(1);
  const std::int64_t step = std::min(planes, planes_per_block(file.size(2) * file.size(3) * static_cast<std::int64_t>(size_of(dtype))));
  const std::int64_t per_channel = (planes + step - 1) / step;
  return {last.shape(), dtype, file.size(0) * per_channel, [=](std::int64_t i) {
            const std::int64_t begin = i % per_channel * step;
            return file.select(0, i / per_channel).slice(0, begin, std::min(planes, begin + step));
          }};
}

/// Pieces of one channel of voxels that are computed when asked for: runs of z planes.
Pieces pieces_of(const VoxelSourcePtr& source, DType dtype) {
  const Shape spatial = source->spatial_shape();
  const std::int64_t step = planes_per_block(spatial[0] * spatial[1] * static_cast<std::int64_t>(size_of(dtype)));
  return {spatial, dtype, (spatial[2] + step - 1) / step, [=](std::int64_t i) {
            const Box box{{0, 0, i * step}, {spatial[0], spatial[1], std::min(spatial[2], (i + 1) * step)}};
            return reversed(source->read(box).select(0, 0));
          }};
}

std::vector<std::byte> bytes_of(const Array& piece, DType dtype) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(piece.numel()) * size_of(dtype));
  Array::wrap(bytes.data(), piece.shape(), dtype, nullptr).copy_from(piece);
  return bytes;
}

void write_pieces(AtomicFile& file, const Pieces& pieces, const Affine& affine, bool gzip, int level) {
  const auto packed = [&](std::vector<std::byte> bytes) { return gzip ? gzip_member(bytes, level) : std::move(bytes); };
  const auto header = packed(make_nifti_header(pieces.shape, pieces.dtype, affine));
  file.write(header.data(), header.size());
  Progress progress("Writing", pieces.count);
  const std::int64_t group = 2 * thread_count();
  std::vector<std::vector<std::byte>> ready(static_cast<std::size_t>(group));
  for (std::int64_t first = 0; first < pieces.count; first += group) {
    const std::int64_t n = std::min(group, pieces.count - first);
    parallel_for(n, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        check_cancelled();
        ready[static_cast<std::size_t>(i)] = packed(bytes_of(pieces.piece(first + i), pieces.dtype));
        progress.advance();
      }
    });
    for (std::int64_t i = 0; i < n; ++i) file.write(ready[static_cast<std::size_t>(i)].data(), ready[static_cast<std::size_t>(i)].size());
  }
}

bool has_gz_ending(const std::filesystem::path& path) { return lower(path.extension().string()) == ".gz"; }

const RegisterFormat registered(
    {.name = "NIfTI", .extensions = {".nii", ".nii.gz"}, .recognises = looks_like_nifti, .read = read_nifti, .write = write_nifti});

}  // namespace

void write_nifti(const std::filesystem::path& path, const Image& image, const WriteOptions& options) {
  with_context("writing " + path.string(), [&] {
    const DType dtype = options.dtype.value_or(image.dtype() == DType::boolean ? DType::u8 : image.dtype());
    const VoxelSourcePtr& deferred = image.deferred();
    const bool streamed = deferred && deferred->channels() == 1 && deferred->spatial_shape().size() == 3 && deferred->spatial_shape()[2] > 1 &&
                          options.squeeze_end_dims && options.channel_dim.value_or(0) == 0;
    const Pieces pieces = streamed ? pieces_of(deferred, dtype) : pieces_of(channel_last(image.array(), options), dtype);
    AtomicFile file(path);
    write_pieces(file, pieces, image.affine, has_gz_ending(path), options.level);
    file.commit();
  });
}

}  // namespace vesal::image
