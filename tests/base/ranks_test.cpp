// What launchers say, and who notices that a rank is gone.
#include "base/ranks.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <future>

#include "base/roll_call.h"

namespace vesal::ranks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The environment for as long as a test lasts; all that launchers set is unset first.
class Seats : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"RANK",
                             "WORLD_SIZE",
                             "LOCAL_RANK",
                             "LOCAL_WORLD_SIZE",
                             "MASTER_ADDR",
                             "MASTER_PORT",
                             "TORCHELASTIC_RESTART_COUNT",
                             "TORCHELASTIC_USE_AGENT_STORE",
                             "PET_NNODES",
                             "PET_NODE_RANK",
                             "PET_NPROC_PER_NODE",
                             "PET_MASTER_ADDR",
                             "PET_MASTER_PORT",
                             "SLURM_STEP_ID",
                             "SLURM_PROCID",
                             "SLURM_NTASKS",
                             "SLURM_STEP_NUM_TASKS",
                             "SLURM_LOCALID",
                             "SLURM_STEP_NODELIST",
                             "SLURM_JOB_NODELIST",
                             "SLURM_JOB_ID",
                             "VESAL_JOIN_TIMEOUT",
                             "VESAL_STEP_TIMEOUT"})
      unsetenv(name);
  }
  void TearDown() override { SetUp(); }
  static std::string failure() {
    try {
      seat_from_environment();
    } catch (const Error& e) { return e.what(); }
    return "nothing thrown";
  }
};
void set(std::initializer_list<std::pair<const char*, const char*>> variables) {
  for (const auto& [name, value] : variables) setenv(name, value, 1);
}

TEST_F(Seats, NoLauncherNoSeat) {
  EXPECT_FALSE(seat_from_environment());
  set({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}});  // the batch script itself: no srun
  EXPECT_FALSE(seat_from_environment());
}

TEST_F(Seats, Torchrun) {
  set({{"RANK", "3"},
       {"WORLD_SIZE", "4"},
       {"LOCAL_RANK", "1"},
       {"LOCAL_WORLD_SIZE", "2"},
       {"MASTER_ADDR", "node0"},
       {"MASTER_PORT", "29511"},
       {"TORCHELASTIC_RESTART_COUNT", "2"},
       {"TORCHELASTIC_USE_AGENT_STORE", "True"}});
  const Seat s = *seat_from_environment();
  EXPECT_THAT((std::vector{s.rank, s.size, s.local_rank, s.local_size, s.port}), ElementsAre(3, 4, 1, 2, 29511));
  EXPECT_EQ(s.address, "node0");
  EXPECT_EQ(s.attempt, "2");
  EXPECT_TRUE(s.store_elsewhere);
}

TEST_F(Seats, PyTorchJobHasNoLocalRank) {
  set({{"RANK", "1"},
       {"WORLD_SIZE", "2"},
       {"MASTER_ADDR", "job-master-0"},
       {"PET_NPROC_PER_NODE", "1"},
       {"PET_NNODES", "2"},
       {"PET_NODE_RANK", "1"}});
  const Seat s = *seat_from_environment();
  EXPECT_THAT((std::vector{s.rank, s.size, s.local_rank, s.port}), ElementsAre(1, 2, 0, 29500));
  set({{"PET_NPROC_PER_NODE", "2"}});
  EXPECT_THAT(failure(), HasSubstr("vesal launch"));
}

TEST_F(Seats, KubernetesTrainer) {
  set({{"PET_NNODES", "3"},
       {"PET_NODE_RANK", "2"},
       {"PET_NPROC_PER_NODE", "auto"},
       {"PET_MASTER_ADDR", "job-node-0-0.job"},
       {"PET_MASTER_PORT", "29400"}});
  const Seat s = *seat_from_environment();
  EXPECT_THAT((std::vector{s.rank, s.size, s.port}), ElementsAre(2, 3, 29400));
  EXPECT_EQ(s.address, "job-node-0-0.job");
  set({{"PET_NNODES", "1:4"}});
  EXPECT_THAT(failure(), HasSubstr("number of machines that changes"));
}

TEST_F(Seats, Slurm) {
  set({{"SLURM_STEP_ID", "0"},
       {"SLURM_PROCID", "5"},
       {"SLURM_NTASKS", "8"},
       {"SLURM_STEP_NUM_TASKS", "6"},
       {"SLURM_LOCALID", "1"},
       {"SLURM_STEP_NODELIST", "gpu[07-09],login"},
       {"SLURM_JOB_ID", "123456"}});
  const Seat s = *seat_from_environment();
  EXPECT_THAT((std::vector{s.rank, s.size, s.local_rank, s.port}), ElementsAre(5, 6, 1, 23456));
  EXPECT_EQ(s.address, "gpu07");
}

TEST_F(Seats, FirstMachineOfAList) {
  EXPECT_EQ(first_machine("a,b"), "a");
  EXPECT_EQ(first_machine("node3"), "node3");
  EXPECT_EQ(first_machine("node[3,5-7].site,login"), "node3.site");
  EXPECT_EQ(first_machine("login,node[3,5]"), "login");
  EXPECT_EQ(first_machine("rack[2-4]n[011-020]"), "rack2n011");
  EXPECT_THROW(first_machine("node[3,5"), Error);
}

