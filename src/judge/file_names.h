// Names of image files, as far as they tell what belongs together.
#pragma once
#include <filesystem>
#include <string>

namespace vesal::judge {

/// The name without folder and image extension: "ct" of "a/ct.nii.gz".
std::string stem_of(const std::filesystem::path& file);
/// Whether the extension is that of an image format that can be read, and the name is no hidden one.
bool is_image_name(const std::filesystem::path& file);
std::string lower(std::string text);

}  // namespace vesal::judge
