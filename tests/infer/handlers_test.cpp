#include <gmock/gmock.h>

#include <fstream>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "bundle/checkpoint.h"
#include "engines.h"
#include "infer/evaluator.h"
#include "paths.h"

namespace vesal::infer {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const Dict& golden() {
  static const Value root = parse_json(read_text(tests::data("infer/data/handlers.json")));
  return root.as_dict();
}

/// Weights as a network holds them.
class Weights : public Object, public bundle::Stateful {
 public:
  explicit Weights(bundle::StateDict state) : state(std::move(state)) {}
  std::string type_name() const override { return "Weights"; }
  bundle::StateDict state_dict() const override { return state; }
  bundle::LoadReport load_state_dict(const bundle::StateDict& given, bool strict) override {
    bundle::LoadReport report;
    for (auto& [name, array] : state) {
      bool found = false;
      for (const auto& [other, value] : given) {
        if (other != name) continue;
        found = true;
        array = value;
      }
      (found ? report.loaded : report.missing).push_back(name);
    }
    if (strict && !report.exact()) throw Error(ErrorKind::weights, "the weights do not fit: " + report.summary());
    return report;
  }
  std::optional<Value> attribute(std::string_view name) override {
    if (name != "state_dict") return std::nullopt;
    return make_function("state_dict", [this](const CallArgs&) { return bundle::to_value(state); });
  }
  bundle::StateDict state;
};
std::shared_ptr<Weights> weights(double value, Shape shape = {2}) {
  return std::make_shared<Weights>(bundle::StateDict{{"w", Array::full(shape, DType::f32, value)}});
}

std::shared_ptr<Workflow> idle(std::int64_t items = 1, std::int64_t epochs = 1) {
  std::vector<Value> list;
  for (std::int64_t i = 0; i < items; ++i) list.emplace_back(i);
  return std::make_shared<ScriptedEngine>(list, epochs, [](const Value& v) { return v; });
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// What an engine logs, by a LogfileHandler.
std::vector<std::string> log_of(Workflow& engine, const std::function<void()>& run) {
  tests::TempDir dir;
  attach(make("LogfileHandler", {{"output_dir", (dir / "logs").string()}, {"formatter", "%(levelname)s %(message)s"}}), engine);
  run();
  std::ifstream in(dir / "logs/log.txt");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(StatsHandler, LogsThePeersLines) {
  for (const Value& c : golden().at("stats").items()) {
    const std::vector<Value> items{Value(0), Value(2)};
    auto engine = std::make_shared<ScriptedEngine>(items, 2, [](const Value& v) -> Value {
      return Dict{{"loss", 1.0 / static_cast<double>(v.as_int() + 1)}, {"pred", Array::zeros({3}, DType::f32)}};
    });
    engine->on(Event::epoch_completed, [](Workflow& w) {
      State& s = w.state();
      s.metrics = Dict{{"dice", 0.25 * static_cast<double>(s.epoch)}, {"by", Dict{{"b", 2.0}, {"a", 1.0}}}};
      s.key_metric_name = "dice";
      s.best_metric = s.metrics.at("dice");
      s.best_metric_epoch = s.epoch;
    });
    Dict arguments = c.as_dict().at("arguments").as_dict();
    if (arguments.contains("tag_name"))
      arguments["output_transform"] = function([](const Value& out) { return out.items()[0].as_dict().at("loss"); });
    attach(make("StatsHandler", arguments), *engine);
    std::vector<std::string> expected;
    for (const Value& line : c.as_dict().at("lines").items()) expected.push_back("INFO " + line.as_string());
    EXPECT_EQ(log_of(*engine, [&] { engine->run(); }), expected) << c.as_dict().at("arguments").repr();
  }
}

TEST(MetricsSaver, WritesThePeersFiles) {
  const float nan = std::nanf("");
  for (const Value& c : golden().at("metrics_saver").items()) {
    tests::TempDir dir;
    auto engine = idle(3);
    engine->on(Event::epoch_completed, [&](Workflow& w) {
      w.state().metrics = Dict{{"dice", static_cast<double>(0.9f)}, {"hd95", 3.5}};
      w.state().metric_details = Dict{{"dice", Array::from({0.9f, 0.25f, 0.5f, nan, 0.125f, 1.0f}, {3, 2})}};
    });
    Dict arguments = c.as_dict().at("arguments").as_dict();
    arguments["save_dir"] = dir.path().string();
    arguments["batch_transform"] = function([](const Value& batch) -> Value {
      return List{{Dict{{"filename_or_obj", "scan" + batch.items()[0].str() + ".nii"}}}};
    });
    attach(make("MetricsSaver", arguments), *engine);
    engine->run();
    const Dict& files = c.as_dict().at("files").as_dict();
    EXPECT_EQ(names_in(dir.path()).size(), files.size());
    for (const auto& [name, text] : files) EXPECT_EQ(read_text(dir / name.as_string()), text.as_string()) << name.str();
  }
  EXPECT_THAT(failure([] { make("MetricsSaver", {{"save_dir", "x"}, {"summary_ops", "percentile"}}); }), HasSubstr("summary_ops 'percentile'"));
}

TEST(CheckpointSaver, NamesFilesAsThePeer) {
  const double metrics[] = {0.3, 0.9, 0.6, 0.9, 0.95};
  for (const Value& c : golden().at("checkpoint_saver").items()) {
    tests::TempDir dir;
    auto engine = idle(2, 5);
    engine->state().key_metric_name = "dice";
    engine->on(Event::epoch_completed, [&](Workflow& w) { w.state().metrics = Dict{{"dice", metrics[w.state().epoch - 1]}}; });
    Dict objects, arguments = c.as_dict().at("arguments").as_dict();
    for (const Value& name : c.as_dict().at("names").items()) objects[name] = weights(1);
    arguments["save_dir"] = dir.path().string();
    arguments["save_dict"] = objects;
    attach(make("CheckpointSaver", arguments), *engine);
    engine->run();
    std::vector<std::string> expected;
    for (const Value& name : c.as_dict().at("files").items()) expected.push_back(name.as_string());
    EXPECT_EQ(names_in(dir.path()), expected) << c.as_dict().at("arguments").repr();
  }
}

TEST(CheckpointSaver, KeepsTheBestWeightsAndSavesOnFailure) {
  tests::TempDir dir;
  auto engine = idle(1, 4);
  auto network = weights(0);
  engine->state().key_metric_name = "dice";
  engine->on(Event::epoch_completed, [&](Workflow& w) {
    network->state[0].second = Array::full({2}, DType::f32, static_cast<double>(w.state().epoch));
    w.state().metrics = Dict{{"dice", w.state().epoch == 2 ? 0.9 : 0.5}};
  });
  attach(make("CheckpointSaver", {{"save_dir", dir.path().string()},
                                  {"save_dict", Dict{{"model", network}}},
                                  {"save_key_metric", true},
                                  {"key_metric_filename", "model.pt"},
                                  {"save_final", true},
                                  {"final_filename", "last.pt"}}),
         *engine);
  engine->on(Event::iteration_started, [](Workflow& w) {
    if (w.state().epoch == 4) throw Error(ErrorKind::cancelled, "stopped");
  });
  EXPECT_EQ(failure([&] { engine->run(); }), "stopped");
  EXPECT_DOUBLE_EQ(bundle::read_state_dict(dir / "model.pt").at(0).second.at({0}), 2);
  EXPECT_DOUBLE_EQ(bundle::read_state_dict(dir / "last.pt").at(0).second.at({0}), 3);
  EXPECT_EQ(names_in(dir.path()).size(), 2u);
}

TEST(CheckpointLoader, LoadsABareStateAndAnEntry) {
  tests::TempDir dir;
  bundle::write_state_dict(dir / "bare.pt", weights(3)->state);
  bundle::write_state_dict(dir / "entry.pt", weights(4)->state, "model");
  auto engine = idle();
  for (const auto& [file, value] : {std::pair{"bare.pt", 3.0}, {"entry.pt", 4.0}}) {
    auto network = weights(0);
    const Value loader = make("CheckpointLoader", {{"load_path", (dir / file).string()}, {"load_dict", Dict{{"model", network}}}});
    call_value(loader, {{engine}, {}});
    EXPECT_DOUBLE_EQ(network->state[0].second.at({1}), value);
  }
}

TEST(CheckpointLoader, LoadsWhenTheEngineStarts) {
  tests::TempDir dir;
  bundle::write_state_dict(dir / "w.pt", weights(3)->state);
  auto network = weights(0);
  auto engine = idle();
  attach(make("CheckpointLoader", {{"load_path", (dir / "w.pt").string()}, {"load_dict", Dict{{"model", network}}}}), *engine);
  const auto lines = log_of(*engine, [&] { engine->run(); });
  EXPECT_DOUBLE_EQ(network->state[0].second.at({1}), 3);
}

TEST(CheckpointLoader, SaysWhatDoesNotFit) {
  tests::TempDir dir;
  bundle::write_state_dict(dir / "other.pt", weights(4)->state, "generator");
  write_file(dir / "text.pt", "no checkpoint at all");
  auto engine = idle();
  const auto load = [&](const std::string& file, const Dict& more = {}) {
    Dict arguments{{"load_path", (dir / file).string()}, {"load_dict", Dict{{"model", weights(0)}}}};
    for (const auto& [key, value] : more) arguments[key] = value;
    return failure([&] { call_value(make("CheckpointLoader", arguments), {{engine}, {}}); });
  };
  EXPECT_THAT(load("gone.pt"), HasSubstr("gone.pt: no such file"));
  EXPECT_THAT(load("other.pt"), testing::AllOf(HasSubstr("no state_dict 'model'"), HasSubstr("generator")));
  EXPECT_THAT(load("text.pt"), HasSubstr("text.pt"));
  EXPECT_THAT(failure([] { make("CheckpointLoader", {{"load_path", "x"}, {"load_dict", Dict{}}}); }), HasSubstr("load_dict is empty"));
}

TEST(CheckpointLoader, SkipsOtherShapesIfAsked) {
  tests::TempDir dir;
  bundle::write_state_dict(dir / "w.pt", {{"w", Array::full({3}, DType::f32, 5)}, {"v", Array::full({1}, DType::f32, 6)}});
  auto network = std::make_shared<Weights>(bundle::StateDict{{"w", Array::zeros({2}, DType::f32)}, {"v", Array::zeros({1}, DType::f32)}});
  auto engine = idle();
  call_value(make("CheckpointLoader", {{"load_path", (dir / "w.pt").string()}, {"load_dict", Dict{{"m", network}}}, {"strict_shape", false}}),
             {{engine}, {}});
  EXPECT_DOUBLE_EQ(network->state[0].second.at({0}), 0);
  EXPECT_DOUBLE_EQ(network->state[1].second.at({0}), 6);
}

TEST(ValidationHandler, RunsTheValidatorEveryNthEpoch) {
  auto validator = make("SupervisedEvaluator",
                        {{"device", "cpu"},
                         {"val_data_loader", std::make_shared<ListLoader>(std::vector<Value>{Dict{{"image", Array::zeros({1, 2}, DType::f32)}}})},
                         {"network", function([](const Value& x) { return x; })}})
                       .object<Evaluator>();
  std::vector<std::int64_t> epochs;
  validator->on(Event::epoch_completed, [&](Workflow& w) { epochs.push_back(w.state().epoch); });
  auto engine = idle(2, 5);
  attach(make("ValidationHandler", {{"interval", 2}, {"validator", validator}, {"exec_at_start", true}}), *engine);
  engine->run();
  EXPECT_EQ(epochs, (std::vector<std::int64_t>{0, 2, 4}));
}

TEST(EarlyStopHandler, StopsAfterWaiting) {
  const double scores[] = {0.1, 0.5, 0.4, 0.5, 0.45, 0.9};
  auto engine = idle(1, 6);
  attach(make("EarlyStopHandler", {{"patience", 2}, {"trainer", engine}, {"score_function", function([&](const Value& e) -> Value {
                                                                            return scores[e.object<Workflow>()->state().epoch - 1];
                                                                          })}}),
         *engine);
  engine->run();
  EXPECT_EQ(engine->state().epoch, 4);
}

TEST(LrScheduleHandler, StepsTheSchedule) {
  struct Schedule : Object {
    std::string type_name() const override { return "Schedule"; }
    std::optional<Value> attribute(std::string_view name) override {
      if (name == "step") return make_function("step", [this](const CallArgs& a) -> Value { return steps.push_back(a.positional.size()), Value(); });
      if (name == "get_last_lr") return make_function("get_last_lr", [](const CallArgs&) -> Value { return List{{Value(0.125)}}; });
      return std::nullopt;
    }
    std::vector<std::size_t> steps;
  };
  auto schedule = std::make_shared<Schedule>();
  auto engine = idle(2, 3);
  attach(make("LrScheduleHandler", {{"lr_scheduler", schedule}}), *engine);
  attach(make("LrScheduleHandler",
              {{"lr_scheduler", schedule}, {"epoch_level", false}, {"print_lr", false}, {"step_transform", function([](const Value&) {
                                                                                           return Value(7);
                                                                                         })}}),
         *engine);
  const auto lines = log_of(*engine, [&] { engine->run(); });
  EXPECT_EQ(lines, std::vector<std::string>(3, "INFO Current learning rate: 0.125"));
  EXPECT_EQ(schedule->steps, (std::vector<std::size_t>{1, 1, 0, 1, 1, 0, 1, 1, 0}));
}

}  // namespace
}  // namespace vesal::infer
