// Networks lowered to an engine::Graph against libtorch itself, the graph read by graph_interpreter.h.
#include "nn/lowering.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "drawn_network.h"
#include "graph_interpreter.h"
#include "named_network.h"
#include "nn/tensor_memory.h"
#include "paths.h"
#include "rule_weights.h"
#include "script_network.h"

namespace vesal::nn {
namespace {

using testing::HasSubstr;

double difference(const Tensor& got, const Tensor& wanted) {
  if (got.sizes() != wanted.sizes()) return std::numeric_limits<double>::infinity();
  if (wanted.numel() == 0) return 0;
  return ((got - wanted).abs().max() / wanted.abs().max().clamp_min(1e-3)).item<double>();
}

std::vector<std::string> outside(const engine::Graph& graph) {
  std::vector<std::string> labels;
  for (const engine::Node& node : graph.nodes)
    if (node.op == "external") labels.push_back(node.label);
  return labels;
}

std::size_t count(const engine::Graph& graph, const std::string& op) {
  return static_cast<std::size_t>(std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const engine::Node& node) { return node.op == op; }));
}

/// Lowers, reads the graph and compares; gives the graph.
LoweredNetwork check(Network& network, const Shape& input, double tolerance = 1e-5) {
  LoweredNetwork lowered = lower(network, input);
  const Tensor x = to_tensor(tests::rule_input(input));
  const torch::NoGradGuard no_grad;
  const Tensors wanted = network.forward({x.clone()});
  const Tensors got = tests::GraphInterpreter(lowered.graph).run(x);
  EXPECT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) EXPECT_LT(difference(got[i], wanted[i]), tolerance) << "output " << i;
  return lowered;
}

std::string refusal(Network& network, const Shape& input) {
  try {
    lower(network, input);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::unsupported);
    return e.what();
  }
  return "nothing thrown";
}

TEST(Lowering, NetworksOfOurOwn) {
  const Value golden = parse_json(read_text(tests::data("nn/data/networks.json")));
  std::map<std::string, std::size_t> others;
  for (const Value& entry : golden.items()) {
    const Dict& c = entry.as_dict();
    SCOPED_TRACE(c.at("name").str() + " " + c.at("args").repr());
    const NetworkPtr network = make(c.at("name").as_string(), c.at("args").as_dict());
    tests::fill_by_rule(*network);
    Shape input = shape(c.at("input"));
    input[0] = 1;
    const LoweredNetwork lowered = check(*network, input);
    for (const std::string& label : outside(lowered.graph)) ++others[label];
    for (const Tensor& parameter : network->parameters()) EXPECT_TRUE(parameter.requires_grad());
  }
  for (const auto& [label, n] : others) EXPECT_THAT(label, testing::Not(testing::AnyOf(HasSubstr("conv"), HasSubstr("upsample")))) << n;
}

TEST(Lowering, SpleenLikeUnetIsTheEnginesAlone) {
  const NetworkPtr network = make("UNet", {{"spatial_dims", 3},
                                           {"in_channels", 1},
                                           {"out_channels", 2},
                                           {"channels", List{{16, 32, 64, 128, 256}}},
                                           {"strides", List{{2, 2, 2, 2}}},
                                           {"num_res_units", 2},
                                           {"norm", "batch"}});
  const LoweredNetwork lowered = check(*network, {1, 1, 32, 32, 16});
  EXPECT_TRUE(outside(lowered.graph).empty());
  EXPECT_TRUE(lowered.per_sample);
  EXPECT_EQ(count(lowered.graph, "cat"), 4u);
  EXPECT_EQ(lowered.graph.nodes[0].label, "model.0.residual");
  for (const engine::Node& node : lowered.graph.nodes) EXPECT_TRUE(node.external) << node.op;
}

TEST(Lowering, OwnNetworksAreNotComputedForIt) {
  const NetworkPtr network =
      make("UNet",
           {{"spatial_dims", 3}, {"in_channels", 1}, {"out_channels", 2}, {"channels", List{{4, 8}}}, {"strides", List{{2}}}, {"norm", "instance"}});
  reset_tensor_memory();
  const std::uint64_t before = tensor_memory().most;
  const LoweredNetwork lowered = lower(*network, {1, 1, 96, 96, 96});
  EXPECT_LT(tensor_memory().most - before, std::uint64_t{1} << 20) << "an input alone has 3.5 MB";
  EXPECT_GT(lowered.graph.nodes.size(), 3u);
}

TEST(Lowering, ControlFlowThatFollowsFromTheShapeIsFolded) {
  const NetworkPtr network = tests::script(R"(
def forward(self, x: Tensor):
    parts = []
    for i in range(x.size(2) // 4):
        if i % 2 == 0:
            parts.append(torch.conv2d(x, self.w0, None, [1, 1], [1, 1]))
        else:
            parts.insert(0, torch.relu(x))
    y = torch.cat(parts, 1)
    assert y.size(1) < 100, "too many"
    a, b = torch.chunk(y, 2, 1)
    return a * 2 + b, y.mean([2, 3], True)
)",
                                           {{"w0", torch::randn({4, 2, 3, 3})}});
  const LoweredNetwork lowered = check(*network, {1, 2, 13, 8});
  EXPECT_EQ(count(lowered.graph, "conv"), 2u);
  EXPECT_EQ(count(lowered.graph, "adaptive_avg_pool"), 1u);
  EXPECT_EQ(outside(lowered.graph), std::vector<std::string>{"aten::chunk"});
  EXPECT_TRUE(lowered.per_sample);
  EXPECT_THAT(refusal(*network, {1, 2, 200, 8}), HasSubstr("exception"));
}

