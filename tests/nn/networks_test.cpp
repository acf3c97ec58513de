// Networks against MONAI's (data/make_networks.py): the names and shapes of their state, and outputs with weights by rule.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "named_network.h"
#include "paths.h"
#include "rule_weights.h"

namespace vesal::nn {
namespace {

using testing::HasSubstr;

std::string failure(const std::string& name, const Dict& arguments) {
  try {
    make(name, arguments);
  } catch (const Error& e) { return e.what(); }
  return "nothing thrown";
}

std::string hash64(const std::string& text) {
  std::uint64_t h = 14695981039346656037u;
  for (unsigned char byte : text) h = (h ^ byte) * 1099511628211u;
  return fmt::format("{:016x}", h);
}

std::string names_and_shapes(const bundle::StateDict& state) {
  std::string lines;
  for (const auto& [name, array] : state) lines += name + to_string(array.shape()) + "\n";
  return lines;
}

/// The elements that make_networks.py's sample() takes, as numpy.linspace(0, n - 1, count) truncated.
std::vector<float> sample(const Tensor& tensor, std::size_t count) {
  const Tensor flat = tensor.detach().contiguous().flatten();
  const auto n = static_cast<std::size_t>(flat.numel());
  count = std::min(count, n);
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i) {
    const double at = count == 1       ? 0
                      : i + 1 == count ? static_cast<double>(n - 1)
                                       : static_cast<double>(i) * (static_cast<double>(n - 1) / static_cast<double>(count - 1));
    out.push_back(flat[static_cast<std::int64_t>(at)].item<float>());
  }
  return out;
}

void expect_near(const std::vector<float>& got, const Value& wanted, double scale, double tolerance) {
  ASSERT_EQ(got.size(), wanted.items().size());
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], wanted.items()[i].as_float(), tolerance * std::max(scale, std::fabs(wanted.items()[i].as_float()))) << "element " << i;
}

void check_training(Network& network, const Dict& c, const Tensor& x) {
  network.train();
  const Tensor y = network.forward({x})[0];
  ASSERT_EQ(shape_of(y), shape(c.at("output")));
  expect_near(sample(y, 16), c.at("values"), c.at("mean_abs").as_float(), 2e-5);
  y.square().mean().backward();
  std::vector<float> gradients, statistics;
  for (const Tensor& parameter : network.parameters()) gradients.push_back(parameter.grad().abs().sum().item<float>());
  for (const auto& [name, tensor] : network.named_state())
    if (!tensor.requires_grad()) statistics.push_back(tensor.to(torch::kDouble).sum().item<float>());
  double largest = 0;
  for (const Value& v : c.at("gradients").items()) largest = std::max(largest, v.as_float());
  expect_near(gradients, c.at("gradients"), 1e-2 * largest, 1e-3);
  expect_near(statistics, c.at("statistics"), 1, 1e-5);
}

TEST(Networks, StateAndOutputsAreMonais) {
  const Value golden = parse_json(read_text(tests::data("nn/data/networks.json")));
  std::size_t in_full = 0, trained = 0;
  for (const Value& entry : golden.items()) {
    const Dict& c = entry.as_dict();
    SCOPED_TRACE(c.at("name").str() + " " + c.at("args").repr());
    const NetworkPtr network = make(c.at("name").as_string(), c.at("args").as_dict());
    ASSERT_TRUE(network);
    EXPECT_FALSE(network->training());
    const bundle::StateDict state = network->state_dict();
    if (const Value* full = c.find("state")) {
      std::string wanted;
      for (const auto& [name, extents] : full->as_dict()) wanted += name.as_string() + to_string(shape(extents)) + "\n";
      EXPECT_EQ(names_and_shapes(state), wanted);
      ++in_full;
    }
    ASSERT_EQ(state.size(), static_cast<std::size_t>(c.at("state_count").as_int())) << names_and_shapes(state);
    ASSERT_EQ(hash64(names_and_shapes(state)), c.at("state_hash").as_string()) << names_and_shapes(state);

    tests::fill_by_rule(*network);
    const Array x = tests::rule_input(shape(c.at("input")));
    if (c.contains("gradients")) {
      check_training(*network, c, to_tensor(x));
      ++trained;
      continue;
    }
    const torch::NoGradGuard no_grad;  // libtorch's own results: engines_test.cpp compares the engine's with them
    const Tensors outputs = network->forward({to_tensor(x)});
    ASSERT_EQ(outputs.size(), 1u);
    ASSERT_EQ(shape_of(outputs[0]), shape(c.at("output")));
    const Tensor& y = outputs[0];
    const double mean = c.at("mean_abs").as_float();
    EXPECT_NEAR(y.abs().mean().item<double>(), mean, 1e-5 * mean);
    expect_near(sample(y, 16), c.at("values"), mean, 1e-5);
  }
  EXPECT_GT(golden.items().size(), 100u);
  EXPECT_EQ(in_full, 6u);
  EXPECT_EQ(trained, 6u);
}

