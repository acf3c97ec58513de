// NIfTI files, gzip or not, of any bytes: read or refused with an Error, nothing else.
#include "image/nifti.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  for (const auto type : {std::optional<vesal::DType>(), std::optional(vesal::DType::f32), std::optional(vesal::DType::u8)}) {
    try {
      const vesal::image::Image image = vesal::image::parse_nifti(file, {.dtype = type});
      volatile double sum = 0;  // touches every voxel: the view must lie in its buffer
      const vesal::Array voxels = image.array().to(vesal::DType::f64).contiguous();
      for (std::int64_t i = 0; i < voxels.numel(); ++i) sum = sum + voxels.data<double>()[i];
    } catch (const vesal::Error&) {}
  }
  return 0;
}
