// What a new bundle is worth, written into it: judged on its validation cases, beside the bundle it was made from.
#pragma once
#include <filesystem>

#include "judge/evaluation.h"

namespace vesal::tune {

/// eval_metrics of configs/metadata.json, and a table in docs/README.md in the place of an earlier one. `before`: the base on the same cases;
/// nullptr if it knows other classes. Throws Error(io | not_found).
void record_scores(const std::filesystem::path& bundle, const judge::Evaluation& now, const judge::Evaluation* before);

/// "better", "no worse" or "worse": the mean of now minus before over cases, with its interval.
struct BaseComparison {
  judge::Interval difference;
  std::size_t improved = 0;  ///< cases
  const char* word() const;  ///< "better" only if the whole interval is above zero, "worse" if the mean is below
};
BaseComparison compare_with_base(const judge::Evaluation& now, const judge::Evaluation& before);

}  // namespace vesal::tune
