// DICOM among the image formats: a file, a DICOMDIR, a zip archive or a folder is read as the volume that is most likely meant.
#include <fmt/format.h>

#include <set>

#include "base/log.h"
#include "image/dicom_select.h"

namespace vesal::image {
namespace {

Image read(const std::filesystem::path& path, const ReadOptions& options) {
  return with_context("reading " + path.string(), [&] {
    const DicomStudy study = read_dicom_study(path);
    const DicomChoice choice = choose_volume(study, DicomRule(options.series.empty() ? default_series() : options.series));
    log::info("{}", choice.why);
    for (const std::string& finding : choice.volume.findings) log::info("  {}", finding);
    for (const auto& [what, count] : choice.volume.series.left_out) log::info("  left out: {} x {}", count, what);
    if (!study.damaged.empty())
      log::warning("{} damaged DICOM files of unknown series were left out, {} first: {}", study.damaged.size(), study.damaged[0].first,
                   study.damaged[0].second);
    std::set<std::string> patients;
    for (const DicomSeries& s : study.series) patients.insert(s.patient_id);
    if (patients.size() > 1)
      log::warning("{} has files of {} patients; name the folder of one, or choose with --series study=UID", path.string(), patients.size());
    Image image = read_dicom_volume(choice.volume, options);
    image.meta["filename_or_obj"] = path.string();
    return image;
  });
}

const RegisterFormat registered(
    {.name = "DICOM", .extensions = {".dcm", ".dicom"}, .recognises = looks_like_dicom, .read = read, .write = nullptr, .holds = holds_dicom});

}  // namespace
}  // namespace vesal::image
