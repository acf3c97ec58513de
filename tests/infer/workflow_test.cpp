#include "infer/workflow.h"

#include <gtest/gtest.h>

namespace vesal::infer {
namespace {

/// `batches` batches per pass; each item is {"image": [1, 2], "n": number}.
class CountingLoader : public Loader {
 public:
  CountingLoader(int batches, int per_batch) : batches_(batches), per_batch_(per_batch) {}
  std::string type_name() const override { return "CountingLoader"; }
  std::optional<std::int64_t> length() const override { return batches_; }
  std::unique_ptr<BatchStream> open(std::int64_t) override {
    ++opened;
    struct Stream : BatchStream {
      int next_ = 0, batches_, per_batch_;
      Stream(int b, int p) : batches_(b), per_batch_(p) {}
      std::optional<Batch> next() override {
        if (next_ == batches_) return std::nullopt;
        Batch batch;
        for (int i = 0; i < per_batch_; ++i) {
          const int n = next_ * per_batch_ + i;
          batch.push_back(Dict{{"image", Array::full({1, 2}, DType::f32, n)}, {"n", n}});
        }
        ++next_;
        return batch;
      }
    };
    return std::make_unique<Stream>(batches_, per_batch_);
  }
  int opened = 0;

 private:
  int batches_, per_batch_;
};

/// Predicts twice the image.
class Doubler : public Workflow {
 public:
  using Workflow::Workflow;
  std::string type_name() const override { return "Doubler"; }

 protected:
  void iterate(const Batch& items) override {
    const Prepared p = prepare(items);
    List output;
    for (std::int64_t i = 0; i < p.inputs.size(0); ++i)
      output.items.push_back(Dict{{"image", p.inputs.select(0, i)}, {"pred", Array::full({1, 2}, DType::f32, 2 * p.inputs.at({i, 0, 0}))}});
    state().output = output;
    fire(Event::forward_completed);
    fire(Event::model_completed);
  }
};

/// Mean of pred over all items.
class MeanPred : public Metric {
 public:
  std::string type_name() const override { return "MeanPred"; }
  void reset() override { sum_ = count_ = 0; }
  void update(const Value& output) override {
    for (const Value& v : output.items()) {
      sum_ += v.as_array().at({0, 0});
      ++count_;
    }
  }
  Value compute() override { return sum_ / count_; }

