// bundle forward, verify_net_in_out, ckpt_export and info of networks, as a user runs them.
#include <gmock/gmock.h>

#include <fstream>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "bundle/checkpoint.h"
#include "bundle/torchscript_archive.h"
#include "cli/program.h"
#include "engine/predictor.h"
#include "image/npy.h"
#include "paths.h"
#include "rule_weights.h"

namespace vesal::tests {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kConfig = R"({
  "network_def": {"_target_": "UNet", "spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 8], "strides": [2], "norm": "batch"},
  "three": {"_target_": "UNet", "spatial_dims": 2, "in_channels": 1, "out_channels": 3, "channels": [4, 8], "strides": [2], "norm": "batch"},
  "number": 5
})";
constexpr const char* kMeta = R"({"name": "small", "version": "0.1.0", "network_data_format": {
  "inputs": {"image": {"type": "image", "num_channels": 1, "spatial_shape": ["2**p*n", "*"], "dtype": "float32"}},
  "outputs": {"pred": {"type": "image", "num_channels": 2, "spatial_shape": ["2**p*n", "*"], "dtype": "float32"}}}})";

/// A folder with a bundle's configuration, weights by rule and an input.
struct Networks : testing::Test {
  Networks() {
    write_file(dir / "net.json", kConfig);
    write_file(dir / "metadata.json", kMeta);
    Value network = construct(components::get("UNet"), {{2, 1, 2, List{{4, 8}}, List{{2}}}, {{"norm", "batch"}}});
    auto stateful = std::dynamic_pointer_cast<bundle::Stateful>(network.as_object());
    fill_by_rule(*stateful);
    state = stateful->state_dict();
    bundle::write_state_dict(dir / "model.pt", state);
    x = rule_input({1, 1, 8, 6});
    image::write_npy(dir / "x.npy", x);
    y = network.object<engine::Predictor>()->predict({x})[0];
  }
  std::string path(const std::string& name) const { return (dir / name).string(); }
  ProgramResult forward(const std::string& weights, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> args{"bundle",      "forward", "--config_file", path("net.json"), "--weights", weights, "--input",
                                  path("x.npy"), "-o",      path("y.npy")};
    args.insert(args.end(), more.begin(), more.end());
    return run_program(args);
  }
  /// One line that says what is wrong, the exit code, no output.
  void expect_failure(const ProgramResult& r, int exit_code, const std::string& says) const {
    EXPECT_EQ(r.exit_code, exit_code) << r.err;
    EXPECT_THAT(r.err, HasSubstr(says));
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
    EXPECT_FALSE(fs::exists(dir / "y.npy"));
    for (const auto& entry : fs::directory_iterator(dir.path()))
      EXPECT_THAT(entry.path().filename().string(), testing::Not(HasSubstr("y.npy"))) << "a rest of a file that was not finished";
  }
  void expect_output(const std::string& name) const {
    const Array got = image::read_npy(dir / name);
    ASSERT_EQ(got.shape(), y.shape());
    for (std::int64_t i = 0; i < y.numel(); ++i) ASSERT_NEAR(got.data<float>()[i], y.contiguous().data<float>()[i], 1e-5);
  }

  TempDir dir;
  bundle::StateDict state;
  Array x, y;
};

