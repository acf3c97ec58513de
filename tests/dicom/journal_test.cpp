#include "dicom/journal.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "dicom/object_store.h"
#include "paths.h"

namespace vesal::dicom {
namespace {

class JournalTest : public testing::Test {
 protected:
  /// One job on a study of two instances, running.
  std::int64_t running_job() {
    EXPECT_TRUE(journal_.add_instance({"1.2", "1.2.1", "1.2.1.1", "c", "PACS", 10}));
    EXPECT_TRUE(journal_.add_instance({"1.2", "1.2.1", "1.2.1.2", "c", "PACS", 10}));
    const auto studies = journal_.complete_studies("rule", now(), 0);
    EXPECT_EQ(studies.size(), 0u) << "its delivery has not ended";
    journal_.delivered("1.2");
    study_ = journal_.complete_studies("rule", now(), 0).at(0);
    EXPECT_TRUE(journal_.add_job(study_, "rule", "1.2.1", "digest"));
    return journal_.take_job().value().id;
  }
  std::string state(std::int64_t job) {
    for (const JobRow& row : journal_.jobs())
      if (row.id == job) return row.state;
    return "";
  }

  tests::TempDir dir_;
  Journal journal_{dir_ / "journal.sqlite"};
  StudyRow study_;
};

TEST_F(JournalTest, KeepsAnInstanceOnce) {
  EXPECT_TRUE(journal_.add_instance({"1.2", "1.2.1", "1.2.1.1", "c", "PACS", 10}));
  EXPECT_FALSE(journal_.add_instance({"1.2", "1.2.1", "1.2.1.1", "c", "PACS", 10}));
  EXPECT_EQ(journal_.stored_bytes(), 10);
  EXPECT_TRUE(journal_.has_instance("1.2", "1.2.1", "1.2.1.1"));
  EXPECT_FALSE(journal_.has_instance("1.3", "1.2.1", "1.2.1.1"));
}

TEST_F(JournalTest, GoesFromStudyToSent) {
  const std::int64_t job = running_job();
  EXPECT_TRUE(journal_.complete_studies("rule", now(), now()).empty()) << "the rule has looked at it";
  EXPECT_EQ(journal_.complete_studies("another", now(), now()).size(), 1u);
  EXPECT_FALSE(journal_.add_job(study_, "rule", "1.2.1", "digest")) << "the same work is not done again";
  EXPECT_FALSE(journal_.take_job());
  EXPECT_TRUE(journal_.made(job, {{0, "9.1", "c", "results/1/a"}, {0, "9.2", "c", "results/1/b"}}, {"pacs", "web"}));
  EXPECT_EQ(state(job), "sending");
  for (int i = 0; i < 2; ++i) {
    const auto due = journal_.due_sendings();
    ASSERT_EQ(due.size(), 2u) << "both objects to one peer";
    EXPECT_EQ(due[0].peer, due[1].peer);
    for (const SendingRow& row : due) journal_.sent(row.result.id, row.peer);
  }
  EXPECT_TRUE(journal_.due_sendings().empty());
  EXPECT_EQ(state(job), "done");
}

TEST_F(JournalTest, GivesUpAndTriesAgain) {
  const std::int64_t job = running_job();
  journal_.failed(job, "no memory", now() + 60'000);
  EXPECT_EQ(state(job), "queued");
  EXPECT_FALSE(journal_.take_job()) << "not before its time";
  journal_.retry(job);
  ASSERT_TRUE(journal_.take_job());
  journal_.failed(job, "no memory", 0);
  EXPECT_EQ(state(job), "failed");
  journal_.retry(job);
  EXPECT_EQ(journal_.take_job().value().attempts, 1);
  EXPECT_THROW(journal_.retry(job), Error) << "it runs";
  EXPECT_THROW(journal_.retry(99), Error);

  // A sending that was given up makes the job fail; a retry does not make the objects anew, and does not send what has arrived.
  EXPECT_TRUE(journal_.made(job, {{0, "9.1", "c", "a"}}, {"pacs", "web"}));
  const auto first = journal_.due_sendings().at(0);
  journal_.sent(first.result.id, first.peer);
  const auto second = journal_.due_sendings().at(0);
  journal_.sending_failed(second.result.id, second.peer, "no route", 0);
  EXPECT_EQ(state(job), "failed");
  EXPECT_THAT(journal_.jobs().at(0).error, testing::HasSubstr("no route"));
  journal_.retry(job);
  EXPECT_EQ(state(job), "sending");
  ASSERT_EQ(journal_.due_sendings().size(), 1u);
  EXPECT_EQ(journal_.due_sendings()[0].peer, second.peer);
}

TEST_F(JournalTest, RecoversWhatACrashLeft) {
  const std::int64_t job = running_job();
  EXPECT_EQ(journal_.recover(2), 1);
  EXPECT_EQ(state(job), "queued");
  EXPECT_EQ(journal_.take_job().value().attempts, 1) << "an interruption is no failed attempt";
  EXPECT_EQ(journal_.recover(2), 1);
  EXPECT_EQ(state(job), "failed") << "a study that takes the process down every time";
  EXPECT_THAT(journal_.jobs().at(0).error, testing::HasSubstr("2 times"));
}

TEST_F(JournalTest, MoreInstancesSupersedeAJobThatHasMadeNothing) {
  const std::int64_t job = running_job();
  EXPECT_TRUE(journal_.add_instance({"1.2", "1.2.1", "1.2.1.3", "c", "PACS", 10}));
  journal_.delivered("1.2");
  EXPECT_TRUE(journal_.add_job(journal_.complete_studies("rule", now(), 0).at(0), "rule", "1.2.1", "more"));
  EXPECT_EQ(state(job), "superseded");
  EXPECT_FALSE(journal_.made(job, {{0, "9.1", "c", "a"}}, {"pacs"})) << "its results are of no use";
  EXPECT_TRUE(journal_.due_sendings().empty());
  EXPECT_EQ(journal_.take_job().value().digest, "more");
}

TEST_F(JournalTest, ShowsWhatCannotBeUsed) {
  EXPECT_TRUE(journal_.add_instance({"1.2", "1.2.1", "1.2.1.1", "c", "PACS", 10}));
  journal_.delivered("1.2");
  journal_.add_unusable(journal_.complete_studies("rule", now(), 0).at(0), "rule", "slices are missing");
  EXPECT_TRUE(journal_.complete_studies("rule", now(), 0).empty());
  EXPECT_EQ(journal_.jobs().at(0).state, "failed");
  EXPECT_EQ(journal_.chosen_series("1.2", "rule"), "");
  journal_.retry(1);
  EXPECT_EQ(journal_.take_job().value().series, "");
  // The missing ones come: the job on them takes its place.
  EXPECT_TRUE(journal_.add_instance({"1.2", "1.2.1", "1.2.1.2", "c", "PACS", 10}));
  journal_.delivered("1.2");
  EXPECT_TRUE(journal_.add_job(journal_.complete_studies("rule", now(), 0).at(0), "rule", "1.2.1", "both"));
  EXPECT_EQ(state(1), "superseded");
  EXPECT_EQ(journal_.chosen_series("1.2", "rule"), "1.2.1");
}

TEST_F(JournalTest, ForgetsOldStudiesButNotThatTheyWereDone) {
  const std::int64_t job = running_job();
  EXPECT_TRUE(journal_.old_studies(now() + 1000).empty()) << "a job is open";
  EXPECT_TRUE(journal_.made(job, {{0, "9.1", "c", "a"}}, {}));
  EXPECT_EQ(state(job), "done");
  EXPECT_TRUE(journal_.old_studies(now() - 60'000).empty());
  EXPECT_THAT(journal_.old_studies(now() + 1000), testing::ElementsAre("1.2"));
  journal_.forget("1.2");
  EXPECT_EQ(journal_.stored_bytes(), 0);
  EXPECT_TRUE(journal_.add_instance({"1.2", "1.2.1", "1.2.1.1", "c", "PACS", 10}));
  journal_.delivered("1.2");
  EXPECT_FALSE(journal_.add_job(journal_.complete_studies("rule", now(), 0).at(0), "rule", "1.2.1", "digest"));
}

TEST_F(JournalTest, RefusesAFileOfANewerProgram) {
  Database(dir_ / "new.sqlite").execute("PRAGMA user_version=99");
  EXPECT_THROW(Journal(dir_ / "new.sqlite"), Error);
}

TEST(ObjectStore, HasOneNode) {
  const tests::TempDir dir;
  const ObjectStore store(dir / "store", {});
  EXPECT_THROW(ObjectStore(dir / "store", {}), Error);
}

}  // namespace
}  // namespace vesal::dicom
