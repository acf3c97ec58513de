// Volumes of a phantom as DICOM: every orientation and order, every transfer syntax, and what is repaired or refused.
#include "image/dicom_volume.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dicom_writer.h"
#include "image/dicom_select.h"
#include "paths.h"

namespace vesal::image {
namespace {

using gdcm::VR;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tests::DataSet;
using tests::DicomWriting;
using tests::TempDir;
using tests::TransferSyntax;
using tests::write_dicom;

/// No two voxels alike, values from -900 up; nothing symmetric.
Image phantom(const Shape& shape = {18, 14, 6},
              const Affine& affine = Affine{{{{-0.8, 0, 0, 31}, {0, -1.1, 0, 17}, {0, 0, 2.5, -40}, {0, 0, 0, 1}}}}) {
  Array a = Array::empty(shape, DType::i16);
  std::int64_t i = 0;
  for (std::int16_t *p = a.data<std::int16_t>(), *end = p + a.numel(); p != end; ++p) *p = static_cast<std::int16_t>(i++ * 7 % 2900 - 900);
  return Image(a, affine);
}

/// Voxel by voxel through both affines.
void expect_same_scan(const Image& got, const Image& want) {
  ASSERT_EQ(got.array().numel(), want.array().numel());
  const Affine there = inverse(want.affine) * got.affine;
  const Shape shape = got.shape(), theirs = want.shape();
  for (std::int64_t x = 0; x < shape[0]; ++x)
    for (std::int64_t y = 0; y < shape[1]; ++y)
      for (std::int64_t z = 0; z < shape[2]; ++z) {
        const auto p = apply(there, {static_cast<double>(x), static_cast<double>(y), static_cast<double>(z)});
        std::array<std::int64_t, 3> q{};
        for (std::size_t i = 0; i < 3; ++i) {
          q[i] = std::lround(p[i]);
          ASSERT_NEAR(p[i], static_cast<double>(q[i]), 1e-4);
          ASSERT_TRUE(q[i] >= 0 && q[i] < theirs[i]);
        }
        ASSERT_EQ(got.array().at({x, y, z}), want.array().at({q[0], q[1], q[2]})) << x << " " << y << " " << z;
      }
}

/// The 48 ways to lay voxel axes along the world's.
std::vector<Affine> all_orientations() {
  std::vector<Affine> out;
  const std::array<double, 3> spacing{0.8, 1.1, 2.5};
  std::array<int, 3> axes{0, 1, 2};
  do {
    for (int signs = 0; signs < 8; ++signs) {
      Affine a;
      for (int c = 0; c < 3; ++c) {
        for (int r = 0; r < 3; ++r) a(r, c) = 0;
        a(axes[static_cast<std::size_t>(c)], c) = spacing[static_cast<std::size_t>(c)] * (signs >> c & 1 ? -1 : 1);
        a(c, 3) = 10 * c - 17;
      }
      out.push_back(a);
    }
  } while (std::next_permutation(axes.begin(), axes.end()));
  return out;
}

DicomVolume only_volume(const TempDir& folder) {
  const DicomStudy study = read_dicom_study(folder.path());
  EXPECT_EQ(study.series.size(), 1u);
  const auto volumes = volumes_of(study.series.at(0));
  EXPECT_EQ(volumes.size(), 1u);
  return volumes.at(0);
}

std::string refusal_of(const TempDir& folder) {
  try {
    read_image(folder.path());
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::geometry);
    return e.what();
  }
  return "";
}

TEST(DicomVolume, AllOrientationsAndBothOrdersComeBack) {
  const auto orientations = all_orientations();
  ASSERT_EQ(orientations.size(), 48u);
  for (const Affine& affine : orientations)
    for (const bool reversed : {false, true})
      for (const bool enhanced : {false, true}) {
        const TempDir folder;
        const Image scan = phantom({7, 5, 4}, affine);
        write_dicom(folder.path(), scan, {.enhanced = enhanced, .reversed = reversed});
        const Image got = read_image(folder.path());
        expect_same_scan(got, scan);
        if (HasFatalFailure()) FAIL() << axcodes(orientation_of(affine)) << (reversed ? " reversed" : "") << (enhanced ? " enhanced" : "");
        // Each plane knows the frame it came from.
        const auto source = dicom_source_of(got);
        for (std::int64_t z = 0; z < 4; ++z) {
          const DicomSlice& s = source->slices()[static_cast<std::size_t>(z)];
          const auto here = apply(got.affine, {0, 0, static_cast<double>(z)}), there = apply(source->frame_affine(z), {0, 0, 0});
          for (std::size_t i = 0; i < 3; ++i) ASSERT_NEAR(here[i], there[i], 1e-6);
          const auto original = std::lround(apply(inverse(affine) * got.affine, {0, 0, static_cast<double>(z)})[2]);
          if (enhanced) ASSERT_EQ(s.frame, reversed ? 3 - original : original);
          else ASSERT_EQ(s.sop_instance, fmt::format("2.25.1001.{}", original + 1));
        }
      }
}

TEST(DicomVolume, ObliqueStacksComeBack) {
  const double c = std::cos(0.4), s = std::sin(0.4);
  const Affine oblique = Affine{{{{c, -s * c, s * s, 5}, {s, c * c, -c * s, -7}, {0, s, c, 11}, {0, 0, 0, 1}}}} * Affine::scale(0.7, 0.9, 1.25);
  const TempDir folder;
  write_dicom(folder.path(), phantom({9, 8, 7}, oblique));
  const Image got = read_image(folder.path());
  EXPECT_LT(max_difference(got.affine, oblique), 1e-6);
  expect_same_scan(got, phantom({9, 8, 7}, oblique));
}

class DicomSyntax : public ::testing::TestWithParam<TransferSyntax::TSType> {};

TEST_P(DicomSyntax, PixelsComeBackExactly) {
  for (const bool enhanced : {false, true})
    for (const bool is_signed : {false, true}) {
      const TempDir folder;
      const Image scan = phantom({40, 36, 3});
      const DicomWriting how{
          .syntax = GetParam(), .enhanced = enhanced, .is_signed = is_signed, .bits_stored = 12, .intercept = is_signed ? 0. : -1024.};
      write_dicom(folder.path(), scan, how);
      const Image got = read_image(folder.path());
      EXPECT_EQ(got.dtype(), DType::i16);
      EXPECT_EQ(dicom_source_of(got)->slices()[0].transfer_syntax, TransferSyntax::GetTSString(GetParam()));
      // Signed JPEG 2000 and JPEG keep 12 bits of two's complement; -900 to 2000 fits.
      expect_same_scan(got, scan);
      if (HasFatalFailure()) FAIL() << (enhanced ? "enhanced" : "classic") << (is_signed ? " signed" : " unsigned");
    }
}
INSTANTIATE_TEST_SUITE_P(Lossless, DicomSyntax,
                         ::testing::Values(TransferSyntax::ImplicitVRLittleEndian, TransferSyntax::ExplicitVRLittleEndian,
                                           TransferSyntax::ExplicitVRBigEndian, TransferSyntax::DeflatedExplicitVRLittleEndian,
                                           TransferSyntax::RLELossless, TransferSyntax::JPEGLosslessProcess14_1, TransferSyntax::JPEGLSLossless,
                                           TransferSyntax::JPEG2000Lossless),
                         [](const auto& info) { return fmt::format("Syntax{}", static_cast<int>(info.param)); });

TEST(DicomVolume, RescalesSliceBySliceIntoTheNarrowestType) {
  const TempDir folder;
  write_dicom(folder.path(), phantom(), {.is_signed = false, .intercept = -1024, .change = [](DataSet& d, std::int64_t z) {
                                           if (z == 2) tests::put_ds(d, 0x00281053, {2});
                                         }});
  const Image twice = read_image(folder.path());
  EXPECT_EQ(twice.dtype(), DType::i16);
  EXPECT_EQ(twice.array().at({3, 2, 1}), phantom().array().at({3, 2, 1}));
  EXPECT_EQ(twice.array().at({3, 2, 2}), (phantom().array().at({3, 2, 2}) + 1024) * 2 - 1024);

  const TempDir fractions;
  write_dicom(fractions.path(), phantom(), {.change = [](DataSet& d, std::int64_t) { tests::put_ds(d, 0x00281053, {0.5}); }});
  EXPECT_EQ(read_image(fractions.path()).dtype(), DType::f32);
  EXPECT_EQ(read_image(fractions.path()).array().at({1, 2, 3}), phantom().array().at({1, 2, 3}) / 2);
  // Values beyond int16, which only the pixels tell.
  const TempDir wide;
  write_dicom(wide.path(), phantom(), {.change = [](DataSet& d, std::int64_t) { tests::put_ds(d, 0x00281052, {32000}); }});
  EXPECT_EQ(read_image(wide.path()).dtype(), DType::f32);
  EXPECT_EQ(read_image(wide.path()).array().at({1, 2, 3}), phantom().array().at({1, 2, 3}) + 32000);
  EXPECT_EQ(read_image(folder.path(), {.dtype = DType::f32}).dtype(), DType::f32);
}

TEST(DicomVolume, PaddingBecomesAir) {
  Image scan = phantom();
  scan.array();
  Array voxels = scan.array().clone();
  voxels.data<std::int16_t>()[5] = -2000;
  const auto padded = [](int value) {
    return [value](DataSet& d, std::int64_t) {
      tests::put(d, 0x00280120, VR::SS, std::string({static_cast<char>(value & 0xff), static_cast<char>(value >> 8)}));
    };
  };
  const TempDir folder;
  write_dicom(folder.path(), scan.with(voxels), {.change = padded(-2000)});
  EXPECT_EQ(read_image(folder.path()).array().at({0, 0, 5}), -1024);
  // A declared padding of 0 HU is water as well.
  const TempDir water;
  write_dicom(water.path(), scan, {.change = padded(0)});
  EXPECT_THAT(only_volume(water).findings, Contains(HasSubstr("PixelPaddingValue")));
  expect_same_scan(read_image(water.path()), scan);
}

TEST(DicomVolume, OneMissingSliceIsNamed) {
  const TempDir folder;
  write_dicom(folder.path(), phantom());
  std::filesystem::remove(folder / "slice0003.dcm");
  const std::string why = refusal_of(folder);
  EXPECT_THAT(why, HasSubstr("one slice is missing between"));
  EXPECT_THAT(why, HasSubstr("slice0002.dcm at (-31.00, -17.00, -37.50)"));
  EXPECT_THAT(why, HasSubstr("slice0004.dcm"));
}

TEST(DicomVolume, UnevenStepsAreRefusedRoundingIsNot) {
  const auto moved = [](double mm) {
    return [mm](DataSet& d, std::int64_t z) {
      if (z == 3) tests::put_ds(d, 0x00200032, {-31, -17, -40 + 2.5 * 3 + mm});
    };
  };
  const TempDir uneven, rounded;
  write_dicom(uneven.path(), phantom(), {.change = moved(0.7)});
  EXPECT_THAT(refusal_of(uneven), HasSubstr("not evenly spaced: steps from 1.8 to 3.2 mm, mostly 2.5"));
  write_dicom(rounded.path(), phantom(), {.change = moved(0.05)});
  expect_same_scan(read_image(rounded.path()), phantom());
}

TEST(DicomVolume, CopiesAreDroppedContradictionsRefused) {
  const TempDir folder;
  write_dicom(folder.path(), phantom());
  std::filesystem::copy(folder / "slice0002.dcm", folder / "copy.dcm");
  const DicomStudy study = read_dicom_study(folder.path());
  EXPECT_THAT(study.series[0].left_out, Contains(std::pair<std::string, std::size_t>("second copy of an instance", 1)));
  expect_same_scan(read_image(folder.path()), phantom());

  // The same slice under another identifier; then with other pixels.
  const TempDir again;
  write_dicom(again.path(), phantom());
  write_dicom(again.path(), phantom(),
              {.prefix = "other", .change = [](DataSet& d, std::int64_t z) { tests::put(d, 0x00080018, VR::UI, fmt::format("2.25.7.{}", z)); }});
  EXPECT_THAT(only_volume(again).findings, Contains(HasSubstr("6 slices are repeated")));
  expect_same_scan(read_image(again.path()), phantom());
  write_dicom(again.path(), phantom(), {.intercept = -1, .prefix = "third", .change = [](DataSet& d, std::int64_t z) {
                                          tests::put(d, 0x00080018, VR::UI, fmt::format("2.25.8.{}", z));
                                        }});
  EXPECT_THAT(refusal_of(again), HasSubstr("lie at one height"));
}

TEST(DicomVolume, MixedOrientationsAndTimesAreSeveralVolumes) {
  const TempDir folder;
  const Affine coronal{{{{-0.8, 0, 0, 31}, {0, 0, 2.5, 17}, {0, -1.1, 0, -40}, {0, 0, 0, 1}}}};
  write_dicom(folder.path(), phantom({18, 14, 6}));
  write_dicom(folder.path(), phantom({18, 14, 4}, coronal),
              {.prefix = "cor", .change = [](DataSet& d, std::int64_t z) { tests::put(d, 0x00080018, VR::UI, fmt::format("2.25.9.{}", z)); }});
  const auto volumes = volumes_of(read_dicom_study(folder.path()).series.at(0));
  ASSERT_EQ(volumes.size(), 2u);
  EXPECT_EQ(volumes[0].plane(), "axial");
  EXPECT_EQ(volumes[1].plane(), "coronal");
  expect_same_scan(read_image(folder.path()), phantom());
  expect_same_scan(read_image(folder.path(), {.series = "orientation=coronal"}), phantom({18, 14, 4}, coronal));

  const TempDir echoes;
  for (const int echo : {5, 10})
    write_dicom(echoes.path(), phantom({18, 14, 6}),
                {.modality = "MR", .prefix = fmt::format("echo{}", echo), .change = [echo](DataSet& d, std::int64_t z) {
                   tests::put(d, 0x00080018, VR::UI, fmt::format("2.25.9.{}.{}", echo, z));
                   tests::put_ds(d, 0x00180081, {static_cast<double>(echo)});
                 }});
  const auto both = volumes_of(read_dicom_study(echoes.path()).series.at(0));
  ASSERT_EQ(both.size(), 2u);
  EXPECT_THAT((std::vector{both[0].part, both[1].part}), ::testing::UnorderedElementsAre("echo time 5", "echo time 10"));
}

TEST(DicomVolume, OtherSpacingIsAnotherVolume) {
  const TempDir folder;
  write_dicom(folder.path(), phantom(), {.change = [](DataSet& d, std::int64_t z) {
                if (z == 5) tests::put_ds(d, 0x00280030, {1.2, 0.8});
              }});
  const auto volumes = volumes_of(read_dicom_study(folder.path()).series.at(0));
  ASSERT_EQ(volumes.size(), 2u);
  EXPECT_EQ(volumes[0].slices.size(), 5u);
}

TEST(DicomVolume, LocalizersAndSecondaryCapturesAreLeftOutWithAWord) {
  const TempDir folder;
  write_dicom(folder.path(), phantom());
  write_dicom(folder.path(), phantom({18, 14, 1}), {.prefix = "scout", .change = [](DataSet& d, std::int64_t) {
                                                      tests::put(d, 0x00080008, VR::CS, "ORIGINAL\\PRIMARY\\LOCALIZER");
                                                      tests::put(d, 0x00080018, VR::UI, "2.25.8");
                                                    }});
  write_dicom(folder.path(), phantom({18, 14, 1}), {.prefix = "capture", .change = [](DataSet& d, std::int64_t) {
                                                      tests::put(d, 0x00080016, VR::UI, "1.2.840.10008.5.1.4.1.1.7");
                                                      tests::put(d, 0x00080018, VR::UI, "2.25.9");
                                                    }});
  tests::write_file(folder / "notes.dcm",
                    [] {
                      DataSet d;
                      tests::put(d, 0x00080016, VR::UI, "1.2.840.10008.5.1.4.1.1.88.11");
                      tests::put(d, 0x00080018, VR::UI, "2.25.10");
                      tests::put(d, 0x0020000e, VR::UI, "2.25.1001");
                      tests::put(d, 0x0020000d, VR::UI, "2.25.1000");
                      return d;
                    }(),
                    {});
  const DicomSeries series = read_dicom_study(folder.path()).series.at(0);
  EXPECT_THAT(series.left_out, ::testing::UnorderedElementsAre(::testing::Pair("localizer", 1), ::testing::Pair("secondary capture", 1),
                                                               ::testing::Pair("report", 1)));
  expect_same_scan(read_image(folder.path()), phantom());
}

TEST(DicomVolume, RescaleOfSomeSlicesOnlyIsRefusedOfNoneTold) {
  const auto without = [](bool all) {
    return [all](DataSet& d, std::int64_t z) {
      if (all || z == 1) d.Remove(gdcm::Tag(0x0028, 0x1053));
    };
  };
  const TempDir some, none;
  write_dicom(some.path(), phantom(), {.change = without(false)});
  EXPECT_THAT(refusal_of(some), HasSubstr("only some of its slices say how to rescale"));
  write_dicom(none.path(), phantom(), {.change = without(true)});
  EXPECT_THAT(only_volume(none).findings, Contains(HasSubstr("taken as HU")));
  expect_same_scan(read_image(none.path()), phantom());
}

TEST(DicomVolume, Monochrome1IsTurnedRoundInMrNotInCt) {
  const auto white_is_zero = [](DataSet& d, std::int64_t) { tests::put(d, 0x00280004, VR::CS, "MONOCHROME1"); };
  const TempDir ct, mr;
  write_dicom(ct.path(), phantom(), {.change = white_is_zero});
  expect_same_scan(read_image(ct.path()), phantom());
  write_dicom(mr.path(), phantom(), {.is_signed = false, .bits_stored = 12, .intercept = -900, .modality = "MR", .change = white_is_zero});
  EXPECT_EQ(read_image(mr.path()).array().at({3, 2, 1}), 4095 - (phantom().array().at({3, 2, 1}) + 900) - 900);
}

TEST(DicomVolume, BitsAboveThoseStoredAreIgnored) {
  const TempDir folder;
  write_dicom(folder.path(), phantom(), {.is_signed = false, .bits_stored = 12, .intercept = -1024, .change = [](DataSet& d, std::int64_t) {
                                           const gdcm::ByteValue* pixels = d.GetDataElement(gdcm::Tag(0x7fe0, 0x0010)).GetByteValue();
                                           std::string bytes(pixels->GetPointer(), pixels->GetLength());
                                           for (std::size_t i = 1; i < bytes.size(); i += 2)
                                             bytes[i] = static_cast<char>(bytes[i] | 0xa0);  // an overlay's bits
                                           tests::put(d, 0x7fe00010, VR::OW, bytes);
                                         }});
  expect_same_scan(read_image(folder.path()), phantom());
}

TEST(DicomVolume, GantryTiltIsResampledAndResultsGoBack) {
  // A block of 100 HU upright in the world, scanned in slices that move 1.5 mm (1.36 rows) down with each step of 2.5 mm.
  constexpr double kShear = 1.5;
  const auto inside_block = [](double y_mm, double z_mm) { return y_mm > -22 && y_mm < -8 && z_mm > -38 && z_mm < -27; };
  Array voxels = Array::full({6, 30, 8}, DType::i16, -1000);
  for (std::int64_t z = 0; z < 8; ++z)
    for (std::int64_t y = 0; y < 30; ++y) {
      const double y_mm = 17 - 1.1 * static_cast<double>(y) - kShear * static_cast<double>(z), z_mm = -40 + 2.5 * static_cast<double>(z);
      for (std::int64_t x = 0; x < 6; ++x)
        if (inside_block(y_mm, z_mm)) voxels.data<std::int16_t>()[(x * 30 + y) * 8 + z] = 100;
    }
  const Affine sheared{{{{-0.8, 0, 0, 31}, {0, -1.1, -kShear, 17}, {0, 0, 2.5, -40}, {0, 0, 0, 1}}}};
  const TempDir folder;
  write_dicom(folder.path(), Image(voxels, sheared));
  const Image got = read_image(folder.path());
  EXPECT_THAT(dicom_source_of(got)->volume().findings, Contains(HasSubstr("tilted by 31.0 degrees")));
  EXPECT_EQ(got.affine(1, 2), 0);
  EXPECT_NEAR(spacing_of(got.affine)[2], 2.5, 1e-9);
  const Shape shape = got.shape();
  EXPECT_EQ(shape, (Shape{6, 30 + 10, 8}));
  for (std::int64_t y = 0; y < shape[1]; ++y)
    for (std::int64_t z = 0; z < shape[2]; ++z) {
      const auto p = apply(got.affine, {2, static_cast<double>(y), static_cast<double>(z)});
      const double edge = std::min(std::fabs(p[1] + 22), std::fabs(p[1] + 8));
      const double covered = (17 - kShear * static_cast<double>(z) - p[1]) / 1.1;  // in rows of the slice
      if (edge < 1.2) continue;
      const double want = covered < -0.01 || covered > 29.01 ? -1024 : inside_block(p[1], p[2]) ? 100 : -1000;
      if (covered < 0.01 || covered > 28.99) continue;
      ASSERT_EQ(got.array().at({2, y, z}), want) << y << " " << z;
    }
  EXPECT_EQ(got.array().at({0, 0, 7}), -1024);  // beyond the slice
  // Labels made upright go back to where the block is in each frame.
  Array labels = Array::zeros(shape, DType::u8);
  for (std::int64_t i = 0; i < labels.numel(); ++i) labels.data<std::uint8_t>()[i] = got.array().contiguous().data<std::int16_t>()[i] > -450;
  std::int64_t wrong = 0, block = 0;
  for (std::int64_t z = 0; z < 8; ++z) {
    const Array frame = dicom_source_of(got)->frame_of(labels, z);
    ASSERT_EQ(frame.shape(), (Shape{6, 30}));
    for (std::int64_t y = 0; y < 30; ++y) {
      const bool is = voxels.at({2, y, z}) > 0;
      block += is;
      wrong += is != (frame.at({2, y}) > 0);
    }
  }
  EXPECT_GT(block, 30);
  EXPECT_LE(wrong, 4);  // half a row at the block's two faces
}

TEST(DicomVolume, UnevenSidewaysShiftIsRefused) {
  const TempDir folder;
  write_dicom(folder.path(), phantom(), {.change = [](DataSet& d, std::int64_t z) {
                if (z == 3) tests::put_ds(d, 0x00200032, {-31, -12, -32.5});
              }});
  EXPECT_THAT(refusal_of(folder), HasSubstr("shifted sideways unevenly"));
}

TEST(DicomVolume, SingleSliceSaysItsThickness) {
  const TempDir folder;
  write_dicom(folder.path(), phantom({18, 14, 1}));
  const Image got = read_image(folder / "slice0001.dcm");
  EXPECT_EQ(got.shape(), (Shape{18, 14, 1}));
  EXPECT_DOUBLE_EQ(spacing_of(got.affine)[2], 3.75);
  EXPECT_THAT(dicom_source_of(got)->volume().findings, Contains(HasSubstr("a single slice")));
}

}  // namespace
}  // namespace vesal::image