TEST_F(Networks, ForwardTakesCheckpointsOfEveryKind) {
  const ProgramResult r = forward(path("model.pt"), {"--threads", "1"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("float32 [1, 2, 8, 6]"));
  expect_output("y.npy");

  bundle::write_checkpoint(dir / "nested.pt", Dict{{"epoch", 3}, {"best", bundle::to_value(state)}});
  fs::remove(dir / "y.npy");
  ASSERT_EQ(forward(path("nested.pt"), {"--key", "best"}).exit_code, 0);
  expect_output("y.npy");
}

TEST_F(Networks, ForwardRunsTorchscriptOfSeveralInputsAndOutputs) {
  image::write_npy(dir / "t.npy", Array::full({1}, DType::f32, 2));
  const ProgramResult r = run_program({"--json", "bundle", "forward", "--weights", data("nn/data/torchscript/named.ts").string(), "--input",
                                       path("x.npy"), "--input", path("t.npy"), "-o", path("out.npy")});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const Value written = parse_json(r.out);
  ASSERT_EQ(written.items().size(), 2u);
  EXPECT_EQ(written.items()[1].as_dict().at("key").as_string(), "pred");
  EXPECT_EQ(image::read_npy(dir / "out.npy").shape(), Shape{1});
  EXPECT_NEAR(image::read_npy(dir / "out.1.npy").at({0, 0, 0, 0}), x.at({0, 0, 0, 0}) + 2, 1e-6);
}

TEST_F(Networks, WeightsThatDoNotFitAreNamed) {
  bundle::StateDict missing = state, misshapen = state, more = state;
  missing.erase(missing.begin() + 1);
  bundle::write_state_dict(dir / "missing.pt", missing);
  expect_failure(forward(path("missing.pt")), 8, state[1].first);
  misshapen[0].second = Array::zeros({9, 1, 3, 3}, DType::f32);
  bundle::write_state_dict(dir / "misshapen.pt", misshapen);
  expect_failure(forward(path("misshapen.pt")), 8, "[9, 1, 3, 3], network [4, 1, 3, 3]");
  more.emplace_back("head.weight", Array::zeros({1}, DType::f32));
  bundle::write_state_dict(dir / "more.pt", more);
  expect_failure(forward(path("more.pt")), 8, "head.weight");
  expect_failure(forward(path("model.pt"), {"--net_id", "three"}), 8, "model.2");
}

TEST_F(Networks, BrokenAndHostileWeightsAreRefused) {
  const std::string whole = read_text(dir / "model.pt");
  write_file(dir / "cut.pt", whole.substr(0, whole.size() / 2));
  expect_failure(forward(path("cut.pt")), 5, "cut.pt");
  expect_failure(forward(data("bundle/data/checkpoints/evil_system.pt").string()), 7, "evil_system.pt");
  expect_failure(forward(data("bundle/data/checkpoints/legacy.pt").string()), 11, "legacy.pt");
  expect_failure(forward(data("nn/data/torchscript/saver.ts").string()), 7, "saver.ts");
  const std::string script = read_text(data("nn/data/torchscript/weighted.ts"));
  write_file(dir / "cut.ts", script.substr(0, script.size() / 2));
  expect_failure(forward(path("cut.ts")), 5, "cut.ts");
  expect_failure(forward(path("none.pt")), 3, "none.pt");
}

TEST_F(Networks, WrongUseIsExplained) {
  expect_failure(forward(path("model.pt"), {"--net_id", "nothing"}), 3, "nothing");
  expect_failure(forward(path("model.pt"), {"--net_id", "number"}), 6, "int");
  image::write_npy(dir / "x.npy", Array::zeros({1, 3, 8, 6}, DType::f32));
  expect_failure(forward(path("model.pt")), 10, "channels");
  write_file(dir / "x.npy", "no array");
  expect_failure(forward(path("model.pt")), 5, "x.npy");
  const ProgramResult r = run_program({"bundle", "forward", "--input", path("x.npy"), "-o", path("y.npy")});
  expect_failure(r, 2, "--weights is missing");
}

TEST_F(Networks, ExplainShowsTheSteps) {
  const std::vector<std::string> base{"bundle", "explain", "--config_file", path("net.json"), "--shape", "[1, 16, 8]"};
  const ProgramResult r = run_program(base);
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("network on 1x1x16x8"));
  EXPECT_THAT(r.out, HasSubstr("GFLOP/s"));
  EXPECT_THAT(r.out, HasSubstr("model.0"));
  std::vector<std::string> json = base;
  json.insert(json.begin(), "--json");
  const Value runs = parse_json(run_program(json).out);
  const Dict& run = runs.items().at(0).as_dict();
  EXPECT_GT(run.at("steps").items().size(), 2u);
  EXPECT_FALSE(run.at("steps").items()[0].as_dict().at("ms").is_none());
  expect_failure(run_program({"bundle", "explain", "--config_file", path("net.json"), "--shape", "x"}), 2, "--shape x");
  expect_failure(run_program({"bundle", "explain", "--config_file", path("net.json"), "--shape", "[3, 16, 8]"}), 10, "channels");
}

