#include "tune/acceptance.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/json.h"

namespace vesal::tune {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kMargin = 0.01;

SetScores scores(const std::vector<std::vector<double>>& dice) {
  SetScores out;
  for (std::size_t k = 0; k < dice.at(0).size(); ++k) {
    out.labels.push_back(static_cast<std::int64_t>(k) + 1);
    out.names.push_back("organ " + std::to_string(k + 1));
  }
  for (std::size_t i = 0; i < dice.size(); ++i) out.cases.push_back("case" + std::to_string(i));
  out.dice = dice;
  return out;
}

/// Ten cases of one class around a mean, with differences between cases as patients have them.
SetScores around(double mean, double wobble = 0) {
  std::vector<std::vector<double>> dice;
  for (int i = 0; i < 10; ++i) dice.push_back({mean + 0.004 * (i - 4.5) + wobble * (i % 2 ? 1 : -1)});
  return scores(dice);
}

Acceptance decision(const SetScores& reference, const SetScores& reference_before, const SetScores& fresh, const SetScores& fresh_before) {
  return decide(compare(reference, reference_before, kMargin), compare(fresh, fresh_before, kMargin), kMargin);
}

TEST(Acceptance, BetterOnNewCasesAndAsGoodOnTheReference) {
  const Acceptance a = decision(around(0.918, 0.002), around(0.92), around(0.90), around(0.80));
  EXPECT_TRUE(a.accepted) << a.reasons.at(0);
  EXPECT_THAT(a.reasons, SizeIs(2));
  EXPECT_TRUE(decision(around(0.92), around(0.92), around(0.8), around(0.8)).accepted) << "equal is enough";
}

TEST(Acceptance, WorseOnTheReferenceIsRejectedHoweverGoodTheNewCasesLook) {
  // A poisoned month: its own wrong labels are learned, so that its held-out cases, as wrong, look splendid.
  const Acceptance a = decision(around(0.88), around(0.92), around(0.95), around(0.10));
  EXPECT_FALSE(a.accepted);
  EXPECT_THAT(a.reasons.at(0), HasSubstr("beyond the margin of -0.0100"));
}

TEST(Acceptance, WhatCannotBeToldIsRejected) {
  // The mean is within the margin, but cases scatter so much that it may as well not be.
  EXPECT_FALSE(decision(around(0.915, 0.05), around(0.92), around(0.9), around(0.8)).accepted);
  const SetScores one = scores({{0.9}}), two = scores({{0.95}});
  EXPECT_FALSE(decision(two, one, two, one).accepted) << "one reference case tells nothing";
}

TEST(Acceptance, WorseOnNewCasesIsRejected) { EXPECT_FALSE(decision(around(0.95), around(0.92), around(0.799), around(0.8)).accepted); }

TEST(Acceptance, NeitherFindingAnythingOfTheNewCasesIsRejected) {
  const SetScores nothing = scores({{0}, {0}});
  const Acceptance a = decision(around(0.95), around(0.95), nothing, nothing);
  EXPECT_FALSE(a.accepted);
  EXPECT_THAT(a.reasons.back(), HasSubstr("nothing is learned"));
}

TEST(Acceptance, NoClassMayPayForAnother) {
  std::vector<std::vector<double>> before, after;
  for (int i = 0; i < 10; ++i) {
    before.push_back({0.80 + 0.002 * i, 0.90});
    after.push_back({0.90 + 0.002 * i, 0.85});
  }
  const Acceptance a = decision(scores(after), scores(before), around(0.9), around(0.8));
  EXPECT_FALSE(a.accepted);
  EXPECT_THAT(a.reasons, testing::Contains(HasSubstr("organ 2 changes by -0.0500")));
}

TEST(Acceptance, FindingSomethingInAnEmptyCaseCounts) {
  const Comparison c = compare(scores({{0.9}, {0.0}, {0.9}}), scores({{0.9}, {kNaN}, {0.9}}), kMargin);
  EXPECT_NEAR(c.champion, (0.9 + 1 + 0.9) / 3, 1e-12);
  EXPECT_NEAR(c.challenger, 0.6, 1e-12);
  EXPECT_THROW(compare(scores({{1}, {1}}), scores({{1}}), kMargin), Error);
}

TEST(Screening, LabelsThatTheChampionHardlyAgreesWithAreNamedWorstFirst) {
  const Screening s = screen(scores({{0.91}, {0.30}, {0.0}, {0.6}, {kNaN}}), around(0.92));
  ASSERT_THAT(s.suspects, SizeIs(2));
  EXPECT_EQ(s.suspects[0].id, "case2");
  EXPECT_EQ(s.suspects[1].id, "case1");
  EXPECT_NEAR(s.suspects[0].threshold, 0.46, 1e-9) << "half the median";
}

TEST(Screening, EachClassHasItsOwnMeasure) {
  std::vector<std::vector<double>> reference;
  for (int i = 0; i < 9; ++i) reference.push_back({0.9 + 0.001 * i, 0.2 + 0.1 * i});
  const Screening s = screen(scores({{0.9, 0.15}, {0.1, 0.9}, {0.9, 0.05}}), scores(reference));
  ASSERT_THAT(s.suspects, SizeIs(2)) << "a class that scatters anyway is judged mildly";
  EXPECT_EQ(s.suspects[0].id, "case2");
  EXPECT_EQ(s.suspects[0].name, "organ 2");
  EXPECT_EQ(s.suspects[1].name, "organ 1");
}

TEST(Screening, AWeakChampionTellsNothing) {
  const Screening s = screen(scores({{0.0}}), scores({{0.1}, {0.2}, {0.0}}));
  EXPECT_THAT(s.suspects, IsEmpty());
  EXPECT_THAT(s.blind, SizeIs(1));
}

TEST(SetScoresValue, ComesBackAsItWas) {
  const SetScores a = scores({{0.123456789012345678, kNaN}, {1, 0}});
  const SetScores b = set_scores_of(parse_json(to_json(to_value(a))));
  EXPECT_EQ(a.cases, b.cases);
  EXPECT_EQ(a.names, b.names);
  EXPECT_EQ(a.dice[0][0], b.dice[0][0]);
  EXPECT_TRUE(std::isnan(b.dice[0][1]));
  for (const char* bad : {"{}", "[]", R"({"classes": [], "cases": [{"id": "a", "dice": [1]}]})", R"({"classes": 3, "cases": 4})"})
    EXPECT_THROW(set_scores_of(parse_json(bad)), Error) << bad;
}

}  // namespace
}  // namespace vesal::tune
