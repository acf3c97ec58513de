#include "image/dicom_select.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace vesal::image {
namespace {

constexpr std::size_t kVolumetric = 3;

bool is_original(const DicomVolume& v) { return !v.slices.front().image_type.starts_with("DERIVED"); }

/// Larger is better.
auto worth(const DicomVolume& v) {
  const auto slices = v.slices.size();
  const DicomPixelFormat& f = v.slices.front().format;
  return std::tuple(v.refusal.empty(), slices >= kVolumetric, is_original(v), slices, f.rows * f.columns);
}

/// What decided between the best and the next one.
std::string reason(const DicomVolume& best, const DicomVolume& next) {
  const auto a = worth(best), b = worth(next);
  if (std::get<0>(a) != std::get<0>(b)) return "the others are unusable";
  if (std::get<1>(a) != std::get<1>(b)) return "the only one with three slices or more";
  if (std::get<2>(a) != std::get<2>(b)) return "it is original, the others are derived";
  if (std::get<3>(a) != std::get<3>(b)) return "it has the most slices";
  if (std::get<4>(a) != std::get<4>(b)) return "it has the most voxels";
  return "the first of equals; --series chooses another";
}

std::string what_is_there(const DicomStudy& study, const std::vector<DicomVolume>& volumes) {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(volumes.size(), kMost); ++i) text += (i == 0 ? "" : "; ") + volumes[i].describe();
  if (volumes.size() > kMost) text += fmt::format("; and {} more", volumes.size() - kMost);
  if (!text.empty()) return "there are " + text;
  for (const DicomSeries& s : study.series)
    for (const auto& [what, count] : s.left_out) text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", count, what);
  return text.empty() ? "no DICOM images are there" : "there are only " + text;
}

std::string& default_rule() {
  static std::string rule;
  return rule;
}

}  // namespace

DicomChoice choose_volume(const DicomStudy& study, const DicomRule& rule) {
  std::vector<DicomVolume> all;
  for (const DicomSeries& s : study.series)
    for (DicomVolume& v : volumes_of(s)) all.push_back(std::move(v));
  std::vector<DicomVolume> fit;
  for (const DicomVolume& v : all)
    if (rule.matches(v)) fit.push_back(v);
  if (all.empty())  // what is damaged is what the caller must hear of
    for (const DicomSeries& s : study.series)
      if (!s.damaged.empty()) throw Error(ErrorKind::format, s.damaged[0].first + ": " + s.damaged[0].second);
  if (fit.empty()) {
    const std::string wanted = rule.text().empty() ? "no volume" : "no volume fits " + rule.text();
    throw Error(ErrorKind::not_found, wanted + ": " + what_is_there(study, all));
  }
  std::stable_sort(fit.begin(), fit.end(), [](const DicomVolume& a, const DicomVolume& b) { return worth(a) > worth(b); });
  DicomChoice choice{fit[0], ""};
  if (!choice.volume.refusal.empty()) throw Error(ErrorKind::geometry, choice.volume.describe() + ": " + choice.volume.refusal);
  const char* fitting = rule.text().empty() ? "" : " that fit";
  choice.why = fit.size() == 1 ? fmt::format("{}: the only volume{}", choice.volume.describe(), fitting)
                               : fmt::format("{}: of {} volumes{}, {}", choice.volume.describe(), fit.size(), fitting, reason(fit[0], fit[1]));
  return choice;
}

thread_local const std::string* thread_rule = nullptr;

void set_default_series(const std::string& rule) {
  DicomRule checked(rule);
  default_rule() = rule;
}

const std::string& default_series() { return thread_rule ? *thread_rule : default_rule(); }

SeriesScope::SeriesScope(const std::string& rule) : rule_(rule), before_(thread_rule) {
  DicomRule{rule};
  thread_rule = &rule_;
}

SeriesScope::~SeriesScope() { thread_rule = before_; }

}  // namespace vesal::image
