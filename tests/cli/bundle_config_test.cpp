// bundle run, show, verify_metadata, init_bundle and how hostile configurations end, with the real program.
#include <gmock/gmock.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "cli/program.h"
#include "image/formats.h"
#include "paths.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

const char* const kConfig = R"json({
  "imports": ["$import os"],
  "bundle_root": ".",
  "epochs": 2,
  "net": {"_target_": "SimpleInferer"},
  "where": "$os.path.join(@bundle_root, 'models')",
  "initialize": ["$print('first', @where)"],
  "run": ["$print('second', @epochs * 2)"],
  "other": "$print('other', @epochs)",
  "finalize": ["$print('last')"]
})json";

class BundleCommands : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { write_file(folder_ / name, text); }
  ProgramResult vesal(std::vector<std::string> args) { return run_program(args, {.folder = folder_.path().string()}); }
  /// Results of `bundle show`.
  Value shown(std::vector<std::string> args) {
    args.insert(args.begin(), {"bundle", "show"});
    const ProgramResult r = vesal(args);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.exit_code == 0 ? parse_json(r.out) : Value();
  }
  /// One line that says what is wrong, and the exit code for it.
  void expect_refusal(const std::vector<std::string>& args, int code, const std::vector<std::string>& said) {
    SCOPED_TRACE(testing::PrintToString(args));
    const ProgramResult r = vesal(args);
    EXPECT_EQ(r.exit_code, code) << r.err;
    EXPECT_EQ(r.out, "");
    for (const std::string& text : said) EXPECT_THAT(r.err, HasSubstr(text));
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  }
  TempDir folder_;
};

TEST_F(BundleCommands, RunGoesThroughInitializeRunAndFinalize) {
  write("configs/a.json", kConfig);
  const ProgramResult r = vesal({"bundle", "run", "--config_file", "configs/a.json", "--bundle_root", "/b", "--epochs", "5"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  const auto first = r.err.find("first /b/models"), second = r.err.find("second 10"), last = r.err.find("last");
  EXPECT_TRUE(first < second && second < last && last != std::string::npos) << r.err;
}

TEST_F(BundleCommands, RunTakesAnotherIdAndOptionsAsFireDoes) {
  write("a.json", kConfig);
  write("b.yaml", "epochs: 7\n");
  write("args.json", R"json({"config_file": ["a.json", "b.yaml"], "run_id": "other", "net::network_wrapper": null})json");
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"other", "--config_file", "a.json,b.yaml"},
                                             {"--config_file", "['a.json', 'b.yaml']", "--run_id", "other"},
                                             {"--config_file", "a.json", "--config_file", "b.yaml", "--net#extra", "[1, x]", "other"},
                                             {"--args_file", "args.json"},
                                             {"--config_file=a.json", "other", "--epochs=7", "--init_id", "none", "--final_id", "none"}}) {
    std::vector<std::string> all{"bundle", "run"};
    all.insert(all.end(), args.begin(), args.end());
    const ProgramResult r = vesal(all);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_THAT(r.err, HasSubstr("other 7"));
    EXPECT_THAT(r.err, Not(HasSubstr("second")));
  }
}

TEST_F(BundleCommands, RunSaysWhichIdsThereAre) {
  write("a.json", kConfig);
  expect_refusal({"bundle", "run", "training", "--config_file", "a.json"}, 3, {"a.json", "no id 'training'", "initialize, run, finalize"});
  expect_refusal({"bundle", "run", "--config_file", "b.json"}, 3, {"b.json"});
  expect_refusal({"bundle", "run", "run", "again", "--config_file", "a.json"}, 2, {"'again'"});
}

TEST_F(BundleCommands, ShowResolvesWithoutConstructing) {
  write("configs/a.json", kConfig);
  write("configs/metadata.json", R"json({"version": "1.2.3"})json");
  const Value all = shown({"--config_file", "configs/a.json", "--bundle_root", "/x", "--net#roi", "(1, 2)", "--new", "$3 + 4"});
  EXPECT_EQ(all.as_dict().at("where"), Value("/x/models"));
  EXPECT_EQ(all.as_dict().at("new"), Value(7));
  EXPECT_EQ(all.as_dict().at("net").as_dict().at("roi").repr(), "[1, 2]");
  EXPECT_EQ(all.as_dict().at("_meta_").as_dict().at("version"), Value("1.2.3"));
  EXPECT_EQ(shown({"--config_file", "configs/a.json", "--id", "net"}).repr(), "{'_target_': 'SimpleInferer'}");
  EXPECT_EQ(shown({"--config_file", "configs/a.json", "--id", "epochs", "--epochs", "-3"}), Value(-3));
  EXPECT_EQ(shown({"--config_file", "configs/a.json", "--id", "flag", "--flag"}), Value(true));
}

