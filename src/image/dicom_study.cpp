#include "image/dicom_study.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include "base/cancel.h"
#include "base/error.h"
#include "base/parallel.h"

namespace vesal::image {
namespace {

struct Found {
  bool is_dicom = false;
  std::string damage;
  DicomContents contents;
};

Found look_at(const DicomFile& file) {
  Found out;
  try {
    const DicomFile::Bytes bytes = file.open();
    if (!looks_like_dicom(bytes.bytes)) return out;
    out.is_dicom = true;
    out.contents = read_dicom_contents(file, DicomObject(bytes));
  } catch (const Error& e) { out.damage = e.what(); }
  return out;
}

int number_of(const std::string& text) {
  int value = 1 << 30;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void count(DicomSeries& series, const std::string& what) {
  const auto it = std::find_if(series.left_out.begin(), series.left_out.end(), [&](const auto& entry) { return entry.first == what; });
  if (it == series.left_out.end()) series.left_out.emplace_back(what, 1);
  else ++it->second;
}

/// A file that was copied twice is one instance.
void drop_copies(DicomSeries& series) {
  std::set<std::tuple<std::string, std::int64_t, Vector3>> seen;
  std::vector<DicomSlice> kept;
  for (DicomSlice& s : series.slices) {
    if (s.sop_instance.empty() || seen.emplace(s.sop_instance, s.frame, s.position).second) kept.push_back(std::move(s));
    else count(series, "second copy of an instance");
  }
  series.slices = std::move(kept);
}

}  // namespace

DicomStudy read_dicom_study(const std::filesystem::path& path) {
  const std::vector<DicomFile> files = find_dicom_files(path);
  std::vector<Found> found(files.size());
  parallel_for(static_cast<std::int64_t>(files.size()), 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      check_cancelled();
      found[static_cast<std::size_t>(i)] = look_at(files[static_cast<std::size_t>(i)]);
    }
  });

  DicomStudy study;
  study.files = files.size();
  std::map<std::pair<std::string, std::string>, DicomSeries> series;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Found& f = found[i];
    if (!f.is_dicom && f.damage.empty()) {
      ++study.other;
      continue;
    }
    if (!f.damage.empty()) {
      study.damaged.emplace_back(files[i].name(), f.damage);
      continue;
    }
    DicomSeries& from = f.contents.series;
    const auto [entry, fresh] = series.try_emplace({from.study_uid, from.series_uid}, DicomSeries{});
    DicomSeries& to = entry->second;
    std::vector<DicomSlice> slices = std::move(from.slices);
    from.slices.clear();
    if (fresh) to = std::move(from);
    to.slices.insert(to.slices.end(), std::make_move_iterator(slices.begin()), std::make_move_iterator(slices.end()));
    if (!f.contents.left_out.empty()) count(to, f.contents.left_out);
    if (!f.contents.damage.empty()) to.damaged.emplace_back(files[i].name(), f.contents.damage);
  }
  if (study.files == 1 && study.damaged.size() == 1)
    throw Error(ErrorKind::format, "reading " + study.damaged[0].first + ": " + study.damaged[0].second);
  for (auto& [key, s] : series) {
    drop_copies(s);
    study.series.push_back(std::move(s));
  }
  std::stable_sort(study.series.begin(), study.series.end(), [](const DicomSeries& a, const DicomSeries& b) {
    return std::tuple(a.study_date, a.study_uid, number_of(a.number)) < std::tuple(b.study_date, b.study_uid, number_of(b.number));
  });
  return study;
}

}  // namespace vesal::image
