#include "dicom/toolkit.h"

#include <gtest/gtest.h>

#include <set>

namespace vesal::dicom {
namespace {

TEST(Toolkit, NewIdentifiersAreValidAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string uid = new_uid();
    EXPECT_TRUE(is_uid(uid)) << uid;
    EXPECT_EQ(uid.substr(0, 5), "2.25.");
    EXPECT_TRUE(seen.insert(uid).second);
  }
}

TEST(Toolkit, TheSameTextHasTheSameIdentifier) {
  EXPECT_EQ(uid_of("a study"), uid_of("a study"));
  EXPECT_NE(uid_of("a study"), uid_of("another"));
  EXPECT_TRUE(is_uid(uid_of("")));
}

TEST(Toolkit, KnowsAnIdentifier) {
  for (const char* good : {"1.2.840.10008.1.1", "2.25.0", "0.0.1"}) EXPECT_TRUE(is_uid(good)) << good;
  for (const char* bad : {"", ".", "1..2", "1.2.", ".1", "1.02", "1.2a", "../1", "1.2 "}) EXPECT_FALSE(is_uid(bad)) << bad;
  EXPECT_FALSE(is_uid("1." + std::string(63, '2')));
  EXPECT_TRUE(is_uid("1." + std::string(62, '2')));
}

TEST(Toolkit, Starts) {
  EXPECT_NO_THROW(start_toolkit());
  EXPECT_NO_THROW(start_toolkit());
}

}  // namespace
}  // namespace vesal::dicom