const Dict kUnet{{"spatial_dims", 2}, {"in_channels", 1}, {"out_channels", 2}, {"channels", List{{4, 8}}}, {"strides", List{{2}}}};

Dict with(Dict arguments, const std::string& name, Value value) {
  arguments[name] = std::move(value);
  return arguments;
}

TEST(Networks, RefuseWrongArguments) {
  EXPECT_THAT(failure("UNet", with(kUnet, "spatial_dims", 4)), HasSubstr("want 1, 2 or 3"));
  EXPECT_THAT(failure("UNet", with(kUnet, "channels", List{{4}})), HasSubstr("at least 2 entries"));
  EXPECT_THAT(failure("UNet", with(kUnet, "strides", List{})), HasSubstr("channels wants 1"));
  EXPECT_THAT(failure("UNet", with(kUnet, "kernel_size", List{{3, 3, 3}})), HasSubstr("kernel_size [3, 3, 3] for 2 spatial dimensions"));
  EXPECT_THAT(failure("UNet", with(kUnet, "kernel_size", 4)), HasSubstr("no padding keeps the size"));
  EXPECT_THAT(failure("UNet", with(kUnet, "act", "NOACT")), HasSubstr("no activation 'NOACT'; there are CELU"));
  EXPECT_THAT(failure("UNet", with(kUnet, "norm", Tuple{{Value("batch"), Value(Dict{{"epsilon", 1}})}})), HasSubstr("epsilon"));
  EXPECT_THAT(failure("UNet", with(kUnet, "norm", Tuple{{Value("group"), Value(Dict{{"num_groups", 3}})}})),
              HasSubstr("do not divide into 3 groups"));
  EXPECT_THAT(failure("UNet", with(kUnet, "adn_ordering", "NDX")), HasSubstr("only the letters N, D and A"));
  EXPECT_THAT(failure("UNet", with(kUnet, "dropout", 1.5)), HasSubstr("want 0..1"));
  EXPECT_THAT(failure("UNet", with(kUnet, "channels", List{{4, std::int64_t{1} << 40}})), HasSubstr("is too large"));
  EXPECT_THAT(failure("UNet", with(kUnet, "depth", 3)), HasSubstr("depth"));
  EXPECT_THAT(failure("SegResNet", {{"spatial_dims", 1}}), HasSubstr("want 2 or 3"));
  EXPECT_THAT(failure("SegResNet", {{"upsample_mode", "magic"}}), HasSubstr("no upsampling 'magic'"));
  EXPECT_THAT(failure("SegResNet", {{"blocks_up", List{{1}}}}), HasSubstr("one entry more"));
  EXPECT_THAT(failure("SegResNet", {{"norm_name", "batch"}}), HasSubstr("use norm"));
  EXPECT_THAT(failure("SegResNet", {{"init_filters", 12}}), HasSubstr("do not divide into 8 groups"));
  EXPECT_THAT(failure("BasicUNet", {{"features", List{{4, 4}}}}), HasSubstr("6 entries"));
  const Dict dyn{{"spatial_dims", 2},          {"in_channels", 1},
                 {"out_channels", 2},          {"kernel_size", List{{3, 3, 3}}},
                 {"strides", List{{1, 2, 2}}}, {"upsample_kernel_size", List{{2, 2}}}};
  EXPECT_EQ(failure("DynUNet", dyn), "nothing thrown");
  EXPECT_THAT(failure("DynUNet", with(dyn, "strides", List{{1, 2}})), HasSubstr("they need as many"));
  EXPECT_THAT(failure("DynUNet", with(dyn, "upsample_kernel_size", List{{2}})), HasSubstr("one less than strides: 2"));
  EXPECT_THAT(failure("DynUNet", with(dyn, "filters", List{{4, 8}})), HasSubstr("filters has 2"));
  EXPECT_THAT(failure("DynUNet", with(with(dyn, "deep_supervision", true), "deep_supr_num", 2)), HasSubstr("want 1..1"));
  EXPECT_THAT(failure("DynUNet", with(dyn, "strides", List{{1, 2, 5}})), HasSubstr("no padding fits"));
}