 private:
  double sum_ = 0, count_ = 0;
};

Workflow::Options options(std::shared_ptr<Loader> loader, std::int64_t epochs = 1) {
  Workflow::Options o;
  o.data_loader = std::move(loader);
  o.max_epochs = epochs;
  return o;
}

TEST(Workflow, FiresEventsInOrder) {
  auto engine = std::make_shared<Doubler>(options(std::make_shared<CountingLoader>(2, 1), 2));
  std::string trace;
  const auto note = [&](Event e, const std::string& name) {
    engine->on(e, [&trace, name](Workflow& w) { trace += name + std::to_string(w.state().epoch) + std::to_string(w.state().iteration) + " "; });
  };
  note(Event::started, "S");
  note(Event::epoch_started, "E");
  note(Event::iteration_started, "i");
  note(Event::model_completed, "m");
  note(Event::iteration_completed, "I");
  note(Event::epoch_completed, "C");
  note(Event::completed, "X");
  engine->run();
  EXPECT_EQ(trace, "S00 E10 i11 m11 I11 i12 m12 I12 C12 E22 i23 m23 I23 i24 m24 I24 C24 X24 ");
}

TEST(Workflow, FiltersEvents) {
  auto engine = std::make_shared<Doubler>(options(std::make_shared<CountingLoader>(5, 1)));
  std::string trace;
  engine->on(Event::iteration_completed, [&](Workflow& w) { trace += "e" + std::to_string(w.state().iteration); }, {.every = 2});
  engine->on(Event::iteration_completed, [&](Workflow& w) { trace += "o" + std::to_string(w.state().iteration); }, {.once = 3});
  engine->on(Event::iteration_completed, [&](Workflow& w) { trace += "w" + std::to_string(w.state().iteration); },
             {.when = make_function("f", [](const CallArgs& a) -> Value { return a.positional[1].as_int() == 5; })});
  engine->run();
  EXPECT_EQ(trace, "e2o3e4w5");
}

TEST(Workflow, EpochLengthMayDifferFromThePass) {
  auto loader = std::make_shared<CountingLoader>(3, 1);
  auto o = options(loader, 2);
  o.epoch_length = 4;
  auto engine = std::make_shared<Doubler>(o);
  std::string seen;
  engine->on(Event::iteration_started, [&](Workflow& w) { seen += std::to_string(w.state().batch.items()[0].as_dict().at("n").as_int()); });
  engine->run();
  EXPECT_EQ(seen, "01201201");
  EXPECT_EQ(engine->state().iteration, 8);
}

TEST(Workflow, PostprocessesItemsAndComputesMetrics) {
  auto o = options(std::make_shared<CountingLoader>(2, 3));
  o.postprocessing = make_function("post", [](const CallArgs& a) -> Value {
    Dict item = a.positional[0].as_dict();
    item["pred"] = Array::full({1, 2}, DType::f32, item.at("pred").as_array().at({0, 0}) + 1);
    item["n"] = item.at("n").as_int() + 100;
    item["new"] = "x";
    return item;
  });
  auto metric = std::make_shared<MeanPred>();
  metric->output_transform = make_function("t", [](const CallArgs& a) -> Value {
    List preds;
    for (const Value& item : a.positional[0].items()) preds.items.push_back(item.as_dict().at("pred"));
    return preds;
  });
  o.key_metric = Dict{{"mean_pred", metric}};
  auto engine = std::make_shared<Doubler>(o);
  engine->on(Event::iteration_completed, [](Workflow& w) {
    EXPECT_EQ(w.state().output.items().size(), 3u);
    EXPECT_EQ(w.state().output.items()[0].as_dict().at("new"), Value("x"));
    EXPECT_FALSE(w.state().output.items()[0].as_dict().contains("n"));
    EXPECT_GE(w.state().batch.items()[2].as_dict().at("n").as_int(), 102);
  });
  engine->run();
  // preds are 2n + 1 for n = 0..5
  EXPECT_DOUBLE_EQ(engine->state().metrics.at("mean_pred").as_float(), 6.0);
  EXPECT_DOUBLE_EQ(engine->state().best_metric.as_float(), 6.0);
  EXPECT_EQ(engine->state().best_metric_epoch, 1);
  EXPECT_EQ(engine->state().attribute("key_metric_name")->as_string(), "mean_pred");
}

TEST(Workflow, ExceptionsFireAndLeave) {
  auto o = options(std::make_shared<CountingLoader>(2, 1));
  auto engine = std::make_shared<Doubler>(o);
  bool raised = false;
  engine->on(Event::exception_raised, [&](Workflow&) { raised = true; });
  engine->on(Event::iteration_completed, [](Workflow&) { throw Error(ErrorKind::io, "disk full"); });
  EXPECT_THROW(engine->run(), Error);
  EXPECT_TRUE(raised);
}

TEST(Workflow, AttributesOfExpressions) {
  auto engine = std::make_shared<Doubler>(options(std::make_shared<CountingLoader>(4, 1)));
  const Value* event = allowed::find("ignite.engine.Events.ITERATION_COMPLETED");
  ASSERT_NE(event, nullptr);
  int calls = 0;
  const Value every = call_value(*event, {{}, {{"every", 2}}});
  call_value(*engine->attribute("add_event_handler"), {{every, make_function("h", [&](const CallArgs&) -> Value { return ++calls; })}, {}});
  call_value(*engine->attribute("run"), {});
  EXPECT_EQ(calls, 2);
  const auto state = engine->attribute("state")->as_object();
  EXPECT_EQ(state->attribute("iteration")->as_int(), 4);
  state->set_attribute("mine", 7);
  EXPECT_EQ(state->attribute("mine")->as_int(), 7);
  EXPECT_FALSE(state->attribute("absent"));
}

TEST(Collate, StacksAndTakesApart) {
  const Batch items{Dict{{"a", Array::full({2}, DType::f32, 1)}, {"n", 3}, {"t", "x"}, {"d", Dict{{"v", 1.5}}}},
                    Dict{{"a", Array::full({2}, DType::f32, 2)}, {"n", 4}, {"t", "y"}, {"d", Dict{{"v", 2.5}}}}};
  const Value batch = collate(items);
  EXPECT_EQ(batch.as_dict().at("a").as_array().shape(), (Shape{2, 2}));
  EXPECT_EQ(batch.as_dict().at("n").as_array().at({1}), 4);
  EXPECT_EQ(batch.as_dict().at("t").items()[1].as_string(), "y");
  EXPECT_EQ(batch.as_dict().at("d").as_dict().at("v").as_array().at({1}), 2.5);
  const Batch back = decollate(batch);
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[1].as_dict().at("a").as_array().at({0}), 2);
  EXPECT_EQ(back[1].as_dict().at("t").as_string(), "y");
  EXPECT_EQ(back[0].as_dict().at("d").as_dict().at("v").as_array().item(), 1.5);
}

TEST(Collate, RefusesDifferentShapes) {
  const Batch items{Dict{{"a", Array::zeros({2}, DType::f32)}}, Dict{{"a", Array::zeros({3}, DType::f32)}}};
  EXPECT_THROW(collate(items), Error);
  EXPECT_THROW(stack_key(items, "a"), Error);
}

}  // namespace
}  // namespace vesal::infer
