// Stored values of one frame to numbers.
#pragma once
#include <optional>
#include <utility>

#include "image/dicom_pixels.h"

namespace vesal::image {

struct DicomConversion {
  double slope = 1, intercept = 0;
  std::optional<std::pair<std::int64_t, std::int64_t>> padding;  ///< stored values that become `air`
  double air = 0;
  bool inverted = false;  ///< stored values are counted from the largest one down
  bool whole() const;     ///< slope and intercept are whole numbers
};

/// The least and the largest stored value there can be.
std::pair<std::int64_t, std::int64_t> stored_range(const DicomPixelFormat& format);

/// frame_bytes() of `format` to rows * columns numbers. False if an int16 could not hold one of them; `out` is then of no use.
bool convert_frame(const DicomPixels::Frame& frame, const DicomPixelFormat& format, const DicomConversion& how, std::int16_t* out);
void convert_frame(const DicomPixels::Frame& frame, const DicomPixelFormat& format, const DicomConversion& how, float* out);

}  // namespace vesal::image
