// vesal segment while the network's output is still being computed: the masks of the whole array, in less memory, as forecast.
#include <gmock/gmock.h>

#include <cmath>
#include <regex>

#include "base/file.h"
#include "base/json.h"
#include "cli/program.h"
#include "cli/tiny_bundle.h"
#include "image/formats.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Blobs with noise, int16.
image::Image blobs(const Shape& shape, const image::Affine& affine) {
  Array voxels = Array::empty(shape, DType::i16);
  std::int64_t i = 0;
  for (std::int64_t x = 0; x < shape[0]; ++x)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t z = 0; z < shape[2]; ++z, ++i)
        voxels.data<std::int16_t>()[i] =
            static_cast<std::int16_t>(120 * std::sin(0.31 * static_cast<double>(x)) * std::cos(0.23 * static_cast<double>(y)) +
                                      80 * std::sin(0.17 * static_cast<double>(z)) + static_cast<double>(i * 7919 % 61));
  return image::Image(voxels, affine);
}

const char* const kActivate = R"({"_target_": "Activationsd", "keys": "pred", "softmax": true})";
const char* const kSigmoid = R"({"_target_": "Activationsd", "keys": "pred", "sigmoid": true})";
const char* const kInvert = R"({"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "image", "nearest_interp": %s})";

std::string invert(bool nearest) {
  std::string text = kInvert;
  return text.replace(text.find("%s"), 2, nearest ? "true" : "false");
}
/// Labels; with `dim` they are made of the whole array.
std::string discrete(const std::string& how, bool whole) {
  return R"({"_target_": "AsDiscreted", "keys": "pred", )" + how + (whole ? R"(, "dim": 0)" : "") + "}";
}

std::vector<std::string> many_channels(int n) {
  std::vector<std::string> names{"background"};
  for (int i = 1; i < n; ++i) names.push_back("organ " + std::to_string(i));
  return names;
}

class SegmentStream : public ::testing::Test {
 protected:
  Dict segment(const fs::path& bundle, const fs::path& scan, const fs::path& out, std::vector<std::string> more = {}) {
    std::vector<std::string> args{"segment", scan.string(), "-o", out.string(), "--bundle", bundle.string(), "--json"};
    args.insert(args.end(), more.begin(), more.end());
    const ProgramResult r = run_program(args);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.exit_code == 0 ? parse_json(r.out).as_dict().at("cases").items().at(0).as_dict() : Dict{};
  }
  TempDir dir;
};

std::int64_t differing(const fs::path& a, const fs::path& b) {
  const Array x = image::read_image(a).array().to(DType::i32).contiguous(), y = image::read_image(b).array().to(DType::i32).contiguous();
  EXPECT_EQ(x.shape(), y.shape());
  std::int64_t n = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) n += x.data<std::int32_t>()[i] != y.data<std::int32_t>()[i];
  return n;
}

TEST_F(SegmentStream, MasksAreThoseOfTheWholeArray) {
  const double c = std::cos(0.4), s = std::sin(0.4);
  const image::Affine oblique{{{{2.5 * c, -2 * s, 0, 7}, {2.5 * s, 2 * c, 0, -3}, {0, 0, 4, 5}, {0, 0, 0, 1}}}};
  const image::Affine turned{{{{0, 0, -3, 90}, {-2, 0, 0, 30}, {0, 2.5, 0, 0}, {0, 0, 0, 1}}}};
  image::write_image(dir / "oblique.nii.gz", blobs({41, 37, 19}, oblique));
  image::write_image(dir / "turned.nii.gz", blobs({53, 29, 22}, turned));
  struct Case {
    std::vector<std::string> channels, before;
    std::string how;
    std::vector<std::string> after;
  };
  const std::vector<std::string> two{"background", "spleen"}, three{"core", "whole", "enhancing"};
  const std::vector<Case> cases{{two, {kActivate, invert(false)}, R"("argmax": true)", {}},
                                {two, {kActivate}, R"("argmax": true)", {invert(true)}},
                                {three, {kSigmoid, invert(false)}, R"("threshold": 0.5)", {}},
                                {many_channels(9), {invert(false)}, R"("argmax": true)", {}}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (const bool whole : {false, true}) {
      std::string steps;
      for (const std::string& step : cases[i].before) steps += step + ", ";
      steps += discrete(cases[i].how, whole);
      for (const std::string& step : cases[i].after) steps += ", " + step;
      const fs::path bundle = dir / (whole ? "whole" : "pieces");
      write_tiny_bundle(bundle, {.channels = cases[i].channels, .postprocessing = steps});
      for (const std::string scan : {"oblique", "turned"}) {
        const Dict report = segment(bundle, dir / (scan + ".nii.gz"), bundle / (scan + ".nii.gz"));
        EXPECT_EQ(report.contains("forecast"), !whole);
      }
    }
    for (const std::string scan : {"oblique.nii.gz", "turned.nii.gz"}) EXPECT_EQ(differing(dir / "whole" / scan, dir / "pieces" / scan), 0) << i;
  }
}

