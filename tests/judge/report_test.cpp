#include "judge/report.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "image/formats.h"
#include "image/phantom.h"
#include "image/png.h"
#include "judge/report_words.h"
#include "paths.h"

namespace vesal::judge {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

CaseScore case_of(const std::string& id, double dice) {
  CaseScore c;
  c.source = {id, "images/" + id + ".nii.gz", "labels/" + id + ".nii.gz", "validation", {}};
  c.classes = {{1, "spleen", dice, 4.5, 1.25, 200, 190}, {2, "liver <left>", kNaN, kNaN, kNaN, 0, 0}};
  c.seconds = 3.5;
  return c;
}

Evaluation some() {
  Evaluation e;
  e.bundle = "A <b>bold</b> bundle";
  e.version = "1.2";
  e.data = "cases & more";
  e.layout = "folders";
  e.intended_use = "Not for diagnosis";
  e.weights_sha256 = std::string(64, 'a');
  e.cases = {case_of("one", 0.95), case_of("two", 0.91), case_of("=SUM(A1)", 0.6), case_of("<script>alert(1)</script>", 0.9)};
  e.cases.push_back(CaseScore());
  e.cases.back().source.id = "broken";
  e.cases.back().error = "reading broken.nii.gz: \"cut\", short";
  e.classes = {{1, "spleen", {0.84, 0.7, 0.93, 4}, {4.5, 4.5, 4.5, 4}, {1.25, 1.25, 1.25, 4}}, {2, "liver <left>", {kNaN, kNaN, kNaN, 0}, {}, {}}};
  e.dice = bootstrap_mean(e.dices());
  e.ignored = {7};
  e.set_aside = {{3, "pancreas"}};
  return e;
}

ReportFacts facts(const std::string& language = "en") { return {"vesal 0.1.0", "vesal evaluate --data 'a b'", language, 0.9, 4}; }

TEST(HtmlReport, SaysAllAndAsksNobody) {
  const std::string page = html_report(some(), facts(), {{"two", 0.5, std::vector<std::byte>{std::byte{1}, std::byte{2}}}});
  EXPECT_THAT(page, AllOf(HasSubstr("Too few cases to tell"), HasSubstr("A &lt;b&gt;bold&lt;/b&gt; bundle"),
                          HasSubstr("<p class=\"warning\">Intended use: Not for diagnosis</p>"), HasSubstr("cases &amp; more"),
                          HasSubstr("broken.nii.gz: &quot;cut&quot;"), HasSubstr(std::string(64, 'a')), HasSubstr("pancreas"), HasSubstr("0.600")));
  EXPECT_THAT(page, HasSubstr("data:image/png;base64,AQI=")) << "two bytes and their padding";
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<script>alert")), Not(HasSubstr("http:")), Not(HasSubstr("https:")), Not(HasSubstr("src=\"/")),
                          Not(HasSubstr("nan"))));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  Evaluation good = some();
  good.dice = bootstrap_mean({0.95, 0.96, 0.94, 0.95, 0.97});
  EXPECT_THAT(html_report(good, facts(), {}), HasSubstr("class=\"card verdict use\""));
}

TEST(HtmlReport, SpeaksVietnameseToo) {
  EXPECT_THAT(html_report(some(), facts("vi"), {}),
              AllOf(HasSubstr("<html lang=\"vi\">"), HasSubstr("Quá ít ca để kết luận"), Not(HasSubstr("Too few"))));
  EXPECT_THROW(html_report(some(), facts("tlh"), {}), Error);
  // Every field is set, with as many places for values as in English.
  const auto &en = words_for("en"), &vi = words_for("vi");
  const auto *a = reinterpret_cast<const char*const*>(&en), *b = reinterpret_cast<const char*const*>(&vi);
  for (std::size_t i = 0; i < sizeof(Words) / sizeof(const char*); ++i) {
    ASSERT_TRUE(a[i] && b[i]) << i;
    const auto places = [](std::string_view text) {
      std::size_t n = 0;
      for (std::size_t at = text.find("{}"); at != std::string_view::npos; at = text.find("{}", at + 2)) ++n;
      return n;
    };
    EXPECT_EQ(places(a[i]), places(b[i])) << a[i] << " | " << b[i];
  }
}

TEST(HtmlReport, OfNothing) {
  Evaluation e;
  e.dice = bootstrap_mean({});
  EXPECT_THAT(html_report(e, facts(), {}), AllOf(HasSubstr("Only 0 cases"), Not(HasSubstr("nan"))));
}

