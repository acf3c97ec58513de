// A bundle judged on labelled cases: per case and class Dice, HD95, ASSD and volumes; means with bootstrap intervals; a verdict.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/value.h"
#include "infer/segmenter.h"
#include "judge/cases.h"
#include "judge/scoring.h"
#include "judge/statistics.h"

namespace vesal::judge {

struct CaseScore {
  LabelledCase source;
  std::vector<ClassScore> classes;
  Shape shape;                         ///< of the scan
  std::array<double, 3> spacing_mm{};  ///< of the scan
  double seconds = 0;                  ///< from file to mask; 0 where masks were there already
  std::string error;                   ///< why it could not be judged; empty if it was
  std::string error_kind;              ///< as docs/exit-codes.md names it
  std::filesystem::path mask;          ///< where the prediction was kept; empty if it was not
  double dice() const;                 ///< mean over classes where it is defined, else NaN
};

struct ClassSummary {
  std::int64_t label = 0;
  std::string name;
  Interval dice, hd95_mm, assd_mm;
};

enum class Verdict { use, fine_tune, too_few };
const char* name_of(Verdict verdict);  ///< "use", "fine-tune", "too-few"
int exit_code(Verdict verdict);        ///< 0, 20, 21: docs/exit-codes.md

struct Evaluation {
  std::string bundle, version, weights_sha256, data;  ///< names; of masks that were there already no version and no hash
  std::filesystem::path folder, weights;              ///< of the bundle
  std::string intended_use, layout;
  LabelMap label_map;
  std::vector<CaseScore> cases;                   ///< in the order of the set
  std::vector<ClassSummary> classes;              ///< that were judged
  Interval dice;                                  ///< over cases, of CaseScore::dice()
  std::map<std::int64_t, std::string> set_aside;  ///< classes of the bundle that no reference holds or declares: not judged
  std::set<std::int64_t> ignored;                 ///< labels of the references that are no class: taken as background
  double seconds = 0;                             ///< of the whole
  std::vector<double> dices() const;              ///< one per case, NaN where there is none
  std::size_t failed() const;
};

struct EvaluateOptions {
  LabelMap label_map;
  std::filesystem::path keep_masks;  ///< folder for predictions, ID.nii.gz; empty: not kept
  /// Called after each case, in order, with prediction and reference in the bundle's labels, both [x, y, z] on the scan's grid; not for failed ones.
  std::function<void(const CaseScore&, const image::Image& prediction, const image::Image& reference)> seen;
};

/// Reads the next scan while the network works on this one. Cases that fail are in the result with their error; only cancellation and errors of
/// the bundle itself are thrown, and Error(usage) if a kept mask would overwrite a case.
Evaluation evaluate(const infer::Segmenter& segmenter, const CaseSet& cases, const EvaluateOptions& options);

/// Masks that were made elsewhere: FOLDER/ID.*, or named as a case's image or label. `names`: classes to judge; empty: all labels there are.
Evaluation evaluate_masks(const std::filesystem::path& folder, const std::map<std::int64_t, std::string>& names, const CaseSet& cases,
                          const EvaluateOptions& options);

/// use: the mean's interval lies at or above the gate; fine_tune: below it; too_few: the interval holds the gate or there are fewer than `least`
/// cases.
Verdict judge(const Evaluation& evaluation, double gate, std::size_t least = 5);

/// The whole as plain data, for JSON: see docs/evaluate.md. Measures that are not defined are None.
Value to_value(const Evaluation& evaluation);
Value to_value(const Interval& interval);

}  // namespace vesal::judge
