// A volume's pixels: frame by frame, in parallel, straight into the image.
#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <set>
#include <type_traits>

#include "base/cancel.h"
#include "base/log.h"
#include "base/parallel.h"
#include "image/dicom_convert.h"
#include "image/dicom_tilt.h"
#include "image/dicom_volume.h"
#include "image/voxels.h"

namespace vesal::image {
namespace {

constexpr double kAirHu = -1024;

bool is_ct(const DicomVolume& v) { return v.series.modality == "CT"; }

DicomConversion conversion_of(const DicomVolume& v, const DicomSlice& s) {
  DicomConversion c{.slope = s.slope, .intercept = s.intercept, .padding = s.padding, .air = is_ct(v) ? kAirHu : 0};
  c.inverted = s.format.photometric == "MONOCHROME1" && !is_ct(v);
  return c;
}

/// Whether every value the slices could hold is a whole number that fits into 16 bits (certain), or at least whole (possible).
enum class Int16 { no, possible, certain };
Int16 fits_int16(const DicomVolume& v) {
  bool certain = true;
  for (const DicomSlice& s : v.slices) {
    if (!conversion_of(v, s).whole()) return Int16::no;
    const auto [low, high] = stored_range(s.format);
    for (const std::int64_t end : {low, high}) certain &= std::fabs(static_cast<double>(end) * s.slope + s.intercept) <= 32767;
  }
  return certain ? Int16::certain : Int16::possible;
}

/// Opens files as slices ask for them; the one file of an enhanced series once.
class Files {
 public:
  explicit Files(const DicomVolume& v) {
    const DicomSlice& s = v.slices.front();
    if (s.format.frames > 1 && std::all_of(v.slices.begin(), v.slices.end(), [&](const DicomSlice& o) { return o.file.name() == s.file.name(); }))
      only_ = open(s);
  }
  DicomPixels::Frame frame(const DicomSlice& s) const {
    return with_context(s.format.frames > 1 ? fmt::format("reading {}: frame {}", s.file.name(), s.frame + 1) : "reading " + s.file.name(), [&] {
      const auto pixels = only_ ? only_ : open(s);
      // The file may have changed since its header was read.
      if (pixels->format() != s.format) throw Error(ErrorKind::format, "it has changed while it was read");
      return pixels->frame(s.frame);
    });
  }

 private:
  static std::shared_ptr<const DicomPixels> open(const DicomSlice& s) {
    const auto object = std::make_shared<DicomObject>(s.file.open());
    return std::make_shared<DicomPixels>(object);
  }
  std::shared_ptr<const DicomPixels> only_;
};

/// A slice of a tilted stack on the upright grid: linear between its pixels, `air` beyond them.
template <class T>
void lay_upright(const T* slice, const DicomPixelFormat& f, double shift_x, double shift_y, T* out, const Shape& grid, float air) {
  const auto at = [&](std::int64_t x, std::int64_t y) {
    return x < 0 || y < 0 || x >= f.columns || y >= f.rows ? air : static_cast<float>(slice[y * f.columns + x]);
  };
  const auto whole_x = static_cast<std::int64_t>(std::ceil(shift_x)), whole_y = static_cast<std::int64_t>(std::ceil(shift_y));
  const auto part_x = static_cast<float>(static_cast<double>(whole_x) - shift_x), part_y = static_cast<float>(static_cast<double>(whole_y) - shift_y);
  for (std::int64_t y = 0; y < grid[1]; ++y)
    for (std::int64_t x = 0; x < grid[0]; ++x) {
      const std::int64_t i = x - whole_x, j = y - whole_y;
      const float above = at(i, j) * (1 - part_x) + at(i + 1, j) * part_x, below = at(i, j + 1) * (1 - part_x) + at(i + 1, j + 1) * part_x;
      const float v = above * (1 - part_y) + below * part_y;
      if constexpr (std::is_same_v<T, std::int16_t>) out[y * grid[0] + x] = static_cast<T>(std::lround(v));
      else out[y * grid[0] + x] = v;
    }
}

/// False if a value did not fit into T.
template <class T>
bool fill(const DicomVolume& v, const Shape& shape, T* out) {
  const Files files(v);
  const Tilt tilt = tilt_of(v);
  std::atomic<bool> fits{true};
  parallel_for(shape[2], 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<T> slice;
    for (std::int64_t z = begin; z < end && fits; ++z) {
      check_cancelled();
      const DicomSlice& s = v.slices[static_cast<std::size_t>(z)];
      const DicomConversion how = conversion_of(v, s);
      T* plane = out + z * shape[0] * shape[1];
      T* to = plane;
      if (v.tilted) {
        slice.resize(static_cast<std::size_t>(s.format.rows * s.format.columns));
        to = slice.data();
      }
      const DicomPixels::Frame frame = files.frame(s);
      if constexpr (std::is_same_v<T, std::int16_t>) {
        if (!convert_frame(frame, s.format, how, to)) fits = false;
      } else {
        convert_frame(frame, s.format, how, to);
      }
      if (v.tilted) lay_upright(to, s.format, tilt.shift_x(z), tilt.shift_y(z), plane, shape, static_cast<float>(how.air));
    }
  });
  return fits;
}

std::uint64_t stored_bytes(const DicomVolume& v) {
  std::set<std::string> seen;
  std::uint64_t sum = 0;
  for (const DicomSlice& s : v.slices)
    if (seen.insert(s.file.name()).second) sum += s.file.stored_bytes();
  return sum;
}

Array voxels_of(const DicomVolume& v, const ReadOptions& options) {
  const Shape shape = v.shape();
  const std::int64_t count = numel_of(shape);
  const std::uint64_t stored = stored_bytes(v);
  const auto buffer_of = [&](DType type) {
    const std::uint64_t bytes = static_cast<std::uint64_t>(count) * size_of(type);
    check_allocation(bytes, stored);
    return allocate(bytes);
  };
  if (fits_int16(v) != Int16::no && options.dtype.value_or(DType::i16) != DType::f32) {
    const auto buffer = buffer_of(DType::i16);
    if (fill(v, shape, static_cast<std::int16_t*>(buffer.get()))) return Array::wrap(buffer.get(), shape, DType::i16, buffer, fortran_strides(shape));
  }
  const auto buffer = buffer_of(DType::f32);
  fill(v, shape, static_cast<float*>(buffer.get()));
  return Array::wrap(buffer.get(), shape, DType::f32, buffer, fortran_strides(shape));
}

}  // namespace

Image read_dicom_volume(const DicomVolume& volume, const ReadOptions& options) {
  if (!volume.refusal.empty()) throw Error(ErrorKind::geometry, volume.describe() + ": " + volume.refusal);
  const Array voxels = voxels_of(volume, options);
  const Affine affine = volume.affine();
  check(affine);
  Image image(options.dtype ? voxels.to(*options.dtype) : voxels, affine);
  const DicomSlice& first = volume.slices.front();
  set_read_meta(image, first.file.path(), {.stored = fits_int16(volume) == Int16::no ? DType::f32 : DType::i16});
  image.meta["modality"] = volume.series.modality;
  image.meta["series_instance_uid"] = volume.series.series_uid;
  image.meta["dicom"] = std::make_shared<DicomSource>(volume);
  return image;
}

}  // namespace vesal::image