TEST(HtmlReport, OfManyClassesShowsTheLowest) {
  Evaluation e = some();
  e.classes.clear();
  for (CaseScore& c : e.cases) {
    if (!c.error.empty()) continue;
    c.classes.clear();
    for (int label = 1; label <= 60; ++label) c.classes.push_back({label, "organ " + std::to_string(label), label / 61.0, 1, 1, 10, 10});
  }
  for (int label = 1; label <= 60; ++label)
    e.classes.push_back({label, "organ " + std::to_string(label), {label / 61.0, 0, 1, 4}, {1, 1, 1, 4}, {1, 1, 1, 4}});
  const std::string page = html_report(e, facts(), {});
  EXPECT_THAT(page, AllOf(HasSubstr("The 14 classes with the lowest mean."), HasSubstr("text-anchor='end'>organ 14</text>"),
                          Not(HasSubstr("text-anchor='end'>organ 15</text>"))));
}

TEST(CsvReport, ARowPerCaseAndClass) {
  const std::string csv = csv_report(some());
  EXPECT_THAT(csv, HasSubstr("one,validation,1,spleen,0.95000,4.5000,1.2500,200.000,190.000,3.50,images/one.nii.gz"));
  EXPECT_THAT(csv, HasSubstr("one,validation,2,liver <left>,,,,0.000,0.000,"));
  EXPECT_THAT(csv, HasSubstr("\n'=SUM(A1),")) << "no formula for a spreadsheet";
  EXPECT_THAT(csv, HasSubstr("broken,,,,,,,,,0.00,,,,\"reading broken.nii.gz: \"\"cut\"\", short\""));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 4 * 2 + 1);
}

TEST(JsonReport, HasTheVerdict) {
  const Value v = parse_json(to_json(json_report(some(), facts())));
  const Dict& gate = v.as_dict().at("gate").as_dict();
  EXPECT_EQ(gate.at("verdict").as_string(), "too-few");
  EXPECT_EQ(gate.at("dice").as_float(), 0.9);
  EXPECT_GT(gate.at("cases_wanted").as_int(), 4);
  EXPECT_EQ(v.as_dict().at("data").as_dict().at("failed").as_int(), 1);
}

TEST(WorstCases, KeepsTheLowestAndShowsWhereTheyDiffer) {
  const tests::TempDir dir;
  const image::Phantom p = image::make_phantom(3, {.spacing = {6, 6, 8}, .orientation = "LPS", .slab_mm = 120});
  image::write_image(dir / "ct.nii.gz", p.ct);
  const Array reference = mapped_labels(p.labels.array(), {{5, 1}});  // the liver
  const Array missed = Array::zeros(reference.shape(), DType::u8);
  const auto at = [&](const Array& labels) { return image::Image(labels, p.ct.affine); };
  WorstCases worst(2);
  for (const double dice : {0.9, 0.5, kNaN, 0.7, 0.95}) {
    CaseScore c = case_of("case " + std::to_string(dice), dice);
    c.source.image = dir / "ct.nii.gz";
    worst.consider(c, at(dice == 0.5 ? missed : reference), at(reference));
  }
  ASSERT_EQ(worst.pictures().size(), 2u);
  EXPECT_EQ(worst.pictures()[0].dice, 0.5);
  EXPECT_EQ(worst.pictures()[1].dice, 0.7);
  // Where nothing was found there is much blue and no green, and the reverse.
  const auto coloured = [](const CasePicture& picture) {
    const Array pixels = image::parse_png(picture.png).contiguous();  // [width, height, 3]
    const std::uint8_t* v = pixels.data<std::uint8_t>();
    std::pair<int, int> green_blue;
    for (std::int64_t i = 0; i < pixels.numel(); i += 3) {
      green_blue.first += v[i + 1] > v[i] + 20 && v[i + 1] > v[i + 2] + 20;
      green_blue.second += v[i + 2] > v[i] + 20 && v[i + 2] > v[i + 1] + 10;
    }
    return green_blue;
  };
  const auto bad = coloured(worst.pictures()[0]), fair = coloured(worst.pictures()[1]);
  EXPECT_GT(bad.second, 1000);
  EXPECT_EQ(bad.first, 0);
  EXPECT_GT(fair.first, 1000);
  EXPECT_EQ(fair.second, 0);
}

}  // namespace
}  // namespace vesal::judge
