#include "judge/cases.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
#include "paths.h"

namespace vesal::judge {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using tests::TempDir;

/// Kind and message of what is thrown.
std::pair<std::string, std::string> failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return {error_codes(e.kind()).name, e.what()}; }
  return {"", "nothing thrown"};
}

void touch(const fs::path& path) { write_file(path, "x"); }

/// "id image label split" of each case, names relative to the folder.
std::vector<std::string> listed(const CaseSet& set, const fs::path& folder) {
  std::vector<std::string> out;
  for (const LabelledCase& c : set.cases) {
    const auto name = [&](const fs::path& p) { return p.empty() ? "-" : p.lexically_relative(folder).string(); };
    out.push_back(c.id + " " + name(c.image) + " " + name(c.label) + " " + c.split + (c.fold ? " " + std::to_string(*c.fold) : ""));
  }
  return out;
}

TEST(ReadCases, DecathlonFolder) {
  const TempDir dir;
  write_file(dir / "dataset.json", R"({"name": "Spleen", "modality": {"0": "CT"}, "labels": {"0": "background", "1": "spleen"},
    "training": [{"image": "./imagesTr/spleen_2.nii.gz", "label": "./labelsTr/spleen_2.nii.gz"},
                 {"image": "./imagesTr/spleen_10.nii.gz", "label": "./labelsTr/spleen_10.nii.gz"}],
    "test": ["./imagesTs/spleen_7.nii.gz"]})");
  const CaseSet set = read_cases(dir.path());
  EXPECT_EQ(set.layout, "Decathlon");
  EXPECT_EQ(set.modality, "CT");
  EXPECT_THAT(set.labels, ElementsAre(Pair(0, "background"), Pair(1, "spleen")));
  EXPECT_THAT(listed(set, dir.path()), ElementsAre("spleen_10 imagesTr/spleen_10.nii.gz labelsTr/spleen_10.nii.gz training",
                                                   "spleen_2 imagesTr/spleen_2.nii.gz labelsTr/spleen_2.nii.gz training"));
  EXPECT_EQ(read_cases(dir / "dataset.json").cases.size(), 2u) << "the file itself will do";
}

TEST(ReadCases, MonaiDatalistWithSplitsAndFolds) {
  const TempDir dir;
  touch(dir / "abs.nii.gz");
  write_file(
      dir / "lists/list.json",
      R"({"training": [{"image": ["a/ct.nii.gz"], "label": "a/seg.nii.gz", "fold": 0}, {"image": "b/ct.nii.gz", "label": "b/seg.nii.gz", "fold": 1}],
    "validation": [{"image": ")" +
          (dir / "abs.nii.gz").string() + R"(", "label": "c.nii.gz"}], "testing": [{"image": "d.nii.gz"}]})");
  const CaseSet set = read_cases(dir / "lists/list.json");
  EXPECT_EQ(set.layout, "datalist");
  EXPECT_THAT(listed(set, dir / "lists"), ElementsAre("a_ct a/ct.nii.gz a/seg.nii.gz training 0", "abs ../abs.nii.gz c.nii.gz validation",
                                                      "b_ct b/ct.nii.gz b/seg.nii.gz training 1"));
}

TEST(ReadCases, NnUNetDeclaresWithoutListing) {
  const TempDir dir;
  write_file(dir / "dataset.json", R"({"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1, "whole": [1, 2]}, "numTraining": 2})");
  for (const char* name : {"imagesTr/case_1_0000.nii.gz", "imagesTr/case_2_0000.nii.gz", "labelsTr/case_1.nii.gz", "labelsTr/case_3.nii.gz"})
    touch(dir / name);
  const CaseSet set = read_cases(dir.path());
  EXPECT_THAT(set.labels, ElementsAre(Pair(0, "background"), Pair(1, "liver")));
  EXPECT_EQ(set.modality, "CT");
  EXPECT_THAT(listed(set, dir.path()), ElementsAre("case_1 imagesTr/case_1_0000.nii.gz labelsTr/case_1.nii.gz training",
                                                   "case_2 imagesTr/case_2_0000.nii.gz - training", "case_3 - labelsTr/case_3.nii.gz training"));
  touch(dir / "imagesTr/case_1_0001.nii.gz");
  EXPECT_THAT(failure([&] { read_cases(dir.path()); }), Pair("unsupported", HasSubstr("case_1_0001.nii.gz")));
}

