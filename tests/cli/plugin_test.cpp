// Networks are loaded late, from beside the program or its library folder and from nowhere else.
#include <gmock/gmock.h>

#include "cli/program.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const fs::path kLibrary = fs::path(VESAL_BINARY).parent_path() / "libvesal_torch.so";

fs::path copied(const fs::path& file, const fs::path& folder) {
  fs::create_directories(folder);
  fs::copy_file(file, folder / file.filename());
  return folder / file.filename();
}

TEST(LateNetworks, AreMissedOnlyWhereTheyAreNeeded) {
  const TempDir folder;
  const fs::path program = copied(VESAL_BINARY, folder / "bin");
  // The library in the working folder, and where the loader of the system looks, is not the program's.
  const fs::path elsewhere = folder / "elsewhere";
  fs::create_directories(elsewhere);
  fs::create_symlink(kLibrary, elsewhere / kLibrary.filename());
  const ProgramOptions there{.program = program, .folder = elsewhere, .environment = {"LD_LIBRARY_PATH=" + elsewhere.string()}};

  EXPECT_EQ(run_program({"--help"}, there).exit_code, 0);
  EXPECT_EQ(run_program({"components", "Spacingd"}, there).exit_code, 0);
  const ProgramResult missing = run_program({"components", "UNet"}, there);
  EXPECT_EQ(missing.exit_code, 11);
  EXPECT_THAT(missing.err, AllOf(HasSubstr("networks cannot run here"), HasSubstr((folder / "bin/libvesal_torch.so").string()),
                                 HasSubstr((folder / "lib/vesal/libvesal_torch.so").string())));
  const ProgramResult phantom = run_program({"phantom", "-q", "-o", (folder / "phantom").string(), "--spacing", "8", "8", "8"}, there);
  EXPECT_EQ(phantom.exit_code, 0) << phantom.err;
}

TEST(LateNetworks, LieInTheLibraryFolderOfAnInstalledProgram) {
  const TempDir folder;
  const fs::path program = copied(VESAL_BINARY, folder / "bin");
  copied(kLibrary, folder / "lib/vesal");
  const ProgramResult found = run_program({"components", "UNet"}, {.program = program});
  EXPECT_EQ(found.exit_code, 0) << found.err;
  EXPECT_THAT(found.out, HasSubstr("UNet (network)"));
}

TEST(LateDicom, IsMissedOnlyWhereItIsNeeded) {
  const TempDir folder;
  const ProgramOptions alone{.program = copied(VESAL_BINARY, folder / "bin")};
  const ProgramResult help = run_program({"--help"}, alone);
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("dicom "));
  const auto expect_missing = [&](const std::vector<std::string>& command) {
    const ProgramResult missing = run_program(command, alone);
    EXPECT_EQ(missing.exit_code, 11) << command[0];
    EXPECT_THAT(missing.err, AllOf(HasSubstr("DICOM cannot be done here"), HasSubstr((folder / "bin/libvesal_dicom.so").string())));
  };
  expect_missing({"dicom", "list", "."});
  expect_missing({"segment", "--help"});
  expect_missing({"segment", "a.nii.gz", "-o", "a.seg.dcm"});
}

TEST(LateNetworks, WaitAsleepUnlessTheUserSaysOtherwise) {
  unsetenv("OMP_WAIT_POLICY");
  unsetenv("GOMP_SPINCOUNT");  // set by this program itself where the first was not
  const std::string show = "OMP_DISPLAY_ENV=verbose";
  EXPECT_THAT(run_program({"components", "Spacingd"}, {.environment = {show}}).err, IsEmpty()) << "nothing of OpenMP is loaded";
  EXPECT_THAT(run_program({"components", "UNet"}, {.environment = {show}}).err,
              AllOf(HasSubstr("GOMP_SPINCOUNT = '0'"), HasSubstr("OMP_WAIT_POLICY = 'PASSIVE'")));
  EXPECT_THAT(run_program({"components", "UNet"}, {.environment = {show, "OMP_WAIT_POLICY=active"}}).err,
              AllOf(HasSubstr("OMP_WAIT_POLICY = 'ACTIVE'"), Not(HasSubstr("GOMP_SPINCOUNT = '0'"))));
}

}  // namespace
}  // namespace vesal::tests
