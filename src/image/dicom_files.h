// Where DICOM files are: a folder, a zip archive, a DICOMDIR, one file; and each file's bytes. Nothing is ever unpacked to the disk.
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "image/dicom_dataset.h"

namespace vesal {
class MappedFile;
class ZipReader;
struct ZipEntry;
}  // namespace vesal

namespace vesal::image {

/// A zip archive held open by the files in it.
class DicomArchive;

/// One DICOM file on the disk or in an archive. Cheap to copy; thread safe.
class DicomFile {
 public:
  explicit DicomFile(std::filesystem::path path) : path_(std::move(path)) {}
  DicomFile(std::shared_ptr<const DicomArchive> archive, std::size_t entry);

  /// "study/im1.dcm", "study.zip: im1.dcm"
  std::string name() const;
  const std::filesystem::path& path() const { return path_; }  ///< of the file, or of the archive it is in
  bool in_archive() const { return archive_ != nullptr; }

  /// The whole file: mapped, or inflated and checked against its sum. Throws Error(not_found | io | format | memory).
  struct Bytes {
    std::shared_ptr<const void> owner;
    std::span<const std::byte> bytes;
  };
  Bytes open() const;
  std::uint64_t stored_bytes() const;  ///< as it lies on the disk or in the archive; 0 if it is not there

 private:
  std::filesystem::path path_;
  std::shared_ptr<const DicomArchive> archive_;
  std::size_t entry_ = 0;
};

/// A file that was opened: its meta information and its data set, up to the pixels. Immutable.
class DicomObject {
 public:
  /// With the preamble of PS3.10, or without, as some archives keep them. Deflated data sets are inflated.
  /// Throws Error(format) where `file` is no DICOM file or is damaged, with its name in front.
  explicit DicomObject(const DicomFile& file);
  explicit DicomObject(DicomFile::Bytes bytes);  ///< of bytes in memory

  const DicomDataset& data() const { return data_; }
  const std::string& transfer_syntax() const { return transfer_syntax_; }
  /// As the data set says, or, where somebody emptied that, as the meta information does.
  const std::string& sop_class() const { return sop_class_; }
  const std::string& sop_instance() const { return sop_instance_; }
  std::uint64_t stored_bytes() const { return stored_; }  ///< of the whole file as it lies there

 private:
  void parse();
  DicomFile::Bytes bytes_;
  DicomDataset data_;
  std::string transfer_syntax_, sop_class_, sop_instance_;
  std::uint64_t stored_ = 0;
};

/// Whether the first bytes of a file are those of a DICOM file, with or without preamble.
bool looks_like_dicom(std::span<const std::byte> head);
/// Whether `path` is a DICOM file, a DICOMDIR, a zip archive with a DICOM file in it, or a folder with one in it (looked for as by
/// find_dicom_files, but only among the first 64 files). Never throws for what is there.
bool holds_dicom(const std::filesystem::path& path);

/// The files to look at: of a folder and the folders in it all files, at most 16 levels deep and following no links to folders; of a zip
/// archive its entries; of a DICOMDIR the files it lists, which must lie below its folder; else the file itself. Sorted by name. Whether they
/// are DICOM files is not asked. Throws Error(not_found | format | refused), Error(memory) above 200,000 files.
std::vector<DicomFile> find_dicom_files(const std::filesystem::path& path);

}  // namespace vesal::image
