// What an iteration will take in memory, against what one then takes.
#include "train/step_memory.h"

#include <gmock/gmock.h>

#include "bundle/config.h"
#include "infer/workflow.h"
#include "nn/network.h"
#include "nn/tensor_memory.h"
#include "train/golden.h"
#include "train/loss.h"
#include "train/training_checks.h"

namespace vesal::train {
namespace {

bundle::ConfigParser parser(const std::string& network) {
  return bundle::ConfigParser(
      parse_json(R"({"network": )" + network + R"(, "loss": {"_target_": "DiceCELoss", "to_onehot_y": true, "softmax": true}})"));
}
const char* const kUnet = R"({"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [8, 16, 32], "strides": [2, 2],
                              "num_res_units": 1, "norm": "batch"})";

/// Tensors at their most during forward and backward pass of the whole shape in training mode.
double taken(const Value& network, const Value& loss, const Shape& inputs, const Shape& targets) {
  const auto net = network.object<nn::Network>();
  net->train();
  const torch::AutoGradMode on(true);
  const std::uint64_t before = nn::tensor_memory().now;
  nn::reset_tensor_memory();
  loss.object<Loss>()->forward(net->forward({torch::rand(inputs)})[0], torch::zeros(targets)).backward();
  return static_cast<double>(nn::tensor_memory().most - before);
}

TEST(StepMemory, IsWhatAnIterationTakes) {
  for (
      const char* network :
      {kUnet,
       R"({"_target_": "SegResNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "init_filters": 8, "blocks_down": [1, 1], "blocks_up": [1]})",
       R"({"_target_": "BasicUNet", "spatial_dims": 2, "in_channels": 1, "out_channels": 2, "features": [8, 8, 16, 16, 32, 8]})"}) {
    SCOPED_TRACE(network);
    auto config = parser(network);
    const Value net = config.get_parsed_content("network"), loss = config.get_parsed_content("loss");
    const bool flat = std::string(network).find("\"spatial_dims\": 2") != std::string::npos;
    const Shape inputs = flat ? Shape{3, 1, 192, 160} : Shape{2, 1, 64, 48, 64};
    const auto told = step_memory(net, loss, inputs, inputs);
    ASSERT_TRUE(told);
    const double was = taken(net, loss, inputs, inputs);
    EXPECT_GT(static_cast<double>(*told), was) << "what oneDNN takes for itself comes on top";
    EXPECT_LT(static_cast<double>(*told), 1.6 * was);
  }
}

TEST(StepMemory, LeavesTheNetworkAsItWas) {
  auto config = parser(kUnet);
  const Value net = config.get_parsed_content("network"), loss = config.get_parsed_content("loss");
  const auto network = net.object<nn::Network>();
  network->train();
  std::vector<torch::Tensor> before;
  for (const auto& [name, tensor] : network->named_state()) before.push_back(tensor.clone());
  ASSERT_TRUE(step_memory(net, loss, {2, 1, 32, 32, 32}, {2, 1, 32, 32, 32}));
  EXPECT_TRUE(network->training());
  const auto after = network->named_state();
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(after[i].second.equal(before[i])) << after[i].first;
  for (const torch::Tensor& p : network->parameters()) EXPECT_FALSE(p.grad().defined());
}

TEST(StepMemory, IsNotToldWhereItCannotBe) {
  auto config = parser(kUnet);
  const Value net = config.get_parsed_content("network"), loss = config.get_parsed_content("loss");
  EXPECT_FALSE(step_memory(net, loss, {2, 1, 32, 32, 30}, {2, 1, 32, 32, 30})) << "the network's parts do not fit together";
  EXPECT_FALSE(step_memory(net, loss, {2, 1, 32, 32, 32}, {2, 1, 16, 32, 32}));
  EXPECT_FALSE(step_memory(Value(3), loss, {2, 1, 32, 32, 32}, {2, 1, 32, 32, 32}));
}

TEST(CheckMemory, RefusesWhatCannotFitAndNamesTheWayOut) {
  auto config = parser(kUnet);
  const Shape shape{64, 1, 96, 96, 96};
  setenv("VESAL_MAX_MEMORY", "2G", 1);
  EXPECT_THAT(failure([&] { check_memory(config.get_parsed_content("network"), config.get_parsed_content("loss"), Value(), shape, shape); }),
              testing::AllOf(testing::HasSubstr("an iteration on [64, 1, 96, 96, 96] takes about"), testing::HasSubstr("fewer patches per batch")));
  const Shape small{1, 1, 32, 32, 32};
  check_memory(config.get_parsed_content("network"), config.get_parsed_content("loss"), Value(), small, small);
  unsetenv("VESAL_MAX_MEMORY");
}

}  // namespace
}  // namespace vesal::train