TEST(Networks, WrongInputsAreOneLineErrors) {
  const NetworkPtr network = make("UNet", with(with(kUnet, "channels", List{{4, 8, 8}}), "strides", List{{2, 2}}));
  const auto message = [&](const std::vector<Array>& inputs) -> std::string {
    try {
      network->predict(inputs);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::shape);
      return e.what();
    }
    return "nothing thrown";
  };
  EXPECT_THAT(message({Array::zeros({1, 8, 8}, DType::f32)}), HasSubstr("[N, C, x, y] wanted, got [1, 8, 8]"));
  EXPECT_THAT(message({}), HasSubstr("one input, got 0"));
  for (const Shape& wrong : {Shape{1, 3, 8, 8}, Shape{1, 1, 6, 6}}) {
    const std::string line = message({Array::zeros(wrong, DType::f32)});
    EXPECT_NE(line, "nothing thrown");
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  }
}

TEST(Networks, LoadingReportsWhatDoesNotFit) {
  const NetworkPtr network = make("UNet", kUnet);
  bundle::StateDict state = network->state_dict();
  ASSERT_GT(state.size(), 4u);
  for (auto& [name, array] : state) array = array.clone();
  const std::string missing = state.back().first, misshapen = state[0].first;
  const double before = network->state_dict()[1].second.at({0});
  state.pop_back();
  state.emplace_back("stranger", Array::zeros({1}, DType::f32));
  const bundle::LoadReport report = network->load_state_dict(state, false);
  EXPECT_EQ(report.missing, std::vector<std::string>{missing});
  EXPECT_EQ(report.unexpected, std::vector<std::string>{"stranger"});
  EXPECT_EQ(report.loaded.size(), state.size() - 1);
  state[0].second = Array::zeros({1, 2}, DType::f32);
  state[1].second = Array::zeros(state[1].second.shape(), DType::f32);
  for (const bool strict : {true, false}) {
    try {
      network->load_state_dict(state, strict);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::weights);
      EXPECT_THAT(e.what(), HasSubstr(misshapen));
      EXPECT_THAT(e.what(), HasSubstr("[1, 2]"));
    }
  }
  EXPECT_EQ(network->state_dict()[1].second.at({0}), before) << "nothing may change when something does not fit";
}

TEST(Networks, PredictNeitherTrainsNorKeepsGradients) {
  const NetworkPtr network = make("UNet", with(with(kUnet, "norm", "batch"), "dropout", 0.5));
  network->train();
  const Array x = tests::rule_input({2, 1, 8, 8});
  const Array a = network->predict({x})[0], b = network->predict({x})[0];
  EXPECT_TRUE(torch::equal(to_tensor(a), to_tensor(b)));
  EXPECT_TRUE(network->training());
  for (const auto& [name, array] : network->state_dict()) EXPECT_TRUE(!name.ends_with("num_batches_tracked") || array.item() == 0);
  EXPECT_TRUE(torch::equal(to_tensor(network->predict({x.to(DType::f64)})[0]), to_tensor(a)));
}

}  // namespace
}  // namespace vesal::nn
