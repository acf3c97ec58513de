// Two ranks: what DistributedDataParallel averages and shares, and what a rank says when another one does not come or is gone.
#include "base/ranks.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/parallel.h"
#include "base/tcp.h"
#include "nn/layer.h"
#include "nn/network.h"
#include "nn/process_group.h"

#ifdef VESAL_C10D
namespace vesal::nn {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

std::string failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return e.what(); }
  return "nothing thrown";
}

void set(std::initializer_list<std::pair<const char*, std::string>> variables) {
  for (const auto& [name, value] : variables) setenv(name, value.c_str(), 1);
}

/// The test runs in this process as rank 0, and once more in a child as rank 1; both check.
class TwoRanks : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::getenv("VESAL_TEST_CHILD")) {
      set({{"WORLD_SIZE", "2"},
           {"MASTER_ADDR", "127.0.0.1"},
           {"MASTER_PORT", std::to_string(tcp::port_of(tcp::listen(0)))},
           {"RANK", "1"},
           {"VESAL_TEST_CHILD", "1"}});
      const auto* self = testing::UnitTest::GetInstance()->current_test_info();
      const std::string filter = std::string("--gtest_filter=") + self->test_suite_name() + "." + self->name();
      child_ = fork();
      if (child_ == 0) {
        execl("/proc/self/exe", "test_nn", filter.c_str(), nullptr);
        _exit(127);
      }
      unsetenv("VESAL_TEST_CHILD");
      set({{"RANK", "0"}});
    }
    set_thread_count(1);  // two processes share the cores
    use_thread_count();
    ranks::start({.joining = 20s, .step = 20s});
  }
  void TearDown() override {
    ranks::stop();
    set_thread_count(threads_);
    if (child_ <= 0) return;
    int status = 0;
    waitpid(child_, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "rank 1 failed";
    for (const char* name : {"WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"}) unsetenv(name);
  }
  static NetworkPtr distributed(const NetworkPtr& module, Dict more = {}) {
    CallArgs args{{module}, {}};
    for (const auto& [name, value] : more) args.named.emplace_back(name.as_string(), value);
    return construct(components::get("torch.nn.parallel.DistributedDataParallel"), args).object<Network>();
  }
  const int threads_ = thread_count();
  pid_t child_ = 0;
};

std::string bytes_of(const Tensor& t) {
  const Tensor c = t.detach().contiguous();
  return {static_cast<const char*>(c.data_ptr()), c.nbytes()};
}
std::string all_state(Network& network) {
  std::string all;
  for (const auto& [name, tensor] : network.named_state()) all += bytes_of(tensor);
  return all;
}
Tensor mean_over_ranks(const Tensor& t) {
  Tensor sum = torch::zeros_like(t);
  for (const std::string& part : ranks::gather("test", bytes_of(t))) sum += torch::from_blob(const_cast<char*>(part.data()), t.sizes()).clone();
  return sum / ranks::size();
}

TEST_F(TwoRanks, GradientsAreAveragedAndBuffersShared) {
  torch::manual_seed(5 + ranks::rank());  // other first weights, other data
  CallArgs args{{},
                {{"spatial_dims", 3},
                 {"in_channels", 1},
                 {"out_channels", 2},
                 {"channels", List{{Value(4), Value(8)}}},
                 {"strides", List{{Value(2)}}},
                 {"norm", "batch"}}};
  const auto module = construct(components::get("UNet"), args).object<Network>();
  EXPECT_NE(ranks::gather("test", all_state(*module))[0], ranks::gather("test", all_state(*module))[1]);
  const NetworkPtr network = distributed(module, {{"bucket_cap_mb", 0.002}});  // several buckets
  EXPECT_EQ(ranks::gather("test", all_state(*module))[0], ranks::gather("test", all_state(*module))[1]);
  EXPECT_EQ(network->named_parameters()[0].first, "module." + module->named_parameters()[0].first);

  network->train(true);
  const Tensor x = torch::randn({2, 1, 8, 8, 8});
  const auto learn = [&](Network& n) {
    for (const Tensor& p : module->parameters())
      if (p.grad().defined()) p.mutable_grad().zero_();
    n.forward({x})[0].square().mean().backward();
  };
  learn(*module);
  Tensors own;
  for (const Tensor& p : module->parameters()) own.push_back(p.grad().clone());
  for (int turn = 0; turn < 2; ++turn) {
    learn(*network);
    for (std::size_t i = 0; i < own.size(); ++i)
      EXPECT_TRUE(torch::allclose(module->parameters()[i].grad(), mean_over_ranks(own[i]), 1e-5, 1e-6)) << i;
  }
  // Running means moved apart in training; the first evaluation gives everybody those of rank 0.
  EXPECT_NE(ranks::gather("test", all_state(*module))[0], ranks::gather("test", all_state(*module))[1]);
  network->predict({to_array(x)});
  EXPECT_EQ(ranks::gather("test", all_state(*module))[0], ranks::gather("test", all_state(*module))[1]);
}

