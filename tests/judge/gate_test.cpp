// One test per rule of the gate: a set that is right, one thing made wrong in it, what is found, and what the repair makes of it.
#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "base/file.h"
#include "base/json.h"
#include "image/formats.h"
#include "image/nifti.h"
#include "image/phantom.h"
#include "judge/dataset_gate.h"
#include "judge/dataset_repair.h"
#include "judge/grids.h"
#include "judge/scoring.h"
#include "paths.h"

namespace vesal::judge {
namespace {

namespace fs = std::filesystem;
using image::Affine;
using image::Image;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tests::TempDir;

constexpr int kSpleen = 1, kLiver = 5;

/// A phantom of coarse voxels; the labels are spleen and liver only.
image::Phantom make_case(std::uint64_t seed) {
  static std::map<std::uint64_t, image::Phantom> made;
  if (!made.contains(seed)) {
    image::Phantom p = image::make_phantom(seed, {.spacing = {5, 5, 6}, .orientation = "LAS", .slab_mm = 180});
    p.labels.set_array(mapped_labels(p.labels.array(), {{kSpleen, 1}, {kLiver, 2}}));
    made.emplace(seed, std::move(p));
  }
  return made.at(seed);
}

class Gate : public ::testing::Test {
 protected:
  Gate() {
    for (const auto& [name, seed] : {std::pair("a", 11), std::pair("b", 12)}) write(name, make_case(static_cast<std::uint64_t>(seed)));
    options.declared = {{1, "spleen"}, {2, "liver"}};
    options.modality = "CT";
  }
  fs::path scan(const std::string& name) const { return dir / "images" / (name + ".nii.gz"); }
  fs::path label(const std::string& name) const { return dir / "labels" / (name + ".nii.gz"); }
  void write(const std::string& name, const image::Phantom& p) const {
    image::write_image(scan(name), p.ct, {.dtype = DType::i16});
    image::write_image(label(name), p.labels);
  }
  void change(const fs::path& file, const std::function<void(Image&)>& how) const {
    Image image = image::read_image(file);
    image = Image(image.array().clone(), image.affine);
    how(image);
    image::write_image(file, image);
  }
  /// Bytes of the NIfTI header of an uncompressed copy; the list of cases follows the new name.
  void patch_header(const fs::path& file, const std::function<void(char*)>& how) const {
    const fs::path plain = file.parent_path() / file.stem();  // .nii
    image::write_image(plain, image::read_image(file));
    fs::remove(file);
    std::string bytes = read_text(plain);
    how(bytes.data());
    write_file(plain, bytes);
  }
  std::vector<Finding> check() const { return check_dataset(read_cases(dir.path()), validation, options); }
  /// "severity rule case" of each finding.
  static std::vector<std::string> listed(const std::vector<Finding>& findings) {
    std::vector<std::string> out;
    for (const Finding& f : findings) out.push_back(std::string(name_of(f.severity)) + " " + f.rule + " " + f.case_id);
    return out;
  }
  /// What the gate says about a repaired copy.
  std::vector<std::string> repaired() const {
    const fs::path out = dir / "repaired";
    const CaseSet set = read_cases(dir.path());
    repair_dataset(set, validation, options, check_dataset(set, validation, options), out);
    GateOptions again = options;
    again.label_map.clear();
    const CaseSet copy = read_cases(out);
    std::vector<LabelledCase> training, other;
    for (const LabelledCase& c : copy.cases) (c.split == "validation" ? other : training).push_back(c);
    return listed(check_dataset(with_cases(copy, training), with_cases(copy, other), again));
  }
  TempDir dir;
  GateOptions options;
  CaseSet validation;
};

TEST_F(Gate, ARightSetPasses) {
  const auto findings = check();
  EXPECT_THAT(listed(findings), IsEmpty());
  EXPECT_TRUE(passes(findings));
}

TEST_F(Gate, MissingAndDamagedFiles) {
  fs::remove(label("a"));
  write_file(scan("b"), "damaged");
  write("c", make_case(13));
  const auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error file b", "error pair a"));
  EXPECT_THAT(findings[0].message, HasSubstr("cannot be read"));
  EXPECT_FALSE(passes(findings));
  EXPECT_THAT(repaired(), ElementsAre("warning count ")) << "the one good case remains";

  write_file(
      dir / "dataset.json",
      R"({"training": [{"image": "images/none.nii.gz", "label": "labels/c.nii.gz"}, {"image": "images/c.nii.gz", "label": "labels/c.nii.gz"}]})");
  const auto listed_only = check();
  EXPECT_THAT(listed(listed_only), ElementsAre("error file none"));
  EXPECT_THAT(listed_only[0].message, HasSubstr("is not there"));
}

TEST_F(Gate, ALabelOnAnotherGridIsResampled) {
  const Image whole = image::read_image(label("a"));
  const Affine half = whole.affine * Affine::scale(2, 2, 1);
  image::write_image(label("a"), Image(whole.array().slice(0, 0, whole.array().size(0), 2).slice(1, 0, whole.array().size(1), 2).contiguous(), half));
  const auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error grid a"));
  EXPECT_THAT(findings[0].message, HasSubstr("10 x 10 x 6 mm"));
  EXPECT_THAT(repaired(), IsEmpty());
  const Image copy = image::read_image(dir / "repaired/labelsTr/a.nii.gz");
  const auto scores = score(volume_of(whole).to(DType::i32), copy.array(), copy.affine, {{1, "spleen"}, {2, "liver"}});
  EXPECT_GT(scores[0].dice, 0.8);
  EXPECT_GT(scores[1].dice, 0.9);
}

TEST_F(Gate, ALabelWithoutItsHeaderGetsTheScans) {
  change(label("a"), [](Image& i) { i.affine = Affine(); });
  const auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error grid a"));
  EXPECT_THAT(findings[0].message, HasSubstr("header was lost"));
  EXPECT_THAT(repaired(), IsEmpty());
  EXPECT_LT(image::max_difference(image::read_image(dir / "repaired/labelsTr/a.nii.gz").affine, image::read_image(scan("a")).affine), 1e-4);
}

TEST_F(Gate, ALabelSomewhereElseIsNotGuessed) {
  change(label("a"), [](Image& i) { i.affine(0, 3) += 900; });
  const auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error grid a"));
  EXPECT_EQ(findings[0].fix, Fix::none);
  EXPECT_THAT(repaired(), ElementsAre("warning count ")) << "left out";
}

TEST_F(Gate, ALabelStoredTheOtherWayRoundIsOnlyNoted) {
  change(label("a"), [](Image& i) {
    Affine flip;
    flip(0, 0) = -1, flip(0, 3) = static_cast<double>(i.array().size(0) - 1);
    i = Image(i.array().flip(0).clone(), i.affine * flip);
  });
  EXPECT_THAT(listed(check()), ElementsAre("note grid a"));
}

TEST_F(Gate, LabelsThatNothingDeclares) {
  change(label("a"), [](Image& i) { i.array().slice(0, 0, 1).slice(1, 0, 1).slice(2, 0, 1).copy_from(Array::full({1, 1, 1}, DType::u8, 9)); });
  change(label("a"), [](Image& i) {
    Array a = i.array();
    a.slice(0, 0, 1).fill(9);
  });
  const auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error labels a"));
  EXPECT_THAT(findings[0].message, HasSubstr("labels 9 are not declared (1 spleen, 2 liver are)"));
  EXPECT_THAT(repaired(), IsEmpty());
  options.label_map = {{1, 1}, {2, 2}};
  EXPECT_THAT(listed(check()), IsEmpty()) << "the user said that the others do not count";
}

TEST_F(Gate, LabelsAreWholeAndNotNegative) {
  change(label("a"), [](Image& i) {
    Array a = i.array().to(DType::f32);
    float* v = a.data<float>();
    for (std::int64_t k = 0; k < a.numel(); ++k) v[k] += v[k] > 0 ? 1e-4f : 0;
    i.set_array(a);
  });
  change(label("b"), [](Image& i) {
    Array a = i.array().to(DType::f32);
    a.slice(0, 4, 6).fill(0.5);
    i.set_array(a);
  });
  auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error labels a", "error labels b"));
  EXPECT_EQ(findings[0].fix, Fix::round);
  EXPECT_EQ(findings[1].fix, Fix::none) << "interpolated labels cannot be brought back";
  EXPECT_THAT(repaired(), ElementsAre("warning count "));
  change(label("b"), [](Image& i) { i.set_array(Array::full(i.array().shape(), DType::i16, -1)); });
  findings = check();
  EXPECT_THAT(findings[1].message, HasSubstr("negative"));
}

TEST_F(Gate, EmptyMasksAndClassesNeverSeen) {
  change(label("a"), [](Image& i) { i.set_array(Array::zeros(i.array().shape(), DType::u8)); });
  EXPECT_THAT(listed(check()), ElementsAre("warning empty a"));
  options.declared[7] = "pancreas";
  const auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error classes ", "warning empty a"));
  EXPECT_THAT(findings[0].message, HasSubstr("class 7 pancreas is declared and occurs in no training case"));
}

TEST_F(Gate, NanAndConstantScans) {
  change(scan("a"), [](Image& i) {
    Array a = i.array().to(DType::f32);
    a.slice(0, 3, 4).fill(std::nan(""));
    i.set_array(a);
  });
  change(scan("b"), [](Image& i) { i.set_array(Array::full(i.array().shape(), DType::i16, 7)); });
  const auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error values a", "error values b"));
  EXPECT_THAT(findings[0].message, HasSubstr("NaN"));
  EXPECT_THAT(findings[1].message, HasSubstr("every voxel is 7"));
}

TEST_F(Gate, HeadersWithoutOrientation) {
  patch_header(scan("a"), [](char* header) {
    header[252] = header[254] = 0;  // qform_code, sform_code
  });
  const auto findings = check();
  EXPECT_EQ(findings.back().rule, "orientation");
  EXPECT_THAT(findings.back().message, HasSubstr("neither sform nor qform"));
}

TEST_F(Gate, SpacingsThatNoPatientHas) {
  for (const auto& file : {scan("a"), label("a")}) change(file, [](Image& i) { i.affine = Affine::scale(0.01, 0.01, 0.01) * i.affine; });
  auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error spacing a"));
  EXPECT_THAT(findings[0].message, HasSubstr("no patient is"));
  const image::Phantom p = make_case(11);
  const Array big = Array::zeros({128, 20, 20}, DType::i16);
  Array noisy = big.clone();
  noisy.slice(0, 10, 100).fill(40);
  noisy.slice(0, 0, 9).fill(-1000);
  image::write_image(scan("a"), Image(noisy));
  image::write_image(label("a"), Image(mapped_labels(big, {})));
  findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("warning empty a", "warning spacing a"));
  EXPECT_THAT(findings[1].message, HasSubstr("exactly 1 x 1 x 1 mm"));
}

TEST_F(Gate, MetresAreConverted) {
  for (const auto& file : {scan("a"), label("a")}) {
    change(file, [](Image& i) { i.affine = Affine::scale(0.001, 0.001, 0.001) * i.affine; });
    patch_header(file, [](char* header) { header[123] = 1; });
  }
  const auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error spacing a"));
  EXPECT_THAT(findings[0].message, HasSubstr("metres"));
  EXPECT_THAT(repaired(), IsEmpty());
}

TEST_F(Gate, HounsfieldUnitsWithoutTheirIntercept) {
  change(scan("a"), [](Image& i) {
    Array a = i.array().to(DType::i32);
    std::int32_t* v = a.data<std::int32_t>();
    for (std::int64_t k = 0; k < a.numel(); ++k) v[k] = std::max(0, v[k] + 1024);
    i.set_array(a);
  });
  change(scan("b"), [](Image& i) {
    Array a = i.array().to(DType::f32);
    float* v = a.data<float>();
    for (std::int64_t k = 0; k < a.numel(); ++k) v[k] = std::clamp((v[k] + 160) / 400, 0.0f, 1.0f);
    i.set_array(a);
  });
  auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error intensity a", "error intensity b"));
  EXPECT_THAT(findings[0].message, HasSubstr("1024"));
  EXPECT_THAT(findings[1].message, HasSubstr("normalised"));
  EXPECT_THAT(repaired(), ElementsAre("warning count ")) << "a is repaired, b left out";
  options.modality = "MR";
  EXPECT_THAT(listed(check()), IsEmpty());
}

TEST_F(Gate, DuplicatesInsideAndAcross) {
  image::write_image(scan("copy"), make_case(11).ct, {.dtype = DType::f32});
  image::write_image(label("copy"), make_case(11).labels);
  Image turned = make_case(12).ct;
  Affine flip;
  flip(1, 1) = -1, flip(1, 3) = static_cast<double>(turned.array().size(1) - 1);
  image::write_image(dir / "more/images/t.nii.gz", Image(turned.array().flip(1).clone(), turned.affine * flip), {.dtype = DType::i16});
  image::write_image(dir / "more/labels/t.nii.gz", make_case(12).labels);
  auto findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error duplicate copy"));
  EXPECT_THAT(findings[0].message, HasSubstr("the same voxels as a"));
  validation = read_cases(dir / "more");
  findings = check();
  EXPECT_THAT(listed(findings), ElementsAre("error duplicate copy", "error leak t", "note grid t"));
  EXPECT_THAT(findings[1].message, HasSubstr("otherwise ordered, voxels as b, which is in the training set"));
  EXPECT_THAT(repaired(), IsEmpty()) << "both are dropped";
}

TEST_F(Gate, OneCaseIsFew) {
  fs::remove(scan("b"));
  fs::remove(label("b"));
  EXPECT_THAT(listed(check()), ElementsAre("warning count "));
}

TEST_F(Gate, AnatomyTellsHeadersThatLie) {
  struct {
    double x, y;
    Fix fix;
    const char* says;
  } const lies[] = {{-1, -1, Fix::turn_z, "LPS while the header says RAS"},
                    {-1, 1, Fix::mirror_x, "left and right are exchanged"},
                    {1, -1, Fix::mirror_y, "front and back are exchanged"}};
  for (const auto& lie : lies) {
    write("a", make_case(11));
    for (const auto& file : {scan("a"), label("a")}) change(file, [&](Image& i) { i.affine = Affine::scale(lie.x, lie.y, 1) * i.affine; });
    const auto findings = check();
    EXPECT_THAT(listed(findings), ElementsAre("error anatomy a")) << lie.says;
    EXPECT_EQ(findings[0].fix, lie.fix);
    EXPECT_THAT(findings[0].message, HasSubstr(lie.says));
    EXPECT_THAT(repaired(), IsEmpty());
    EXPECT_LT(image::max_difference(image::read_image(dir / "repaired/imagesTr/a.nii.gz").affine, make_case(11).ct.affine), 1e-3) << lie.says;
    fs::remove_all(dir / "repaired");
  }
  // One organ on the wrong side and one on the proper one: the labels are mixed up.
  write("a", make_case(11));
  options.declared = {{1, "liver"}, {2, "right kidney"}};
  EXPECT_EQ(listed(check())[0], "error anatomy a");
}

TEST_F(Gate, RealScansAndTheSameTurned) {
  SKIP_WITHOUT_SHARED("ct_3mm/ct.nii.gz");
  for (const char* name : {"ct_3mm", "ct_dicom"}) {
    const fs::path folder = tests::shared(name);
    GateOptions spleen;
    spleen.label_map = {{1, 1}};
    spleen.declared = {{1, "spleen"}};
    const auto findings = [&](const fs::path& image, const fs::path& label) {
      return listed(check_dataset(read_cases(fs::path(image.string() + "," + label.string())), {}, spleen));
    };
    const auto truth = findings(folder / "ct.nii.gz", folder / "organs.nii.gz");
    EXPECT_EQ(std::count(truth.begin(), truth.end(), "error anatomy ct"), 0) << name;
    const Image ct = image::read_image(folder / "ct.nii.gz"), organs = image::read_image(folder / "organs.nii.gz");
    const Affine turn = Affine::scale(-1, -1, 1);
    image::write_image(dir / "ct.nii", Image(ct.array(), turn * ct.affine));
    image::write_image(dir / "organs.nii", Image(organs.array(), turn * organs.affine));
    EXPECT_EQ(findings(dir / "ct.nii", dir / "organs.nii")[0], "error anatomy ct") << name;
  }
}

TEST_F(Gate, RepairsGoIntoANewFolder) {
  write_file(dir / "there/file", "x");
  EXPECT_THROW(repair_dataset(read_cases(dir.path()), {}, options, {}, dir / "there"), Error);
  EXPECT_TRUE(fs::exists(dir / "there/file"));
  const Repaired r = repair_dataset(read_cases(dir.path()), {}, options, {}, dir / "new");
  EXPECT_EQ(r.training, 2u);
  EXPECT_TRUE(fs::exists(dir / "new/repairs.json"));
  EXPECT_EQ(read_cases(dir / "new").labels.at(2), "liver");
}

}  // namespace
}  // namespace vesal::judge
