// `vesal dicom deidentify` on a real series; every name in what it writes is looked for in the bytes.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "image/dicom_files.h"
#include "paths.h"
#include "program.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class DicomDeidentify : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_SHARED("ct_dicom/series"); }
  std::vector<fs::path> written() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "out"))
      if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
  }

  fs::path series_ = shared("ct_dicom/series");
  TempDir folder_;
};

TEST_F(DicomDeidentify, ARealSeriesKeepsItsVoxelsAndLosesItsIdentifiers) {
  const std::string out = (folder_ / "out").string(), map = (folder_ / "map.json").string();
  const ProgramResult first = run_program({"dicom", "deidentify", series_.string(), "-o", out, "--map", map, "--json"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(parse_json(first.out).as_dict().at("written").as_int(), 20);
  const std::vector<fs::path> files = written();
  ASSERT_EQ(files.size(), 20u);
  std::set<std::string> originals;
  for (const auto& file : image::find_dicom_files(series_)) originals.insert(image::DicomObject(file).sop_instance());
  ASSERT_EQ(originals.size(), 20u);
  for (const fs::path& file : files) {
    const std::string bytes = read_text(file);
    for (const std::string& uid : originals) EXPECT_EQ(bytes.find(uid), std::string::npos) << file;
    EXPECT_EQ(bytes.find("20221208"), std::string::npos) << file;  // a date of the source
  }
  // The same map gives the same names: nothing new.
  const ProgramResult second = run_program({"dicom", "deidentify", series_.string(), "-o", out, "--map", map});
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(written(), files);
  EXPECT_EQ(fs::status(map).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(DicomDeidentify, RefusesToMixWhatMustStayApart) {
  const auto run = [&](const fs::path& out, const fs::path& map) {
    return run_program({"dicom", "deidentify", series_.string(), "-o", out.string(), "--map", map.string()});
  };
  const ProgramResult inside = run(series_ / "copies", folder_ / "map.json");
  EXPECT_NE(inside.exit_code, 0);
  EXPECT_THAT(inside.err, HasSubstr("lies in"));
  EXPECT_FALSE(fs::exists(series_ / "copies"));
  const ProgramResult beside = run(folder_ / "out", folder_ / "out" / "map.json");
  EXPECT_NE(beside.exit_code, 0);
  EXPECT_THAT(beside.err, HasSubstr("put it elsewhere"));
}

TEST_F(DicomDeidentify, SaysWhichFilesAreDamaged) {
  const fs::path in = folder_ / "in";
  fs::create_directories(in);
  const fs::path one = image::find_dicom_files(series_).front().path();
  const std::string bytes = read_text(one);
  write_file(in / "good.dcm", bytes);
  write_file(in / "cut.dcm", bytes.substr(0, 900));
  write_file(in / "letter.txt", "Dear colleague");
  const ProgramResult result = run_program({"dicom", "deidentify", in.string(), "-o", (folder_ / "out").string(), "--map", (folder_ / "m").string()});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("1 objects of 1 patients"));
  EXPECT_THAT(result.out, HasSubstr("cut.dcm"));
  EXPECT_THAT(result.out, HasSubstr("no DICOM objects"));
  EXPECT_EQ(written().size(), 1u);
}

}  // namespace
}  // namespace vesal::tests
