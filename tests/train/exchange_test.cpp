// A training that changes programs: MONAI begins, vesal goes on, and the other way round (tests/train/data/make_exchange.py).
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/json.h"
#include "bundle/config.h"
#include "image/image.h"
#include "infer/workflow.h"
#include "rule_weights.h"
#include "train/golden.h"

namespace vesal::train {
namespace {

using infer::Workflow;

/// Step `s` of the script: a batch of two images and where they are above 0.2.
std::vector<Value> items_of(std::uint32_t s) {
  const Array images = tests::rule_input({2, 1, 8, 8, 8}, "input", s);
  std::vector<Value> items;
  for (std::int64_t n = 0; n < 2; ++n) {
    const Array image = images.select(0, n).contiguous();
    Array label = Array::zeros(image.shape(), DType::f32);
    for (std::int64_t i = 0; i < label.numel(); ++i) label.data<float>()[i] = image.data<float>()[i] > 0.2F;
    items.emplace_back(Dict{{"image", image}, {"label", label}});
  }
  return items;
}

/// The losses of steps [begin, end) from a checkpoint on, or from weights by rule; leaves a checkpoint at `save` if given.
std::vector<double> train(const std::string& name, std::uint32_t begin, std::uint32_t end, const std::string& from,
                          const std::filesystem::path& save) {
  const std::map<std::string, std::string> optimizers{{"adam", R"({"_target_": "torch.optim.Adam", "lr": 0.01, "weight_decay": 0.01})"},
                                                      {"sgd", R"({"_target_": "torch.optim.SGD", "lr": 0.05, "momentum": 0.9})"},
                                                      {"novograd", R"({"_target_": "Novograd", "lr": 0.01})"}};
  bundle::ConfigParser p(parse_json(R"json({
    "network": {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [2, 3], "strides": [2], "num_res_units": 0, "norm": "batch"},
    "loader": {"_target_": "DataLoader", "dataset": {"_target_": "Dataset", "data": []}, "batch_size": 2},
    "load": {"_target_": "CheckpointLoader", "load_path": "", "load_dict": {"model": "@network", "optimizer": "@optimizer"}},
    "save": {"_target_": "CheckpointSaver", "save_dir": "", "save_dict": {"model": "@network", "optimizer": "@optimizer"}, "save_final": true},
    "trainer": {"_target_": "SupervisedTrainer", "device": "cpu", "max_epochs": 1, "train_data_loader": "@loader", "network": "@network",
      "optimizer": "@optimizer", "loss_function": {"_target_": "DiceCELoss", "to_onehot_y": true, "softmax": true}, "train_handlers": []}
  })json"));
  List data;
  for (std::uint32_t s = begin; s < end; ++s)
    for (Value& item : items_of(s)) data.items.push_back(std::move(item));
  p.set("loader::dataset::data", data);
  p.set("optimizer", parse_json(optimizers.at(name)));
  p.set("optimizer::params", Value("$@network.parameters()"));
  List handlers;
  if (!from.empty()) handlers.items.emplace_back("@load"), p.set("load::load_path", Value(from));
  if (!save.empty()) {
    handlers.items.emplace_back("@save");
    p.set("save::save_dir", Value(save.parent_path().string()));
    p.set("save::final_filename", Value(save.filename().string()));
  }
  p.set("trainer::train_handlers", handlers);
  if (from.empty()) tests::fill_by_rule(dynamic_cast<bundle::Stateful&>(*p.get_parsed_content("network").as_object()));
  std::vector<double> losses;
  const auto trainer = p.object<Workflow>("trainer");
  trainer->on(infer::Event::iteration_completed,
              [&](Workflow& w) { losses.push_back(w.state().output.items().at(0).as_dict().at("loss").as_float()); });
  trainer->run();
  return losses;
}

class Exchange : public testing::TestWithParam<const char*> {};

TEST_P(Exchange, ATrainingOfMonaiGoesOnHere) {
  const std::string name = GetParam();
  const Value golden = parse_json(read_text(tests::data("train/data/exchange.json")));
  const std::vector<double> losses = train(name, 3, 8, tests::data("train/data/exchange_" + name + ".pt").string(), {});
  ASSERT_EQ(losses.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(losses[i], golden.as_dict().at(name).items()[i].as_float(), 1e-5) << "step " << i;
}

TEST_P(Exchange, ATrainingFromHereGoesOn) {
  const std::string name = GetParam();
  const tests::TempDir own;
  const char* kept = std::getenv("VESAL_EXCHANGE");
  const std::filesystem::path folder = kept ? std::filesystem::path(kept) : own.path();
  train(name, 0, 3, "", folder / (name + ".pt"));
  const std::vector<double> losses = train(name, 3, 8, (folder / (name + ".pt")).string(), {});
  const Value golden = parse_json(read_text(tests::data("train/data/exchange.json")));
  List printed;
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(losses[i], golden.as_dict().at(name).items()[i].as_float(), 1e-5) << "step " << i;
    printed.items.emplace_back(losses[i]);
  }
  if (kept) write_file(folder / (name + ".json"), to_json(printed));
}

INSTANTIATE_TEST_SUITE_P(Optimizers, Exchange, testing::Values("adam", "sgd", "novograd"));

}  // namespace
}  // namespace vesal::train