TEST(ReadCases, FoldersMatchedByName) {
  const TempDir dir;
  for (const char* name :
       {"images/a.nii.gz", "images/b.mha", "labels/a_label.nii.gz", "labels/b.nii.gz", "images/.hidden.nii.gz", "images/notes.txt"})
    touch(dir / name);
  EXPECT_THAT(listed(read_cases(dir.path()), dir.path()), ElementsAre("a images/a.nii.gz labels/a_label.nii.gz ", "b images/b.mha labels/b.nii.gz "));
  const TempDir beside;
  for (const char* name : {"p1.nii.gz", "p1_seg.nii.gz", "p2.nii", "p2-Mask.nii.gz", "p3.nii.gz"}) touch(beside / name);
  EXPECT_THAT(listed(read_cases(beside.path()), beside.path()),
              ElementsAre("p1 p1.nii.gz p1_seg.nii.gz ", "p2 p2.nii p2-Mask.nii.gz ", "p3 p3.nii.gz - "));
  const TempDir each;
  for (const char* name : {"s1/ct.nii.gz", "s1/label.nii.gz", "s2/ct.nii.gz", "s2/organs.nii.gz"}) touch(each / name);
  EXPECT_THAT(listed(read_cases(each.path()), each.path()),
              ElementsAre("s1_ct s1/ct.nii.gz s1/label.nii.gz ", "s2_ct s2/ct.nii.gz s2/organs.nii.gz "));
}

TEST(ReadCases, PairsAndSeveralSources) {
  const TempDir dir;
  const std::string a = (dir / "a/ct.nii.gz").string() + "," + (dir / "a/seg.nii.gz").string();
  const std::string b = (dir / "b/ct.nii.gz").string() + "," + (dir / "b/seg.nii.gz").string();
  const CaseSet set = read_cases(std::vector<fs::path>{a, b, a});
  EXPECT_EQ(set.layout, "several");
  EXPECT_THAT(listed(set, dir.path()),
              ElementsAre("a_ct a/ct.nii.gz a/seg.nii.gz ", "a_ct_2 a/ct.nii.gz a/seg.nii.gz ", "b_ct b/ct.nii.gz b/seg.nii.gz "));
  EXPECT_EQ(read_cases(a).layout, "pair");
  EXPECT_EQ(read_cases(a).cases[0].id, "ct");
}

TEST(ReadCases, WhatIsNotThereIsNamed) {
  const TempDir dir;
  EXPECT_THAT(failure([&] { read_cases(dir.path()); }), Pair("not-found", HasSubstr("imagesTr and labelsTr")));
  EXPECT_THAT(failure([&] { read_cases(dir / "none"); }), Pair("not-found", HasSubstr("none: no such folder")));
  EXPECT_THAT(failure([&] { read_cases("a.nii.gz,"); }), Pair("usage", HasSubstr("IMAGE,LABEL")));
  EXPECT_THAT(failure([&] { read_cases(std::vector<fs::path>{}); }), Pair("usage", HasSubstr("no folder")));
  touch(dir / "a.nii.gz");
  EXPECT_THAT(failure([&] { read_cases(dir / "a.nii.gz"); }), Pair("usage", HasSubstr("want a folder")));
  write_file(dir / "list.json", R"({"training": [], "testing": [{"image": "a.nii.gz"}]})");
  EXPECT_THAT(failure([&] { read_cases(dir / "list.json"); }), Pair("not-found", HasSubstr("list.json")));
}

