#include "bundle/checkpoint.h"

#include <algorithm>
#include <cstring>

#include "bundle/checkpoint_torch.h"
#include "bundle/safetensors.h"

namespace vesal::bundle {
namespace {

using Bytes = std::span<const std::byte>;

bool starts_with(Bytes bytes, std::string_view magic, std::size_t at = 0) {
  return bytes.size() >= at + magic.size() && std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

/// A safetensors file starts with the length of its header, which is JSON.
bool looks_like_safetensors(Bytes bytes) {
  std::uint64_t header = 0;
  if (bytes.size() < 10) return false;
  std::memcpy(&header, bytes.data(), 8);
  return header >= 2 && header <= bytes.size() - 8 && (starts_with(bytes, "{\"", 8) || starts_with(bytes, "{}", 8));
}

CheckpointFormat zip_format(const ZipReader& zip) {
  CheckpointFormat format = CheckpointFormat::unknown;
  for (const ZipEntry& e : zip.entries()) {
    const auto slash = e.name.find('/');
    const std::string_view inner = slash == std::string::npos ? std::string_view() : std::string_view(e.name).substr(slash + 1);
    if (inner.starts_with("code/") || inner == "constants.pkl") return CheckpointFormat::torchscript;
    if (inner == ".data/extern_modules") return CheckpointFormat::torch_package;
    if (inner == "data.pkl") format = CheckpointFormat::torch;
  }
  return format;
}

CheckpointFormat format_of(Bytes bytes) {
  using namespace std::string_view_literals;
  if (starts_with(bytes, "PK\x03\x04")) return zip_format(ZipReader(bytes));
  if (starts_with(bytes, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv)) return CheckpointFormat::torch_legacy;
  if (starts_with(bytes, "ustar", 257) || starts_with(bytes, "storages\0"sv) || starts_with(bytes, "sys_info\0"sv))
    return CheckpointFormat::torch_tar;
  if (looks_like_safetensors(bytes)) return CheckpointFormat::safetensors;
  return CheckpointFormat::unknown;
}

/// What a file is that is no checkpoint at all.
std::string guess(Bytes bytes) {
  if (bytes.empty()) return "the file is empty";
  if (starts_with(bytes, "PK\x03\x04")) return "a zip archive without data.pkl: nothing torch.save wrote";
  if (starts_with(bytes, "version https://git-lfs")) return "a Git LFS pointer, not the file itself: fetch it with 'git lfs pull'";
  if (starts_with(bytes, "\x89HDF")) return "an HDF5 file, not a torch checkpoint";
  if (starts_with(bytes, "\x1f\x8b")) return "gzip: unpack it first";
  if (starts_with(bytes, "<")) return "a web page, not a checkpoint: the download went wrong";
  if (starts_with(bytes, "\x80")) return "a bare pickle, not what torch.save writes";
  return "no torch zip archive and no safetensors";
}

[[noreturn]] void refuse(CheckpointFormat format, Bytes bytes) {
  static const std::string kWayOut = "; save it again in Python with a newer torch: torch.save(torch.load(FILE, map_location='cpu'), NEW)";
  switch (format) {
    case CheckpointFormat::torchscript:
      throw Error(ErrorKind::unsupported, "a TorchScript archive: it holds a whole network, not a state_dict; use it as a .ts model");
    case CheckpointFormat::torch_package: throw Error(ErrorKind::unsupported, "a torch.package archive: it holds Python code, not a state_dict");
    case CheckpointFormat::torch_tar: throw Error(ErrorKind::unsupported, "the legacy tar format of torch before 0.1.10" + kWayOut);
    case CheckpointFormat::torch_legacy: throw Error(ErrorKind::unsupported, "the legacy pickle format of torch before 1.6" + kWayOut);
    default: throw Error(ErrorKind::format, guess(bytes));
  }
}

}  // namespace

CheckpointFormat checkpoint_format(const std::filesystem::path& path) {
  return with_context("reading " + path.string(), [&] {
    const MappedFile file(path);
    return format_of(file.bytes());
  });
}

std::string_view name_of(CheckpointFormat format) {
  switch (format) {
    case CheckpointFormat::torch: return "torch";
    case CheckpointFormat::torchscript: return "torchscript";
    case CheckpointFormat::torch_package: return "torch.package";
    case CheckpointFormat::torch_legacy: return "torch before 1.6";
    case CheckpointFormat::torch_tar: return "torch before 0.1.10 (tar)";
    case CheckpointFormat::safetensors: return "safetensors";
    case CheckpointFormat::unknown: break;
  }
  return "unknown";
}

bool is_torchscript(const std::filesystem::path& path) { return checkpoint_format(path) == CheckpointFormat::torchscript; }

Value read_checkpoint(Bytes bytes) {
  const CheckpointFormat format = format_of(bytes);
  if (format == CheckpointFormat::torch) return read_torch_archive(ZipReader(bytes));
  if (format == CheckpointFormat::safetensors) return to_value(read_safetensors(bytes));
  refuse(format, bytes);
}

Value read_checkpoint(const std::filesystem::path& path) {
  return with_context("reading " + path.string(), [&] {
    const MappedFile file(path);
    return read_checkpoint(file.bytes());
  });
}

StateDict read_state_dict(const std::filesystem::path& path, const std::string& key) {
  const Value tree = read_checkpoint(path);
  return with_context("reading " + path.string(), [&] { return find_state_dict(tree, key); });
}

}  // namespace vesal::bundle
