#include "infer/evaluator.h"

#include <gmock/gmock.h>

#include "bundle/config.h"
#include "engine/predictor.h"
#include "engines.h"
#include "image/image.h"
#include "transforms/compose.h"

namespace vesal::infer {
namespace {

using testing::HasSubstr;

/// Two channels: the input and its negative. Keeps an eye on the memory of the last result.
class Mirror : public Object, public engine::Predictor {
 public:
  std::string type_name() const override { return "Mirror"; }
  std::vector<Array> predict(const std::vector<Array>& inputs) override {
    ++calls;
    const Array& x = inputs.at(0);
    Shape shape = x.shape();
    shape[1] = 2;
    auto memory = std::make_shared<std::vector<float>>(static_cast<std::size_t>(numel_of(shape)));
    watched = memory;
    Array out = Array::wrap(memory->data(), shape, DType::f32, memory);
    out.slice(1, 0, 1).copy_from(x);
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const std::int64_t plane = x.numel() / x.size(0), n = i / plane, k = i % plane;
      out.data<float>()[(2 * n + 1) * plane + k] = -x.contiguous().data<float>()[i];
    }
    return {out};
  }
  std::weak_ptr<void> watched;
  int calls = 0;
};

Value item(float value) {
  image::Image scan(Array::full({1, 2, 2, 2}, DType::f32, value));
  scan.meta["filename_or_obj"] = "scan" + std::to_string(static_cast<int>(value));
  return Dict{{"image", image::to_value(scan)}, {"label", Array::full({1, 2, 2, 2}, DType::u8, 1)}, {"id", static_cast<int>(value)}};
}

class Step : public transforms::Transform {
 public:
  explicit Step(std::function<Value(const Value&)> body) : body_(std::move(body)) {}
  std::string type_name() const override { return "Step"; }
  Value apply(const Value& v) const override { return body_(v); }

