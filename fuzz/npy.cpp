// .npy files of any bytes: read or refused with an Error, nothing else.
#include "image/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const vesal::Array array = vesal::image::parse_npy(std::as_bytes(std::span(data, size)));
    volatile double sum = 0;  // touches every element: the view must lie in its buffer
    const vesal::Array values = array.to(vesal::DType::f64).contiguous();
    for (std::int64_t i = 0; i < values.numel(); ++i) sum = sum + values.data<double>()[i];
  } catch (const vesal::Error&) {}
  return 0;
}