TEST_F(BundleCommands, ShowReportsWhatFailsInItsPlace) {
  write("a.json", R"json({"good": "$1 + 1", "bad": {"worse": "$1 / 0"}})json");
  const Value all = shown({"--config_file", "a.json"});
  EXPECT_EQ(all.as_dict().at("good"), Value(2));
  EXPECT_THAT(all.as_dict().at("bad").as_dict().at("worse").as_dict().at("_error_").as_string(), HasSubstr("'bad::worse': $1 / 0"));
  expect_refusal({"bundle", "show", "--config_file", "a.json", "--id", "bad"}, 6, {"a.json: 'bad::worse': $1 / 0: ", "zero"});
}

TEST_F(BundleCommands, HostileConfigurationsEndInOneLine) {
  write("evil.json", R"json({
    "cycle": "@b", "b": "$@cycle + 1", "target": {"_target_": "UNetz"}, "script": {"_target_": "scripts.net.Net"}, "syntax": "$[1, 2",
    "system": "$os.system('touch never')", "process": {"_target_": "subprocess.run", "args": ["touch", "never"]}})json");
  const auto run_of = [](const char* id) { return std::vector<std::string>{"bundle", "run", id, "--config_file", "evil.json"}; };
  expect_refusal(run_of("cycle"), 6, {"evil.json: 'b': $@cycle + 1: references go in a circle: @cycle -> @b -> @cycle"});
  expect_refusal(run_of("target"), 3, {"evil.json: 'target': ", "no component 'UNetz'", "vesal components"});
  expect_refusal(run_of("script"), 7, {"evil.json: 'script': ", "'scripts.net.Net' is Python code of the bundle, which is never run"});
  expect_refusal(run_of("process"), 3, {"evil.json: 'process': ", "no component 'subprocess.run'"});
  expect_refusal(run_of("syntax"), 6, {"evil.json: 'syntax': $[1, 2: "});
  expect_refusal(run_of("system"), 7, {"evil.json: 'system': $os.system('touch never'): 'os.system' is not on the allow-list"});
  write("macro.json", R"json({"a": "%/etc/passwd.json::x"})json");
  expect_refusal({"bundle", "run", "a", "--config_file", "macro.json"}, 3, {"macro.json", "'a'", "/etc/passwd.json"});
  EXPECT_FALSE(fs::exists(folder_ / "never"));
}

TEST_F(BundleCommands, HostileExpressionsAreRefusedByName) {
  const std::string deep = std::string(400, '(') + "1" + std::string(400, ')');
  const std::vector<std::pair<std::string, std::string>> evil{{"__import__('os').system('touch never')", "'__import__' is not allowed"},
                                                              {"().__class__.__bases__[0].__subclasses__()", "'__class__'"},
                                                              {"open('never', 'w')", "'open' is not allowed"},
                                                              {"os.remove('evil.json')", "'os.remove' is not on the allow-list"},
                                                              {"os.environ['HOME']", "'HOME'"},
                                                              {"[i for i in range(10 ** 12)]", ""},
                                                              {"2 ** 62 * 'x'", ""},
                                                              {deep, "nested"}};
  Dict config;
  for (std::size_t i = 0; i < evil.size(); ++i) config["e" + std::to_string(i)] = "$" + evil[i].first;
  write("evil.json", to_json(config));
  const Value all = shown({"--config_file", "evil.json"});
  for (std::size_t i = 0; i < evil.size(); ++i) {
    const std::string id = "e" + std::to_string(i);
    const Value& entry = all.as_dict().at(id);
    ASSERT_TRUE(entry.is_dict()) << entry.repr();
    EXPECT_THAT(entry.as_dict().at("_error_").as_string(), testing::AllOf(HasSubstr("evil.json: '" + id + "': $"), HasSubstr(evil[i].second)));
  }
  EXPECT_FALSE(fs::exists(folder_ / "never"));
  EXPECT_TRUE(fs::exists(folder_ / "evil.json"));
}

