// vesal segment on scans whose grids are known, with a bundle made here.
#include <gmock/gmock.h>

#include <fstream>

#include "base/file.h"
#include "base/json.h"
#include "cli/program.h"
#include "cli/tiny_bundle.h"
#include "image/formats.h"
#include "image/phantom.h"
#include "image/preview.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

/// A crop of a phantom, 20 x 18 x 16 voxels of 3 x 3.5 x 4 mm, RAS.
image::Image small_scan() {
  static const image::Image whole = image::make_phantom(3, {.spacing = {3, 3.5, 4}, .orientation = "RAS", .slab_mm = 80}).ct;
  image::Image scan = whole.with(whole.array().slice(0, 30, 50).slice(1, 20, 38).slice(2, 2, 18).contiguous());
  return scan;
}

fs::path write_scan(const fs::path& path, const image::Image& scan) {
  image::write_image(path, scan, {.dtype = DType::i16});
  return path;
}

std::int64_t count(const Array& mask, std::int64_t label) {
  std::int64_t n = 0;
  const Array values = mask.to(DType::i64).contiguous();
  for (std::int64_t i = 0; i < values.numel(); ++i) n += values.data<std::int64_t>()[i] == label;
  return n;
}

class Segment : public ::testing::Test {
 protected:
  ProgramResult segment(std::vector<std::string> args, const ProgramOptions& options = {}) {
    args.insert(args.begin(), {"segment", "--bundle", (dir / "tiny").string()});
    return run_program(args, options);
  }
  /// As segment(), and what it must not leave: partial or temporary files.
  std::vector<std::string> files_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(folder, ec)) names.push_back(entry.path().filename().string());
    return names;
  }
  TempDir dir;
};

