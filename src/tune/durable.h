// Writing that outlives a crash and a power cut: what the registry of models builds its promises on.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vesal::tune {

/// Brings a file's bytes, or a folder's list of names, to the disk. Throws Error(io).
void sync_path(const std::filesystem::path& path);
/// A whole file, on the disk under its name when this returns; before that the old file or none.
void write_durably(const std::filesystem::path& path, std::string_view text);
/// Renames a folder or file into place, on the disk when this returns. Throws Error(io).
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

struct HashedFile {
  std::string path;  ///< relative, with '/'
  std::uint64_t bytes = 0;
  std::string sha256;
};
/// The regular files below a folder, sorted by path. Throws Error(refused) on links that lead out of it and on what is no file.
std::vector<HashedFile> hash_files(const std::filesystem::path& folder);
/// Copies the regular files below `from` (hidden temporary ones left out) to the new folder `to`, read only and on the disk when this returns.
/// Throws Error(io) when there is not room for it, before anything is written, and Error(refused) as hash_files().
void copy_files(const std::filesystem::path& from, const std::filesystem::path& to);

/// Called between the steps of what must survive a crash at any of them; tests end the process there.
std::function<void(std::string_view)>& step_hook();
void step(std::string_view name);

}  // namespace vesal::tune
