// A bundle judged on labelled cases: per case and class Dice, HD95, ASSD and volumes; means with bootstrap intervals; a verdict.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "infer/segmenter.h"
#include "judge/cases.h"
#include "judge/statistics.h"

namespace vesal::judge {

/// NaN where a measure is not defined: distances of an empty mask, Dice of two empty ones.
struct ClassScore {
  std::int64_t label = 0;
  std::string name;
  double dice = 0, hd95_mm = 0, assd_mm = 0;
  double reference_ml = 0, predicted_ml = 0;
};

struct CaseScore {
  LabelledCase source;
  std::vector<ClassScore> classes;
  double seconds = 0;
  std::string error;           ///< why it could not be judged; empty if it was
  std::filesystem::path mask;  ///< where the prediction was kept; empty if it was not
  double dice() const;         ///< mean over classes where it is defined, else NaN
};

struct ClassSummary {
  std::int64_t label = 0;
  std::string name;
  Interval dice, hd95_mm, assd_mm;
};

enum class Verdict { use, fine_tune, too_few };

struct Evaluation {
  std::string bundle, version, weights_sha256, data;
  std::vector<CaseScore> cases;
  std::vector<ClassSummary> classes;
  Interval dice;  ///< over cases, of CaseScore::dice()
  std::vector<double> dices() const;
};

struct EvaluateOptions {
  LabelMap label_map;
  std::filesystem::path keep_masks;                                            ///< folder for predictions; empty: not kept
  std::function<void(const CaseScore&, const image::Image& prediction)> seen;  ///< called after each case, in order
};

/// Cases that fail are in the result with their error; only cancellation and errors of the bundle itself are thrown.
Evaluation evaluate(const infer::Segmenter& segmenter, const CaseSet& cases, const EvaluateOptions& options);

/// use: the mean's interval lies at or above the gate; fine_tune: below it; too_few: the interval holds the gate or there are fewer than `least`
/// cases.
Verdict judge(const Evaluation& evaluation, double gate, std::size_t least = 5);

/// The whole as plain data, for JSON: see docs/evaluate.md.
Value to_value(const Evaluation& evaluation);

}  // namespace vesal::judge
