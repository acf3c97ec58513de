// NumPy's .npy files, format versions 1 to 3 (numpy.lib.format): plain arrays only; pickled objects are refused.
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>

#include "base/array.h"

namespace vesal::image {

/// Any byte order; a Fortran-order file gives a strided view. Throws Error(not_found | io | format | unsupported | refused | memory).
Array read_npy(const std::filesystem::path& path);
/// The same of a file's bytes in memory.
Array parse_npy(std::span<const std::byte> file);

/// Little endian, C order, version 1; bfloat16 is written as float32. Written to a temporary name, then renamed.
void write_npy(const std::filesystem::path& path, const Array& array);

}  // namespace vesal::image