 private:
  std::function<Value(const Value&)> body_;
};
Value step(std::function<Value(const Value&)> body) { return std::make_shared<Step>(std::move(body)); }
Value compose(std::vector<Value> steps) { return std::make_shared<transforms::Compose>(std::move(steps)); }

Dict arguments(const Value& loader, const Value& network) { return {{"device", "cpu"}, {"val_data_loader", loader}, {"network", network}}; }

TEST(SupervisedEvaluator, PredictsEachItemInItsPlace) {
  auto network = std::make_shared<Mirror>();
  auto data = make("DataLoader", {{"dataset", List{{item(1), item(2), item(3)}}}, {"batch_size", 2}});
  auto engine = make("SupervisedEvaluator", arguments(data, network)).object<Evaluator>();
  std::vector<double> seen;
  engine->on(Event::iteration_completed, [&](Workflow& w) {
    for (const Value& v : w.state().output.items()) {
      const Dict& out = v.as_dict();
      EXPECT_EQ(out.size(), 3u);
      const auto pred = out.at("pred").object<image::Image>();
      ASSERT_TRUE(pred);
      EXPECT_EQ(pred->shape(), Shape({2, 2, 2, 2}));
      seen.push_back(pred->array().at({1, 1, 1, 1}));
      EXPECT_EQ(pred->meta.at("filename_or_obj"), out.at("image").object<image::Image>()->meta.at("filename_or_obj"));
    }
  });
  engine->run();
  EXPECT_EQ(seen, (std::vector<double>{-1, -2, -3}));
  EXPECT_EQ(network->calls, 2);
}

TEST(SupervisedEvaluator, LetsGoOfThePredictionOnceThereAreLabels) {
  auto network = std::make_shared<Mirror>();
  auto after = std::make_shared<int>(0);
  std::weak_ptr<void> watched;
  const Value post = compose({step([](const Value& v) -> Value {
                                Dict d = v.as_dict();
                                d["pred"] = Array::full({1, 2, 2, 2}, DType::u8, 1);
                                return d;
                              }),
                              step([&network, after](const Value& v) -> Value {
                                EXPECT_TRUE(network->watched.expired());
                                ++*after;
                                return v;
                              })});
  Dict args = arguments(std::make_shared<ListLoader>(std::vector<Value>{item(1), item(2)}), network);
  args["postprocessing"] = post;
  make("SupervisedEvaluator", args).object<Evaluator>()->run();
  EXPECT_EQ(*after, 2);
}

TEST(SupervisedEvaluator, HoldsOneItemAtATime) {
  auto network = std::make_shared<Mirror>();
  auto last = std::make_shared<std::weak_ptr<void>>();
  auto checked = std::make_shared<int>(0);
  const Value load = step([&network, last, checked](const Value& v) -> Value {
    EXPECT_TRUE(network->watched.expired());
    EXPECT_TRUE(last->expired());
    auto memory = std::make_shared<std::vector<float>>(8, static_cast<float>(v.as_int()));
    *last = memory;
    ++*checked;
    return Dict{{"image", Array::wrap(memory->data(), {1, 2, 2, 2}, DType::f32, memory)}};
  });
  const Value data = make("Dataset", {{"data", List{{Value(1), Value(2), Value(3)}}}, {"transform", load}});
  make("SupervisedEvaluator", arguments(make("DataLoader", {{"dataset", data}}), network)).object<Evaluator>()->run();
  EXPECT_EQ(*checked, 3);
}

TEST(SupervisedEvaluator, WithoutDecollateHandsOnBatches) {
  auto network = std::make_shared<Mirror>();
  Dict args = arguments(make("DataLoader", {{"dataset", List{{item(1), item(2)}}}, {"batch_size", 2}}), network);
  args["decollate"] = false;
  auto engine = make("SupervisedEvaluator", args).object<Evaluator>();
  engine->run();
  EXPECT_EQ(image::array_of(engine->state().output.as_dict().at("pred")).shape(), Shape({2, 2, 2, 2, 2}));
  EXPECT_EQ(image::array_of(engine->state().batch.as_dict().at("image")).shape(), Shape({2, 1, 2, 2, 2}));
}

TEST(SupervisedEvaluator, TakesCallablesForNetworkInfererAndBatch) {
  Dict args = arguments(std::make_shared<ListLoader>(std::vector<Value>{item(3)}), function([](const Value& x) -> Value {
                          return Array::full(x.as_array().shape(), DType::f32, 2 * x.as_array().at({0, 0, 0, 0, 0}));
                        }));
  args["inferer"] = make_function("inferer", [](const CallArgs& a) { return call_value(a.positional.at(1), {{a.positional.at(0)}, {}}); });
  args["prepare_batch"] = make_function("prepare", [](const CallArgs& a) -> Value {
    const Array image = image::array_of(a.positional.at(0).as_dict().at("image"));
    return Tuple{{Array::full(image.shape(), DType::f32, image.at({0, 0, 0, 0, 0}) + 1), Value()}};
  });
  auto engine = make("SupervisedEvaluator", args).object<Evaluator>();
  engine->run();
  const Dict& out = engine->state().output.items().at(0).as_dict();
  EXPECT_DOUBLE_EQ(image::array_of(out.at("pred")).at({0, 0, 0, 0}), 8);
  EXPECT_DOUBLE_EQ(image::array_of(out.at("image")).at({0, 0, 0, 0}), 4);
  EXPECT_FALSE(out.contains("label"));
}

TEST(SupervisedEvaluator, RunsFromAConfiguration) {
  bundle::ConfigParser parser(
      Dict{{"data", Dict{{"_target_", "DataLoader"}, {"dataset", "$[{'image': numpy.full((1, 4, 4), float(i))} for i in range(3)]"}}},
           {"evaluator", Dict{{"_target_", "SupervisedEvaluator"},
                              {"device", "cpu"},
                              {"val_data_loader", "@data"},
                              {"network", "$lambda x: x * 3"},
                              {"mode", "eval"},
                              {"inferer", Dict{{"_target_", "SlidingWindowInferer"}, {"roi_size", List{{Value(2), Value(2)}}}, {"overlap", 0.0}}}}},
           {"run", List{{Value("$@evaluator.run()"), Value("$@evaluator.state.output[0]['pred'].max()"), Value("$@evaluator.state.epoch")}}}});
  const std::vector<Value> results = parser.run_expressions("run");
  EXPECT_DOUBLE_EQ(results.at(1).is_array() ? results.at(1).as_array().item() : results.at(1).as_float(), 6);
  EXPECT_EQ(results.at(2), Value(1));
}

TEST(SupervisedEvaluator, RefusesTrainingMode) {
  Dict args = arguments(std::make_shared<ListLoader>(std::vector<Value>{item(3)}), std::make_shared<Mirror>());
  args["mode"] = "train";
  EXPECT_THAT(failure([&] { make("SupervisedEvaluator", args); }), HasSubstr("only eval is available"));
}

TEST(EnsembleEvaluator, GivesEachNetworkItsKey) {
  const auto times = [](double f) {
    return function([f](const Value& x) -> Value { return Array::full(x.as_array().shape(), DType::f32, f * x.as_array().at({0, 0, 0, 0, 0})); });
  };
  auto engine = make("EnsembleEvaluator", {{"device", "cpu"},
                                           {"val_data_loader", std::make_shared<ListLoader>(std::vector<Value>{item(3)})},
                                           {"networks", List{{times(2), times(5)}}},
                                           {"pred_keys", List{{Value("a"), Value("b")}}}})
                    .object<Evaluator>();
  engine->run();
  const Dict& out = engine->state().output.items().at(0).as_dict();
  EXPECT_DOUBLE_EQ(image::array_of(out.at("a")).at({0, 0, 0, 0}), 6);
  EXPECT_DOUBLE_EQ(image::array_of(out.at("b")).at({0, 0, 0, 0}), 15);
}

}  // namespace
}  // namespace vesal::infer
