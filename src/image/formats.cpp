#include "image/formats.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <limits>

#include "base/file.h"
#include "base/text.h"
#include "image/gzip.h"

namespace vesal::image {
namespace fs = std::filesystem;
namespace {

std::vector<Format>& table() {
  static std::vector<Format> formats;
  return formats;
}

/// The format, of those that can be written if `writable`, with the longest extension that ends the name; nullptr if none does.
const Format* by_extension(const fs::path& path, bool writable) {
  const std::string name = lower(path.filename().string());
  const Format* best = nullptr;
  std::size_t length = 0;
  for (const Format& format : table())
    for (const std::string& extension : format.extensions)
      if (extension.size() > length && name.ends_with(extension) && (format.write || !writable)) best = &format, length = extension.size();
  return best;
}

std::vector<std::byte> head_of(std::span<const std::byte> file) {
  constexpr std::size_t kHead = 512;
  if (!is_gzip(file)) return {file.begin(), file.begin() + static_cast<std::ptrdiff_t>(std::min(file.size(), kHead))};
  try {
    return gunzip_head(file, kHead);
  } catch (const Error&) {
    return {};  // damaged: the reader that the extension names will say so
  }
}

const Format* by_holding(const fs::path& path) {
  for (const Format& format : table())
    if (format.holds && format.holds(path)) return &format;
  return nullptr;
}

std::string known_extensions(bool writable) {
  std::string list;
  for (const Format* format : all_formats())
    for (const std::string& extension : format->extensions)
      if (!writable || format->write) list += (list.empty() ? "" : " ") + extension;
  return list;
}

}  // namespace

RegisterFormat::RegisterFormat(Format format) { table().push_back(std::move(format)); }

std::vector<const Format*> all_formats() {
  std::vector<const Format*> out;
  for (const Format& format : table()) out.push_back(&format);
  std::sort(out.begin(), out.end(), [](const Format* a, const Format* b) { return a->name < b->name; });
  return out;
}

const Format& format_of(const fs::path& path) {
  const std::string context = "reading " + path.string() + ": ";
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    if (const Format* format = by_holding(path)) return *format;
    throw Error(ErrorKind::unsupported, context + "a folder without DICOM files");
  }
  const MappedFile file(path);
  if (file.bytes().empty()) throw Error(ErrorKind::format, context + "the file is empty");
  const auto head = head_of(file.bytes());
  for (const Format& format : table())
    if (format.recognises(head)) return format;
  if (const Format* format = by_holding(path)) return *format;
  const Format* format = by_extension(path, false);
  if (!format) throw Error(ErrorKind::unsupported, context + "not an image format vesal knows (" + known_extensions(false) + ")");
  return *format;
}

Image read_image(const fs::path& path, const ReadOptions& options) { return format_of(path).read(path, options); }

bool can_write(const fs::path& path) { return by_extension(path, true) != nullptr; }

void write_image(const fs::path& path, const Image& image, const WriteOptions& options) {
  if (!can_write(path)) throw Error(ErrorKind::unsupported, "writing " + path.string() + ": the name must end in one of " + known_extensions(true));
  by_extension(path, true)->write(path, image, options);
}

void set_read_meta(Image& image, const fs::path& path, const ReadFacts& facts) {
  const Shape shape = image.shape();
  const auto rank = std::min<std::size_t>(shape.size(), static_cast<std::size_t>(facts.spatial));
  image.meta["filename_or_obj"] = path.string();
  if (facts.placed) image.meta["original_affine"] = image.affine.to_array();
  image.meta["spatial_shape"] = Array::from(std::span<const std::int64_t>(shape.data(), rank), {static_cast<std::int64_t>(rank)});
  image.meta["original_channel_dim"] = rank == shape.size() ? Value(std::numeric_limits<double>::quiet_NaN()) : Value(-1);
  image.meta["space"] = "RAS";
  image.meta["dtype_on_disk"] = name_of(facts.stored);
}

Array channel_last(const Array& voxels, const WriteOptions& options) {
  Array a = voxels;
  if (options.channel_dim || a.dim() == 4) {
    const int channel = options.channel_dim.value_or(0);
    std::vector<int> axes;
    const int wanted = channel < 0 ? channel + a.dim() : channel;
    for (int i = 0; i < a.dim(); ++i)
      if (i != wanted) axes.push_back(i);
    axes.push_back(wanted);
    a = a.permute(axes);
  } else {
    a = a.unsqueeze(a.dim());
  }
  while (a.dim() < 4) a = a.unsqueeze(a.dim() - 1);
  while (options.squeeze_end_dims && a.dim() > 1 && a.size(-1) == 1) a = a.squeeze(-1);
  return a;
}

}  // namespace vesal::image
