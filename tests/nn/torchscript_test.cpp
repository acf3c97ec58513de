// TorchScript archives: those of Python's torch.jit.save (data/make_torchscript.py) and our own.
#include "nn/torchscript.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <fstream>

#include "base/file.h"
#include "base/registry.h"
#include "base/zip_archive.h"
#include "bundle/network_writer.h"
#include "bundle/torchscript_archive.h"
#include "paths.h"
#include "rule_weights.h"

namespace vesal::nn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

fs::path archive(const std::string& name) { return tests::data("nn/data/torchscript/" + name + ".ts"); }

NetworkPtr make(const std::string& name, const Dict& arguments) {
  CallArgs args;
  for (const auto& [key, value] : arguments) args.named.emplace_back(key.as_string(), value);
  return construct(components::get(name), args).object<Network>();
}

std::string failure(const std::function<void()>& work, ErrorKind kind) {
  try {
    work();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), kind) << e.what();
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << e.what();
    return e.what();
  }
  return "nothing thrown";
}

double difference(const Array& a, const Array& b) { return (to_tensor(a) - to_tensor(b)).abs().max().item<double>(); }

TEST(Torchscript, ComputesWhatPythonSaved) {
  const NetworkPtr network = load_torchscript(archive("weighted"));
  EXPECT_FALSE(network->training());
  const Array y = network->predict({Array::full({1, 1, 3, 3}, DType::f32, 2)})[0];
  ASSERT_EQ(y.shape(), (Shape{1, 2, 3, 3}));
  EXPECT_NEAR(y.at({0, 0, 1, 1}), (9 + 1) / std::sqrt(1 + 1e-5), 1e-5);
  EXPECT_NEAR(y.at({0, 1, 0, 0}), (4 - 1) / std::sqrt(1 + 1e-5), 1e-5);
  std::vector<std::string> names;
  for (const auto& [name, array] : network->state_dict()) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias", "body.1.running_mean", "body.1.running_var",
                                 "body.1.num_batches_tracked"));
  network->train();
  EXPECT_TRUE(network->training());
  EXPECT_NEAR(difference(network->predict({Array::full({1, 1, 3, 3}, DType::f32, 2)})[0], y), 0, 1e-6) << "predict() is always evaluation";
}

TEST(Torchscript, GivesTuplesListsAndDicts) {
  const Array x = tests::rule_input({1, 2, 3, 3});
  EXPECT_EQ(load_torchscript(archive("pair"))->predict({x}).at(1).shape(), Shape{1});
  EXPECT_EQ(load_torchscript(archive("several"))->predict({x}).size(), 3u);
  const NetworkPtr named = load_torchscript(archive("named"));
  const std::vector<Array> outputs = named->predict({x, Array::full({1}, DType::f32, 3)});
  EXPECT_THAT(named->output_keys(), ElementsAre("area", "pred"));
  EXPECT_NEAR(outputs.at(1).at({0, 0, 0, 0}), x.at({0, 0, 0, 0}) + 3, 1e-6);
  const Value called = call_value(Value(named), {{Value(x), Value(Array::full({1}, DType::f32, 3))}, {}});
  ASSERT_TRUE(called.is_dict());
  EXPECT_EQ(called.as_dict().at("area").as_array().shape(), Shape{1});
}

TEST(Torchscript, SaysInOneLineWhatDoesNotWork) {
  const Array x = tests::rule_input({1, 1, 4, 4});
  const NetworkPtr named = load_torchscript(archive("named")), weighted = load_torchscript(archive("weighted"));
  EXPECT_THAT(failure([&] { named->predict({x}); }, ErrorKind::shape), HasSubstr("takes 2 inputs, got 1"));
  EXPECT_THAT(failure([&] { weighted->predict({tests::rule_input({1, 2, 4, 4})}); }, ErrorKind::shape), HasSubstr("channels"));
  EXPECT_THAT(failure([&] { load_torchscript(archive("nested"))->predict({x}); }, ErrorKind::unsupported), HasSubstr("List[List[Tensor]]"));
  EXPECT_THAT(failure([&] { load_torchscript("no.ts"); }, ErrorKind::not_found), HasSubstr("no.ts"));
}

