#include "judge/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "paths.h"

namespace vesal::judge {
namespace {

std::vector<double> numbers(const Value& list) {
  std::vector<double> out;
  for (const Value& v : list.items()) out.push_back(v.as_float());
  return out;
}

Dict golden() { return parse_json(read_text(tests::data("judge/data/statistics.json"))).as_dict(); }

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(BootstrapMean, LiesWhereScipysBcaIntervalLies) {
  const Dict all = golden();
  for (const Value& entry : all.at("bootstrap").items()) {
    const Dict& g = entry.as_dict();
    const Interval i = bootstrap_mean(numbers(g.at("values")), g.at("confidence").as_float());
    const double error = g.at("standard_error").as_float();
    EXPECT_NEAR(i.mean, g.at("mean").as_float(), 1e-12) << entry.repr();
    EXPECT_NEAR(i.low, g.at("low").as_float(), 0.2 * error) << entry.repr();
    EXPECT_NEAR(i.high, g.at("high").as_float(), 0.2 * error) << entry.repr();
    EXPECT_EQ(i.count, g.at("values").items().size());
  }
}

TEST(BootstrapMean, IsTheSameEachTimeAndLeavesNanOut) {
  const std::vector<double> values{0.9113, 0.8541, kNaN, 0.9729, 0.6017, 0.9337, 0.8889, 0.9467};
  const Interval a = bootstrap_mean(values), b = bootstrap_mean({0.9113, 0.8541, 0.9729, 0.6017, 0.9337, 0.8889, 0.9467}),
                 other = bootstrap_mean(values, 0.95, 10000, 2);
  EXPECT_EQ(a.count, 7u);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_NE(a.low, other.low);
  EXPECT_LT(a.low, a.mean);
  EXPECT_GT(a.high, a.mean);
}

TEST(BootstrapMean, OfHardlyAnything) {
  const Interval none = bootstrap_mean({kNaN}), one = bootstrap_mean({0.5}), equal = bootstrap_mean({0.9, 0.9, 0.9});
  EXPECT_TRUE(std::isnan(none.mean) && std::isnan(none.low) && none.count == 0);
  EXPECT_EQ(one.mean, 0.5);
  EXPECT_TRUE(std::isnan(one.low) && std::isnan(one.high));
  EXPECT_EQ(equal.low, 0.9);
  EXPECT_EQ(equal.high, 0.9);
}

TEST(Wilcoxon, AgreesWithScipy) {
  const Dict all = golden();
  for (const Value& entry : all.at("wilcoxon").items()) {
    const Dict& g = entry.as_dict();
    EXPECT_NEAR(wilcoxon_signed_rank(numbers(g.at("differences"))), g.at("p").as_float(), 1e-12) << entry.repr();
  }
}

TEST(Wilcoxon, TiesAreCountedExactly) {
  // Of the 16 choices of signs of (1, 1, 1, 1) one is as high as this one and one as low.
  EXPECT_DOUBLE_EQ(wilcoxon_signed_rank({1, 1, 1, 1}), 2.0 / 16);
  // Ranks 1.5, 1.5, 3 with the third negative: sums at most 3 are {}, 1.5, 1.5, 3, 3 of 8.
  EXPECT_DOUBLE_EQ(wilcoxon_signed_rank({1, 1, -2}), 1.0);
  EXPECT_DOUBLE_EQ(wilcoxon_signed_rank({0, 0}), 1.0);
}

TEST(ComparePaired, SaysWhenAChallengerIsNotInferior) {
  const std::vector<double> champion{0.90, 0.92, 0.88, 0.95, 0.91, 0.93, 0.89, 0.94};
  std::vector<double> same = champion, better = champion, worse = champion, wild = champion;
  for (std::size_t i = 0; i < champion.size(); ++i) {
    better[i] += 0.01 + 0.001 * static_cast<double>(i);
    worse[i] -= 0.05;
    wild[i] += i % 2 == 0 ? 0.08 : -0.08;
  }
  const PairedComparison equal = compare_paired(same, champion, 0.01);
  EXPECT_TRUE(equal.not_inferior);
  EXPECT_EQ(equal.lower_bound, 0);
  EXPECT_EQ(equal.wilcoxon_p, 1);
  EXPECT_FALSE(compare_paired(same, champion, 0).not_inferior) << "nothing is above itself";
  const PairedComparison up = compare_paired(better, champion, 0.01);
  EXPECT_TRUE(up.not_inferior);
  EXPECT_GT(up.lower_bound, 0);
  EXPECT_DOUBLE_EQ(up.wilcoxon_p, 2.0 / 256);
  const PairedComparison down = compare_paired(worse, champion, 0.01);
  EXPECT_FALSE(down.not_inferior);
  EXPECT_NEAR(down.lower_bound, -0.05, 1e-12);
  EXPECT_FALSE(compare_paired(wild, champion, 0.01).not_inferior) << "unsure is not good enough";
  EXPECT_TRUE(compare_paired(wild, champion, 0.2).not_inferior);
  EXPECT_FALSE(compare_paired({0.99}, {0.5}, 0.01).not_inferior) << "one case says nothing";
  worse[0] = kNaN;
  EXPECT_EQ(compare_paired(worse, champion, 0.01).difference.count, champion.size() - 1);
  EXPECT_THROW(compare_paired({0.5}, champion, 0.01), Error);
  EXPECT_THROW(compare_paired(champion, champion, -0.1), Error);
}

}  // namespace
}  // namespace vesal::judge
