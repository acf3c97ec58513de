// Whether a challenger takes over, told from scores; and whether new labels look wrong, told from what the champion makes of their scans.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/value.h"
#include "judge/evaluation.h"
#include "judge/statistics.h"

namespace vesal::tune {

/// Dice of one model on one set: for each case and class; NaN where nothing was there and nothing was found.
struct SetScores {
  std::vector<std::string> cases;
  std::vector<std::int64_t> labels;
  std::vector<std::string> names;         ///< of the labels
  std::vector<std::vector<double>> dice;  ///< [case][class]

  std::vector<double> of_class(std::size_t c) const;
  std::vector<double> of_cases() const;  ///< mean over the classes of a case where it is defined
  double mean() const;                   ///< of of_cases(), NaN ones left out
};
/// Throws Error(usage) naming the first case that could not be judged: a decision needs them all.
SetScores scores_of(const judge::Evaluation& evaluation);
Value to_value(const SetScores& scores);
SetScores set_scores_of(const Value& value);  ///< throws Error(format)

/// Two models on the same cases.
struct Comparison {
  double champion = 0, challenger = 0;                  ///< means over cases
  judge::PairedComparison paired;                       ///< challenger minus champion, case by case
  std::vector<std::pair<std::string, double>> classes;  ///< mean difference of each class that both have
};
/// Where a case is defined for one of them only, the other one found nothing in an empty case: that counts 1.
Comparison compare(const SetScores& challenger, const SetScores& champion, double margin);
Value to_value(const Comparison& comparison);

struct Acceptance {
  bool accepted = false;
  std::vector<std::string> reasons;  ///< one sentence for each rule, whether it held or not
};
/// Accepted if on the reference set the one-sided 95 % bound of the mean difference lies above -margin and no class lost the margin or more,
/// and if on the new cases the mean is no lower than the champion's.
Acceptance decide(const Comparison& reference, const Comparison& fresh, double margin);

/// A new case that the champion, as good as it is on the reference set, agrees with hardly at all.
struct Suspect {
  std::string id, name;  ///< of case and class
  double dice = 0, threshold = 0;
};
struct Screening {
  std::vector<Suspect> suspects;                           ///< worst first
  std::vector<std::pair<std::string, double>> thresholds;  ///< for each class
  std::vector<std::string> blind;                          ///< classes that the champion is too weak in to tell
};
/// For each class: below the reference set's lower outer fence (Q1 - 3 IQR, Tukey 1977), or half its median if that is less, but at least 0.1.
Screening screen(const SetScores& fresh, const SetScores& reference);
Value to_value(const Screening& screening);

}  // namespace vesal::tune
