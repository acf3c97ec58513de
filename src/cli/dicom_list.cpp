// vesal dicom list PATH: what a folder, a zip archive or a DICOMDIR holds, and which volumes can be made of it.
#include <fmt/format.h>

#include <filesystem>

#include "base/json.h"
#include "cli/command.h"
#include "image/dicom_select.h"

namespace vesal::cli {
namespace {

using image::DicomSeries;
using image::DicomStudy;
using image::DicomVolume;

struct Options {
  std::filesystem::path path;
  bool names = false;
};

Value numbers(const auto& values) {
  List list;
  for (const auto v : values) list.items.emplace_back(v);
  return list;
}

Dict volume_report(const DicomVolume& v) {
  List affine, findings;
  const image::Affine a = v.affine();
  for (const auto& row : a.m) affine.items.push_back(numbers(row));
  for (const std::string& f : v.findings) findings.items.emplace_back(f);
  const auto text = [](const std::string& s) { return s.empty() ? Value() : Value(s); };
  const image::DicomSlice& s = v.slices.front();
  return Dict{{"part", text(v.part)},        {"slices", v.slices.size()},
              {"shape", numbers(v.shape())}, {"spacing_mm", numbers(std::array{s.column_spacing, s.row_spacing, v.step_along_normal()})},
              {"orientation", v.plane()},    {"affine", affine},
              {"tilted", v.tilted},          {"transfer_syntax", image::transfer_syntax_name(s.transfer_syntax)},
              {"usable", v.refusal.empty()}, {"refusal", text(v.refusal)},
              {"findings", findings}};
}

Dict series_report(const DicomSeries& s, const std::vector<DicomVolume>& volumes, bool names) {
  List made, damaged;
  Dict left_out;
  for (const DicomVolume& v : volumes) made.items.push_back(volume_report(v));
  for (const auto& [what, count] : s.left_out) left_out[what] = count;
  for (const auto& [file, why] : s.damaged) damaged.items.push_back(Dict{{"file", file}, {"why", why}});
  Dict out{{"study_instance_uid", s.study_uid},
           {"series_instance_uid", s.series_uid},
           {"frame_of_reference_uid", s.frame_of_reference},
           {"study_date", s.study_date},
           {"study_description", s.study_description},
           {"number", s.number},
           {"modality", s.modality},
           {"description", s.description},
           {"body_part", s.body_part},
           {"volumes", made},
           {"left_out", left_out},
           {"damaged", damaged}};
  if (names) out["patient"] = Dict{{"name", s.patient_name}, {"id", s.patient_id}, {"accession", s.accession}};
  return out;
}

void print_series(const DicomSeries& s, const std::vector<DicomVolume>& volumes) {
  fmt::print("  series {:<4} {:<4} {}\n", s.number, s.modality, s.description);
  for (const DicomVolume& v : volumes) {
    const image::DicomSlice& first = v.slices.front();
    fmt::print("    volume{}: {} x {} x {}, {:.3g} x {:.3g} x {:.3g} mm, {}, {}\n", v.part.empty() ? "" : " (" + v.part + ")", first.format.columns,
               first.format.rows, v.slices.size(), first.column_spacing, first.row_spacing, v.step_along_normal(), v.plane(),
               image::transfer_syntax_name(first.transfer_syntax));
    if (!v.refusal.empty()) fmt::print("      refused: {}\n", v.refusal);
    for (const std::string& finding : v.findings) fmt::print("      {}\n", finding);
  }
  for (const auto& [what, count] : s.left_out) fmt::print("    left out: {} x {}\n", count, what);
  for (const auto& [file, why] : s.damaged) fmt::print("    damaged: {}: {}\n", file, why);
}

int run(const Options& o) {
  const DicomStudy study = image::read_dicom_study(o.path);
  List reports, damaged;
  std::string last;
  for (const DicomSeries& s : study.series) {
    const auto volumes = image::volumes_of(s);
    if (globals().json) {
      reports.items.push_back(series_report(s, volumes, o.names));
      continue;
    }
    if (const std::string key = s.study_uid + s.patient_id; reports.items.empty() || key != last) {
      fmt::print("study {} {} {}\n", s.study_date, s.study_description, s.study_uid);
      if (o.names) fmt::print("  patient {} ({}), accession {}\n", s.patient_name, s.patient_id, s.accession);
      last = key;
      reports.items.emplace_back(true);
    }
    print_series(s, volumes);
  }
  for (const auto& [file, why] : study.damaged) damaged.items.push_back(Dict{{"file", file}, {"why", why}});
  if (globals().json) {
    fmt::print(
        "{}\n",
        to_json(Dict{{"path", o.path.string()}, {"files", study.files}, {"other_files", study.other}, {"series", reports}, {"damaged", damaged}}));
    return 0;
  }
  for (const auto& [file, why] : study.damaged) fmt::print("damaged: {}: {}\n", file, why);
  fmt::print("{} files, {} of them no DICOM files, {} series\n", study.files, study.other, study.series.size());
  return 0;
}

const RegisterCommand command({
    "dicom list",
    "List the studies, series and volumes in a folder, zip archive or DICOMDIR, and what is wrong with them",
    "  vesal dicom list study/\n"
    "  vesal --json dicom list export.zip\n"
    "\n"
    "Names and numbers of patients are shown only with --names. `vesal segment PATH --series RULE` takes what this lists.",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("PATH", o->path, "Folder, zip archive, DICOMDIR or file")->required();
      app.add_flag("--names", o->names, "Also who the patients are");
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
