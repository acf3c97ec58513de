// Damaged and hostile files through the real program: one clear line that names the file, the documented exit code, no output, no code run.
#include <gmock/gmock.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "base/file.h"
#include "base/json.h"
#include "cli/program.h"
#include "cli/tiny_bundle.h"
#include "image/formats.h"
#include "image/gzip.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A NIfTI-1 file of 8 x 8 x 8 int16 voxels whose header a test damages.
class Nifti {
 public:
  Nifti() : bytes_(352 + 8 * 8 * 8 * 2, '\0') {
    put<std::int32_t>(0, 348);
    const std::int16_t dim[8] = {3, 8, 8, 8, 1, 1, 1, 1};
    for (int i = 0; i < 8; ++i) put<std::int16_t>(40 + 2 * i, dim[i]);
    type(4, 16);
    for (int i = 0; i < 8; ++i) put<float>(76 + 4 * i, 1);
    put<float>(108, 352);
    put<std::int16_t>(254, 1);
    for (int i = 0; i < 3; ++i) put<float>(280 + 16 * i + 4 * i, 2);
    std::memcpy(bytes_.data() + 344, "n+1", 4);
  }
  template <class T>
  Nifti& put(std::size_t at, T value) {
    std::memcpy(bytes_.data() + at, &value, sizeof value);
    return *this;
  }
  Nifti& type(std::int16_t code, std::int16_t bits) { return put(70, code).put(72, bits); }
  Nifti& dim(int axis, std::int16_t extent) { return put<std::int16_t>(40 + 2 * static_cast<std::size_t>(axis), extent); }
  const std::string& bytes() const { return bytes_; }
  std::string gzipped() const {
    const auto packed = image::gzip_member(std::as_bytes(std::span(bytes_)), 6);
    return {reinterpret_cast<const char*>(packed.data()), packed.size()};
  }

 private:
  std::string bytes_;
};

/// The failure a user sees: its one line, and nothing left behind.
void expect_failure(const ProgramResult& r, int exit_code, const std::string& names) {
  EXPECT_EQ(r.exit_code, exit_code) << r.err;
  EXPECT_EQ(r.out, "");
  std::vector<std::string> lines;
  std::istringstream text(r.err);
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("vesal: ")) lines.push_back(line);
  ASSERT_EQ(lines.size(), 1u) << r.err;
  EXPECT_THAT(lines[0], HasSubstr(names));
}

class Hostile : public ::testing::Test {
 protected:
  void SetUp() override { write_tiny_bundle(dir / "tiny"); }
  ProgramResult segment(const fs::path& scan) {
    return run_program({"segment", scan.string(), "-o", (dir / "mask.nii.gz").string(), "--bundle", (dir / "tiny").string()});
  }
  TempDir dir;
};

TEST_F(Hostile, TheScanAllThisStartsFromIsGood) {
  write_file(dir / "good.nii", Nifti().bytes());
  EXPECT_EQ(segment(dir / "good.nii").exit_code, 0);
  write_file(dir / "good.nii.gz", Nifti().gzipped());
  EXPECT_EQ(segment(dir / "good.nii.gz").exit_code, 0);
}

TEST_F(Hostile, Scans) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Nifti singular;
  for (int i = 0; i < 4; ++i) singular.put<float>(312 + 4 * static_cast<std::size_t>(i), 0);
  struct Case {
    const char* name;
    std::string bytes;
    int exit_code;
  };
  const std::vector<Case> cases{
      {"empty.nii", "", 5},
      {"empty.nii.gz", "", 5},
      {"cut.nii", Nifti().bytes().substr(0, 700), 5},
      {"header-only.nii", Nifti().bytes().substr(0, 200), 5},
      {"cut.nii.gz", Nifti().gzipped().substr(0, 60), 5},
      {"damaged.nii.gz", Nifti().gzipped().replace(40, 8, "XXXXXXXX"), 5},
      {"wrong-magic.nii", Nifti().put<std::uint32_t>(344, 0x31415926).bytes(), 5},
      {"text.nii.gz", "this is no scan at all\n", 5},
      {"nine-axes.nii", Nifti().dim(0, 9).bytes(), 5},
      {"negative.nii", Nifti().dim(2, -8).bytes(), 5},
      {"bomb.nii.gz", Nifti().dim(1, 32767).dim(2, 32767).dim(3, 32767).gzipped(), 5},
      {"smaller-than-declared.nii", Nifti().dim(3, 16).bytes(), 5},
      {"offset.nii", Nifti().put<float>(108, 1e9f).bytes(), 5},
      {"offset-nan.nii", Nifti().put<float>(108, nan).bytes(), 5},
      {"nan-affine.nii", Nifti().put<float>(280, nan).bytes(), 9},
      {"singular-affine.nii", singular.bytes(), 9},
      {"unknown-type.nii", Nifti().type(77, 16).bytes(), 5},
      {"complex.nii", Nifti().type(32, 64).bytes(), 11},
      {"rgb.nii", Nifti().type(128, 24).dim(3, 4).bytes(), 11},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    write_file(dir / c.name, c.bytes);
    expect_failure(segment(dir / c.name), c.exit_code, c.name);
    EXPECT_FALSE(fs::exists(dir / "mask.nii.gz"));
  }
}

