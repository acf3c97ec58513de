#include "results/codes.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace vesal::results {
namespace {

TEST(Codes, NamesAsBundlesWriteThem) {
  struct Row {
    const char *name, *code, *side;
  };
  for (const Row& row : {Row{"spleen", "78961009", ""},
                         {"kidney_left", "64033007", "7771000"},
                         {"Left Kideny", "64033007", "7771000"},
                         {"right adrenal gland", "23451007", "24028007"},
                         {"Right adrenal gland", "23451007", "24028007"},
                         {"vertebrae_L1", "66794005", ""},
                         {"vertebrae T12", "23215003", ""},
                         {"rib_left_10", "77644006", "7771000"},
                         {"lung_middle_lobe_right", "72481006", ""},
                         {"left lung upper lobe", "45653009", "7771000"},
                         {"heart_atrium_left", "82471001", ""},
                         {"heart_ventricle_right", "53085002", ""},
                         {"inferior_vena_cava", "64131007", ""},
                         {"IVC", "64131007", ""},
                         {"Portal and Splenic Veins", "110765007", ""},
                         {"left iliac vena", "46027005", "7771000"},
                         {"Right-Thalamus-Proper", "42695009", "24028007"},
                         {"bladder", "89837001", ""}}) {
    const Anatomy a = anatomy_of(row.name);
    EXPECT_EQ(a.type.value, row.code) << row.name;
    EXPECT_EQ(a.type.scheme, "SCT") << row.name;
    EXPECT_EQ(a.modifier.value, row.side) << row.name;
    EXPECT_EQ(a.category.value, "123037004") << row.name;
    EXPECT_TRUE(a.region.empty()) << row.name;
  }
}

TEST(Codes, SomethingInAnOrgan) {
  const Anatomy tumour = anatomy_of("pancreatic tumor");
  EXPECT_EQ(tumour.type.value, "108369006");
  EXPECT_EQ(tumour.region.value, "15776009");
  EXPECT_EQ(tumour.category.value, "49755003");
  const Anatomy cyst = anatomy_of("left kidney cyst");
  EXPECT_EQ(cyst.type.value, "367643001");
  EXPECT_EQ(cyst.region.value, "64033007");
  EXPECT_EQ(cyst.region_modifier.value, "7771000");
  EXPECT_EQ(anatomy_of("colon cancer primaries").region.value, "71854001");
  EXPECT_EQ(anatomy_of("hepatic tumor"), anatomy_of("liver_tumor"));
}

TEST(Codes, UnknownNamesGetTheirOwnAndNeverAWrongOne) {
  for (const char* name :
       {"prostate or uterus", "whole tumor", "Enhancing tumor", "hepatic vessel", "vertebrae L6", "liver segment 4", "category 1", ""}) {
    const Anatomy a = anatomy_of(name);
    EXPECT_EQ(a.type.scheme, "99VESAL") << name;
    EXPECT_LE(a.type.value.size(), 16u) << name;
    EXPECT_FALSE(a.type.meaning.empty()) << name;
  }
  EXPECT_EQ(anatomy_of("category 1").type.meaning, "category 1");
  EXPECT_NE(anatomy_of("category 1").type.value, anatomy_of("category 2").type.value);
}

TEST(Codes, AFileCanGiveThem) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "vesal_codes_test.json";
  write_file(file, R"({"x": {"type": ["1", "99HOME", "A thing"], "modifier": ["7771000", "SCT", "Left"]}})");
  const auto codes = read_codes(file);
  EXPECT_EQ(codes.at("x").type.meaning, "A thing");
  EXPECT_EQ(codes.at("x").category.value, "123037004");
  for (const char* bad : {"[]", R"({"x": 1})", R"({"x": {}})", R"({"x": {"type": ["1", "2"]}})", R"({"x": {"type": ["1", "2", ""]}})",
                          R"({"x": {"type": ["12345678901234567", "A", "B"]}})", R"({"x": {"type": ["1", "A", "B"], "colour": 1}})", "{"}) {
    write_file(file, bad);
    EXPECT_THROW(read_codes(file), Error) << bad;
  }
  std::filesystem::remove(file);
  EXPECT_THROW(read_codes(file), Error);
}

}  // namespace
}  // namespace vesal::results