TEST(ReadCases, HostileLists) {
  const TempDir dir;
  const std::vector<std::tuple<std::string, std::string, std::string>> lists{
      {"[1, 2]", "format", "a dict with lists"},
      {R"({"training": {"image": "a"}})", "format", "'training': a list is expected"},
      {R"({"training": [7]})", "format", "entry 1"},
      {R"({"training": [{"label": "a"}]})", "format", "no 'image'"},
      {R"({"training": [{"image": 3, "label": "a"}]})", "format", "a file name is expected"},
      {R"({"training": [{"image": "", "label": "a"}]})", "format", "a file name is expected"},
      {R"({"training": [{"image": "a\u0000b", "label": "a"}]})", "format", "zero byte"},
      {R"({"training": [{"image": ["t1.nii", "t2.nii"], "label": "a"}]})", "unsupported", "several sequences"},
      {R"({"training": [{"image": "../../etc/passwd", "label": "a"}]})", "refused", "leaves its folder"},
      {R"({"training": [{"image": "a/../../x", "label": "a"}]})", "refused", "leaves its folder"},
      {R"({"training": [{"image": "a", "label": "b", "fold": "x"}]})", "format", "fold"},
      {R"({"training": [], "labels": ["spleen"]})", "format", "labels"},
      {R"({"training": [], "labels": {"x": "y"}})", "format", "'x'"},
      {R"({"training": [)", "format", "list.json"},
      {std::string(100000, '['), "format", "list.json"},
  };
  for (const auto& [text, kind, message] : lists) {
    write_file(dir / "list.json", text);
    EXPECT_THAT(failure([&] { read_cases(dir / "list.json"); }), Pair(kind, HasSubstr(message))) << text.substr(0, 80);
  }
}

TEST(ReadCases, SetsThatContradictAreNotMerged) {
  const TempDir dir;
  write_file(dir / "a/dataset.json", R"({"labels": {"1": "spleen"}, "training": [{"image": "i.nii", "label": "l.nii"}]})");
  write_file(dir / "b/dataset.json", R"({"labels": {"1": "liver"}, "training": [{"image": "i.nii", "label": "l.nii"}]})");
  EXPECT_THAT(failure([&] { read_cases({dir / "a", dir / "b"}); }), Pair("usage", HasSubstr("calls label 1 'spleen'")));
}

TEST(LabelMaps, NumbersAndNames) {
  const std::map<std::int64_t, std::string> organs{{0, "background"}, {1, "spleen"}, {2, "kidney_right"}, {3, "kidney_left"}, {5, "Liver"}};
  const std::map<std::int64_t, std::string> bundle{{0, "background"}, {1, "liver"}, {2, "kidney right"}};
  EXPECT_THAT(parse_label_map("", organs, bundle), IsEmpty());
  EXPECT_THAT(parse_label_map("5:1", organs, bundle), ElementsAre(Pair(5, 1)));
  EXPECT_THAT(parse_label_map("liver", organs, bundle), ElementsAre(Pair(5, 1)));
  EXPECT_THAT(parse_label_map("Liver:1,kidney_left:2,2:Kidney Right", organs, bundle), ElementsAre(Pair(2, 2), Pair(3, 2), Pair(5, 1)));
  EXPECT_THAT(parse_label_map("1", {}, {}), ElementsAre(Pair(1, 1)));
  EXPECT_THAT(parse_label_map("kidney right", {}, bundle), ElementsAre(Pair(2, 2))) << "nothing names the reference's labels";
  EXPECT_THAT(parse_label_map("62:1", {}, bundle), ElementsAre(Pair(62, 1)));
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{{"heart", "no label of the bundle, which has 1 liver"},
                                                                                      {"9:1", "no label of the reference"},
                                                                                      {"5:7", "no label of the bundle"},
                                                                                      {"5:0", "background"},
                                                                                      {"0:1", "background"},
                                                                                      {"5:", "want labels as"},
                                                                                      {",", "want labels as"},
                                                                                      {"5:1,5:2", "both 1 and 2"},
                                                                                      {"99999999999999999999", "no label of the bundle"}})
    EXPECT_THAT(failure([&, t = text] { parse_label_map(t, organs, bundle); }), Pair("usage", HasSubstr(message))) << text;
}

TEST(LabelMaps, ByTheNamesOfBothSides) {
  const std::map<std::int64_t, std::string> bundle{{0, "background"}, {1, "spleen"}};
  EXPECT_THAT(label_map_by_names({{0, "background"}, {1, "liver"}, {6, "Spleen"}}, bundle), ElementsAre(Pair(6, 1)));
  EXPECT_THAT(label_map_by_names({{0, "background"}, {1, "Spleen"}}, bundle), IsEmpty()) << "equal numbers need no map";
  EXPECT_THAT(label_map_by_names({{1, "spleen"}, {2, "liver"}}, bundle), ElementsAre(Pair(1, 1))) << "the others are left out";
  EXPECT_THAT(label_map_by_names({{1, "milz"}}, bundle), IsEmpty());
}

}  // namespace
}  // namespace vesal::judge
