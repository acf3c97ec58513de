// vesal dicom serve with the built-in bundle on a real CT, between it and Orthanc. Slow: the bundle runs.
#include <gmock/gmock.h>
#include <signal.h>

#include <random>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "cli/program.h"
#include "dicom/made_study.h"
#include "dicom/orthanc.h"
#include "paths.h"

namespace vesal::tests {
namespace {
namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

std::string log_of(const std::string& file) { return fs::exists(file) ? read_text(file) : ""; }

std::string rules_for(const Orthanc& orthanc) {
  return "nodes:\n  pacs: {aet: ORTHANC, host: 127.0.0.1, port: " + std::to_string(orthanc.port()) + "}\n  web: {url: \"" + orthanc.web().url +
         "\"}\nrules:\n  - {name: spleen, series: \"modality=CT\", bundle: " + (source_dir() / "bundles/spleen_ct_phantom").string() +
         ", quiet: 1s, broken: 20s, results: [seg, sc], send_to: [pacs, web]}\nlimits: {free: 0, first_pause: 200ms}\n";
}

TEST(DicomServe, AnswersAnArchiveWithTheSegmentationOfARealScan) {
  SKIP_WITHOUT_SHARED("ct_dicom/series");
  if (!Orthanc::installed()) GTEST_SKIP() << "Orthanc is not installed (Debian: orthanc, orthanc-dicomweb)";
  const TempDir dir;
  const int port = free_port();
  const Orthanc orthanc(port);
  const MadeStudy made = identified_study(shared("ct_dicom/series"), dir / "in", "real");
  const std::string& study = made.study;
  std::string id;
  for (const fs::path& file : made.files) id = orthanc.add(file);
  write_file(dir / "rules.yaml", rules_for(orthanc));
  const std::string store = (dir / "store").string(), log = (dir / "log").string();
  Child node({VESAL_BINARY, "dicom", "serve", "--json", "--port", std::to_string(port), "--rules", (dir / "rules.yaml").string(), "--store", store},
             log);
  ASSERT_TRUE(eventually(30, [&] { return log_of(log).find("\"serving\"") != std::string::npos; })) << log_of(log);
  ASSERT_TRUE(orthanc.send_study(id));

  const auto jobs = [&] { return parse_json(run_program({"dicom", "jobs", "--store", store, "--json"}).out); };
  ASSERT_TRUE(eventually(240,
                         [&] {
                           std::this_thread::sleep_for(std::chrono::milliseconds(300));
                           const Value list = jobs();
                           return !list.items().empty() && list.items()[0].as_dict().at("state").as_string() == "done";
                         }))
      << to_json(jobs()) << log_of(log);
  EXPECT_THAT(jobs().items(), SizeIs(1));
  EXPECT_THAT(jobs().items()[0].as_dict().at("sendings").items(), SizeIs(4));
  EXPECT_THAT(orthanc.instances(study, "SEG"), SizeIs(1));
  EXPECT_EQ(orthanc.instances(study, "CT").size(), made.files.size());

  // Again, and again after a restart: the same objects.
  EXPECT_TRUE(orthanc.send_study(id));
  EXPECT_EQ(node.stop(), 0) << log_of(log);
  EXPECT_THAT(log_of(log), HasSubstr("\"stopping\""));
  EXPECT_EQ(log_of(log).find("PatientName"), std::string::npos);
  EXPECT_THAT(jobs().items(), SizeIs(1));
  EXPECT_EQ(run_program({"dicom", "retry", "1", "--store", store}).exit_code, 2) << "it is done";
}

/// SIGTERM in the middle of a job: it is put back, and the next start does it.
TEST(DicomServe, PutsAJobBackWhenItIsStopped) {
  if (!Orthanc::installed()) GTEST_SKIP() << "Orthanc is not installed (Debian: orthanc, orthanc-dicomweb)";
  const TempDir dir;
  const Orthanc orthanc(free_port());
  write_file(dir / "rules.yaml", rules_for(orthanc));
  const std::string store = (dir / "store").string(), log = (dir / "log").string();
  const int port = free_port();
  const MadeStudy study = make_study(dir / "in", "stopped", 40, 256);
  const std::vector<std::string> words{
      VESAL_BINARY, "dicom", "serve", "--json", "--port", std::to_string(port), "--rules", (dir / "rules.yaml").string(), "--store", store};
  const auto jobs = [&] { return run_program({"dicom", "jobs", "--store", store}).out; };
  Child first(words, log);
  ASSERT_TRUE(eventually(30, [&] { return log_of(log).find("\"serving\"") != std::string::npos; })) << log_of(log);
  ASSERT_EQ(run_program({"dicom", "send", (dir / "in").string(), "--to", "VESAL@127.0.0.1:" + std::to_string(port)}).exit_code, 0);
  ASSERT_TRUE(eventually(30, [&] { return log_of(log).find("\"started\"") != std::string::npos; })) << log_of(log);
  EXPECT_EQ(first.stop(), 0) << log_of(log);
  EXPECT_THAT(jobs(), testing::AnyOf(HasSubstr("queued"), HasSubstr("sending"), HasSubstr("done")));
  Child second(words, log);
  EXPECT_TRUE(eventually(120,
                         [&] {
                           std::this_thread::sleep_for(std::chrono::milliseconds(300));
                           return jobs().find("done") != std::string::npos;
                         }))
      << jobs() << log_of(log);
  EXPECT_THAT(orthanc.instances(study.study, "SEG"), SizeIs(1));
  EXPECT_EQ(second.stop(), 0);
}

/// kill -9 at random moments of receiving, working and sending: each study ends with one segmentation.
TEST(DicomServe, KilledTenTimesItEndsWithOneSegmentationOfEachStudy) {
  if (!Orthanc::installed()) GTEST_SKIP() << "Orthanc is not installed (Debian: orthanc, orthanc-dicomweb)";
  const TempDir dir;
  const int port = free_port();
  const Orthanc orthanc(port);
  write_file(dir / "rules.yaml", rules_for(orthanc));
  const std::string store = (dir / "store").string();
  const std::vector<std::string> words{VESAL_BINARY, "dicom", "serve", "-q", "--port", std::to_string(port), "--rules", (dir / "rules.yaml").string(),
                                       "--store",    store};
  std::vector<MadeStudy> studies;
  std::vector<std::string> ids(2);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    studies.push_back(make_study(dir / ("in" + std::to_string(i)), "killed" + std::to_string(i), 30, 128));
    for (const fs::path& file : studies[i].files) ids[i] = orthanc.add(file);
  }
  std::mt19937 random(1124);
  std::vector<bool> taken(ids.size());
  for (int round = 0; round < 10; ++round) {
    Child node(words, "");
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300 + random() % 2500);
    std::thread killer([&] {
      std::this_thread::sleep_until(end);
      kill(node.pid(), SIGKILL);
    });
    for (std::size_t i = 0; i < ids.size(); ++i)
      while (!taken[i] && std::chrono::steady_clock::now() < end) taken[i] = orthanc.send_study(ids[i]);
    killer.join();
    node.wait();
  }
  Child last(words, (dir / "log").string());
  ASSERT_TRUE(eventually(30, [&] { return run_program({"dicom", "echo", "VESAL@127.0.0.1:" + std::to_string(port)}).exit_code == 0; }));
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_TRUE(taken[i] || eventually(20, [&] { return orthanc.send_study(ids[i]); }));
  const auto done = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return parse_json(run_program({"dicom", "jobs", "--store", store, "--state", "done", "--json"}).out).items().size();
  };
  EXPECT_TRUE(eventually(120, [&] { return done() == ids.size(); })) << run_program({"dicom", "jobs", "--store", store}).out;
  EXPECT_EQ(last.stop(), 0);
  for (const MadeStudy& study : studies) {
    EXPECT_THAT(orthanc.instances(study.study, "SEG"), SizeIs(1));
    EXPECT_THAT(orthanc.instances(study.study, "CT"), SizeIs(30));
  }
}

TEST(DicomServe, SaysWhatIsWrongWithItsRules) {
  const TempDir dir;
  const auto serve = [&](const std::string& rules) {
    write_file(dir / "rules.yaml", rules);
    return run_program({"dicom", "serve", "--port", "0", "--rules", (dir / "rules.yaml").string(), "--store", (dir / "store").string()});
  };
  const std::string bundle = (source_dir() / "bundles/spleen_ct_phantom").string();
  ProgramResult r = serve("rules: [{name: a, bundle: nowhere}]");
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_THAT(r.err, HasSubstr("rule a"));
  r = serve("rules: [{name: a, bundle: " + bundle + ", results: [stl]}]");
  EXPECT_EQ(r.exit_code, 2);
  EXPECT_THAT(r.err, HasSubstr("'stl' is no DICOM object"));
  r = serve("rules: [{name: a, bundle: " + bundle + ", series: \"slices>=many\"}]");
  EXPECT_EQ(r.exit_code, 2) << r.err;
  EXPECT_EQ(run_program({"dicom", "jobs", "--store", dir.path().string()}).exit_code, 3);
}

}  // namespace
}  // namespace vesal::tests
