#include "tune/acceptance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace vesal::tune {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// A champion whose median Dice lies below this cannot tell whether a label is right.
constexpr double kLeastMedian = 0.3;
/// A challenger that finds less than this of the new cases is no better than the champion, even if that finds nothing.
constexpr double kLeastLearned = 0.01;
constexpr double kLeastThreshold = 0.1, kShareOfMedian = 0.5, kFence = 3;

Value number(double v) { return std::isfinite(v) ? Value(v) : Value(); }

double number_of(const Value& v) { return v.is_none() ? kNaN : v.as_float(); }

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  std::size_t count = 0;
  for (const double v : values)
    if (!std::isnan(v)) sum += v, ++count;
  return count == 0 ? kNaN : sum / static_cast<double>(count);
}

/// Of sorted values, linear between ranks.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

/// Both as pairs without gaps: of one that is defined alone the other is 1.
void pair_up(std::vector<double>& a, std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && !std::isnan(b[i])) a[i] = 1;
    if (std::isnan(b[i]) && !std::isnan(a[i])) b[i] = 1;
  }
}

std::string signed_number(double v) { return fmt::format("{:+.4f}", v); }

}  // namespace

std::vector<double> SetScores::of_class(std::size_t c) const {
  std::vector<double> out;
  for (const auto& row : dice) out.push_back(row[c]);
  return out;
}

std::vector<double> SetScores::of_cases() const {
  std::vector<double> out;
  for (const auto& row : dice) out.push_back(mean_of(row));
  return out;
}

double SetScores::mean() const { return mean_of(of_cases()); }

SetScores scores_of(const judge::Evaluation& evaluation) {
  SetScores out;
  for (const judge::ClassSummary& c : evaluation.classes) {
    out.labels.push_back(c.label);
    out.names.push_back(c.name);
  }
  if (out.labels.empty() && !evaluation.cases.empty() && evaluation.failed() == 0)
    throw Error(ErrorKind::usage, "none of the labels of " + evaluation.data + " is a class of the bundle; --label-map says which means which");
  for (const judge::CaseScore& c : evaluation.cases) {
    if (!c.error.empty()) throw Error(ErrorKind::usage, "case " + c.source.id + " could not be judged: " + c.error);
    std::vector<double> row(out.labels.size(), kNaN);
    for (const judge::ClassScore& s : c.classes)
      for (std::size_t k = 0; k < out.labels.size(); ++k)
        if (out.labels[k] == s.label) row[k] = s.dice;
    out.cases.push_back(c.source.id);
    out.dice.push_back(std::move(row));
  }
  return out;
}

Value to_value(const SetScores& scores) {
  List classes, cases;
  for (std::size_t k = 0; k < scores.labels.size(); ++k) classes.items.push_back(Dict{{"label", scores.labels[k]}, {"name", scores.names[k]}});
  for (std::size_t i = 0; i < scores.cases.size(); ++i) {
    List row;
    for (const double d : scores.dice[i]) row.items.push_back(number(d));
    cases.items.push_back(Dict{{"id", scores.cases[i]}, {"dice", row}});
  }
  return Dict{{"classes", classes}, {"cases", cases}};
}

SetScores set_scores_of(const Value& value) {
  return with_context(
      "scores",
      [&] {
        SetScores out;
        for (const Value& c : value.as_dict().at("classes").items()) {
          out.labels.push_back(c.as_dict().at("label").as_int());
          out.names.push_back(c.as_dict().at("name").as_string());
        }
        for (const Value& c : value.as_dict().at("cases").items()) {
          std::vector<double> row;
          for (const Value& d : c.as_dict().at("dice").items()) row.push_back(number_of(d));
          if (row.size() != out.labels.size()) throw Error(ErrorKind::format, "a case without a number for each class");
          out.cases.push_back(c.as_dict().at("id").as_string());
          out.dice.push_back(std::move(row));
        }
        return out;
      },
      ErrorKind::format);
}

