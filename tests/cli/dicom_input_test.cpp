// DICOM where scans go in: vesal dicom list, segment, info.
#include <gmock/gmock.h>

#include <cstring>

#include "base/json.h"
#include "cli/program.h"
#include "cli/tiny_bundle.h"
#include "dicom_writer.h"
#include "image/formats.h"
#include "image/phantom.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// A crop of a phantom, 20 x 18 x 16 voxels of 3 x 3.5 x 4 mm, laid out as DICOM does.
image::Image small_scan() {
  static const image::Image whole = image::make_phantom(3, {.spacing = {3, 3.5, 4}, .orientation = "LPS", .slab_mm = 80}).ct;
  return whole.with(whole.array().slice(0, 30, 50).slice(1, 20, 38).slice(2, 2, 18).contiguous());
}

TEST(DicomInput, ListHidesPatientsUnlessAsked) {
  const TempDir dir;
  write_dicom(dir / "study", small_scan(), {.syntax = TransferSyntax::RLELossless});
  const ProgramResult plain = run_program({"dicom", "list", (dir / "study").string()});
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_THAT(plain.out, HasSubstr("volume: 20 x 18 x 16, 3 x 3.5 x 4 mm, axial, RLE"));
  EXPECT_THAT(plain.out, HasSubstr("SliceThickness is 6 mm, the slices lie 4 mm apart"));
  EXPECT_THAT(plain.out, Not(HasSubstr("Nobody")));
  EXPECT_THAT(run_program({"dicom", "list", (dir / "study").string(), "--names"}).out, HasSubstr("Nobody^Test"));

  const ProgramResult json = run_program({"--json", "dicom", "list", (dir / "study").string()});
  EXPECT_THAT(json.out, Not(HasSubstr("Nobody")));
  const Value report = parse_json(json.out);
  const Dict& series = report.as_dict().at("series").items().at(0).as_dict();
  EXPECT_EQ(series.at("series_instance_uid"), Value("2.25.1001"));
  EXPECT_EQ(series.at("volumes").items().at(0).as_dict().at("usable"), Value(true));

  fs::remove(dir / "study" / "slice0007.dcm");
  EXPECT_THAT(run_program({"dicom", "list", (dir / "study").string()}).out, HasSubstr("refused: one slice is missing"));
}

TEST(DicomInput, SegmentTakesAFolderOfSlicesAsOneScan) {
  const TempDir dir;
  write_tiny_bundle(dir / "tiny");
  const image::Image scan = small_scan();
  image::write_image(dir / "scan.nii.gz", scan, {.dtype = DType::i16});
  write_dicom(dir / "v1.2", scan);
  // A second volume that only a rule asks for.
  write_dicom(dir / "v1.2", scan.with(scan.array().slice(2, 0, 8)), {.series = "2.25.5", .prefix = "other"});
  const auto segment = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"segment", "--bundle", (dir / "tiny").string()});
    return run_program(args);
  };
  const ProgramResult dicom = segment({(dir / "v1.2").string(), "-o", (dir / "dicom.nii.gz").string()});
  ASSERT_EQ(dicom.exit_code, 0) << dicom.err;
  EXPECT_THAT(dicom.err, HasSubstr("of 2 volumes, it has the most slices"));
  ASSERT_EQ(segment({(dir / "scan.nii.gz").string(), "-o", (dir / "nifti.nii.gz").string()}).exit_code, 0);
  const image::Image a = image::read_image(dir / "dicom.nii.gz"), b = image::read_image(dir / "nifti.nii.gz");
  ASSERT_EQ(a.shape(), b.shape());
  EXPECT_LT(image::max_difference(a.affine, b.affine), 1e-4);
  const Array x = a.array().contiguous(), y = b.array().contiguous();
  EXPECT_EQ(std::memcmp(x.raw(), y.raw(), x.nbytes()), 0);

  // Into a folder: the mask has the folder's name, dots and all.
  ASSERT_EQ(segment({(dir / "v1.2").string(), "-o", (dir / "masks").string(), "--series", "slices<10"}).exit_code, 0);
  EXPECT_EQ(image::read_image(dir / "masks" / "v1.2.nii.gz").shape().at(2), 8);

  const ProgramResult none = segment({(dir / "v1.2").string(), "-o", (dir / "x.nii.gz").string(), "--series", "modality=PT"});
  EXPECT_EQ(none.exit_code, error_codes(ErrorKind::not_found).exit_code);
  EXPECT_THAT(none.err, HasSubstr("no volume fits modality=PT"));
  EXPECT_EQ(segment({(dir / "v1.2").string(), "-o", (dir / "x.nii.gz").string(), "--series", "colour=red"}).exit_code,
            error_codes(ErrorKind::usage).exit_code);
  EXPECT_FALSE(fs::exists(dir / "x.nii.gz"));
}

TEST(DicomInput, InfoDescribesAFolder) {
  const TempDir dir;
  write_dicom(dir / "study", small_scan());
  const ProgramResult r = run_program({"info", (dir / "study").string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("20 x 18 x 16, int16"));
  EXPECT_THAT(r.out, HasSubstr("LPS"));
}

}  // namespace
}  // namespace vesal::tests