TEST_F(SegmentStream, ManyClassesInLittleMemoryAsForecastAndWithinTheLimit) {
  const std::string spacing = "[3.0, 3.0, 3.0]", finer = "[2.0, 2.0, 2.0]";
  TinyBundle many{.channels = many_channels(104),
                  .postprocessing = std::string(kActivate) + ", " + discrete(R"("argmax": true)", false) + ", " + invert(true)};
  many.preprocessing.replace(many.preprocessing.find(spacing), spacing.size(), finer);
  write_tiny_bundle(dir / "pieces", many);
  many.postprocessing = std::string(kActivate) + ", " + discrete(R"("argmax": true)", true) + ", " + invert(true);
  write_tiny_bundle(dir / "whole", many);
  const fs::path scan = dir / "scan.nii.gz";
  image::write_image(scan, blobs({90, 80, 70}, image::Affine::scale(2, 2, 2)));
  const Dict pieces = segment(dir / "pieces", scan, dir / "pieces.nii.gz"), whole = segment(dir / "whole", scan, dir / "whole.nii.gz");
  // 104 classes of 504,000 voxels are 210 MB as floats. Sums in float16 change labels only where two classes are as good as equal.
  const std::int64_t took = pieces.at("peak_memory_bytes").as_int();
  EXPECT_LT(took + 100'000'000, whole.at("peak_memory_bytes").as_int());
  EXPECT_LE(differing(dir / "pieces.nii.gz", dir / "whole.nii.gz"), 504'000 / 200);
  const Dict& forecast = pieces.at("forecast").as_dict();
  EXPECT_NEAR(static_cast<double>(forecast.at("peak_memory_bytes").as_int()), static_cast<double>(took), 0.2 * static_cast<double>(took));
  // All of it would be 105 MB of float16.
  EXPECT_LT(forecast.at("bytes").as_dict().at("sums_and_labels").as_int(), 70'000'000);
  EXPECT_EQ(forecast.at("windows"), Value(8 * 7 * 6));

  // A limit below what it takes is refused with the least that would do, which then does.
  const std::int64_t before = forecast.at("bytes").as_dict().at("before").as_int();
  const std::vector<std::string> args{"segment", scan.string(), "-o", (dir / "tight.nii.gz").string(), "--bundle", (dir / "pieces").string(),
                                      "--json"};
  const auto with_limit = [&](std::int64_t bytes) {
    std::vector<std::string> all = args;
    all.insert(all.end(), {"--max-memory", std::to_string(bytes)});
    return run_program(all);
  };
  ProgramResult r = with_limit(before + (5 << 20));
  EXPECT_EQ(r.exit_code, 12) << r.err;
  EXPECT_FALSE(fs::exists(dir / "tight.nii.gz"));
  std::smatch least;
  ASSERT_TRUE(std::regex_search(r.err, least, std::regex("--max-memory ([0-9]+)M is the least"))) << r.err;
  const std::int64_t limit = (std::stoll(least[1]) + 8) << 20;
  r = with_limit(limit);
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_LE(parse_json(r.out).as_dict().at("cases").items()[0].as_dict().at("peak_memory_bytes").as_int(), limit + limit / 20);
  EXPECT_LE(differing(dir / "tight.nii.gz", dir / "pieces.nii.gz"), 50) << "windows in other company may differ in a last bit";
}

TEST_F(SegmentStream, ALimitBelowTheProgramItselfIsRefusedAtOnce) {
  write_tiny_bundle(dir / "tiny");
  const ProgramResult r = run_program(
      {"segment", (dir / "nothing.nii.gz").string(), "-o", (dir / "m.nii.gz").string(), "--bundle", (dir / "tiny").string(), "--max-memory", "9M"});
  EXPECT_EQ(r.exit_code, 12) << r.err;
  EXPECT_THAT(r.err, HasSubstr("before any scan"));
  EXPECT_EQ(run_program({"segment", "x.nii", "-o", "y.nii", "--max-memory", "much"}).exit_code, 6);
}

}  // namespace
}  // namespace vesal::tests
