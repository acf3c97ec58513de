#include "judge/evaluation.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "base/file.h"
#include "base/json.h"
#include "image/formats.h"
#include "judge/grids.h"
#include "paths.h"

namespace vesal::judge {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using tests::TempDir;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// 10 x 8 x 6 voxels of 2 x 2 x 5 mm; label 1 in x of [begin, end), label 2 in one corner voxel.
image::Image bar(std::int64_t begin, std::int64_t end, bool corner = false) {
  Array a = Array::zeros({10, 8, 6}, DType::u8);
  if (end > begin) a.slice(0, begin, end).slice(1, 2, 6).slice(2, 1, 5).fill(1);
  if (corner) a.slice(0, 9, 10).slice(1, 7, 8).slice(2, 5, 6).fill(2);
  return image::Image(a, image::Affine::scale(2, 2, 5));
}

/// The same voxels and places with the axes in the order y, x, z and x turned round.
image::Image turned(const image::Image& image) {
  const int axes[] = {1, 0, 2};
  image::Affine map;
  map(0, 0) = 0, map(1, 1) = 0;
  map(1, 0) = 1, map(0, 1) = -1, map(0, 3) = static_cast<double>(image.array().size(0) - 1);
  return image::Image(image.array().flip(0).permute(axes).contiguous(), image.affine * map);
}

TEST(Grids, TurnedAxesAreOneGrid) {
  const image::Image a = bar(2, 6, true), b = turned(a);
  const auto back = on_grid(b.array(), b.affine, a.array().shape(), a.affine);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->contiguous().numel(), a.array().numel());
  for (std::int64_t x = 0; x < 10; ++x) EXPECT_EQ(back->at({x, 3, 2}), a.array().at({x, 3, 2})) << x;
  EXPECT_EQ(back->at({9, 7, 5}), 2);
  image::Affine shifted = a.affine;
  shifted(0, 3) += 0.1;
  EXPECT_TRUE(on_grid(a.array(), shifted, a.array().shape(), a.affine)) << "headers round";
  shifted(0, 3) += 0.5;
  EXPECT_FALSE(on_grid(a.array(), shifted, a.array().shape(), a.affine));
  EXPECT_FALSE(on_grid(a.array().slice(0, 0, 9), a.affine, a.array().shape(), a.affine));
}

TEST(Score, DiceAndVolumesByHand) {
  const image::Image reference = bar(2, 6, true), predicted = bar(3, 8);
  const std::vector<ClassScore> s =
      score(reference.array(), predicted.array(), reference.affine, {{0, "background"}, {1, "spleen"}, {2, "tumour"}, {3, "none"}});
  ASSERT_EQ(s.size(), 3u);
  EXPECT_DOUBLE_EQ(s[0].dice, 2.0 * 48 / (64 + 80));
  EXPECT_DOUBLE_EQ(s[0].reference_ml, 64 * 20 / 1000.0);
  EXPECT_DOUBLE_EQ(s[0].predicted_ml, 80 * 20 / 1000.0);
  // The bars end 2 and 4 mm apart; their long sides lie on each other.
  EXPECT_NEAR(s[0].hd95_mm, 4, 1e-6);
  EXPECT_GT(s[0].assd_mm, 0.5);
  EXPECT_LT(s[0].assd_mm, 2);
  EXPECT_EQ(s[1].name, "tumour");
  EXPECT_EQ(s[1].dice, 0) << "missed";
  EXPECT_TRUE(std::isnan(s[1].hd95_mm));
  EXPECT_TRUE(std::isnan(s[2].dice)) << "on neither side";
}

TEST(Score, LabelsAreWholeNumbers) {
  const Array halves = Array::full({2, 2, 2}, DType::f32, 0.5);
  EXPECT_THROW(labels_in(halves), Error);
  EXPECT_THROW(class_places(halves, {1}), Error);
  EXPECT_THAT(labels_in(bar(1, 2, true).array().to(DType::f64)), ElementsAre(0, 1, 2));
  const Array mapped = mapped_labels(bar(1, 2, true).array(), {{2, 300}});
  EXPECT_EQ(mapped.dtype(), DType::u16);
  EXPECT_EQ(mapped.at({9, 7, 5}), 300);
  EXPECT_EQ(mapped.at({1, 3, 2}), 0);
  EXPECT_THROW(mapped_labels(Array::full({2, 2, 2}, DType::i16, -3), {}), Error);
}

class Masks : public ::testing::Test {
 protected:
  Masks() {
    for (const auto& [name, end] : {std::pair("a", 6), std::pair("b", 5), std::pair("c", 4), std::pair("d", 2)}) {
      image::write_image(dir / "images" / (std::string(name) + ".nii.gz"), bar(0, 0));
      image::write_image(dir / "labels" / (std::string(name) + ".nii.gz"), name[0] == 'b' ? turned(bar(2, 6, true)) : bar(2, 6, true));
      image::write_image(dir / "masks" / (std::string(name) + ".nii.gz"), bar(2, end));
    }
  }
  Evaluation run(const EvaluateOptions& options = {}, const std::map<std::int64_t, std::string>& names = {{0, "background"}, {1, "spleen"}}) {
    return evaluate_masks(dir / "masks", names, read_cases(dir.path()), options);
  }
  TempDir dir;
};

