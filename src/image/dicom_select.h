// Which volume of a DICOM study is meant: by rule, or the one most likely.
#pragma once
#include <regex>
#include <string>
#include <vector>

#include "image/dicom_volume.h"

namespace vesal::image {

/// "modality=CT|MR,description~venous,slices>=40": conditions that all must hold. Keys of text: modality, description, protocol, body, number, series
/// (UID), study (UID), accession, date, orientation (axial, sagittal, coronal, oblique), part; with = and != (alternatives between '|', letters'
/// case ignored), ~ and !~ (regular expression found anywhere, case ignored). Keys of numbers: slices, spacing (mm between slices),
/// thickness (as declared), rows, columns; with = != < <= > >=. A value in "quotes" may hold commas.
class DicomRule {
 public:
  DicomRule() = default;
  /// Throws Error(usage) naming what is wrong.
  explicit DicomRule(const std::string& text);
  bool matches(const DicomVolume& volume) const;
  const std::string& text() const { return text_; }

 private:
  struct Condition {
    std::string key, op;
    std::vector<std::string> words;
    double number = 0;
    std::regex pattern;
  };
  static bool holds(const Condition& condition, const DicomVolume& volume);
  std::string text_;
  std::vector<Condition> conditions_;
};

struct DicomChoice {
  DicomVolume volume;
  std::string why;  ///< "CT 'venous', ...: the only one", "...: 3 volumes fit; it has the most slices"
};

/// Of the volumes that match the rule and are usable, the best: at least 3 slices, original rather than derived, then the most slices, the most
/// voxels, the lowest series number. Throws Error(not_found) where nothing matches, saying what is there; Error(geometry) with the refusal of the
/// best match where none is usable.
DicomChoice choose_volume(const DicomStudy& study, const DicomRule& rule = {});

/// The rule that read_image() goes by where its options have none; the program's --series. Set it before anything is read.
void set_default_series(const std::string& rule);
const std::string& default_series();

/// Another such rule for what this thread reads while the object lives. Throws Error(usage).
class SeriesScope {
 public:
  explicit SeriesScope(const std::string& rule);
  ~SeriesScope();
  SeriesScope(const SeriesScope&) = delete;
  SeriesScope& operator=(const SeriesScope&) = delete;

 private:
  std::string rule_;
  const std::string* before_;
};

}  // namespace vesal::image
