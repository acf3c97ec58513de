// The node between DCMTK's tools and Orthanc: what it receives, what it answers, and what is left when it is killed.
#include "dicom/node.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "base/cancel.h"
#include "dicom/child.h"
#include "dicom/dicomweb.h"
#include "dicom/made_study.h"
#include "dicom/orthanc.h"
#include "dicom/scu.h"
#include "paths.h"

namespace vesal::tests {
namespace {
namespace fs = std::filesystem;
using namespace dicom;
using testing::HasSubstr;
using testing::SizeIs;

#define SKIP_WITHOUT_ORTHANC() \
  if (!Orthanc::installed()) GTEST_SKIP() << "Orthanc is not installed (Debian: orthanc, orthanc-dicomweb)"

NodeConfig quick_config() {
  NodeConfig config;
  Rule rule;
  rule.name = "quick";
  rule.quiet = Milliseconds(300);
  config.rules = {rule};
  config.limits.free = 0;
  config.limits.first_pause = Milliseconds(100);
  config.limits.longest_pause = Milliseconds(500);
  config.limits.interruptions = 100;
  return config;
}

std::vector<std::string> words(std::vector<std::string> first, const std::vector<fs::path>& files) {
  for (const fs::path& file : files) first.push_back(file.string());
  return first;
}

std::string state_of(Journal& journal, std::size_t job) {
  const auto jobs = journal.jobs();
  return jobs.size() > job ? jobs[job].state + " " + jobs[job].error : "none";
}

TEST(Node, TakesStudiesFromDcmtksToolsAndMakesOneJobOfEach) {
  const TempDir dir;
  const MadeStudy study = make_study(dir / "in", "tools", 3);
  QuickWorker worker;
  Node node({quick_config(), dir / "store", "VESAL", "127.0.0.1", 0, {}}, worker);
  const std::string port = std::to_string(node.port());
  EXPECT_EQ(run_tool({"echoscu", "-aec", "VESAL", "127.0.0.1", port}), 0);
  EXPECT_EQ(run_tool(words({"storescu", "-aec", "VESAL", "127.0.0.1", port}, study.files)), 0);
  Journal& journal = node.store().journal();
  EXPECT_TRUE(eventually(10, [&] { return state_of(journal, 0) == "done "; })) << state_of(journal, 0);

  // The bytes are those that came, and no name is made of what came.
  std::size_t stored = 0;
  for (const auto& entry : fs::recursive_directory_iterator(node.store().study_folder(study.study)))
    if (entry.is_regular_file()) {
      ++stored;
      EXPECT_EQ(entry.path().filename().string().size(), 20u) << entry.path();
      EXPECT_THAT(study.sops, testing::Contains(read_object_facts(entry.path()).sop));
    }
  EXPECT_EQ(stored, 3u);
  EXPECT_TRUE(fs::is_empty(dir / "store/incoming"));

  // Again: nothing new. One more slice of the series: one more job, for four instances. Another series of the study: none.
  EXPECT_EQ(run_tool(words({"storescu", "-aec", "VESAL", "127.0.0.1", port}, study.files)), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(900));
  EXPECT_THAT(journal.jobs(), SizeIs(1));
  const MadeStudy more = make_study(dir / "more", "tools", 4);
  EXPECT_EQ(run_tool(words({"storescu", "-aec", "VESAL", "127.0.0.1", port}, {more.files[3]})), 0);
  EXPECT_TRUE(eventually(10, [&] { return state_of(journal, 1) == "done "; })) << state_of(journal, 1);
  EXPECT_NE(journal.jobs()[0].digest, journal.jobs()[1].digest);
  EXPECT_NE(journal.results(1).at(0).sop, journal.results(2).at(0).sop);
}

TEST(Node, RefusesWhoIsNotAllowed) {
  const TempDir dir;
  NodeConfig config = quick_config();
  config.allowed_aets = {"CT1", "PACS"};
  QuickWorker worker;
  Node node({config, dir / "store", "VESAL", "127.0.0.1", 0, {}}, worker);
  const std::string port = std::to_string(node.port());
  EXPECT_EQ(run_tool({"echoscu", "-aet", "CT1", "-aec", "VESAL", "127.0.0.1", port}), 0);
  std::string out;
  EXPECT_NE(run_tool({"echoscu", "-aet", "CT2", "-aec", "VESAL", "127.0.0.1", port}, &out), 0);
  EXPECT_THAT(out, HasSubstr("Calling AE Title Not Recognized"));
  EXPECT_NE(run_tool({"echoscu", "-aet", "CT1", "-aec", "OTHER", "127.0.0.1", port}, &out), 0);
  EXPECT_THAT(out, HasSubstr("Called AE Title Not Recognized"));

  config.allowed_addresses = {"10.0.0.0/8", "192.168.1.7"};
  Node far({config, dir / "far", "VESAL", "127.0.0.1", 0, {}}, worker);
  EXPECT_NE(run_tool({"echoscu", "-aet", "CT1", "-aec", "VESAL", "127.0.0.1", std::to_string(far.port())}), 0);
}

TEST(Node, RefusesWhatDoesNotFitOnTheDisk) {
  const TempDir dir;
  const MadeStudy study = make_study(dir / "in", "full", 2);
  NodeConfig config = quick_config();
  config.limits.free = 1'000'000'000'000'000;
  QuickWorker worker;
  Node node({config, dir / "store", "VESAL", "127.0.0.1", 0, {}}, worker);
  std::string out;
  run_tool(words({"storescu", "-v", "-aec", "VESAL", "127.0.0.1", std::to_string(node.port())}, {study.files[0]}), &out);
  EXPECT_THAT(out, HasSubstr("Refused: OutOfResources"));
  EXPECT_EQ(node.store().journal().stored_bytes(), 0);
}

TEST(Node, AnswersAnArchiveByDimseAndByDicomweb) {
  SKIP_WITHOUT_ORTHANC();
  const TempDir dir;
  const int port = free_port();
  const Orthanc orthanc(port);
  const MadeStudy study = make_study(dir / "in", "archive", 3);
  std::string id;
  for (const fs::path& file : study.files) id = orthanc.add(file);
  NodeConfig config = quick_config();
  config.peers = {{"pacs", orthanc.dimse()}, {"web", orthanc.web()}};
  config.rules[0].send_to = {"pacs"};
  config.rules.push_back(config.rules[0]);
  config.rules[1].name = "by web";
  config.rules[1].send_to = {"web"};
  QuickWorker worker;
  Node node({config, dir / "store", "VESAL", "127.0.0.1", port, {}}, worker);
  const std::string archive_port = std::to_string(orthanc.port()), key = "StudyInstanceUID=" + study.study;
  ASSERT_EQ(run_tool({"movescu", "-S", "-aec", "ORTHANC", "-aem", "VESAL", "-k", "QueryRetrieveLevel=STUDY", "-k", key, "127.0.0.1", archive_port}),
            0);
  EXPECT_TRUE(eventually(20, [&] { return orthanc.instances(study.study, "OT").size() == 2; }));
  Journal& journal = node.store().journal();
  EXPECT_TRUE(eventually(5, [&] { return state_of(journal, 0) == "done " && state_of(journal, 1) == "done "; })) << state_of(journal, 1);

  // As a viewer sees it: the series of results are listed under the study.
  std::string seen;
  EXPECT_EQ(run_tool({"findscu", "-S", "-aec", "ORTHANC", "-k", "QueryRetrieveLevel=SERIES", "-k", key, "-k", "Modality=OT", "-k",
                      "SeriesInstanceUID", "127.0.0.1", archive_port},
                     &seen),
            0);
  EXPECT_THAT(seen, HasSubstr("OT"));

  // And what a fetch uses: C-FIND, C-GET, QIDO-RS, WADO-RS.
  Scu scu(orthanc.dimse(), "VESAL", query_contexts(true));
  scu.echo();
  const Attributes keys{{"AccessionNumber", "archive"}, {"StudyInstanceUID", ""}};
  const auto found = scu.find("STUDY", keys), on_web = Dicomweb(orthanc.web()).find("STUDY", keys);
  ASSERT_THAT(found, SizeIs(1));
  ASSERT_THAT(on_web, SizeIs(1));
  EXPECT_THAT(found[0], testing::Contains(testing::Pair("StudyInstanceUID", study.study)));
  EXPECT_THAT(on_web[0], testing::Contains(testing::Pair("StudyInstanceUID", study.study)));
  EXPECT_THAT(scu.find("STUDY", {{"AccessionNumber", "nobody"}, {"StudyInstanceUID", ""}}), SizeIs(0));
  ObjectStore got(dir / "got", config.limits), web(dir / "web", config.limits);
  EXPECT_EQ(Scu(orthanc.dimse(), "VESAL", get_contexts()).get(study.study, got).completed, 5);
  EXPECT_EQ(Dicomweb(orthanc.web()).get(study.study, web), 5u);
  for (const std::string& sop : study.sops) {
    EXPECT_TRUE(got.journal().has_instance(study.study, study.series, sop));
    EXPECT_TRUE(web.journal().has_instance(study.study, study.series, sop));
  }
}

/// Killed at random moments while an archive sends studies over and over: nothing is lost, and nothing is there twice.
TEST(Node, KilledTenTimesItEndsWithOneResultOfEachStudy) {
  SKIP_WITHOUT_ORTHANC();
  const TempDir dir;
  const int port = free_port();
  const Orthanc orthanc(port);
  constexpr int kStudies = 3;
  std::vector<MadeStudy> studies;
  std::vector<std::string> ids;
  for (int i = 0; i < kStudies; ++i) {
    studies.push_back(make_study(dir / ("in" + std::to_string(i)), "killed" + std::to_string(i), 6));
    for (const fs::path& file : studies.back().files) {
      const std::string id = orthanc.add(file);
      if (ids.size() == static_cast<std::size_t>(i)) ids.push_back(id);
    }
  }
  NodeConfig config = quick_config();
  config.peers = {{"pacs", orthanc.dimse()}};
  config.rules[0].send_to = {"pacs"};
  config.rules[0].broken = Milliseconds(20'000);  // half a study waits for the rest; one of which only the release was cut off, too
  const auto serve = [&] {
    install_cancel_handler();
    QuickWorker worker;
    worker.seconds = 0.4;
    Node node({config, dir / "store", "VESAL", "127.0.0.1", port, {}}, worker);
    while (!cancel_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return 0;
  };
  std::mt19937 random(20261124);
  std::vector<bool> taken(kStudies, false);
  for (int round = 0; round < 10; ++round) {
    Child child{std::function<int()>(serve)};
    const int until_death = 150 + static_cast<int>(random() % 900);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(until_death);
    std::thread killer([&] {
      std::this_thread::sleep_until(end);
      kill(child.pid(), SIGKILL);
    });
    for (int i = 0; i < kStudies && std::chrono::steady_clock::now() < end; ++i)
      if (!taken[i]) taken[i] = orthanc.send_study(ids[i]);
    killer.join();
    child.wait();
  }
  Child last{std::function<int()>(serve)};
  // It serves, and so hears SIGTERM as it should.
  ASSERT_TRUE(eventually(20, [&] { return run_tool({"echoscu", "-aec", "VESAL", "127.0.0.1", std::to_string(port)}) == 0; }));
  for (int i = 0; i < kStudies; ++i) EXPECT_TRUE(taken[i] || eventually(20, [&] { return orthanc.send_study(ids[i]); }));
  const auto jobs_of = [&](const MadeStudy& study) {
    Journal journal(dir / "store/journal.sqlite");
    std::vector<std::string> out;
    for (const JobRow& job : journal.jobs())
      if (job.study == study.study) out.push_back(job.state + " " + job.digest);
    return out;
  };
  for (const MadeStudy& study : studies) {
    const std::vector<std::string> one{"done " + digest_of(study.sops)};
    EXPECT_TRUE(eventually(60, [&] { return jobs_of(study) == one; })) << testing::PrintToString(jobs_of(study));
  }
  EXPECT_EQ(last.stop(), 0);
  for (const MadeStudy& study : studies) EXPECT_THAT(orthanc.instances(study.study, "OT"), SizeIs(1));
}

}  // namespace
}  // namespace vesal::tests
