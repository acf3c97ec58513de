#include "tune/increment_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"

namespace vesal::tune {
namespace {

constexpr std::size_t kFewCases = 5;
/// One in four of the pool helps to choose the epoch, up to ten: the few cases of a month alone choose by chance.
constexpr std::size_t kPoolShare = 4, kMostHelpers = 10;

void sort_by_hash(std::vector<HashedCase>& cases) {
  std::sort(cases.begin(), cases.end(), [](const HashedCase& a, const HashedCase& b) {
    return std::tie(a.image_sha256, a.label_sha256) < std::tie(b.image_sha256, b.label_sha256);
  });
}

template <class T>
Value optional_value(const std::optional<T>& v) {
  return v ? Value(*v) : Value();
}

void check(const IncrementOptions& o) {
  check_name(o.month, "month");
  if (!(o.margin > 0 && o.margin < 1)) throw Error(ErrorKind::usage, fmt::format("--margin {}: want a number between 0 and 1", o.margin));
  if (!(o.judging_share > 0 && o.judging_share < 1))
    throw Error(ErrorKind::usage, fmt::format("--judging-share {}: want a number between 0 and 1", o.judging_share));
}

/// Of those that do not judge, the first choose the epoch.
void deal(MonthPlan& plan, double judging_share) {
  const std::size_t n = plan.cases.size();
  const auto judging = std::clamp<std::size_t>(static_cast<std::size_t>(std::lround(judging_share * static_cast<double>(n))), 1, n - 1);
  const std::size_t rest = n - judging, validation = rest >= kFewCases ? rest / kFewCases : 0;
  for (std::size_t i = 0; i < n; ++i)
    plan.parts.push_back(i < judging ? Part::judging : i < judging + validation ? Part::validation : Part::training);
}

std::string fingerprint(const MonthPlan& plan, const ModelState& state, const IncrementOptions& options) {
  return sha256(request_hash(state, plan.cases, options) + " " + plan.parent + " " + state.version(plan.parent).files);
}

}  // namespace

const char* name_of(Part part) {
  switch (part) {
    case Part::training: return "training";
    case Part::validation: return "validation";
    case Part::judging: break;
  }
  return "judging";
}

std::vector<HashedCase> MonthPlan::of(Part part) const {
  std::vector<HashedCase> out;
  for (std::size_t i = 0; i < cases.size(); ++i)
    if (parts[i] == part) out.push_back(cases[i]);
  return out;
}

MonthPlan plan_month(const ModelState& state, std::vector<HashedCase> fresh, std::vector<HashedCase> pool, const IncrementOptions& options) {
  check(options);
  MonthPlan plan;
  plan.month = options.month;
  plan.parent = state.champion();
  plan.version = Model::next_version(state, plan.parent);

  std::map<std::string, std::string> learned;  // scan -> label
  for (const HashedCase& c : pool) learned[c.image_sha256] = c.label_sha256;
  for (HashedCase& c : fresh) {
    const auto known = learned.find(c.image_sha256);
    if (known != learned.end() && known->second == c.label_sha256) plan.known.push_back(c.source.id);
    else plan.cases.push_back(std::move(c));
  }
  if (plan.cases.size() < 2)
    throw Error(ErrorKind::usage, fmt::format("{} new case{}{}: one has to train and another to judge. Wait for more cases", plan.cases.size(),
                                              plan.cases.size() == 1 ? "" : "s",
                                              plan.known.empty() ? "" : fmt::format(" ({} are learned already)", plan.known.size())));
  sort_by_hash(plan.cases);
  deal(plan, options.judging_share);

  for (const HashedCase& c : plan.cases) learned.erase(c.image_sha256);  // a corrected label takes the place of the old one
  std::erase_if(pool, [&](const HashedCase& c) { return !learned.contains(c.image_sha256); });
  sort_by_hash(pool);
  const std::size_t helpers = std::min(pool.size() / kPoolShare, kMostHelpers);
  plan.replay_validation.assign(pool.begin(), pool.begin() + static_cast<std::ptrdiff_t>(helpers));
  plan.replay.assign(pool.begin() + static_cast<std::ptrdiff_t>(helpers), pool.end());
  plan.fingerprint = fingerprint(plan, state, options);
  return plan;
}

std::string request_hash(const ModelState& state, std::vector<HashedCase> fresh, const IncrementOptions& options) {
  sort_by_hash(fresh);
  List cases;
  for (const HashedCase& c : fresh) cases.items.push_back(Dict{{"image", c.image_sha256}, {"label", c.label_sha256}});
  return sha256(to_json(Dict{{"month", options.month}, {"reference", state.reference}, {"cases", cases}, {"options", to_value(options)}}, -1));
}

Dict to_value(const IncrementOptions& o) {
  const TuningOptions& t = o.training;
  List freeze, patch;
  for (const std::string& f : t.freeze) freeze.items.emplace_back(f);
  for (const std::int64_t p : t.patch_size.value_or(std::vector<std::int64_t>{})) patch.items.emplace_back(p);
  Dict overrides;
  for (const auto& [id, text] : t.overrides) overrides[id] = text;
  return Dict{{"margin", o.margin},
              {"judging_share", o.judging_share},
              {"replay_share", t.replay_share},
              {"epochs", optional_value(t.epochs)},
              {"iterations", optional_value(t.iterations)},
              {"batch_size", optional_value(t.batch_size)},
              {"samples_per_case", optional_value(t.samples_per_case)},
              {"patch_size", patch},
              {"learning_rate", optional_value(t.learning_rate)},
              {"freeze", freeze},
              {"augmentation", t.augmentation},
              {"patience", t.patience},
              {"seed", t.seed},
              {"overrides", overrides}};
}

}  // namespace vesal::tune
