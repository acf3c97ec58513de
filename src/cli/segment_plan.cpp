#include "cli/segment_plan.h"

#include <algorithm>
#include <map>

#include "image/dicom_files.h"
#include "image/formats.h"
#include "judge/file_names.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// A file that is a scan by itself; DICOM files are slices of one.
bool is_scan_file(const fs::path& path) {
  const std::string extension = judge::image_extension(path);
  return !extension.empty() && extension != ".dcm" && extension != ".dicom";
}

std::vector<fs::path> expanded(const std::vector<fs::path>& inputs) {
  std::vector<fs::path> files;
  for (const fs::path& input : inputs) {
    if (!is_folder(input)) {
      files.push_back(input);
      continue;
    }
    std::vector<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(input))
      if (entry.is_regular_file() && is_scan_file(entry.path())) inside.push_back(entry.path());
    if (inside.empty() && image::holds_dicom(input)) inside.push_back(input);
    if (inside.empty()) throw Error(ErrorKind::not_found, input.string() + ": no image files in this folder");
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

/// Whether OUT is meant as one file.
bool names_file(const fs::path& out) {
  if (is_folder(out) || !out.has_filename()) return false;
  if (image::can_write(out)) return true;
  if (!out.has_extension()) return false;
  throw Error(ErrorKind::unsupported, out.string() + ": no image format that can be written has this extension; use e.g. .nii.gz, or a folder");
}

/// What its outputs are called: a folder has a name as a whole, the dots in it are no extension.
std::string name_of(const fs::path& input) {
  if (!is_folder(input)) return judge::stem_of(input);
  const fs::path full = fs::weakly_canonical(input);
  return (full.has_filename() ? full : full.parent_path()).filename().string();
}

}  // namespace

std::vector<SegmentCase> plan_segmentation(const std::vector<fs::path>& inputs, const fs::path& out, const fs::path& preview) {
  const std::vector<fs::path> files = expanded(inputs);
  const bool one = files.size() == 1 && files[0] == inputs[0];  // not the only scan of a folder of scans
  const bool to_file = names_file(out);
  if (to_file && !one) throw Error(ErrorKind::usage, "several scans need a folder as output, not the file " + out.string());
  const bool picture_file = one && preview.has_extension() && !is_folder(preview);

  std::vector<SegmentCase> cases;
  std::map<fs::path, fs::path> taken, sources;
  for (const fs::path& input : files) sources.emplace(fs::weakly_canonical(input), input);
  for (const fs::path& input : files) {
    SegmentCase c{input, to_file ? out : out / (name_of(input) + ".nii.gz")};
    if (!preview.empty()) c.preview = picture_file ? preview : preview / (name_of(input) + ".png");
    const fs::path real = fs::weakly_canonical(c.output);
    if (sources.contains(real)) throw Error(ErrorKind::usage, c.output.string() + " is an input and would be overwritten; choose another output");
    if (!c.preview.empty() && sources.contains(fs::weakly_canonical(c.preview)))
      throw Error(ErrorKind::usage, c.preview.string() + " is an input and would be overwritten; choose another preview");
    if (const auto [other, fresh] = taken.emplace(real, input); !fresh)
      throw Error(ErrorKind::usage, other->second.string() + " and " + input.string() + " would both become " + c.output.string());
    cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace vesal::cli