TEST_F(BundleCommands, DamagedFilesEndInOneLine) {
  write("cut.json", R"json({"a": [1, 2)json");
  write("list.yaml", "- 1\n");
  write("a.toml", "a = 1\n");
  write("laughs.yaml",
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\n"
        "d: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e]\n"
        "g: &g [*f, *f, *f, *f, *f, *f, *f, *f]\nh: &h [*g, *g, *g, *g, *g, *g, *g, *g]\n");
  expect_refusal({"bundle", "show", "--config_file", "cut.json"}, 5, {"cut.json"});
  expect_refusal({"bundle", "show", "--config_file", "list.yaml"}, 6, {"list.yaml", "mapping"});
  expect_refusal({"bundle", "show", "--config_file", "a.toml"}, 6, {"a.toml", ".json"});
  const ProgramResult r = vesal({"bundle", "show", "--config_file", "laughs.yaml"});
  EXPECT_NE(r.exit_code, 0);
  EXPECT_LT(r.exit_code, 64) << r.err;
}

TEST_F(BundleCommands, ANewBundleIsRightAndShows) {
  ASSERT_EQ(vesal({"bundle", "init_bundle", "fresh", "--network", R"json({"_target_": "UNet", "spatial_dims": 2, "in_channels": 1, "out_channels": 3,
    "channels": [4, 8], "strides": [2]})json"})
                .exit_code,
            0);
  EXPECT_TRUE(fs::exists(folder_ / "fresh/models/model.pt"));
  EXPECT_TRUE(fs::exists(folder_ / "fresh/LICENSE") && fs::exists(folder_ / "fresh/docs/README.md"));
  EXPECT_EQ(vesal({"bundle", "verify_metadata", "--meta_file", "fresh/configs/metadata.json"}).exit_code, 0);
  EXPECT_EQ(vesal({"bundle", "verify_net_in_out", "network_def", "--config_file", "fresh/configs/inference.json"}).exit_code, 0);
  for (const char* name : {"inference", "train"}) {
    const Value all = shown({"--config_file", std::string("fresh/configs/") + name + ".json"});
    EXPECT_THAT(all.repr(), Not(HasSubstr("_error_")));
    EXPECT_EQ(all.as_dict().at("network_def").as_dict().at("out_channels"), Value(3));
  }
  expect_refusal({"bundle", "init_bundle", "fresh"}, 2, {"fresh is there already"});
  expect_refusal({"bundle", "init_bundle", "no/such/place"}, 3, {"no/such"});
  expect_refusal({"bundle", "init_bundle", "none", "--ckpt_file", "none.pt"}, 3, {"none.pt"});
  EXPECT_FALSE(fs::exists(folder_ / "none") || fs::exists(folder_ / "none.new"));
}

TEST_F(BundleCommands, ANewBundleRuns) {
  if (!components::find("Dataset") || !components::find("DataLoader")) GTEST_SKIP() << "this build has no datasets";
  ASSERT_EQ(vesal({"bundle", "init_bundle", "fresh", "--network", R"json({"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2,
    "channels": [4, 8], "strides": [2]})json"})
                .exit_code,
            0);
  const fs::path scan = folder_ / "fresh/data/imagesTs/scan.nii.gz";
  Array voxels = Array::zeros({1, 20, 18, 16}, DType::i16);
  voxels.slice(1, 5, 10).fill(100);
  image::write_image(scan, image::Image(voxels), {.dtype = DType::i16});
  const ProgramResult r = run_program({"bundle", "run", "--config_file", "configs/inference.json"}, {.folder = (folder_ / "fresh").string()});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_TRUE(fs::exists(folder_ / "fresh/eval/scan/scan_seg.nii.gz")) << r.err;
}

TEST_F(BundleCommands, WrongMetadataAreNamed) {
  write("metadata.json", R"json({"version": "1"})json");
  const ProgramResult r = vesal({"bundle", "verify_metadata", "--meta_file", "metadata.json"});
  EXPECT_EQ(r.exit_code, 6);
  EXPECT_THAT(r.out, HasSubstr("monai_version: is missing\n"));
  EXPECT_THAT(r.err, HasSubstr("metadata.json"));
}

}  // namespace
}  // namespace vesal::tests