TEST(Torchscript, BrokenArchivesAreFormatErrors) {
  const tests::TempDir dir;
  const std::string whole = read_text(archive("weighted"));
  for (const double part : {0.05, 0.5, 0.99}) {
    write_file(dir / "cut.ts", whole.substr(0, static_cast<std::size_t>(part * static_cast<double>(whole.size()))));
    EXPECT_THAT(failure([&] { load_torchscript(dir / "cut.ts"); }, ErrorKind::format), HasSubstr("cut.ts"));
  }
  {
    ZipWriter zip(dir / "hollow.ts");
    zip.add("hollow/code/__torch__.py", std::string_view("class Hollow(Module):\n  pass\n"));
    zip.add("hollow/data.pkl", std::string_view("\x80\x02."));
    zip.add("hollow/constants.pkl", std::string_view("\x80\x02)."));
    zip.add("hollow/version", std::string_view("3\n"));
    zip.finish();
  }
  EXPECT_THAT(failure([&] { load_torchscript(dir / "hollow.ts"); }, ErrorKind::format), HasSubstr("hollow.ts"));
  EXPECT_THAT(failure([&] { load_torchscript(tests::data("bundle/data/checkpoints/state.pt")); }, ErrorKind::unsupported),
              HasSubstr("no TorchScript archive"));
}

TEST(Torchscript, CodeThatReachesFilesIsRefused) {
  EXPECT_THAT(failure([] { load_torchscript(archive("saver")); }, ErrorKind::refused), HasSubstr("names 'save'"));
  EXPECT_THAT(failure([] { load_torchscript(archive("mapper")); }, ErrorKind::refused), HasSubstr("names 'from_file'"));
  const tests::TempDir dir;
  for (const char* code : {"torch . save(x)", "getattr(torch, \"save\")(x)", "getattr(torch, \"\\x73ave\")(x)", "ops.aten.from_file(y)"}) {
    {
      ZipWriter zip(dir / "x.ts");
      zip.add("x/code/__torch__.py", std::string_view(code));
      zip.finish();
    }
    EXPECT_NE(failure([&] { bundle::check_torchscript_code(dir / "x.ts"); }, ErrorKind::refused), "nothing thrown") << code;
  }
  EXPECT_NO_THROW(bundle::check_torchscript_code(archive("weighted")));
}

TEST(Torchscript, Bfloat16ConvolutionsDoNotEndTheProgram) {
  const Array y = load_torchscript(archive("brain16"))->predict({Array::full({1, 16, 8, 8}, DType::f32, 1)})[0];
  EXPECT_NEAR(y.at({0, 0, 0, 0}), 144, 1);
}

TEST(Torchscript, CarriesDocuments) {
  const bundle::TorchscriptFacts facts = bundle::torchscript_facts(archive("weighted"));
  EXPECT_THAT(facts.documents.at("metadata.json"), HasSubstr("1.2.3"));
  EXPECT_EQ(facts.tensors, 7u);
  EXPECT_EQ(facts.tensor_bytes, 72u + 6 * 8);
}

