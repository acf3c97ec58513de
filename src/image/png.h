// PNG files by libpng: 8- and 16-bit grey and colour pictures in, the same out.
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "image/formats.h"

namespace vesal::image {

/// [width, height] for grey, [width, height, c] otherwise (c = 2 with alpha, 3 colour, 4 colour with alpha), as MONAI's PILReader:
/// uint8, or uint16 for 16-bit files. Throws Error(format | memory | unsupported).
Image read_png(const std::filesystem::path& path, const ReadOptions& options = {});
Array parse_png(std::span<const std::byte> file);

/// A picture [height, width] (grey) or [height, width, c] (c as above), uint8 or uint16, as a PNG file's bytes. Throws Error(shape).
std::vector<std::byte> encode_png(const Array& picture);
/// The same into a file: written to a temporary name, then renamed.
void write_png(const std::filesystem::path& path, const Array& picture);

}  // namespace vesal::image
