#include "tune/increment_plan.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/sha256.h"

namespace vesal::tune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<HashedCase> cases(const std::string& prefix, int count) {
  std::vector<HashedCase> out;
  for (int i = 0; i < count; ++i) {
    const std::string id = prefix + std::to_string(i);
    out.push_back({{id, id, id, "", {}}, sha256("scan " + id), sha256("label " + id)});
  }
  return out;
}

ModelState state() {
  ModelState out;
  out.reign = {"1.0.0"};
  out.versions.push_back({});
  out.versions.back().version = "1.0.0";
  out.reference = "reference";
  return out;
}

IncrementOptions options() {
  IncrementOptions o;
  o.month = "2026-11";
  return o;
}

std::set<std::string> ids(const std::vector<HashedCase>& cases) {
  std::set<std::string> out;
  for (const HashedCase& c : cases) out.insert(c.source.id);
  return out;
}

TEST(IncrementPlan, CasesAreDealtByTheirHashesWhateverTheirOrder) {
  std::vector<HashedCase> fresh = cases("new", 20), turned = fresh;
  std::reverse(turned.begin(), turned.end());
  const MonthPlan a = plan_month(state(), fresh, cases("old", 30), options()), b = plan_month(state(), turned, cases("old", 30), options());
  EXPECT_EQ(a.fingerprint, b.fingerprint);
  EXPECT_THAT(a.of(Part::judging), SizeIs(6));
  EXPECT_THAT(a.of(Part::validation), SizeIs(2));
  EXPECT_THAT(a.of(Part::training), SizeIs(12));
  EXPECT_EQ(ids(a.of(Part::judging)), ids(b.of(Part::judging)));
  EXPECT_THAT(a.replay_validation, SizeIs(7));
  EXPECT_THAT(a.replay, SizeIs(23));
  EXPECT_EQ(a.version, "1.0.1");
  std::set<std::string> all = ids(a.of(Part::judging));
  all.merge(ids(a.of(Part::validation)));
  all.merge(ids(a.of(Part::training)));
  EXPECT_THAT(all, SizeIs(20));
}

TEST(IncrementPlan, FewCasesAllTrainButThoseThatJudge) {
  const MonthPlan two = plan_month(state(), cases("new", 2), {}, options());
  EXPECT_THAT(two.of(Part::judging), SizeIs(1));
  EXPECT_THAT(two.of(Part::training), SizeIs(1));
  EXPECT_THAT(two.of(Part::validation), IsEmpty());
  EXPECT_THAT(plan_month(state(), cases("new", 5), cases("old", 3), options()).replay_validation, IsEmpty());
  EXPECT_THROW(plan_month(state(), cases("new", 1), {}, options()), Error);
  EXPECT_THROW(plan_month(state(), {}, {}, options()), Error);
}

TEST(IncrementPlan, WhatIsLearnedIsLeftOutAndACorrectedLabelReplacesTheOld) {
  std::vector<HashedCase> pool = cases("new", 3), fresh = cases("new", 5);
  for (std::size_t i = 0; i < 3; ++i) pool[i].source.id = "old" + std::to_string(i);
  fresh[1].label_sha256 = sha256("corrected");
  const MonthPlan plan = plan_month(state(), fresh, pool, options());
  EXPECT_THAT(plan.known, ElementsAre("new0", "new2"));
  EXPECT_THAT(ids(plan.cases), ElementsAre("new1", "new3", "new4"));
  EXPECT_THAT(ids(plan.replay), ElementsAre("old0", "old2")) << "not the scan with the wrong label";
}

TEST(IncrementPlan, TheFingerprintTellsMonthsApart) {
  const auto of = [](const IncrementOptions& o, const ModelState& s, int count) { return plan_month(s, cases("new", count), {}, o).fingerprint; };
  const std::string one = of(options(), state(), 4);
  EXPECT_EQ(one, of(options(), state(), 4));
  EXPECT_NE(one, of(options(), state(), 5));
  IncrementOptions other = options();
  other.training.seed = 2;
  EXPECT_NE(one, of(other, state(), 4));
  other = options();
  other.month = "2026-12";
  EXPECT_NE(one, of(other, state(), 4));
  other = options();
  other.accept_anyway = "checked";
  EXPECT_EQ(one, of(other, state(), 4)) << "it goes on where the refusal was";
  ModelState later = state();
  later.versions.push_back(later.versions.back());
  later.versions.back().version = "1.0.1";
  later.reign.push_back("1.0.1");
  EXPECT_NE(one, of(options(), later, 4));
}

TEST(IncrementPlan, SenselessOptions) {
  const auto attempt = [](auto change) {
    IncrementOptions o = options();
    change(o);
    EXPECT_THROW(plan_month(state(), cases("new", 4), {}, o), Error);
  };
  attempt([](IncrementOptions& o) { o.month = "../2026"; });
  attempt([](IncrementOptions& o) { o.margin = 0; });
  attempt([](IncrementOptions& o) { o.margin = -0.1; });
  attempt([](IncrementOptions& o) { o.judging_share = 1; });
}

}  // namespace
}  // namespace vesal::tune