TEST_F(Seats, SaysWhatIsWrong) {
  set({{"WORLD_SIZE", "2"}});
  EXPECT_THAT(failure(), HasSubstr("RANK is not set"));
  set({{"RANK", "2"}, {"MASTER_ADDR", "x"}});
  EXPECT_THAT(failure(), HasSubstr("RANK is 2, but WORLD_SIZE is only 2"));
  set({{"RANK", "one"}});
  EXPECT_THAT(failure(), HasSubstr("RANK='one' is no number"));
  set({{"RANK", "0"}, {"MASTER_PORT", "70000"}});
  EXPECT_THAT(failure(), HasSubstr("MASTER_PORT='70000'"));
}

TEST_F(Seats, Patience) {
  EXPECT_EQ(patience_or_default({}).joining, std::chrono::seconds(300));
  set({{"VESAL_STEP_TIMEOUT", "7"}});
  EXPECT_EQ(patience_or_default({}).step, std::chrono::seconds(7));
  EXPECT_EQ(patience_or_default({.step = std::chrono::seconds(9)}).step, std::chrono::seconds(9));
  set({{"VESAL_STEP_TIMEOUT", "0"}});
  EXPECT_THROW(patience_or_default({}), Error);
}

TEST(Ranks, OneProcessMeetsItself) {
  EXPECT_THAT(gather("x", "abc"), ElementsAre("abc"));
  EXPECT_THAT(sum("x", {1, 2}), ElementsAre(1, 2));
  EXPECT_EQ(size(), 1);
}

/// Three ranks in one process, each with what it heard.
class Calls : public testing::Test {
 protected:
  using Heard = std::pair<int, std::string>;
  void SetUp() override {
    host = std::make_unique<RollCall>(3, "token", heard(0));
    for (int r : {1, 2}) others[r - 1] = std::make_unique<RollCall>(r, "127.0.0.1", host->port(), "token", deadline, heard(r));
    while (!host->missing().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  RollCall::Gone heard(int rank) {
    return [this, rank](int gone, const std::string& why) { promises[rank].set_value({gone, why}); };
  }
  Heard wait(int rank) {
    auto future = promises[rank].get_future();
    if (future.wait_for(std::chrono::seconds(5)) != std::future_status::ready) return {-1, "nothing"};
    return future.get();
  }
  bool silent(int rank) { return promises[rank].get_future().wait_for(std::chrono::milliseconds(50)) != std::future_status::ready; }

  const tcp::Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  std::promise<Heard> promises[3];
  std::unique_ptr<RollCall> host, others[2];
};

TEST_F(Calls, AllHearOfOneThatIsGone) {
  others[0].reset();  // without a word, as one that was killed
  EXPECT_THAT(wait(0), testing::Pair(1, HasSubstr("connection was closed")));
  EXPECT_THAT(wait(2), testing::Pair(1, HasSubstr("connection was closed")));
}

TEST_F(Calls, AllHearWhyOneFailed) {
  others[1]->leave("item 3: scan.nii.gz:\nno such file");
  EXPECT_THAT(wait(0), testing::Pair(2, "stopped: item 3: scan.nii.gz: no such file"));
  EXPECT_THAT(wait(1), testing::Pair(2, "stopped: item 3: scan.nii.gz: no such file"));
}

TEST_F(Calls, TheEndOfRankZeroIsNoticedToo) {
  host.reset();
  EXPECT_THAT(wait(1), testing::Pair(0, HasSubstr("connection was closed")));
}

TEST_F(Calls, WhoSaysGoodbyeIsNotMissed) {
  others[0]->leave("");
  others[0].reset();
  while (host->left().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_THAT(host->left(), ElementsAre(1));
  host->leave("");
  host.reset();
  others[1].reset();
  EXPECT_TRUE(silent(0));
  EXPECT_TRUE(silent(2));
}

TEST_F(Calls, StrangersAreNotCounted) {
  promises[0] = {};
  RollCall wanting(2, "secret", heard(0));
  const auto stranger = tcp::connect("127.0.0.1", wanting.port(), deadline);
  EXPECT_TRUE(tcp::send(stranger, "HELLO 1 guess\n"));
  EXPECT_TRUE(tcp::send(stranger, std::string(10000, 'x')) || true);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_THAT(wanting.missing(), ElementsAre(1));
  RollCall right(1, "127.0.0.1", wanting.port(), "secret", deadline, [](int, const std::string&) {});
  while (!wanting.missing().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(wanting.address(), "127.0.0.1");
  right.leave("");
}

TEST(Tcp, SaysWhyThereIsNoConnection) {
  const int port = tcp::port_of(tcp::listen(0));  // nobody listens there any more
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  try {
    tcp::connect("127.0.0.1", port, soon);
    FAIL();
  } catch (const Error& e) { EXPECT_THAT(e.what(), HasSubstr("Connection refused")); }
  const auto taken = tcp::listen(0);
  EXPECT_THROW(tcp::listen(tcp::port_of(taken)), Error);
}

}  // namespace
}  // namespace vesal::ranks
