#include "tune/journal.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
#include "paths.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class JournalFiles : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* why : {"first", "second", "third\nline"}) journal.append("promote", Dict{{"why", why}}, {"0.1.0", "abc"});
  }
  std::vector<std::string> faults() const {
    std::vector<JournalEntry> entries;
    return journal.faults(entries);
  }
  std::string text() const { return read_text(dir / "journal.jsonl"); }
  void put(const std::string& changed) const { write_file(dir / "journal.jsonl", changed); }

  tests::TempDir dir;
  Journal journal{dir.path()};
};

TEST_F(JournalFiles, EntriesFollowOnEachOther) {
  const auto entries = journal.read();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].text("previous"), std::string(64, '0'));
  for (std::size_t i = 1; i < 3; ++i) EXPECT_EQ(entries[i].text("previous"), entries[i - 1].hash);
  EXPECT_EQ(entries[2].text("why"), "third\nline");
  EXPECT_EQ(entries[2].event(), "promote");
  EXPECT_FALSE(entries[2].text("who").empty());
  EXPECT_EQ(entries[2].value.as_dict().at("program").as_dict().at("sha256").as_string(), "abc");
}

TEST_F(JournalFiles, EveryChangedByteIsSeen) {
  const std::string sound = text();
  ASSERT_THAT(faults(), IsEmpty());
  for (std::size_t i = 0; i < sound.size(); i += 7) {
    std::string changed = sound;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    put(changed);
    EXPECT_THAT(faults(), testing::SizeIs(1)) << "byte " << i;
  }
  put(sound);
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(JournalFiles, ALineTakenOutOrSwappedIsSeenAndNothingCanBeAdded) {
  std::vector<std::string> lines;
  std::istringstream stream(text());
  for (std::string line; std::getline(stream, line);) lines.push_back(line + "\n");
  for (const std::string& changed : {lines[1] + lines[2], lines[0] + lines[2], lines[0] + lines[1], lines[1] + lines[0] + lines[2], std::string()}) {
    put(changed);
    EXPECT_THAT(faults(), testing::SizeIs(1)) << changed;
    EXPECT_THROW(journal.append("promote", {}, {}), Error);
    EXPECT_EQ(text(), changed);
  }
}

TEST_F(JournalFiles, WhatACrashLeftOfALineIsCutOff) {
  const std::string sound = text();
  put(sound + R"({"entry": 4, "previ)");
  EXPECT_EQ(journal.read().size(), 3u);
  journal.append("rollback", {}, {});
  EXPECT_EQ(journal.read().size(), 4u);
  EXPECT_THAT(text(), testing::StartsWith(sound));
}

TEST_F(JournalFiles, TheHeadMayBeOneBehindButNoMore) {
  const std::string old = read_text(dir / "journal.head");
  journal.append("rollback", {}, {});
  write_file(dir / "journal.head", old);
  EXPECT_THAT(faults(), IsEmpty()) << "a crash between the entry and the head";
  journal.append("rollback", {}, {});
  EXPECT_THAT(faults(), IsEmpty());
  write_file(dir / "journal.head", old);
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("knows of 3")));
  write_file(dir / "journal.head", "9 nonsense");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("not what vesal wrote")));
}

TEST_F(JournalFiles, AFullDiskLeavesTheJournalAsItWas) {
  if (!fs::exists("/dev/full")) GTEST_SKIP();
  const tests::TempDir other;
  fs::create_symlink("/dev/full", other / "journal.jsonl");
  EXPECT_THROW(Journal(other.path()).append("promote", {}, {}), Error);
}

}  // namespace
}  // namespace vesal::tune
