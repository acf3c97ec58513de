#include "image/dicom_files.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "base/zip_archive.h"
#include "image/voxels.h"

namespace vesal::image {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostFiles = 200'000, kGlance = 64;
constexpr int kDeepestFolder = 16;
constexpr std::uint64_t kLargestEntry = std::uint64_t{8} << 30;

bool is_zip(std::span<const std::byte> head) { return head.size() >= 4 && std::memcmp(head.data(), "PK\x03\x04", 4) == 0; }

void check_count(const fs::path& path, std::size_t count) {
  if (count > kMostFiles)
    throw Error(ErrorKind::memory, path.string() + ": more than " + std::to_string(kMostFiles) + " files; name the folder of one study");
}

/// The files of a folder and of those in it; stops after `most`.
std::vector<DicomFile> files_below(const fs::path& folder, std::size_t most) {
  std::vector<fs::path> paths;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error);
  if (error) throw Error(ErrorKind::io, folder.string() + ": " + error.message());
  for (; it != fs::recursive_directory_iterator() && paths.size() < most; it.increment(error)) {
    if (error) break;
    if (it.depth() >= kDeepestFolder) it.disable_recursion_pending();
    const std::string name = it->path().filename().string();
    if (name.starts_with('.')) {
      it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file(error)) paths.push_back(it->path());
  }
  std::sort(paths.begin(), paths.end());
  return {paths.begin(), paths.end()};
}

/// What a DICOMDIR lists (PS3.3, F.3): its records are items of one sequence, in which links between them do not matter.
std::vector<DicomFile> listed_files(const fs::path& path, const DicomDataset& directory) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::path root = fs::weakly_canonical(folder);
  std::vector<DicomFile> out;
  for (const DicomDataset& record : directory.items(0x00041220, kMostFiles)) {
    const auto components = record.texts(0x00041500);
    if (components.empty()) continue;
    fs::path relative;
    for (const std::string& component : components) {
      if (component.find('/') != std::string::npos || component.find('\0') != std::string::npos)
        throw Error(ErrorKind::refused, "a file id with '/' in it");
      relative /= component;
    }
    const fs::path file = inside(folder, relative);
    // A link must not lead elsewhere either.
    const fs::path real = fs::weakly_canonical(file).lexically_relative(root);
    if (real.empty() || *real.begin() == "..") throw Error(ErrorKind::refused, relative.string() + " lies outside of the folder of the DICOMDIR");
    out.emplace_back(file);
  }
  return out;
}

}  // namespace

class DicomArchive {
 public:
  explicit DicomArchive(const fs::path& path) : path_(path), file_(path), zip_(file_.bytes()) { check_count(path, zip_.entries().size()); }
  const fs::path& path() const { return path_; }
  const std::vector<ZipEntry>& entries() const { return zip_.entries(); }
  DicomFile::Bytes open(std::size_t index) const {
    const ZipEntry& entry = entries()[index];
    if (entry.size > kLargestEntry) throw Error(ErrorKind::memory, std::to_string(entry.size) + " bytes in one file of an archive");
    check_allocation(entry.size, entry.compressed);
    const auto buffer = allocate(std::max<std::uint64_t>(entry.size, 1));
    const std::span<std::byte> bytes(static_cast<std::byte*>(buffer.get()), entry.size);
    zip_.extract(entry, bytes);
    if (!ZipReader::crc_matches(entry, bytes)) throw Error(ErrorKind::format, "its checksum differs, the archive is damaged");
    return {buffer, bytes};
  }

 private:
  fs::path path_;
  MappedFile file_;
  ZipReader zip_;
};

DicomFile::DicomFile(std::shared_ptr<const DicomArchive> archive, std::size_t entry)
    : path_(archive->path()), archive_(std::move(archive)), entry_(entry) {}

std::string DicomFile::name() const { return archive_ ? path_.string() + ": " + archive_->entries()[entry_].name : path_.string(); }

DicomFile::Bytes DicomFile::open() const {
  if (archive_) return with_context("reading " + name(), [&] { return archive_->open(entry_); });
  const auto mapped = std::make_shared<MappedFile>(path_);
  return {mapped, mapped->bytes()};
}

std::uint64_t DicomFile::stored_bytes() const {
  if (archive_) return archive_->entries()[entry_].compressed;
  std::error_code error;
  const auto size = fs::file_size(path_, error);
  return error ? 0 : size;
}

std::vector<DicomFile> find_dicom_files(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    auto files = files_below(path, kMostFiles + 1);
    check_count(path, files.size());
    return files;
  }
  const MappedFile file(path);
  if (is_zip(file.bytes().first(std::min<std::size_t>(file.bytes().size(), 4)))) {
    return with_context("reading " + path.string(), [&] {
      const auto archive = std::make_shared<DicomArchive>(path);
      std::vector<DicomFile> out;
      for (std::size_t i = 0; i < archive->entries().size(); ++i)
        if (!archive->entries()[i].name.ends_with('/')) out.emplace_back(archive, i);
      std::sort(out.begin(), out.end(), [](const DicomFile& a, const DicomFile& b) { return a.name() < b.name(); });
      return out;
    });
  }
  if (lower(path.filename().string()).starts_with("dicomdir")) {
    const DicomObject object{DicomFile(path)};
    return with_context("reading " + path.string(), [&] { return listed_files(path, object.data()); });
  }
  return {DicomFile(path)};
}

bool holds_dicom(const fs::path& path) {
  try {
    std::error_code error;
    std::vector<DicomFile> files;
    if (fs::is_directory(path, error)) {
      files = files_below(path, kGlance);
    } else if (fs::is_regular_file(path, error)) {
      const MappedFile file(path);
      if (!is_zip(file.bytes().first(std::min<std::size_t>(file.bytes().size(), 4)))) return looks_like_dicom(file.bytes());
      files = find_dicom_files(path);
      if (files.size() > kGlance) files.resize(kGlance, files.front());
    }
    return std::any_of(files.begin(), files.end(), [](const DicomFile& f) {
      try {
        return looks_like_dicom(f.open().bytes);
      } catch (const Error&) { return false; }
    });
  } catch (const Error&) { return false; }
}

}  // namespace vesal::image
