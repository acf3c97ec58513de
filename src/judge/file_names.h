// Names of image files, as far as they tell what belongs together.
#pragma once
#include <filesystem>
#include <string>

namespace vesal::judge {

/// The longest extension of a known format that the name ends with, in lower case; "" if none.
std::string image_extension(const std::filesystem::path& file);
/// The name without folder and image extension: "ct" of "a/ct.nii.gz".
std::string stem_of(const std::filesystem::path& file);
/// Whether the extension is that of an image format that can be read, and the name is no hidden one.
bool is_image_name(const std::filesystem::path& file);

}  // namespace vesal::judge