TEST_F(Hostile, OtherFormats) {
  write_file(dir / "a.nrrd", "NRRD0005\ntype: short\ndimension: 3\nsizes: 99999999 99999999 99999999\nencoding: raw\n\n");
  write_file(dir / "a.mha", "ObjectType = Image\nNDims = 3\nDimSize = 8 8 8\nElementType = MET_SHORT\nElementDataFile = LOCAL\n");
  write_file(dir / "away.mhd", "ObjectType = Image\nNDims = 3\nDimSize = 8 8 8\nElementType = MET_UCHAR\nElementDataFile = /etc/passwd\n");
  for (const char* name : {"a.nrrd", "a.mha", "away.mhd"}) {
    SCOPED_TRACE(name);
    const ProgramResult r = segment(dir / name);
    EXPECT_THAT(r.exit_code, ::testing::AnyOf(5, 7, 12)) << r.err;
    expect_failure(r, r.exit_code, name);
    EXPECT_FALSE(fs::exists(dir / "mask.nii.gz"));
  }
}

TEST_F(Hostile, Checkpoints) {
  write_file(dir / "good.nii", Nifti().bytes());
  const fs::path weights = dir / "tiny/models/model.pt";
  const std::string good = read_text(weights);
  struct Case {
    const char* name;
    std::string bytes;
    int exit_code;
  };
  const auto stored = [](const std::string& file) { return read_text(data("bundle/data/checkpoints/" + file)); };
  const std::vector<Case> cases{{"cut", good.substr(0, good.size() / 2), 5},
                                {"empty", "", 5},
                                {"runs a program", stored("evil_system.pt"), 7},
                                {"evaluates", stored("evil_eval.pt"), 7},
                                {"legacy", stored("tar.pt"), 11},
                                {"bomb", stored("bomb.pt"), 5},
                                {"another network", stored("state.pt"), 8}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    write_file(weights, c.bytes);
    expect_failure(segment(dir / "good.nii"), c.exit_code, "model.pt");
    EXPECT_FALSE(fs::exists(dir / "mask.nii.gz"));
  }
}

TEST_F(Hostile, Configurations) {
  write_file(dir / "good.nii", Nifti().bytes());
  const fs::path file = dir / "tiny/configs/inference.json", witness = dir / "witness";
  const Value good = parse_json(read_text(file));
  const std::string touch = "touch " + witness.string();
  const auto with_spacing = [&](const std::string& value) {
    Dict config = good.as_dict();
    config["inferer"] = value;
    return to_json(config);
  };
  struct Case {
    std::string text;
    int exit_code;
  };
  const std::vector<Case> cases{
      {with_spacing("@inferer"), 6},
      {with_spacing("$__import__('os').system('" + touch + "')"), 7},
      {with_spacing("$os.system('" + touch + "')"), 7},
      {with_spacing("$().__class__.__base__.__subclasses__()"), 7},
      {with_spacing("$open('" + witness.string() + "', 'w')"), 7},
      {with_spacing("$(lambda x: x.__globals__)(print)"), 7},
      {with_spacing("$'{0.__class__}'.format(1)"), 7},
      {with_spacing("$[1, 2"), 6},
      {with_spacing("$10 ** 10 ** 10"), 7},
      {with_spacing("$'a' * 10 ** 12"), 7},
      {"{\"a\": ", 5},
      {"[1, 2]", 6},
      {std::string(200000, '['), 5},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text.substr(0, 300));
    write_file(file, c.text);
    const ProgramResult r = segment(dir / "good.nii");
    expect_failure(r, r.exit_code, "inference.json");
    EXPECT_THAT(r.exit_code, ::testing::AnyOf(c.exit_code, 6)) << r.err;
    EXPECT_FALSE(fs::exists(witness));
    EXPECT_FALSE(fs::exists(dir / "mask.nii.gz"));
  }
}

}  // namespace
}  // namespace vesal::tests
