// safetensors (huggingface.co/docs/safetensors): a JSON header and raw little-endian tensors; no code by design.
#pragma once
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "bundle/state.h"

namespace vesal::bundle {

using SafetensorsMetadata = std::map<std::string, std::string>;

/// Tensors in the order of the header. Throws Error(format) when the header or an offset is wrong, when tensors overlap or leave holes,
/// Error(unsupported) for the 8-bit floats.
StateDict read_safetensors(const std::filesystem::path& path, SafetensorsMetadata* metadata = nullptr);
StateDict read_safetensors(std::span<const std::byte> bytes, SafetensorsMetadata* metadata = nullptr);

/// Written whole or not at all; largest element types first, then by name, as the reference implementation writes them.
void write_safetensors(const std::filesystem::path& path, const StateDict& state, const SafetensorsMetadata& metadata = {{"format", "pt"}});

}  // namespace vesal::bundle
