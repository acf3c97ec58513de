// predict() through the engine against libtorch's own forward().
#include "nn/engines.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cstdlib>
#include <limits>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "drawn_network.h"
#include "kernels/simd.h"
#include "named_network.h"
#include "paths.h"
#include "rule_weights.h"
#include "script_network.h"

namespace vesal::nn {
namespace {

using testing::HasSubstr;

const Dict kUnet{{"spatial_dims", 3},       {"in_channels", 1}, {"out_channels", 2}, {"channels", List{{8, 16, 20}}},
                 {"strides", List{{2, 2}}}, {"norm", "batch"},  {"num_res_units", 2}};

/// libtorch's own.
Tensors by_libtorch(Network& network, const Array& x) {
  const torch::NoGradGuard no_grad;
  const bool training = network.training();
  network.eval();
  Tensors out = network.forward({to_tensor(x).clone()});
  network.train(training);
  return out;
}

double difference(const Array& got, const Tensor& wanted) {
  if (got.shape() != shape_of(wanted)) return std::numeric_limits<double>::infinity();
  return ((to_tensor(got) - wanted).abs().max() / wanted.abs().max().clamp_min(1e-3)).item<double>();
}

double largest_difference(Network& network, const Array& x) {
  const std::vector<Array> got = network.predict({x});
  const Tensors wanted = by_libtorch(network, x);
  if (got.size() != wanted.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) largest = std::max(largest, difference(got[i], wanted[i]));
  return largest;
}

/// Of the last input: why libtorch ran it as a whole, "" if it did not.
std::string why(const Network& network) {
  const Value run = network.runs().items().at(0);
  return run.as_dict().at("libtorch").is_none() ? "" : run.as_dict().at("libtorch").as_string();
}

struct WithEngine {
  explicit WithEngine(const char* value) { setenv("VESAL_ENGINE", value, 1); }
  ~WithEngine() { unsetenv("VESAL_ENGINE"); }
};

TEST(Engines, NetworksOfOurOwn) {
  const Value golden = parse_json(read_text(tests::data("nn/data/networks.json")));
  for (const Value& entry : golden.items()) {
    const Dict& c = entry.as_dict();
    SCOPED_TRACE(c.at("name").str() + " " + c.at("args").repr());
    const NetworkPtr network = make(c.at("name").as_string(), c.at("args").as_dict());
    tests::fill_by_rule(*network);
    EXPECT_LT(largest_difference(*network, tests::rule_input(shape(c.at("input")))), 1e-4);
    EXPECT_EQ(why(*network), "");
  }
}

TEST(Engines, DrawnNetworks) {
  int sensitive = 0;
  for (std::uint64_t seed = 1000; seed < 1200; ++seed) {
    const tests::DrawnNetwork drawn(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + " of input " + to_string(drawn.input) + "\n" + drawn.source);
    const NetworkPtr network = tests::script(drawn.source, drawn.weights);
    Shape input = drawn.input;
    input[0] = seed % 3 == 0 ? 2 : 1;
    const Array x = tests::rule_input(input);
    if (const double d = largest_difference(*network, x); !(d < 1e-4)) {  // a norm of nearly equal numbers: who of the two is wrong
      std::map<std::string, Tensor> weights;
      for (const auto& [name, tensor] : drawn.weights) weights[name] = tensor.to(torch::kDouble);
      const Tensor exact = by_libtorch(*tests::script(drawn.source, weights), x.to(DType::f64))[0].to(torch::kFloat);
      const double of_libtorch = difference(to_array(by_libtorch(*network, x)[0]), exact);
      EXPECT_LT(difference(network->predict({x})[0], exact), std::max(1e-4, 3 * of_libtorch)) << "against libtorch: " << d;
      ++sensitive;
    }
    EXPECT_EQ(why(*network), "");
    if (HasFailure()) break;
  }
  EXPECT_LT(sensitive, 10);
}

TEST(Engines, WeightsThatChangeAreSeen) {
  const NetworkPtr network = make("UNet", kUnet);
  const Array x = tests::rule_input({1, 1, 8, 12, 8});
  tests::fill_by_rule(*network);
  EXPECT_LT(largest_difference(*network, x), 1e-4);
  tests::fill_by_rule(*network, 7);
  EXPECT_LT(largest_difference(*network, x), 1e-4) << "after load_state_dict()";
  network->train();
  {
    const torch::NoGradGuard no_grad;
    for (Tensor& parameter : network->parameters()) parameter.mul_(0.9);
  }
  EXPECT_LT(largest_difference(*network, x), 1e-4) << "after a step of an optimizer";
  EXPECT_TRUE(network->training());
  network->forward({to_tensor(x)});
  EXPECT_LT(largest_difference(*network, x), 1e-4) << "after running statistics moved";
}

TEST(Engines, SeveralShapesAndBatches) {
  const NetworkPtr network = make("UNet", kUnet);
  tests::fill_by_rule(*network);
  for (int round = 0; round < 2; ++round)
    for (const Shape& input : {Shape{1, 1, 8, 8, 8}, Shape{3, 1, 12, 8, 8}, Shape{2, 1, 8, 8, 16}, Shape{1, 1, 8, 20, 8}, Shape{4, 1, 8, 8, 8}})
      EXPECT_LT(largest_difference(*network, tests::rule_input(input)), 1e-4) << to_string(input);
  EXPECT_LE(network->runs().items().size(), 3u);
  const Array x = tests::rule_input({2, 1, 8, 8, 8});
  const Array both = network->predict({x})[0], second = network->predict({x.slice(0, 1, 2)})[0];
  EXPECT_TRUE(torch::equal(to_tensor(both.slice(0, 1, 2)), to_tensor(second))) << "a sample does not depend on its neighbours";
  EXPECT_LT(largest_difference(*network, tests::rule_input({1, 1, 8, 8, 16}).flip(2)), 1e-4) << "views";
}

TEST(Engines, MixedBatchesGoToLibtorch) {
  const NetworkPtr network = tests::script("def forward(self, x: Tensor):\n    return torch.relu(x) - x.mean()\n");
  EXPECT_LT(largest_difference(*network, tests::rule_input({1, 2, 5, 6})), 1e-5);
  const Array x = tests::rule_input({3, 2, 5, 6});
  EXPECT_EQ(difference(network->predict({x})[0], by_libtorch(*network, x)[0]), 0);
  EXPECT_FALSE(network->runs().items()[0].as_dict().at("batches_split").as_bool());
}

TEST(Engines, SwitchedOffGivesLibtorchsBits) {
  const NetworkPtr network = make("UNet", kUnet);
  tests::fill_by_rule(*network);
  const Array x = tests::rule_input({2, 1, 8, 8, 8});
  {
    const WithEngine off("off");
    EXPECT_EQ(difference(network->predict({x})[0], by_libtorch(*network, x)[0]), 0);
    EXPECT_TRUE(network->runs().items().empty());
  }
  {
    const WithEngine odd("maybe");
    EXPECT_THROW(network->predict({x}), Error);
  }
  network->predict({x});
  EXPECT_EQ(network->runs().items().size(), 1u);
}

TEST(Engines, WhatCannotBeLoweredRunsAsBefore) {
  const NetworkPtr network = tests::script(R"(
def forward(self, x: Tensor):
    if bool(x.sum() > 0):
        return torch.relu(x)
    return x * 3
)");
  for (const double value : {1.0, -1.0}) {
    const Array x = Array::full({1, 1, 4, 4}, DType::f32, value);
    EXPECT_EQ(network->predict({x})[0].at({0, 0, 1, 1}), value > 0 ? 1 : -3);
  }
  EXPECT_THAT(why(*network), HasSubstr("numbers"));
}

TEST(Engines, OutputsOfEveryKind) {
  const NetworkPtr network = tests::script(R"(
def forward(self, x: Tensor):
    y = torch.relu(x)
    return x, y, y, torch.flatten(torch.adaptive_avg_pool2d(y, [1, 1]), 1)
)");
  EXPECT_LT(largest_difference(*network, tests::rule_input({2, 20, 4, 5})), 1e-5);
  EXPECT_EQ(why(*network), "");
}

TEST(Engines, NanAndInfinityArriveAsFromLibtorch) {
  const NetworkPtr network = make("UNet", kUnet);
  tests::fill_by_rule(*network);
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Array x = tests::rule_input({1, 1, 16, 16, 16});
    x.data<float>()[100] = odd;
    const Tensor got = to_tensor(network->predict({x})[0]), wanted = by_libtorch(*network, x)[0];
    EXPECT_GT(wanted.isfinite().logical_not().sum().item<std::int64_t>(), 0);
    EXPECT_TRUE(torch::equal(got.isfinite(), wanted.isfinite()));
  }
}

TEST(Engines, ManyClassesPlaneByPlane) {
  const NetworkPtr network = make("SegResNet", {{"init_filters", 8}, {"out_channels", 70}, {"blocks_down", List{{1, 1}}}, {"blocks_up", List{{1}}}});
  tests::fill_by_rule(*network);
  const Array x = tests::rule_input({2, 1, 16, 8, 8});
  const Array whole = network->predict({x})[0];
  Array got = Array::full(whole.shape(), DType::f32, -77);
  const auto take = [&](const engine::OutputPlanes& some) {
    got.select(0, some.sample).slice(1, some.first, some.first + some.values.size(1)).copy_from(some.values);
  };
  ASSERT_TRUE(network->predict_planes({x}, take));
  EXPECT_TRUE(torch::equal(to_tensor(got), to_tensor(whole)));
  EXPECT_LT(difference(got, by_libtorch(*network, x)[0]), 1e-4);
  const WithEngine off("off");
  EXPECT_FALSE(network->predict_planes({x}, take));
}

TEST(Engines, MeasuresItsSteps) {
  const NetworkPtr network = make("UNet", kUnet);
  tests::fill_by_rule(*network);
  network->set_profiling(true);
  network->predict({tests::rule_input({2, 1, 16, 16, 16})});
  const Value runs = network->runs();
  double gflop = 0;
  for (const Value& step : runs.items().at(0).as_dict().at("steps").items()) {
    EXPECT_GE(step.as_dict().at("ms").as_float(), 0);
    EXPECT_TRUE(step.as_dict().at("external").is_none()) << step.repr();
    gflop += step.as_dict().at("gflop").as_float();
  }
  EXPECT_GT(gflop, 1e-3);
  EXPECT_GT(runs.items()[0].as_dict().at("arena_bytes").as_int(), 0);
}

}  // namespace
}  // namespace vesal::nn