/// a * x, on rank 1 plus b; nobody uses c.
class Parts : public Layer {
 public:
  Parts() {
    for (Tensor* t : {&a_, &b_, &c_}) *t = torch::ones({2});
    a_ = register_parameter("a", a_);
    b_ = register_parameter("b", b_);
    c_ = register_parameter("c", c_);
  }
  Tensor forward(const Tensor& x) override { return ranks::rank() == 1 ? a_ * x + b_ : a_ * x; }

 private:
  Tensor a_, b_, c_;
};

TEST_F(TwoRanks, PartsThatNobodyUses) {
  const NetworkPtr module = make_network("Parts", std::make_shared<Parts>());
  const Tensor x = torch::full({2}, 3.0);
  const NetworkPtr finds = distributed(module, {{"find_unused_parameters", true}});
  finds->forward({x})[0].sum().backward();
  const auto parameters = module->parameters();
  EXPECT_TRUE(torch::allclose(parameters[0].grad(), torch::full({2}, 3.0)));
  EXPECT_TRUE(torch::allclose(parameters[1].grad(), torch::full({2}, 0.5)));  // rank 0 gave nothing
  EXPECT_FALSE(parameters[2].grad().defined());
}

TEST_F(TwoRanks, SayWhoStandsElsewhereAndWhoIsGone) {
  EXPECT_EQ(ranks::sum("numbers", {1.0 + ranks::rank(), 10})[0], 3.0);
  EXPECT_THAT(failure([] { ranks::gather(ranks::rank() == 0 ? "metric dice" : "barrier", "x"); }), HasSubstr("stands elsewhere"));
  ranks::barrier();
  if (ranks::rank() == 1) return ranks::stop("item 3: scan.nii.gz: no such file");
  EXPECT_THAT(failure([] { ranks::barrier(); }), HasSubstr("rank 1 is gone: stopped: item 3: scan.nii.gz: no such file"));
  EXPECT_THAT(failure([] { ranks::barrier(); }), HasSubstr("rank 1 is gone"));
}

TEST(OneRank, SaysWhoDidNotCome) {
  const int port = tcp::port_of(tcp::listen(0));
  set({{"WORLD_SIZE", "3"}, {"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", std::to_string(port)}, {"RANK", "0"}});
  EXPECT_THAT(failure([] { ranks::start({.joining = 100ms}); }), HasSubstr("ranks 1, 2 of 3 did not come to 127.0.0.1:" + std::to_string(port)));
  set({{"RANK", "2"}});
  EXPECT_THAT(failure([] { ranks::start({.joining = 100ms}); }), HasSubstr("rank 2 of 3 cannot reach rank 0"));
  const auto somebody = tcp::listen(0);
  set({{"RANK", "0"}, {"MASTER_PORT", std::to_string(tcp::port_of(somebody))}});
  EXPECT_THAT(failure([] { ranks::start({.joining = 100ms}); }), HasSubstr("is taken by another program"));
  EXPECT_FALSE(ranks::started());
  for (const char* name : {"WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"}) unsetenv(name);
}

}  // namespace
}  // namespace vesal::nn
#endif