TEST(Lowering, WhatIsWrittenInPlaceKeepsItsMeaning) {
  const NetworkPtr network = tests::script(R"(
def forward(self, x: Tensor):
    y = torch.conv1d(x, self.w0)
    before = y + 0
    same = y.contiguous()
    torch.relu_(y)
    y.add_(1.0)
    z = torch.dropout(same, 0.5, False)
    z.mul_(before.clamp_(0.0, 2.0))
    return y + z, before
)",
                                           {{"w0", torch::randn({4, 2, 1})}});
  const Tensor x = torch::randn({1, 2, 9});
  const LoweredNetwork lowered = check(*network, {1, 2, 9});
  const Tensor kept = x.clone();
  tests::GraphInterpreter(lowered.graph).run(x);
  EXPECT_TRUE(torch::equal(kept, x));
  const NetworkPtr of_input = tests::script("def forward(self, x: Tensor):\n    torch.relu_(x)\n    return x * 2\n");
  check(*of_input, {1, 2, 9});
}

TEST(Lowering, DependentOperatorsOutsideBecomeOneNode) {
  const NetworkPtr network = tests::script(R"(
def forward(self, x: Tensor):
    n = torch.layer_norm(x.permute([0, 2, 3, 1]), [x.size(1)], self.w0, self.b0, 1e-5, False)
    n = torch.linear(n, self.w1).permute([0, 3, 1, 2])
    y = torch.conv2d(n, self.w2, None, [1, 1], [1, 1])
    s = torch.sigmoid(torch.linear(y.mean([2, 3]), self.w3)).view([1, 4, 1, 1])
    return torch.relu(y * s + x.flip([2])[:, :4])
)",
                                           {{"w0", torch::rand({6})},
                                            {"b0", torch::randn({6})},
                                            {"w1", torch::randn({8, 6})},
                                            {"w2", torch::randn({4, 8, 3, 3})},
                                            {"w3", torch::randn({4, 4})}});
  const LoweredNetwork lowered = check(*network, {1, 6, 10, 7});
  EXPECT_EQ(outside(lowered.graph).size(), 3u);
  EXPECT_THAT(outside(lowered.graph), testing::Contains(HasSubstr("aten::layer_norm, aten::linear")));
  EXPECT_EQ(count(lowered.graph, "mul"), 1u);
}

TEST(Lowering, BatchesAreSplitOnlyWhereSamplesAreApart) {
  const auto per_sample = [](const std::string& expression) {
    const NetworkPtr network = tests::script("def forward(self, x: Tensor):\n    return " + expression + "\n");
    return check(*network, {1, 4, 6, 5}).per_sample;
  };
  EXPECT_TRUE(per_sample("torch.gelu(x)"));
  EXPECT_TRUE(per_sample("x.view([x.size(0), 2, 2, 6, 5]).mean([2])"));
  EXPECT_TRUE(per_sample("x / x.amax([1, 2, 3], True)"));
  EXPECT_FALSE(per_sample("x / x.amax([0, 1], True)"));
  EXPECT_FALSE(per_sample("x - x.mean()"));
  EXPECT_FALSE(per_sample("torch.softmax(x, 0)"));
  EXPECT_FALSE(per_sample("x.flip([0])"));
  EXPECT_FALSE(per_sample("torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False)"));
}

TEST(Lowering, SaysWhyANetworkStaysWithLibtorch) {
  const auto why = [](const std::string& body, const std::map<std::string, Tensor>& weights = {}) {
    const NetworkPtr network = tests::script("def forward(self, x: Tensor):\n" + body, weights);
    return refusal(*network, {1, 2, 6, 5});
  };
  EXPECT_THAT(why("    if bool(x.mean() > 0):\n        return x\n    return -x\n"), HasSubstr("numbers"));
  EXPECT_THAT(why("    return x[x > 0]\n"), HasSubstr("numbers"));
  EXPECT_THAT(why("    return x + torch.rand([5])\n"), HasSubstr("chance"));
  EXPECT_THAT(why("    return torch.dropout(x, 0.5, True)\n"), HasSubstr("chance"));
  EXPECT_THAT(why("    self.w0.add_(1.0)\n    return x + self.w0\n", {{"w0", torch::zeros({1})}}), HasSubstr("keeps"));
  EXPECT_THAT(why("    return {'a': x}\n"), HasSubstr("dict"));
  EXPECT_THAT(why("    return x.argmax(1, True)\n"), HasSubstr("int64"));
  EXPECT_THAT(why("    y = x + 1\n    y[:, 0].mul_(2.0)\n    return y\n"), HasSubstr("part of another tensor"));
  const NetworkPtr two = tests::script("def forward(self, x: Tensor, y: Tensor):\n    return x + y\n");
  EXPECT_THAT(refusal(*two, {1, 2, 6}), HasSubstr("2 inputs"));
}

TEST(Lowering, DrawnNetworks) {
  std::map<std::string, std::size_t> ops;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const tests::DrawnNetwork drawn(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + " of input " + to_string(drawn.input) + "\n" + drawn.source);
    const NetworkPtr network = tests::script(drawn.source, drawn.weights);
    const LoweredNetwork lowered = check(*network, drawn.input, 1e-4);
    for (const engine::Node& node : lowered.graph.nodes) ++ops[node.op];
    if (HasFailure()) break;
  }
  for (const char* op : {"conv",     "batch_norm", "instance_norm", "group_norm", "relu", "sigmoid", "tanh",     "silu",     "leaky_relu",
                         "elu",      "prelu",      "add",           "sub",        "mul",  "cat",     "max_pool", "avg_pool", "adaptive_avg_pool",
                         "upsample", "softmax",    "external"})
    EXPECT_GT(ops[op], 3u) << op;
}

}  // namespace
}  // namespace vesal::nn
