#include "judge/file_names.h"

#include <algorithm>
#include <cctype>

#include "image/formats.h"

namespace vesal::judge {
namespace {

/// The longest extension of a known format that the name ends with.
std::string extension_of(const std::string& name) {
  const std::string low = lower(name);
  std::string longest;
  for (const image::Format* format : image::all_formats())
    for (const std::string& extension : format->extensions)
      if (low.size() > extension.size() && low.ends_with(extension) && extension.size() > longest.size()) longest = extension;
  return longest;
}

}  // namespace

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string stem_of(const std::filesystem::path& file) {
  const std::string name = file.filename().string(), extension = extension_of(name);
  return extension.empty() ? file.stem().string() : name.substr(0, name.size() - extension.size());
}

bool is_image_name(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return !name.starts_with(".") && !extension_of(name).empty();
}

}  // namespace vesal::judge
