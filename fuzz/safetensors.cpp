// safetensors: anything may come, only vesal::Error may leave.
#include "bundle/safetensors.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    vesal::bundle::SafetensorsMetadata metadata;
    for (const auto& [name, array] : vesal::bundle::read_safetensors(std::as_bytes(std::span(data, size)), &metadata)) (void)array.clone();
  } catch (const vesal::Error&) {}
  return 0;
}
