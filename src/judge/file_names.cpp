#include "judge/file_names.h"

#include "base/text.h"
#include "image/formats.h"

namespace vesal::judge {

std::string image_extension(const std::filesystem::path& file) {
  const std::string low = lower(file.filename().string());
  std::string longest;
  for (const image::Format* format : image::all_formats())
    for (const std::string& extension : format->extensions)
      if (low.size() > extension.size() && low.ends_with(extension) && extension.size() > longest.size()) longest = extension;
  return longest;
}

std::string stem_of(const std::filesystem::path& file) {
  const std::string name = file.filename().string(), extension = image_extension(file);
  return extension.empty() ? file.stem().string() : name.substr(0, name.size() - extension.size());
}

bool is_image_name(const std::filesystem::path& file) { return !file.filename().string().starts_with(".") && !image_extension(file).empty(); }

}  // namespace vesal::judge
