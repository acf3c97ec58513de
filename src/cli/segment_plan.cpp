#include "cli/segment_plan.h"

#include <algorithm>
#include <charconv>
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
  if (image::can_write(out) || results::kind_of(out)) return true;
  if (!out.has_extension()) return false;
  throw Error(ErrorKind::unsupported, out.string() + ": nothing that can be written has this extension; use e.g. .nii.gz or .seg.dcm, or a folder");
}

/// What its outputs are called: a folder has a name as a whole, the dots in it are no extension.
std::string name_of(const fs::path& input) {
  if (!is_folder(input)) return judge::stem_of(input);
  const fs::path full = fs::weakly_canonical(input);
  return (full.has_filename() ? full : full.parent_path()).filename().string();
}

/// Adds one file to a case.
void add_output(SegmentCase& c, const fs::path& file) {
  const results::ResultKind* kind = results::kind_of(file);
  if (kind) c.results.push_back({kind, file});
  else if (c.output.empty()) c.output = file;
  else throw Error(ErrorKind::usage, c.output.string() + " and " + file.string() + ": one image of the mask is enough");
}

/// What --write asks for in a folder.
void add_kinds(SegmentCase& c, const fs::path& folder, const std::string& name, const std::vector<std::string>& kinds) {
  for (const std::string& wanted : kinds) {
    if (wanted == "nifti") {
      c.output = folder / (name + ".nii.gz");
      continue;
    }
    const results::ResultKind& kind = results::result_kind(wanted);
    c.results.push_back({&kind, folder / (name + (kind.per_class ? "_{name}" : "") + kind.endings[0])});
  }
}

/// An object that refers to another is of no use without it.
void check_needs(const SegmentCase& c) {
  for (const CaseResult& r : c.results)
    for (const std::string& need : r.kind->needs)
      if (std::none_of(c.results.begin(), c.results.end(), [&](const CaseResult& other) { return other.kind->name == need; }))
        throw Error(ErrorKind::usage, r.file.string() + " refers to the result '" + need + "': write that too, e.g. -o " +
                                          results::result_kind(need).endings[0].substr(1));
}

}  // namespace

std::vector<SegmentCase> plan_segmentation(const std::vector<fs::path>& inputs, const std::vector<fs::path>& outs, const fs::path& preview,
                                           const std::vector<std::string>& kinds) {
  const std::vector<fs::path> files = expanded(inputs);
  const bool one = files.size() == 1 && files[0] == inputs[0];  // not the only scan of a folder of scans
  const bool to_file = kinds.empty() && (outs.size() > 1 || names_file(outs.at(0)));
  for (const fs::path& out : outs) {
    if (to_file && !one) throw Error(ErrorKind::usage, "several scans need a folder as output, not the file " + out.string());
    if (outs.size() > 1 && !kinds.empty()) throw Error(ErrorKind::usage, "--write wants one -o, a folder");
    if (to_file && !names_file(out)) throw Error(ErrorKind::usage, "of several outputs each has to be a file, " + out.string() + " is none");
  }
  if (!kinds.empty() && outs.at(0).has_extension() && names_file(outs[0]))
    throw Error(ErrorKind::usage, "--write wants a folder as -o, not the file " + outs[0].string());
  const bool picture_file = one && preview.has_extension() && !is_folder(preview);

  std::vector<SegmentCase> cases;
  std::map<fs::path, fs::path> taken, sources;
  for (const fs::path& input : files) sources.emplace(fs::weakly_canonical(input), input);
  for (const fs::path& input : files) {
    SegmentCase c{input, {}};
    if (to_file)
      for (const fs::path& out : outs) add_output(c, out);
    else if (kinds.empty()) c.output = outs.at(0) / (name_of(input) + ".nii.gz");
    else add_kinds(c, outs.at(0), name_of(input), kinds);
    check_needs(c);
    if (!preview.empty()) c.preview = picture_file ? preview : preview / (name_of(input) + ".png");
    if (!c.preview.empty() && sources.contains(fs::weakly_canonical(c.preview)))
      throw Error(ErrorKind::usage, c.preview.string() + " is an input and would be overwritten; choose another preview");
    std::vector<fs::path> made;
    if (!c.output.empty()) made.push_back(c.output);
    for (const CaseResult& r : c.results) made.push_back(r.file);
    for (const fs::path& file : made) {
      const fs::path real = fs::weakly_canonical(file);
      if (sources.contains(real)) throw Error(ErrorKind::usage, file.string() + " is an input and would be overwritten; choose another output");
      if (const auto [other, fresh] = taken.emplace(real, input); !fresh)
        throw Error(ErrorKind::usage, other->second == input
                                          ? file.string() + " is asked for twice"
                                          : other->second.string() + " and " + input.string() + " would both become " + file.string());
    }
    cases.push_back(std::move(c));
  }
  return cases;
}

std::vector<SegmentCase> shard_of(std::vector<SegmentCase> cases, const std::string& shard) {
  std::size_t index = 0, count = 0;
  const char* const end = shard.data() + shard.size();
  const auto [slash, wrong] = std::from_chars(shard.data(), end, index);
  const bool whole = wrong == std::errc() && slash != end && *slash == '/' && std::from_chars(slash + 1, end, count).ptr == end;
  if (!whole || index >= count) throw Error(ErrorKind::usage, "--shard " + shard + ": want I/N with I from 0 to N - 1, e.g. 0/4");
  std::vector<SegmentCase> part;
  for (std::size_t i = index; i < cases.size(); i += count) part.push_back(std::move(cases[i]));
  return part;
}

void drop_done(std::vector<SegmentCase>& cases) {
  const auto is_there = [](const fs::path& file) {
    std::error_code ignored;
    return fs::exists(file, ignored);
  };
  std::erase_if(cases, [&](const SegmentCase& c) {
    if (!c.preview.empty() && !is_there(c.preview)) return false;
    if (!c.output.empty() && !is_there(c.output)) return false;
    return std::all_of(c.results.begin(), c.results.end(), [&](const CaseResult& r) { return is_there(r.file); });
  });
}

}  // namespace vesal::cli