TEST_F(Masks, AreJudgedCaseByCase) {
  const Evaluation e = run();
  ASSERT_EQ(e.cases.size(), 4u);
  EXPECT_EQ(e.failed(), 0u);
  EXPECT_DOUBLE_EQ(e.cases[0].dice(), 1);
  EXPECT_DOUBLE_EQ(e.cases[1].dice(), 2.0 * 3 / 7) << "the label is stored in another orientation";
  EXPECT_DOUBLE_EQ(e.cases[2].dice(), 2.0 * 2 / 6);
  EXPECT_DOUBLE_EQ(e.cases[3].dice(), 0) << "an empty prediction";
  EXPECT_EQ(e.cases[0].spacing_mm[2], 5);
  ASSERT_EQ(e.classes.size(), 1u);
  EXPECT_EQ(e.classes[0].name, "spleen");
  EXPECT_DOUBLE_EQ(e.classes[0].dice.mean, e.dice.mean);
  EXPECT_EQ(e.dice.count, 4u);
  EXPECT_THAT(e.ignored, ElementsAre(2)) << "the corner is no class";
}

TEST_F(Masks, TheMapSaysWhatIsJudged) {
  EvaluateOptions options;
  options.label_map = {{2, 1}};
  const Evaluation e = run(options);
  EXPECT_EQ(e.cases[0].dice(), 0) << "the corner is what is looked for now";
  EXPECT_THAT(e.ignored, ElementsAre(1));
}

TEST_F(Masks, ClassesThatNobodyLabelledAreSetAside) {
  const Evaluation e = run({}, {{1, "spleen"}, {2, "tumour"}, {7, "liver"}});
  EXPECT_THAT(e.set_aside, ElementsAre(Pair(7, "liver")));
  EXPECT_EQ(e.cases[0].classes.size(), 2u);
  EXPECT_DOUBLE_EQ(e.cases[0].dice(), 0.5) << "the tumour is missed";
  const Evaluation open = run({}, {});
  EXPECT_EQ(open.cases[0].classes.size(), 2u) << "without names every label counts";
}

TEST_F(Masks, AFailedCaseIsSaidAndTheOthersGoOn) {
  fs::remove(dir / "masks/a.nii.gz");
  image::write_image(dir / "labels/b.nii.gz", image::Image(Array::zeros({3, 3, 3}, DType::u8)));
  write_file(dir / "labels/c.nii.gz", "damaged");
  std::vector<std::string> seen;
  EvaluateOptions options;
  options.seen = [&](const CaseScore& c, const image::Image& p, const image::Image& r) {
    seen.push_back(c.source.id);
    EXPECT_EQ(p.shape(), r.shape());
  };
  options.keep_masks = dir / "kept";
  const Evaluation e = run(options);
  EXPECT_THAT(e.cases[0].error, HasSubstr("no mask called a"));
  EXPECT_EQ(e.cases[0].error_kind, "not-found");
  EXPECT_THAT(e.cases[1].error, HasSubstr("the label's grid is not the scan's"));
  EXPECT_EQ(e.cases[1].error_kind, "geometry");
  EXPECT_THAT(e.cases[2].error, HasSubstr("c.nii.gz"));
  EXPECT_THAT(seen, ElementsAre("d"));
  EXPECT_TRUE(fs::exists(dir / "kept/d.nii.gz"));
  EXPECT_EQ(e.failed(), 3u);
  EXPECT_EQ(e.dice.count, 1u);
}

TEST_F(Masks, KeptOnesNeverTakeTheReferencesPlace) {
  EvaluateOptions options;
  options.keep_masks = dir / "labels";
  EXPECT_THROW(run(options), Error);
  EXPECT_EQ(labels_in(image::read_image(dir / "labels/d.nii.gz").array()).size(), 3u);
}

TEST_F(Masks, AsPlainData) {
  const Value v = parse_json(to_json(to_value(run())));
  const Dict& d = v.as_dict();
  EXPECT_EQ(d.at("format"), Value("vesal evaluation 1"));
  EXPECT_EQ(d.at("data").as_dict().at("cases"), Value(4));
  const Dict& last = d.at("cases").items().at(3).as_dict();
  EXPECT_EQ(last.at("id"), Value("d"));
  EXPECT_TRUE(last.at("classes").items().at(0).as_dict().at("hd95_mm").is_none()) << "NaN is no JSON";
  EXPECT_EQ(last.at("error"), Value());
}

TEST(Verdict, UseTuneOrTooFew) {
  const auto verdict = [](std::vector<double> dices, double gate, std::size_t least = 5) {
    Evaluation e;
    e.dice = bootstrap_mean(dices);
    return std::string(name_of(judge(e, gate, least)));
  };
  const std::vector<double> good{0.94, 0.95, 0.93, 0.96, 0.95, 0.94}, bad{0.7, 0.75, 0.8, 0.72, 0.78, 0.69}, mixed{0.95, 0.8, 0.97, 0.86, 0.93, 0.9};
  EXPECT_EQ(verdict(good, 0.9), "use");
  EXPECT_EQ(verdict(bad, 0.9), "fine-tune");
  EXPECT_EQ(verdict(mixed, 0.9), "too-few");
  EXPECT_EQ(verdict(good, 0.9, 7), "too-few");
  EXPECT_EQ(verdict({0.99}, 0.9, 1), "too-few") << "one case says nothing";
  EXPECT_EQ(verdict({kNaN}, 0.9), "too-few");
}

TEST(Verdict, CodesStandInTheDocumentation) {
  const std::string page = read_text(tests::source_dir() / "docs/exit-codes.md");
  for (const Verdict v : {Verdict::fine_tune, Verdict::too_few})
    EXPECT_THAT(page, HasSubstr("| " + std::to_string(exit_code(v)) + " | " + name_of(v) + " |"));
  EXPECT_EQ(exit_code(Verdict::use), 0);
}

}  // namespace
}  // namespace vesal::judge