TEST_F(Networks, VerifyNetInOut) {
  const std::vector<std::string> base{"bundle", "verify_net_in_out", "--config_file", path("net.json"), "--p", "3", "--n", "2", "--any", "6"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> args = base;
    args.insert(args.end(), more.begin(), more.end());
    return run_program(args);
  };
  ProgramResult r = with({});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("image [1, 1, 16, 6] becomes pred [1, 2, 16, 6]"));
  expect_failure(with({"--net_id", "three"}), 10, "the output is [1, 3, 16, 6], the metadata says 2 channels");
  expect_failure(with({"--_meta_::network_data_format::inputs::image::num_channels", "3"}), 10, "channels");
  expect_failure(with({"--_meta_::network_data_format::outputs::pred::dtype", "int32"}), 10, "the metadata says int32");
  expect_failure(with({"--_meta_::network_data_format::inputs::image::spatial_shape", "['__import__(\"os\").getcwd()', 8]"}), 7, "__import__");
  expect_failure(with({"--_meta_::network_data_format::inputs::image::spatial_shape", "['0*n', 8]"}), 6, "no extent");
  expect_failure(with({"--_meta_::network_data_format::inputs::image::spatial_shape", "['9**9**9**p', 8]"}), 6, "spatial_shape");
  fs::remove(dir / "metadata.json");
  expect_failure(with({}), 2, "--meta_file");
}

TEST_F(Networks, ExportCarriesConfigurationAndMetadata) {
  const std::vector<std::string> base{"bundle", "ckpt_export", "--config_file", path("net.json"), "--ckpt_file", path("model.pt"), "--filepath"};
  const auto exported = [&](const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> args = base;
    args.push_back(path(name));
    args.insert(args.end(), more.begin(), more.end());
    return run_program(args);
  };
  ProgramResult r = exported("model.ts", {"--input_shape", "[1, 1, 8, 6]"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const auto documents = bundle::torchscript_facts(dir / "model.ts").documents;
  EXPECT_EQ(parse_json(documents.at("metadata.json")).as_dict().at("version").as_string(), "0.1.0");
  EXPECT_TRUE(parse_json(documents.at("net.json")).as_dict().contains("network_def"));
  ASSERT_EQ(forward(path("model.ts")).exit_code, 0);
  expect_output("y.npy");

  r = run_program({"--json", "info", path("model.ts")});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const Value info = parse_json(r.out);
  EXPECT_EQ(info.as_dict().at("format").as_string(), "torchscript");
  EXPECT_EQ(info.as_dict().at("name").as_string(), "small");
  EXPECT_EQ(info.as_dict().at("tensors").as_int(), static_cast<std::int64_t>(state.size()));

  ASSERT_EQ(exported("model.safetensors", {}).exit_code, 0);
  fs::remove(dir / "y.npy");
  ASSERT_EQ(forward(path("model.safetensors")).exit_code, 0);
  expect_output("y.npy");
  fs::remove(dir / "y.npy");

  expect_failure(exported("y.npy", {}), 2, ".ts");
  expect_failure(exported("y.npy.ts", {"--input_shape", "8"}), 2, "--input_shape 8");
  expect_failure(exported("y.npy.ts", {"--input_shape", "[1, 3, 8, 6]"}), 10, "y.npy.ts");
  expect_failure(exported("y.npy.ts", {"--net_id", "three"}), 8, "model.pt");
}

}  // namespace
}  // namespace vesal::tests
