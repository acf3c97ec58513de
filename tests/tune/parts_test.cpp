// Every parameter of every network that has parts belongs to exactly one of them.
#include "engine/parts.h"

#include <gmock/gmock.h>

#include <regex>

#include "base/json.h"
#include "base/registry.h"
#include "tune/start_weights.h"

namespace vesal::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> parameters_of(const Dict& network) {
  CallArgs arguments;
  for (const auto& [key, value] : network)
    if (key != Value("_target_")) arguments.named.emplace_back(key.as_string(), value);
  const Value made = construct(components::get(network.at("_target_").as_string()), arguments);
  const Value pairs = call_value(*made.as_object()->attribute("named_parameters"), {});
  std::vector<std::string> names;
  for (const Value& pair : pairs.items()) names.push_back(pair.items()[0].as_string());
  return names;
}

std::string failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) { return e.what(); }
  return "";
}

class Parts : public testing::TestWithParam<const char*> {};

TEST_P(Parts, ShareTheParametersOut) {
  const Value network = parse_json(GetParam());
  const engine::NetworkParts* parts = engine::find_parts(network.as_dict().at("_target_").as_string());
  ASSERT_NE(parts, nullptr);
  const std::regex encoder(parts->encoder), decoder(parts->decoder), head(parts->head);
  int in_encoder = 0, in_decoder = 0, in_head = 0;
  for (const std::string& name : parameters_of(network.as_dict())) {
    const int e = std::regex_search(name, encoder), d = std::regex_search(name, decoder), h = std::regex_search(name, head);
    EXPECT_EQ(e + d + h, 1) << name;
    in_encoder += e, in_decoder += d, in_head += h;
  }
  EXPECT_GT(in_encoder, 0);
  EXPECT_GT(in_decoder, 0);
  EXPECT_GT(in_head, 0);
  EXPECT_GT(in_encoder + in_decoder, in_head);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, Parts,
    testing::Values(
        R"({"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [4, 8, 12], "strides": [2, 2], "num_res_units": 2})",
        R"({"_target_": "UNet", "spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 8, 8, 8], "strides": [2, 2, 2], "norm": "batch"})",
        R"({"_target_": "BasicUNet", "features": [4, 4, 8, 8, 8, 4]})", R"({"_target_": "SegResNet", "init_filters": 8, "act": "PRELU"})",
        R"({"_target_": "SegResNet", "init_filters": 8, "upsample_mode": "deconv", "dropout_prob": 0.2})",
        R"({"_target_": "DynUNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "kernel_size": [3, 3, 3, 3], "strides": [1, 2, 2, 2],
            "upsample_kernel_size": [2, 2, 2], "filters": [4, 8, 8, 8], "deep_supervision": true, "res_block": true})"));

TEST(FreezePattern, NamesPartsAndPatterns) {
  const std::vector<std::string> names{"conv_0.w", "down_1.w", "upcat_1.w", "final_conv.w"};
  const std::string pattern = tune::freeze_pattern({"encoder", "upcat"}, "BasicUNet", names);
  EXPECT_THAT(tune::matching(pattern, names), ElementsAre("conv_0.w", "down_1.w", "upcat_1.w"));
  EXPECT_THAT(tune::head_parameters("BasicUNet", names), ElementsAre("final_conv.w"));
  EXPECT_EQ(tune::freeze_pattern({}, "BasicUNet", names), "");
  EXPECT_TRUE(tune::matching("", names).empty());
}

TEST(FreezePattern, RefusesWhatFreezesNothingOrAll) {
  const std::vector<std::string> names{"conv_0.w", "final_conv.w"};
  EXPECT_THAT(failure([&] { tune::freeze_pattern({"encodr"}, "BasicUNet", names); }), HasSubstr("no parameter of BasicUNet is called so"));
  EXPECT_THAT(failure([&] { tune::freeze_pattern({"("}, "BasicUNet", names); }), HasSubstr("no regular expression"));
  EXPECT_THAT(failure([&] { tune::freeze_pattern({"encoder", "head"}, "BasicUNet", names); }), HasSubstr("nothing is left to train"));
  EXPECT_THAT(failure([&] { tune::freeze_pattern({"encoder"}, "SomeNet", names); }), HasSubstr("give a regular expression"));
}

}  // namespace
}  // namespace vesal::tests
