// vesal serve as a process: its first words, its end, and its death in the middle of work.
#include <gmock/gmock.h>
#include <signal.h>

#include <random>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "cli/program.h"
#include "dicom/child.h"
#include "paths.h"
#include "server/test_server.h"

namespace vesal::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<std::string> words(const TempDir& dir, int port) {
  return {VESAL_BINARY, "serve", "--json", "--port", std::to_string(port), "--data", (dir / "data").string()};
}

/// The first line of its output, once it is there.
Dict serving(const std::string& log) {
  EXPECT_TRUE(eventually(60, [&] { return std::filesystem::exists(log) && read_text(log).find("\"serving\"") != std::string::npos; }));
  const std::string text = read_text(log);
  return parse_json(text.substr(0, text.find('\n'))).as_dict();
}

TEST(Serve, RefusesWhatOthersCouldReadAndFoldersInUse) {
  const TempDir dir;
  const ProgramResult open = run_program({"serve", "--data", (dir / "data").string(), "--host", "0.0.0.0", "--port", "0"});
  EXPECT_EQ(open.exit_code, 2);
  EXPECT_THAT(open.err, AllOf(HasSubstr("--tls-cert"), HasSubstr("--allow-public")));
  Child first(words(dir, free_port()), (dir / "log").string());
  serving((dir / "log").string());
  const ProgramResult second = run_program({"serve", "--data", (dir / "data").string(), "--port", "0"});
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.err, HasSubstr("another vesal serves"));
  EXPECT_EQ(first.stop(), 0);
  const ProgramResult verified = run_program({"audit", "verify", "--data", (dir / "data").string()});
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  EXPECT_EQ(run_program({"audit", "verify", "--data", dir.path().string()}).exit_code, 3);
  EXPECT_THAT(run_program({"--help"}).out, HasSubstr("serve "));
}

/// kill -9 at random moments while a job is under way: every job that was accepted ends once, with the whole mask.
TEST(Serve, KilledAgainAndAgainItEndsEveryJob) {
  SKIP_WITHOUT_SHARED("ct_3mm/ct.nii.gz");
  const TempDir dir;
  const int port = free_port();
  const std::string scan = read_text(shared("ct_3mm/ct.nii.gz"), 1ull << 30);
  std::mt19937 random(61);
  std::string token;
  std::vector<std::string> jobs;
  for (int round = 0; round < 4; ++round) {
    const std::string log = (dir / ("log" + std::to_string(round))).string();
    Child server(words(dir, port), log);
    const Dict said = serving(log);
    Caller doctor(port);
    if (round == 0) {
      const std::string once = said.at("one_time_password").as_string();
      ASSERT_EQ(doctor.login("admin", once), 200);
      ASSERT_EQ(doctor.post("/api/v1/me/password", Dict{{"old", once}, {"new", kPassword}})->status, 200);
      token = json_of(doctor.post("/api/v1/tokens", Dict{{"name", "test"}})).at("token").as_string();
      const std::string upload = doctor.upload("ct.nii.gz", scan);
      for (int i = 0; i < 2; ++i)
        jobs.push_back(json_of(doctor.post("/api/v1/jobs", Dict{{"upload", upload}, {"model", "spleen_ct_phantom"}})).at("id").as_string());
    } else {
      EXPECT_FALSE(said.contains("one_time_password")) << "said once";
    }
    doctor.token = token;
    ASSERT_TRUE(eventually(60, [&] {
      const auto states = json_of(doctor.get("/api/v1/jobs")).at("jobs").items();
      return std::any_of(states.begin(), states.end(), [](const Value& job) { return job.as_dict().at("state").as_string() == "running"; }) ||
             std::all_of(states.begin(), states.end(), [](const Value& job) { return job.as_dict().at("state").as_string() == "done"; });
    })) << "no job was begun";
    if (round > 0) std::this_thread::sleep_for(std::chrono::milliseconds(random() % 500));  // the first dies at work for certain
    ASSERT_TRUE(server.running());
    server.kill_now();
  }
  std::int64_t interruptions = 0;
  {
    server::Database database(server::database_file(dir / "data"));
    server::Query row(database, "SELECT sum(interruptions) + sum(state = 'running') FROM job");
    if (row.next()) interruptions = row.number(0);
  }
  EXPECT_GT(interruptions, 0) << "none was at work";
  const std::string log = (dir / "last").string();
  Child last(words(dir, port), log);
  serving(log);
  Caller doctor(port);
  doctor.token = token;
  const auto state = [&](const std::string& job) { return json_of(doctor.get("/api/v1/jobs/" + job)).at("state").as_string(); };
  for (const std::string& job : jobs) {
    EXPECT_TRUE(eventually(120, [&] { return std::this_thread::sleep_for(std::chrono::milliseconds(200)), state(job) == "done"; })) << state(job);
  }
  const std::string mask = (dir / "mask.nii.gz").string();
  ASSERT_EQ(run_program(
                {"segment", "-q", shared("ct_3mm/ct.nii.gz").string(), "-o", mask, "--bundle", (source_dir() / "bundles/spleen_ct_phantom").string()})
                .exit_code,
            0);
  for (const std::string& job : jobs) EXPECT_EQ(doctor.get("/api/v1/jobs/" + job + "/mask.nii.gz")->body, read_text(mask, 1ull << 30));
  for (const auto& entry : std::filesystem::directory_iterator(dir / "data/jobs")) EXPECT_NE(entry.path().extension(), ".part");
  EXPECT_EQ(last.stop(), 0);
  EXPECT_EQ(run_program({"audit", "verify", "--data", (dir / "data").string()}).exit_code, 0);
}

}  // namespace
}  // namespace vesal::tests