Comparison compare(const SetScores& challenger, const SetScores& champion, double margin) {
  if (challenger.cases != champion.cases) throw Error(ErrorKind::internal, "a comparison over different cases");
  std::vector<double> a = challenger.of_cases(), b = champion.of_cases();
  pair_up(a, b);
  Comparison out;
  out.challenger = mean_of(a);
  out.champion = mean_of(b);
  out.paired = judge::compare_paired(a, b, margin);
  for (std::size_t k = 0; k < challenger.labels.size(); ++k)
    for (std::size_t j = 0; j < champion.labels.size(); ++j) {
      if (challenger.labels[k] != champion.labels[j]) continue;
      std::vector<double> x = challenger.of_class(k), y = champion.of_class(j);
      pair_up(x, y);
      if (const double change = mean_of(x) - mean_of(y); !std::isnan(change)) out.classes.emplace_back(challenger.names[k], change);
    }
  return out;
}

Value to_value(const Comparison& c) {
  Dict classes;
  for (const auto& [name, change] : c.classes) classes[name] = change;
  return Dict{{"cases", c.paired.difference.count},          {"champion", number(c.champion)},
              {"challenger", number(c.challenger)},          {"difference", number(c.paired.difference.mean)},
              {"lower_bound", number(c.paired.lower_bound)}, {"wilcoxon_p", number(c.paired.wilcoxon_p)},
              {"not_inferior", c.paired.not_inferior},       {"classes", classes}};
}

Acceptance decide(const Comparison& reference, const Comparison& fresh, double margin) {
  Acceptance out;
  const bool held = reference.paired.not_inferior;
  out.reasons.push_back(fmt::format("reference set: Dice {:.4f}, champion {:.4f}; difference at least {} (one-sided 95 %), {} the margin of {}",
                                    reference.challenger, reference.champion, signed_number(reference.paired.lower_bound), held ? "within" : "beyond",
                                    signed_number(-margin)));
  bool classes_held = true;
  for (const auto& [name, change] : reference.classes)
    if (!(change > -margin)) {
      classes_held = false;
      out.reasons.push_back(
          fmt::format("reference set: {} changes by {}, beyond the margin of {}", name, signed_number(change), signed_number(-margin)));
    }
  const bool better = fresh.challenger >= fresh.champion && fresh.challenger >= kLeastLearned;
  out.reasons.push_back(fmt::format("new cases: Dice {:.4f}, champion {:.4f}: {}", fresh.challenger, fresh.champion,
                                    better                               ? "no worse"
                                    : std::isnan(fresh.challenger)       ? "cannot be told"
                                    : fresh.challenger >= fresh.champion ? "nothing is learned of what they mark"
                                                                         : "worse"));
  out.accepted = held && classes_held && better;
  return out;
}

Screening screen(const SetScores& fresh, const SetScores& reference) {
  Screening out;
  for (std::size_t k = 0; k < reference.labels.size(); ++k) {
    std::vector<double> known = reference.of_class(k);
    std::erase_if(known, [](double d) { return std::isnan(d); });
    const auto place = std::find(fresh.labels.begin(), fresh.labels.end(), reference.labels[k]);
    if (known.empty() || place == fresh.labels.end()) continue;
    std::sort(known.begin(), known.end());
    const double q1 = quantile(known, 0.25), median = quantile(known, 0.5), q3 = quantile(known, 0.75);
    if (median < kLeastMedian) {
      out.blind.push_back(reference.names[k]);
      continue;
    }
    const double threshold = std::max(kLeastThreshold, std::min(kShareOfMedian * median, q1 - kFence * (q3 - q1)));
    out.thresholds.emplace_back(reference.names[k], threshold);
    const auto column = static_cast<std::size_t>(place - fresh.labels.begin());
    for (std::size_t i = 0; i < fresh.cases.size(); ++i)
      if (fresh.dice[i][column] < threshold) out.suspects.push_back({fresh.cases[i], reference.names[k], fresh.dice[i][column], threshold});
  }
  std::stable_sort(out.suspects.begin(), out.suspects.end(), [](const Suspect& a, const Suspect& b) { return a.dice < b.dice; });
  return out;
}

Value to_value(const Screening& screening) {
  List suspects, blind;
  Dict thresholds;
  for (const Suspect& s : screening.suspects)
    suspects.items.push_back(Dict{{"id", s.id}, {"class", s.name}, {"dice", s.dice}, {"threshold", s.threshold}});
  for (const auto& [name, threshold] : screening.thresholds) thresholds[name] = threshold;
  for (const std::string& name : screening.blind) blind.items.emplace_back(name);
  return Dict{{"suspects", suspects}, {"thresholds", thresholds}, {"blind", blind}};
}

}  // namespace vesal::tune