TEST(Torchscript, WhatIsWrittenComputesTheSameAtOtherExtentsToo) {
  const tests::TempDir dir;
  const Dict unet{{"spatial_dims", 2},    {"in_channels", 1},   {"out_channels", 2}, {"channels", List{{4, 8}}},
                  {"strides", List{{2}}}, {"num_res_units", 2}, {"norm", "batch"}};
  const Dict dyn{{"spatial_dims", 2},          {"in_channels", 1},
                 {"out_channels", 2},          {"kernel_size", List{{3, 3, 3}}},
                 {"strides", List{{1, 2, 2}}}, {"upsample_kernel_size", List{{2, 2}}},
                 {"deep_supervision", true}};
  const std::vector<std::pair<std::string, Dict>> networks{{"UNet", unet},
                                                           {"DynUNet", dyn},
                                                           {"SegResNet", {{"spatial_dims", 2}}},
                                                           {"BasicUNet", {{"spatial_dims", 2}, {"features", List{{4, 4, 4, 4, 4, 4}}}}}};
  for (const auto& [name, arguments] : networks) {
    SCOPED_TRACE(name);
    const NetworkPtr network = make(name, arguments);
    tests::fill_by_rule(*network);
    network->train();
    const fs::path file = dir / (name + ".ts");
    bundle::write_network({.network = network, .path = file, .input_shape = {1, 1, 32, 32}, .documents = {{"metadata.json", "{\"a\": 1}"}}});
    EXPECT_TRUE(network->training());
    for (const Tensor& parameter : network->parameters()) EXPECT_TRUE(parameter.requires_grad());
    const NetworkPtr written = load_torchscript(file);
    const Array x = tests::rule_input({2, 1, 48, 32});
    EXPECT_LT(difference(written->predict({x})[0], network->predict({x})[0]), 1e-4);
    EXPECT_EQ(bundle::torchscript_facts(file).documents.at("metadata.json"), "{\"a\": 1}");
    std::set<std::string> names, wanted;
    for (const auto& [key, tensor] : written->named_state()) names.insert(key);
    for (const auto& [key, tensor] : network->named_state()) wanted.insert(key);
    EXPECT_EQ(names, wanted);
  }
  failure([&] { bundle::write_network({.network = make("UNet", unet), .path = dir / "none.ts", .input_shape = {}, .documents = {}}); },
          ErrorKind::usage);
  failure(
      [&] {
        bundle::write_network({.network = make("UNet", unet), .path = dir / "none.ts", .input_shape = {1, 3, 8, 8}, .documents = {}});
      },
      ErrorKind::shape);
  EXPECT_FALSE(fs::exists(dir / "none.ts"));
}

TEST(NetworkFunctions, CopyFreezeAndLoad) {
  const auto function = [](const char* name) { return *allowed::find(name); };
  const Dict unet{{"spatial_dims", 2}, {"in_channels", 1}, {"out_channels", 2}, {"channels", List{{4, 8}}}, {"strides", List{{2}}}};
  Dict wider = unet;
  wider["out_channels"] = 3;
  const NetworkPtr a = make("UNet", unet), b = make("UNet", wider);
  tests::fill_by_rule(*b);
  const Value result = call_value(function("monai.networks.utils.copy_model_state"), {{Value(a), Value(b)}, {}});
  EXPECT_EQ(result.items()[2].items().size(), 2u) << "the last convolution's weight and bias differ in shape: " << result.items()[2].repr();
  EXPECT_EQ(difference(a->state_dict()[0].second, b->state_dict()[0].second), 0);

  call_value(function("monai.networks.utils.freeze_layers"), {{Value(a)}, {{"freeze_vars", Value("^model\\.0")}}});
  for (const auto& [name, tensor] : a->named_parameters()) EXPECT_EQ(tensor.requires_grad(), !name.starts_with("model.0")) << name;

  const tests::TempDir dir;
  bundle::write_network({.network = b, .path = dir / "b.pt", .input_shape = {}, .documents = {}});
  const Value state = call_value(function("torch.load"), {{Value((dir / "b.pt").string())}, {{"map_location", Value("cpu")}}});
  const NetworkPtr c = make("UNet", wider);
  call_value(*c->attribute("load_state_dict"), {{state}, {}});
  const Array x = tests::rule_input({1, 1, 8, 8});
  EXPECT_EQ(difference(c->predict({x})[0], b->predict({x})[0]), 0);
}

TEST(TorchLayers, ActivationsAreNetworks) {
  const Array x = Array::from<float>({-1, 0, 2, 3}, {1, 2, 1, 2});
  EXPECT_NEAR(make("torch.nn.Sigmoid", {})->predict({x})[0].at({0, 1, 0, 0}), 1 / (1 + std::exp(-2.0)), 1e-6);
  EXPECT_NEAR(make("torch.nn.Softmax", {{"dim", 1}})->predict({x})[0].at({0, 1, 0, 1}), 1 / (1 + std::exp(-3.0)), 1e-6);
  EXPECT_NEAR(make("torch.nn.LeakyReLU", {{"negative_slope", 0.5}})->predict({x})[0].at({0, 0, 0, 0}), -0.5, 1e-6);
  EXPECT_EQ(make("torch.nn.Identity", {})->predict({x})[0].at({0, 0, 0, 0}), -1);
}

}  // namespace
}  // namespace vesal::nn
