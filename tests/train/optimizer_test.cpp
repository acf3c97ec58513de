// Optimizers and schedules against torch's and MONAI's numbers (data/make_optimizers.py).
#include "train/optimizer.h"

#include <gmock/gmock.h>

#include "bundle/checkpoint.h"
#include "nn/tensor.h"
#include "train/golden.h"

namespace vesal::train {
namespace {

using testing::HasSubstr;
using torch::Tensor;

/// A quadratic and the way down it.
struct Slope {
  explicit Slope(const Golden& golden) {
    const auto read = [&](const char* name) { return torch::tensor(Golden::floats(golden.root.as_dict().at(name))); };
    p = read("start").requires_grad_(true);
    target = read("target");
    scale = read("scale");
  }
  std::shared_ptr<Optimizer> optimizer(const std::string& name, Dict arguments) const {
    arguments["params"] = List{{nn::to_value(p)}};
    return train::make(name, arguments).object<Optimizer>();
  }
  void step(Optimizer& o) {
    o.zero_grad();
    (scale * (p - target).square()).sum().backward();
    o.step();
  }
  Tensor p, target, scale;
};

std::string called(const Dict& c) { return c.at("name").as_string() + " " + c.at("arguments").repr(); }

TEST(Optimizers, StepAsThePeers) {
  const Golden golden("optimizers.json");
  for (const Value& entry : golden.cases()) {
    const Dict& c = entry.as_dict();
    SCOPED_TRACE(called(c));
    Slope slope(golden);
    auto optimizer = slope.optimizer(c.at("name").as_string(), c.at("arguments").as_dict());
    for (const Value& point : c.at("path").items()) {
      slope.step(*optimizer);
      const auto wanted = Golden::floats(point);
      for (std::int64_t i = 0; i < 3; ++i) EXPECT_NEAR(slope.p[i].item<float>(), wanted[i], 2e-6);
    }
  }
}

TEST(Optimizers, GoOnFromASavedState) {
  const Golden golden("optimizers.json");
  for (const Value& entry : golden.cases()) {
    const Dict& c = entry.as_dict();
    SCOPED_TRACE(called(c));
    Slope slope(golden);
    auto first = slope.optimizer(c.at("name").as_string(), c.at("arguments").as_dict());
    for (int i = 0; i < 3; ++i) slope.step(*first);
    const tests::TempDir dir;
    bundle::write_checkpoint(dir / "o.pt", first->state_dict());
    auto second = slope.optimizer(c.at("name").as_string(), {{"lr", 123.0}});
    second->load_state_dict(bundle::read_checkpoint(dir / "o.pt"));
    for (std::size_t i = 3; i < c.at("path").items().size(); ++i) slope.step(*second);
    const auto wanted = Golden::floats(c.at("path").items().back());
    for (std::int64_t i = 0; i < 3; ++i) EXPECT_NEAR(slope.p[i].item<float>(), wanted[i], 2e-6);
  }
}

TEST(Optimizers, TakeGroupsWithTheirOwnSettings) {
  const Tensor a = torch::ones({1}).requires_grad_(true), b = torch::ones({1}).requires_grad_(true), frozen = torch::ones({1}).requires_grad_(true);
  const Value groups =
      List{{Dict{{"params", List{{nn::to_value(a), nn::to_value(frozen)}}}}, Dict{{"params", List{{nn::to_value(b)}}}, {"lr", 0.5}}}};
  auto sgd = train::make("torch.optim.SGD", {{"params", groups}, {"lr", 0.1}}).object<Optimizer>();
  (a + b).sum().backward();
  sgd->step();
  EXPECT_FLOAT_EQ(a.item<float>(), 0.9f);
  EXPECT_FLOAT_EQ(b.item<float>(), 0.5f);
  EXPECT_FLOAT_EQ(frozen.item<float>(), 1.0f);
  EXPECT_EQ(sgd->attribute("param_groups")->items()[1].as_dict().at("lr"), Value(0.5));
  sgd->zero_grad(true);
  EXPECT_FALSE(a.grad().defined());
}

TEST(Optimizers, RefuseWhatDoesNotFit) {
  const Golden golden("optimizers.json");
  const Slope slope(golden);
  EXPECT_THAT(failure([&] { slope.optimizer("torch.optim.Adam", {{"lr", -1.0}}); }), HasSubstr("lr must be no less than 0"));
  EXPECT_THAT(failure([&] { slope.optimizer("torch.optim.Adam", {{"betas", List{{Value(0.9), Value(1.5)}}}}); }), HasSubstr("betas must lie in"));
  EXPECT_THAT(failure([&] { slope.optimizer("torch.optim.SGD", {{"nesterov", true}}); }), HasSubstr("nesterov wants a momentum"));
  EXPECT_THAT(failure([] { train::make("torch.optim.Adam", {{"params", List{}}}); }), HasSubstr("list of parameters"));
  auto adam = slope.optimizer("torch.optim.Adam", {});
  EXPECT_THAT(failure([&] { adam->load_state_dict(Dict{}); }), HasSubstr("no state of an optimizer"));
  const Value wrong =
      Dict{{"state", Dict{{0, Dict{{"exp_avg", Array::zeros({7}, DType::f32)}}}}}, {"param_groups", List{{Dict{{"params", List{{Value(0)}}}}}}}};
  EXPECT_THAT(failure([&] { adam->load_state_dict(wrong); }), HasSubstr("exp_avg of parameter 0 is [7], the parameter [3]"));
}

TEST(Schedules, GiveThePeersRates) {
  const Golden golden("optimizers.json");
  for (const Value& entry : golden.root.as_dict().at("schedules").items()) {
    const Dict& c = entry.as_dict();
    SCOPED_TRACE(called(c));
    const Tensor p = torch::zeros({1}).requires_grad_(true);
    auto sgd = train::make("torch.optim.SGD", {{"params", List{{nn::to_value(p)}}}, {"lr", 0.2}}).object<Optimizer>();
    Dict arguments = c.at("arguments").as_dict();
    arguments["optimizer"] = sgd;
    const Value schedule = train::make(c.at("name").as_string(), arguments);
    for (const Value& rate : c.at("rates").items()) {
      EXPECT_NEAR(sgd->groups()[0].setting("lr"), rate.as_float(), 1e-9);
      call_value(*schedule.as_object()->attribute("step"), {});
    }
  }
}

TEST(Schedules, GoOnFromASavedState) {
  const Tensor p = torch::zeros({1}).requires_grad_(true);
  const auto fresh = [&] {
    auto sgd = train::make("torch.optim.SGD", {{"params", List{{nn::to_value(p)}}}, {"lr", 0.2}}).object<Optimizer>();
    return std::pair(sgd, train::make("torch.optim.lr_scheduler.StepLR", {{"optimizer", sgd}, {"step_size", 2}}));
  };
  const auto [sgd, first] = fresh();
  for (int i = 0; i < 5; ++i) call_value(*first.as_object()->attribute("step"), {});
  const auto [other, second] = fresh();
  call_value(*second.as_object()->attribute("load_state_dict"), {{call_value(*first.as_object()->attribute("state_dict"), {})}, {}});
  EXPECT_EQ(*second.as_object()->attribute("last_epoch"), Value(5));
  EXPECT_NEAR(other->groups()[0].setting("lr"), 0.2 * 0.01, 1e-12);
}

}  // namespace
}  // namespace vesal::train
