#include "dicom/deidentify.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "dicom/toolkit.h"

namespace vesal::dicom {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Deidentify : public testing::Test {
 protected:
  void SetUp() override {
    start_toolkit();
    folder_ = fs::temp_directory_path() / ("deidentify_" + new_uid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// A CT slice of somebody, with names where they belong and where they do not.
  static void fill(DcmFileFormat& file, const std::string& instance = "1.2.3.4.5") {
    DcmDataset& d = *file.getDataset();
    const auto put = [&](const DcmTagKey& tag, const char* value) { ASSERT_TRUE(d.putAndInsertString(tag, value).good()) << tag.toString(); };
    put(DCM_SOPClassUID, UID_CTImageStorage);
    put(DCM_SOPInstanceUID, instance.c_str());
    put(DCM_StudyInstanceUID, "1.2.3.4");
    put(DCM_SeriesInstanceUID, "1.2.3.4.1");
    put(DCM_FrameOfReferenceUID, "1.2.3.9");
    put(DCM_Modality, "CT");
    put(DCM_PatientName, "Nguyen^Van An");
    put(DCM_PatientID, "HN-778812");
    put(DCM_PatientBirthDate, "19610203");
    put(DCM_PatientSex, "M");
    put(DCM_PatientAge, "063Y");
    put(DCM_PatientWeight, "61");
    put(DCM_StudyDate, "20240228");
    put(DCM_StudyTime, "101112");
    put(DCM_AcquisitionDateTime, "20240228101112.5");
    put(DCM_AccessionNumber, "A5521");
    put(DCM_InstitutionName, "Benh vien K");
    put(DCM_ReferringPhysicianName, "Pham^Binh");
    put(DCM_StationName, "CT01");
    put(DCM_SeriesDescription, "portal venous");
    put(DCM_BodyPartExamined, "ABDOMEN");
    put(DCM_ConvolutionKernel, "B30f NGUYEN");
    put(DCM_RescaleSlope, "1");
    put(DCM_ImagePositionPatient, "-250\\-250\\100.5");
    ASSERT_TRUE(d.putAndInsertString(DcmTag(0x0009, 0x0010, EVR_LO), "SOMEVENDOR").good());
    ASSERT_TRUE(d.putAndInsertString(DcmTag(0x0009, 0x1001, EVR_LO), "Nguyen Van An").good());
    ASSERT_TRUE(d.putAndInsertString(DcmTag(0x6000, 0x4000, EVR_LT), "An").good());
    DcmItem* item = nullptr;
    ASSERT_TRUE(d.findOrCreateSequenceItem(DCM_ReferencedImageSequence, item, -2).good());
    ASSERT_TRUE(item->putAndInsertString(DCM_ReferencedSOPClassUID, UID_CTImageStorage).good());
    ASSERT_TRUE(item->putAndInsertString(DCM_ReferencedSOPInstanceUID, "1.2.3.4.6").good());
    ASSERT_TRUE(d.findOrCreateSequenceItem(DCM_RequestAttributesSequence, item, -2).good());
    ASSERT_TRUE(item->putAndInsertString(DCM_RequestedProcedureDescription, "CT of Nguyen").good());
    const std::uint16_t pixels[4]{1, 2, 3, 4};
    ASSERT_TRUE(d.putAndInsertUint16Array(DCM_PixelData, pixels, 4).good());
  }
  static std::string printed(DcmFileFormat& file) {
    std::ostringstream out;
    file.getDataset()->print(out);
    return out.str();
  }
  std::string get(DcmFileFormat& file, const DcmTagKey& tag) { return text_of(*file.getDataset(), tag); }
  fs::path map() const { return folder_ / "map.json"; }

  fs::path folder_;
};

TEST_F(Deidentify, NothingOfThePatientIsLeft) {
  DcmFileFormat file;
  fill(file);
  Pseudonyms pseudonyms(map());
  Deidentifier deidentifier({}, pseudonyms);
  deidentifier.apply(file);
  const std::string text = printed(file);
  for (const char* of : {"Nguyen", "NGUYEN", "Van An", "778812", "19610203", "20240228", "101112", "5521", "Benh", "Pham", "Binh", "CT01", "063Y",
                         "portal", "SOMEVENDOR", "1.2.3.4", "1.2.3.9"})
    EXPECT_THAT(text, Not(HasSubstr(of)));
  EXPECT_EQ(get(file, DCM_PatientID), "P0001");
  EXPECT_EQ(get(file, DCM_PatientName), "P0001");
  EXPECT_EQ(get(file, DCM_PatientIdentityRemoved), "YES");
  EXPECT_EQ(get(file, DCM_LongitudinalTemporalInformationModified), "REMOVED");
  EXPECT_EQ(get(file, DCM_BodyPartExamined), "ABDOMEN");
  EXPECT_EQ(get(file, DCM_ImagePositionPatient), "-250");
  EXPECT_EQ(get(file, DCM_SOPClassUID), UID_CTImageStorage);
  const std::uint16_t* pixels = nullptr;
  unsigned long count = 0;
  ASSERT_TRUE(file.getDataset()->findAndGetUint16Array(DCM_PixelData, pixels, &count).good());
  EXPECT_EQ(count, 4u);
  EXPECT_EQ(pixels[2], 3);
  EXPECT_THAT(deidentifier.leaks(), testing::Not(testing::IsEmpty()));  // the name in the kernel's
}

TEST_F(Deidentify, IdentifiersStayConsistentOverFilesAndRuns) {
  std::string reference, study;
  {
    Pseudonyms pseudonyms(map());
    Deidentifier deidentifier({}, pseudonyms);
    DcmFileFormat first;
    fill(first);
    deidentifier.apply(first);
    DcmItem* item = nullptr;
    ASSERT_TRUE(first.getDataset()->findAndGetSequenceItem(DCM_ReferencedImageSequence, item, 0).good());
    reference = text_of(*item, DCM_ReferencedSOPInstanceUID);
    study = get(first, DCM_StudyInstanceUID);
    pseudonyms.save();
  }
  EXPECT_EQ(fs::status(map()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  Pseudonyms pseudonyms(map());
  Deidentifier deidentifier({}, pseudonyms);
  DcmFileFormat second;
  fill(second, "1.2.3.4.6");
  deidentifier.apply(second);
  EXPECT_EQ(get(second, DCM_SOPInstanceUID), reference);
  EXPECT_EQ(get(second, DCM_StudyInstanceUID), study);
  EXPECT_EQ(get(second, DCM_PatientID), "P0001");
  EXPECT_EQ(pseudonyms.of("another", "").name, "P0002");
  EXPECT_NE(Pseudonyms(folder_ / "other.json").uid("1.2.3"), pseudonyms.uid("1.2.3"));
}

TEST_F(Deidentify, DatesMoveTogether) {
  Pseudonyms pseudonyms(map());
  Deidentifier deidentifier({.retained = {.dates = Dates::shift}}, pseudonyms);
  DcmFileFormat file;
  fill(file);
  deidentifier.apply(file);
  const std::string date = get(file, DCM_StudyDate), moment = get(file, DCM_AcquisitionDateTime);
  EXPECT_EQ(date.size(), 8u);
  EXPECT_LT(date, "20240228");
  EXPECT_EQ(moment, date + "101112.5");
  EXPECT_EQ(get(file, DCM_StudyTime), "101112");
  EXPECT_EQ(get(file, DCM_LongitudinalTemporalInformationModified), "MODIFIED");
}

TEST_F(Deidentify, KeepsWhatWasAskedFor) {
  Pseudonyms pseudonyms(map());
  Deidentifier deidentifier({.retained = {.dates = Dates::keep, .uids = true, .device = true, .institution = true, .characteristics = true}},
                            pseudonyms);
  DcmFileFormat file;
  fill(file);
  deidentifier.apply(file);
  EXPECT_EQ(get(file, DCM_StudyDate), "20240228");
  EXPECT_EQ(get(file, DCM_StudyInstanceUID), "1.2.3.4");
  EXPECT_EQ(get(file, DCM_StationName), "CT01");
  EXPECT_EQ(get(file, DCM_InstitutionName), "Benh vien K");
  EXPECT_EQ(get(file, DCM_PatientSex), "M");
  EXPECT_EQ(get(file, DCM_PatientAge), "063Y");
  EXPECT_EQ(get(file, DCM_PatientWeight), "61");
  EXPECT_EQ(get(file, DCM_PatientBirthDate), "");
  DcmItem* item = nullptr;
  ASSERT_TRUE(file.getDataset()->findAndGetSequenceItem(DCM_DeidentificationMethodCodeSequence, item, 5).good());  // six options are told
}

TEST_F(Deidentify, LeavesOutWhatCannotBeCleaned) {
  const auto reason = [](const char* sop_class, const char* modality, const char* burned_in, bool allow = false) {
    DcmFileFormat file;
    fill(file);
    file.getDataset()->putAndInsertString(DCM_SOPClassUID, sop_class);
    file.getDataset()->putAndInsertString(DCM_Modality, modality);
    if (*burned_in) file.getDataset()->putAndInsertString(DCM_BurnedInAnnotation, burned_in);
    return reason_to_leave_out(*file.getDataset(), {.allow_burned_in = allow});
  };
  EXPECT_EQ(reason(UID_CTImageStorage, "CT", ""), "");
  EXPECT_EQ(reason(UID_SegmentationStorage, "SEG", ""), "");
  EXPECT_THAT(reason(UID_CTImageStorage, "CT", "YES"), HasSubstr("show text"));
  EXPECT_EQ(reason(UID_CTImageStorage, "CT", "YES", true), "");
  EXPECT_THAT(reason(UID_SecondaryCaptureImageStorage, "OT", ""), HasSubstr("may show names"));
  EXPECT_THAT(reason(UID_UltrasoundImageStorage, "US", ""), HasSubstr("may show names"));
  EXPECT_EQ(reason(UID_UltrasoundImageStorage, "US", "NO"), "");
  EXPECT_THAT(reason(UID_BasicTextSRStorage, "SR", ""), HasSubstr("cannot be cleaned"));
  EXPECT_THAT(reason(UID_EncapsulatedPDFStorage, "DOC", "", true), HasSubstr("cannot be cleaned"));
  EXPECT_THAT(reason("1.2.3.4.99", "CT", ""), HasSubstr("unknown kind"));
}

TEST_F(Deidentify, TheStudyStandsForAPatientWithoutNumberAndName) {
  Pseudonyms pseudonyms(map());
  Deidentifier deidentifier({}, pseudonyms);
  for (const char* study : {"1.2.3.4", "1.2.3.5", "1.2.3.4"}) {
    DcmFileFormat nobody;
    fill(nobody);
    nobody.getDataset()->putAndInsertString(DCM_StudyInstanceUID, study);
    nobody.getDataset()->putAndInsertString(DCM_PatientID, "");
    nobody.getDataset()->putAndInsertString(DCM_PatientName, "");
    deidentifier.apply(nobody);
    EXPECT_EQ(get(nobody, DCM_PatientID), std::string(study) == "1.2.3.5" ? "P0002" : "P0001");
  }
}

TEST_F(Deidentify, EmptiedIdentifiersAreFilledIn) {
  DcmFileFormat file;
  fill(file);
  file.getDataset()->putAndInsertString(DCM_SOPClassUID, "");
  file.getDataset()->putAndInsertString(DCM_SOPInstanceUID, "");
  file.getMetaInfo()->putAndInsertString(DCM_MediaStorageSOPClassUID, UID_MRImageStorage);
  file.getMetaInfo()->putAndInsertString(DCM_MediaStorageSOPInstanceUID, "1.2.3.7");
  file.getDataset()->putAndInsertString(DCM_SeriesInstanceUID, "");
  complete_identifiers(file, "folder");
  EXPECT_EQ(get(file, DCM_SOPClassUID), UID_MRImageStorage);
  EXPECT_EQ(get(file, DCM_SOPInstanceUID), "1.2.3.7");
  EXPECT_EQ(get(file, DCM_StudyInstanceUID), "1.2.3.4");
  EXPECT_TRUE(is_uid(get(file, DCM_SeriesInstanceUID)));
}

TEST_F(Deidentify, NeedsAnInstance) {
  Pseudonyms pseudonyms(map());
  Deidentifier deidentifier({}, pseudonyms);
  DcmFileFormat nothing;
  fill(nothing, "not a uid");
  EXPECT_THROW(deidentifier.apply(nothing), Error);
}

TEST_F(Deidentify, SaysThatAFileHoldsNoPseudonyms) {
  write_file(map(), "{\"secret\": \"short\", \"patients\": {}}");
  try {
    Pseudonyms pseudonyms(map());
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("map.json"));
    EXPECT_EQ(e.kind(), ErrorKind::format);
  }
}

}  // namespace
}  // namespace vesal::dicom