TEST_F(Segment, WritesAMaskOnTheScansGridAndAReport) {
  write_tiny_bundle(dir / "tiny");
  const fs::path scan = write_scan(dir / "scan.nii.gz", small_scan());
  const fs::path mask_file = dir / "mask.nii.gz", report_file = dir / "report.json", picture = dir / "p.png";
  const ProgramResult r =
      segment({scan.string(), "-o", mask_file.string(), "--report", report_file.string(), "--preview", picture.string(), "--explain"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("spleen"));
  EXPECT_THAT(r.out, HasSubstr("GFLOP/s"));
  EXPECT_THAT(r.out, HasSubstr("not for diagnosis"));
  EXPECT_FALSE(fs::exists(dir / "tiny/eval")) << "the bundle's own SaveImaged must not write";
  EXPECT_GT(fs::file_size(picture), 1000u);

  const image::Image mask = image::read_image(mask_file), original = image::read_image(scan);
  EXPECT_EQ(mask.shape(), original.shape());
  EXPECT_EQ(mask.dtype(), DType::u8);
  EXPECT_LT(image::max_difference(mask.affine, original.affine), 1e-6);
  const std::int64_t found = count(mask.array(), 1);
  ASSERT_GT(found, 100);
  ASSERT_LT(found, mask.array().numel() - 100);

  const Value report = parse_json(read_text(report_file));
  const Dict& all = report.as_dict();
  EXPECT_EQ(all.at("bundle").as_dict().at("name"), Value("tiny"));
  EXPECT_EQ(all.at("bundle").as_dict().at("version"), Value("1.2.3"));
  EXPECT_EQ(all.at("bundle").as_dict().at("not_for_diagnosis"), Value(true));
  EXPECT_EQ(all.at("segmented"), Value(1));
  EXPECT_EQ(all.at("failed"), Value(0));
  EXPECT_FALSE(all.at("network").items().at(0).as_dict().at("steps").items().empty());
  const Dict& one = all.at("cases").items().at(0).as_dict();
  EXPECT_EQ(one.at("input"), Value(scan.string()));
  EXPECT_EQ(one.at("output"), Value(mask_file.string()));
  EXPECT_EQ(one.at("dtype"), Value("uint8"));
  const Dict& label = one.at("labels").items().at(0).as_dict();
  EXPECT_EQ(label.at("label"), Value(1));
  EXPECT_EQ(label.at("name"), Value("spleen"));
  EXPECT_EQ(label.at("voxels"), Value(found));
  EXPECT_NEAR(label.at("ml").as_float(), static_cast<double>(found) * 3 * 3.5 * 4 / 1000, 1e-6 * static_cast<double>(found));
  for (const char* stage : {"read", "preprocess", "network", "postprocess", "write", "preview"})
    EXPECT_GE(one.at("seconds").as_dict().at(stage).as_float(), 0) << stage;
  EXPECT_GT(one.at("peak_memory_bytes").as_int(), 10'000'000);
}

TEST_F(Segment, AnyOrientationGivesTheSameMask) {
  write_tiny_bundle(dir / "tiny");
  const image::Image upright = small_scan();
  write_scan(dir / "scans/upright.nii.gz", upright);
  struct Turned {
    std::string name;
    std::vector<int> axes;
    int flips;
  };
  std::vector<Turned> all;
  for (std::vector<int> axes{0, 1, 2};;) {
    for (int flips = 0; flips < 8; ++flips) {
      Turned t{"t" + std::to_string(all.size()), axes, flips};
      image::Affine map;  // voxel of the turned scan -> voxel of the upright one
      Array voxels = upright.array().permute(axes);
      for (int k = 0; k < 3; ++k) {
        map(k, k) = 0;
        const bool flip = flips >> k & 1;
        if (flip) voxels = voxels.flip(k);
      }
      for (int k = 0; k < 3; ++k) {
        const bool flip = flips >> k & 1;
        map(axes[k], k) = flip ? -1 : 1;
        map(axes[k], 3) = flip ? static_cast<double>(voxels.size(k) - 1) : 0;
      }
      write_scan(dir / "scans" / (t.name + ".nii.gz"), image::Image(voxels.contiguous(), upright.affine * map));
      all.push_back(t);
    }
    if (!std::next_permutation(axes.begin(), axes.end())) break;
  }
  ASSERT_EQ(all.size(), 48u);
  image::Affine oblique = upright.affine;
  const double c = std::cos(0.3), s = std::sin(0.3);
  const image::Affine turn{{{{c, -s, 0, 0}, {s, c, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}}};
  write_scan(dir / "scans/oblique.nii.gz", image::Image(upright.array(), turn * oblique));

  const ProgramResult r = segment({(dir / "scans").string(), "-o", (dir / "masks").string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("50 of 50 scans segmented"));
  const Array expected = image::read_image(dir / "masks/upright.nii.gz").array().contiguous();
  for (const Turned& t : all) {
    const image::Image mask = image::read_image(dir / "masks" / (t.name + ".nii.gz")), scan = image::read_image(dir / "scans" / (t.name + ".nii.gz"));
    ASSERT_EQ(mask.shape(), scan.shape()) << t.name;
    EXPECT_LT(image::max_difference(mask.affine, scan.affine), 1e-5) << t.name;
    Array back = mask.array();
    for (int k = 0; k < 3; ++k)
      if (t.flips >> k & 1) back = back.flip(k);
    std::vector<int> inverse(3);
    for (int k = 0; k < 3; ++k) inverse[static_cast<std::size_t>(t.axes[static_cast<std::size_t>(k)])] = k;
    back = back.permute(inverse).contiguous();
    std::int64_t differ = 0;
    for (std::int64_t i = 0; i < back.numel(); ++i) differ += back.data<std::uint8_t>()[i] != expected.data<std::uint8_t>()[i];
    EXPECT_LE(differ, back.numel() / 1000) << t.name;
  }
  const image::Image mask = image::read_image(dir / "masks/oblique.nii.gz"), scan = image::read_image(dir / "scans/oblique.nii.gz");
  EXPECT_EQ(mask.shape(), scan.shape());
  EXPECT_LT(image::max_difference(mask.affine, scan.affine), 1e-5);
  EXPECT_GT(count(mask.array(), 1), 100);
}

TEST_F(Segment, ABadScanIsReportedAndTheOthersGoOn) {
  write_tiny_bundle(dir / "tiny");
  write_scan(dir / "scans/a.nii.gz", small_scan());
  write_scan(dir / "scans/c.nii", small_scan());
  write_file(dir / "scans/b.nii.gz", "this is no scan at all");
  write_file(dir / "scans/notes.txt", "not an image, passed over");
  const ProgramResult r = segment({(dir / "scans").string(), (dir / "missing.nii.gz").string(), "-o", (dir / "masks").string(), "--json"});
  EXPECT_EQ(r.exit_code, 5) << r.err;
  EXPECT_THAT(r.err, HasSubstr("b.nii.gz"));
  EXPECT_THAT(r.err, HasSubstr("missing.nii.gz"));
  EXPECT_THAT(files_in(dir / "masks"), ::testing::UnorderedElementsAre("a.nii.gz", "c.nii.gz"));
  const Value report = parse_json(r.out);
  const auto& cases = report.as_dict().at("cases").items();
  ASSERT_EQ(cases.size(), 4u);
  EXPECT_EQ(cases[1].as_dict().at("kind"), Value("format"));
  EXPECT_EQ(cases[3].as_dict().at("kind"), Value("not-found"));
  EXPECT_EQ(cases[3].as_dict().at("exit_code"), Value(3));
  EXPECT_FALSE(cases[1].as_dict().contains("output"));
  EXPECT_EQ(report.as_dict().at("failed"), Value(2));
}

TEST_F(Segment, BadInputLeavesNoOutput) {
  write_tiny_bundle(dir / "tiny");
  const fs::path good = write_scan(dir / "good.nii.gz", small_scan());
  const std::string bytes = read_text(good);
  write_file(dir / "cut.nii.gz", bytes.substr(0, bytes.size() / 2));
  write_file(dir / "empty.nii.gz", "");
  image::write_image(dir / "flat.nii.gz", image::Image(Array::zeros({20, 18}, DType::i16)));
  image::write_image(dir / "two.nii.gz", image::Image(Array::zeros({20, 18, 16, 2}, DType::i16)), {.channel_dim = 3});
  const std::vector<std::pair<std::string, int>> cases{
      {"none.nii.gz", 3}, {"cut.nii.gz", 5}, {"empty.nii.gz", 5}, {"flat.nii.gz", 10}, {"two.nii.gz", 10}};
  for (const auto& [name, exit_code] : cases) {
    const ProgramResult r = segment({(dir / name).string(), "-o", (dir / "out/mask.nii.gz").string()});
    EXPECT_EQ(r.exit_code, exit_code) << name << ": " << r.err;
    EXPECT_THAT(r.err, HasSubstr(name));
    EXPECT_EQ(r.out, "") << name;
    EXPECT_TRUE(files_in(dir / "out").empty()) << name;
  }
}

TEST_F(Segment, WeightsThatAreNotThereOrDoNotFitAreNamed) {
  write_tiny_bundle(dir / "tiny", {.weights = ""});
  const fs::path scan = write_scan(dir / "scan.nii.gz", small_scan());
  ProgramResult r = segment({scan.string(), "-o", (dir / "mask.nii.gz").string()});
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_THAT(r.err, HasSubstr("model.pt"));
  EXPECT_THAT(r.err, HasSubstr("model.safetensors"));
  write_tiny_bundle(dir / "three", {.channels = {"background", "a", "b"}});
  fs::create_directories(dir / "tiny/models");
  fs::copy_file(dir / "three/models/model.pt", dir / "tiny/models/model.pt");
  r = segment({scan.string(), "-o", (dir / "mask.nii.gz").string()});
  EXPECT_EQ(r.exit_code, 8);
  EXPECT_THAT(r.err, HasSubstr("model.pt"));
  EXPECT_THAT(r.err, HasSubstr("checkpoint ["));
  EXPECT_FALSE(fs::exists(dir / "mask.nii.gz"));
}

TEST_F(Segment, TakesSafetensorsAndTorchScriptAsWell) {
  const fs::path scan = write_scan(dir / "scan.nii.gz", small_scan());
  std::vector<Array> masks;
  for (const std::string weights : {"model.pt", "model.safetensors", "model.ts"}) {
    const fs::path folder = dir / ("bundle_" + weights), out = dir / (weights + ".nii");
    write_tiny_bundle(folder, {.weights = weights});
    const ProgramResult r = run_program({"segment", scan.string(), "-o", out.string(), "--bundle", folder.string()});
    ASSERT_EQ(r.exit_code, 0) << weights << ": " << r.err;
    masks.push_back(image::read_image(out).array().contiguous());
  }
  for (std::int64_t i = 0; i < masks[0].numel(); ++i) {
    ASSERT_EQ(masks[1].data<std::uint8_t>()[i], masks[0].data<std::uint8_t>()[i]) << i;
    ASSERT_EQ(masks[2].data<std::uint8_t>()[i], masks[0].data<std::uint8_t>()[i]) << i;
  }
}

TEST_F(Segment, CtrlCEndsItWithoutOutput) {
  write_tiny_bundle(dir / "tiny");
  const fs::path scan = write_scan(dir / "scan.nii.gz", small_scan());
  // Hundreds of thousands of windows: minutes, if nobody interrupts.
  const ProgramResult r = segment({scan.string(), "-o", (dir / "out/mask.nii.gz").string(), "--override", "inferer::overlap=0.95", "--override",
                                   "preprocessing::transforms::3::pixdim=[0.5,0.5,0.5]"},
                                  {.interrupt_when = "tiny 1.2.3"});
  EXPECT_EQ(r.exit_code, 130) << r.err;
  EXPECT_TRUE(files_in(dir / "out").empty());
}

TEST_F(Segment, RefusesToReplaceAnInputOrToWriteTwoMasksToOneFile) {
  write_tiny_bundle(dir / "tiny");
  const fs::path scan = write_scan(dir / "scan.nii.gz", small_scan());
  const std::string before = read_text(scan);
  EXPECT_EQ(segment({scan.string(), "-o", (dir / "x/../scan.nii.gz").string()}).exit_code, 2);
  EXPECT_EQ(segment({dir.path().string(), "-o", dir.path().string()}).exit_code, 2);
  EXPECT_EQ(read_text(scan), before);
  write_scan(dir / "other/scan.nii", small_scan());
  EXPECT_EQ(segment({scan.string(), (dir / "other/scan.nii").string(), "-o", (dir / "masks").string()}).exit_code, 2);
  EXPECT_EQ(segment({scan.string(), (dir / "other/scan.nii").string(), "-o", (dir / "mask.nii.gz").string()}).exit_code, 2);
  EXPECT_EQ(segment({scan.string(), "-o", (dir / "mask.xyz").string()}).exit_code, 11);
  EXPECT_FALSE(fs::exists(dir / "masks"));
}

TEST_F(Segment, ShardsTakeEveryScanOnceAndSkipWhatIsDone) {
  write_tiny_bundle(dir / "tiny");
  for (const char* name : {"a", "b", "c", "d", "e"}) write_scan(dir / "scans" / (std::string(name) + ".nii.gz"), small_scan());
  const auto shard = [&](const std::string& which, std::vector<std::string> more = {}) {
    std::vector<std::string> args{"--json", (dir / "scans").string(), "-o", (dir / "masks").string(), "--shard", which};
    args.insert(args.end(), more.begin(), more.end());
    const ProgramResult result = segment(args);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const Value report = parse_json(result.out);
    return std::pair(report.as_dict().at("segmented").as_int(), report.as_dict().at("skipped").as_int());
  };
  EXPECT_EQ(shard("1/3"), std::pair(std::int64_t{2}, std::int64_t{0}));
  EXPECT_THAT(files_in(dir / "masks"), UnorderedElementsAre("b.nii.gz", "e.nii.gz"));
  EXPECT_EQ(shard("0/3").first + shard("2/3").first, 3);
  EXPECT_THAT(files_in(dir / "masks"), UnorderedElementsAre("a.nii.gz", "b.nii.gz", "c.nii.gz", "d.nii.gz", "e.nii.gz"));
  fs::remove(dir / "masks/d.nii.gz");
  EXPECT_EQ(shard("0/3", {"--skip-done"}), std::pair(std::int64_t{1}, std::int64_t{1}));
  EXPECT_EQ(shard("1/3", {"--skip-done"}), std::pair(std::int64_t{0}, std::int64_t{2}));
  EXPECT_EQ(shard("6/9"), std::pair(std::int64_t{0}, std::int64_t{0})) << "more shards than scans";
  for (const char* bad : {"3/3", "1", "a/2", "1/2x", "-1/2", "1/0"})
    EXPECT_EQ(segment({(dir / "scans").string(), "-o", (dir / "masks").string(), "--shard", bad}).exit_code, 2) << bad;
}

TEST_F(Segment, FindsBundlesByName) {
  write_tiny_bundle(dir / "shelf/my_bundle");
  const fs::path scan = write_scan(dir / "scan.nii.gz", small_scan());
  const ProgramOptions shelf{.environment = {"VESAL_BUNDLES=/nowhere:" + (dir / "shelf").string()}};
  const std::string mask = (dir / "mask.nrrd").string();
  ProgramResult r = run_program({"segment", scan.string(), "-o", mask, "--bundle", "my_bundle"}, shelf);
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_TRUE(fs::exists(mask));
  r = run_program({"segment", scan.string(), "-o", mask, "--bundle", "my_bundel"}, shelf);
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_THAT(r.err, HasSubstr("did you mean my_bundle?"));
}

TEST_F(Segment, InvertsAndDiscretizesWhereTheBundleDoesNot) {
  write_tiny_bundle(dir / "tiny");
  write_tiny_bundle(dir / "no_invert", {.postprocessing = R"({"_target_": "Activationsd", "keys": "pred", "softmax": true})"});
  write_tiny_bundle(dir / "nothing", {.postprocessing = ""});
  write_tiny_bundle(dir / "labels_first", {.postprocessing = R"({"_target_": "AsDiscreted", "keys": "pred", "argmax": true})"});
  const std::string scan = write_scan(dir / "scan.nii.gz", small_scan()).string();
  std::map<std::string, image::Image> masks;
  for (const std::string name : {"tiny", "no_invert", "nothing", "labels_first"}) {
    const std::string out = (dir / (name + ".nii.gz")).string();
    const ProgramResult r = run_program({"segment", scan, "-o", out, "--bundle", (dir / name).string()});
    ASSERT_EQ(r.exit_code, 0) << name << ": " << r.err;
    masks[name] = image::read_image(out);
    ASSERT_EQ(masks[name].dtype(), DType::u8) << name;
    ASSERT_EQ(masks[name].shape(), masks["tiny"].shape()) << name;
  }
  const auto differ = [&](const std::string& name) {
    const Array a = masks[name].array().contiguous(), b = masks["tiny"].array().contiguous();
    std::int64_t n = 0;
    for (std::int64_t i = 0; i < a.numel(); ++i) n += a.data<std::uint8_t>()[i] != b.data<std::uint8_t>()[i];
    return n;
  };
  EXPECT_EQ(differ("no_invert"), 0);
  EXPECT_LT(differ("nothing"), 5760 / 10) << "logits instead of probabilities are interpolated";
  EXPECT_LT(differ("labels_first"), 5760 / 5) << "labels instead of probabilities are interpolated";
}

TEST_F(Segment, OverlappingChannelsStayChannels) {
  write_tiny_bundle(dir / "tiny", {.channels = {"core", "whole", "enhancing"}, .postprocessing = R"(
    {"_target_": "Activationsd", "keys": "pred", "sigmoid": true},
    {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "image", "nearest_interp": false},
    {"_target_": "AsDiscreted", "keys": "pred", "threshold": 0.5})"});
  const fs::path scan = write_scan(dir / "scan.nii.gz", small_scan());
  const ProgramResult r = segment({scan.string(), "-o", (dir / "mask.nii.gz").string(), "--json", "--preview", (dir / "p.png").string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const image::Image mask = image::read_image(dir / "mask.nii.gz");
  EXPECT_EQ(mask.shape(), (Shape{20, 18, 16, 3}));
  const Value report = parse_json(r.out);
  const auto& labels = report.as_dict().at("cases").items()[0].as_dict().at("labels").items();
  ASSERT_EQ(labels.size(), 3u);
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ(labels[c].as_dict().at("label"), Value(c));
    EXPECT_EQ(labels[c].as_dict().at("voxels"), Value(count(mask.array().select(3, c), 1)));
  }
  EXPECT_EQ(labels[1].as_dict().at("name"), Value("whole"));
}

TEST_F(Segment, NeverHoldsClassesTimesVoxelsAsFloats) {
  TinyBundle many;
  many.channels = {"background"};
  for (int i = 1; i < 12; ++i) many.channels.push_back("organ " + std::to_string(i));
  const std::string spacing = "[3.0, 3.0, 3.0]";
  many.preprocessing.replace(many.preprocessing.find(spacing), spacing.size(), "[12.0, 12.0, 12.0]");
  write_tiny_bundle(dir / "tiny", many);
  const Shape shape{200, 200, 160};
  Array voxels = Array::empty(shape, DType::i16);
  for (std::int64_t i = 0; i < voxels.numel(); ++i) voxels.data<std::int16_t>()[i] = static_cast<std::int16_t>(i / 977 % 300);
  write_scan(dir / "large.nii.gz", image::Image(voxels, image::Affine::scale(2, 2, 2)));
  write_scan(dir / "small.nii.gz", small_scan());
  const auto peak = [&](const char* name) {
    const ProgramResult r = segment({(dir / name).string(), "-o", (dir / "masks").string() + "/", "--json"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return parse_json(r.out).as_dict().at("cases").items().at(0).as_dict().at("peak_memory_bytes").as_int();
  };
  // Twelve classes of 6.4 million voxels are 307 MB as floats; the scan itself is 26 MB.
  EXPECT_LT(peak("large.nii.gz") - peak("small.nii.gz"), 150'000'000);
  const image::Image mask = image::read_image(dir / "masks/large.nii.gz");
  EXPECT_EQ(mask.shape(), shape);
  EXPECT_EQ(mask.dtype(), DType::u8);
}

}  // namespace
}  // namespace vesal::tests
