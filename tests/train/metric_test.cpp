// Metrics against MONAI's numbers (data/make_metrics.py) and by hand.
#include "train/metric.h"

#include <gmock/gmock.h>

#include <cmath>

#include "infer/workflow.h"
#include "train/golden.h"

namespace vesal::train {
namespace {

using testing::HasSubstr;

void expect_same(const Array& got, const std::vector<float>& wanted) {
  ASSERT_EQ(got.numel(), static_cast<std::int64_t>(wanted.size()));
  const Array flat = got.contiguous();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (std::isnan(wanted[i])) EXPECT_TRUE(std::isnan(flat.data<float>()[i]));
    else if (std::isinf(wanted[i])) EXPECT_TRUE(std::isinf(flat.data<float>()[i]));
    else EXPECT_NEAR(flat.data<float>()[i], wanted[i], 1e-6 * std::max(1.0f, std::fabs(wanted[i])));
  }
}

void expect_result(const Value& got, const Value& wanted) {
  if (wanted.is_dict()) {
    ASSERT_EQ(got.as_dict().size(), wanted.as_dict().size());
    for (const auto& [name, value] : wanted.as_dict()) EXPECT_NEAR(got.as_dict().at(name).as_float(), value.as_float(), 1e-9);
  } else if (got.is_sequence()) {  // several metrics, or a metric and its counts
    ASSERT_EQ(got.items().size(), wanted.items().size());
    for (std::size_t i = 0; i < got.items().size(); ++i) expect_result(got.items()[i], wanted.items()[i]);
  } else {
    expect_same(got.as_array(), Golden::floats(wanted));
  }
}

TEST(Metrics, ScoresAndReductionsAreMonais) {
  const Golden golden("metrics.json");
  for (const Value& entry : golden.cases()) {
    const Dict& c = entry.as_dict();
    SCOPED_TRACE(c.at("name").str() + " " + c.at("args").repr() + " of " + c.at("y_pred").str() + ", " + c.at("y").str());
    const auto metric = make(c.at("name").as_string(), c.at("args").as_dict()).object<CumulativeMetric>();
    CallArgs call{{golden.array(c.at("y_pred")), golden.array(c.at("y"))}, {}};
    for (const auto& [name, value] : c.at("call").as_dict()) call.named.emplace_back(name.as_string(), value);
    const Array scores = metric->call(call).as_array();
    EXPECT_EQ(scores.shape(), Golden::shape(c.at("shape")));
    expect_same(scores, Golden::floats(c.at("scores")));
    expect_result(metric->aggregate(), c.at("aggregate"));
  }
}

TEST(DiceMetric, KeepsScoresUntilReset) {
  const auto metric = make("DiceMetric", {}).object<CumulativeMetric>();
  const Array ones = Array::full({1, 1, 4}, DType::u8, 1), zeros = Array::zeros({1, 1, 4}, DType::u8);
  metric->update(ones, ones);
  metric->update(zeros, ones);
  EXPECT_EQ(metric->buffer().shape(), (Shape{2, 1}));
  EXPECT_FLOAT_EQ(metric->aggregate().as_array().item(), 0.5);
  metric->reset();
  EXPECT_THAT(failure([&] { metric->aggregate(); }), HasSubstr("nothing to aggregate"));
}

TEST(DiceMetric, RefusesWhatDoesNotFit) {
  const auto metric = make("DiceMetric", {{"num_classes", 3}}).object<CumulativeMetric>();
  const auto update = [&](const Shape& a, const Shape& b) {
    return failure([&] { metric->update(Array::zeros(a, DType::f32), Array::zeros(b, DType::f32)); });
  };
  EXPECT_THAT(update({1, 3, 4}, {1, 3, 5}), HasSubstr("same extents"));
  EXPECT_THAT(update({1, 2, 4}, {1, 1, 4}), HasSubstr("neither 1 channel of labels nor 3 of classes"));
  EXPECT_THAT(update({2, 3, 4}, {1, 3, 4}), HasSubstr("2 predictions for 1 ground truths"));
  EXPECT_THAT(failure([] { make("DiceMetric", {{"reduction", "median"}}); }), HasSubstr("want one of none, mean"));
}

TEST(MeanDice, IsADiceMetricOfAnEngine) {
  const auto metric = make("MeanDice", {{"include_background", false}, {"reduction", "mean_batch"}}).object<infer::Metric>();
  const Array truth = Array::from<float>({1, 0, 0, 1, 0, 0, 0, 0, 1}, {3, 3}), guess = Array::from<float>({1, 0, 0, 1, 0, 0, 0, 1, 1}, {3, 3});
  metric->update(Tuple{{List{{guess}}, List{{truth}}}});
  const Value dice = metric->compute();
  expect_same(dice.as_array(), {1.0f, 2.0f / 3});
  EXPECT_EQ(metric->details().shape(), (Shape{1, 2}));
  EXPECT_THAT(failure([&] { metric->update(truth); }), HasSubstr("(y_pred, y)"));
  EXPECT_TRUE(make("MeanDice", {{"save_details", false}}).object<infer::Metric>()->details().numel() == 0);
}

TEST(Metrics, OfAnEngineAreNumbers) {
  const Array truth = Array::from<float>({1, 1, 0, 0, 0, 0, 1, 1}, {2, 2, 2}), guess = Array::from<float>({1, 0, 0, 0, 0, 1, 1, 1}, {2, 2, 2});
  const auto compute = [&](const std::string& name, const Dict& args) {
    const auto metric = make(name, args).object<infer::Metric>();
    metric->update(Tuple{{List{{guess}}, List{{truth}}}});
    EXPECT_EQ(metric->details().shape()[0], 1) << name;
    return metric->compute().as_float();
  };
  EXPECT_NEAR(compute("MeanIoUHandler", {}), (1.0 / 2 + 2.0 / 3) / 2, 1e-6);
  EXPECT_NEAR(compute("HausdorffDistance", {{"include_background", true}}), 1, 1e-6);
  EXPECT_NEAR(compute("SurfaceDistance", {{"symmetric", true}}), 1.0 / 5, 1e-6);
  EXPECT_NEAR(compute("ConfusionMatrix", {{"metric_name", List{{"precision", "recall"}}}, {"include_background", false}}), 2.0 / 3, 1e-6);
  EXPECT_NEAR(compute("SurfaceDice", {{"class_thresholds", List{{0.5}}}}), 4.0 / 5, 1e-6);
  EXPECT_NEAR(compute("MeanAbsoluteError", {}), 2.0 / 8, 1e-6);
}

TEST(Metrics, RefuseWrongArguments) {
  EXPECT_THAT(failure([] { make("ConfusionMatrixMetric", {{"metric_name", "precison"}}); }), HasSubstr("did you mean precision"));
  EXPECT_THAT(failure([] { make("HausdorffDistance", {{"percentile", 195}}); }), HasSubstr("percentile must lie in [0, 100]"));
  EXPECT_THAT(failure([] { make("SurfaceDistance", {{"distance_metric", "manhattan"}}); }), HasSubstr("euclidean, chessboard or taxicab"));
  EXPECT_THAT(failure([] { make("SurfaceDiceMetric", {{"class_thresholds", List{{1}}}, {"use_subvoxels", true}}); }), HasSubstr("use_subvoxels"));
  const Array a = Array::zeros({2, 2, 3, 3}, DType::u8);
  const auto call = [&](const std::string& name, const Dict& args, const Array& y, const Value& spacing) {
    return failure([&] { make(name, args).object<CumulativeMetric>()->update(a, y, spacing); });
  };
  EXPECT_THAT(call("HausdorffDistanceMetric", {}, Array::zeros({2, 2, 3, 4}, DType::u8), {}), HasSubstr("of one shape"));
  EXPECT_THAT(call("HausdorffDistanceMetric", {}, a, List{{1.0, 1.0, 1.0}}), HasSubstr("a spacing of 3 numbers"));
  EXPECT_THAT(call("HausdorffDistanceMetric", {}, a, List{{List{{1.0, 1.0}}}}), HasSubstr("spacings of 1 items for a batch of 2"));
  EXPECT_THAT(call("SurfaceDiceMetric", {{"class_thresholds", List{{1.0}}}, {"include_background", true}}, a, {}), HasSubstr("1 class_thresholds"));
}

TEST(Accuracy, CountsElementsPositionsOrClasses) {
  const auto update = [](const Dict& args, const Value& y_pred, const Value& y) {
    const auto metric = make("ignite.metrics.Accuracy", args).object<infer::Metric>();
    metric->update(Tuple{{y_pred, y}});
    return metric->compute().as_float();
  };
  const Array hot = Array::from<float>({1, 0, 0, 1, 0, 1, 1, 0}, {1, 2, 4}), other = Array::from<float>({1, 0, 0, 0, 0, 1, 1, 0}, {1, 2, 4});
  EXPECT_DOUBLE_EQ(update({}, hot, other), 7.0 / 8);
  EXPECT_DOUBLE_EQ(update({}, List{{hot.select(0, 0)}}, List{{other.select(0, 0)}}), 7.0 / 8);
  EXPECT_DOUBLE_EQ(update({{"is_multilabel", true}}, hot, other), 3.0 / 4);
  EXPECT_DOUBLE_EQ(update({}, Array::from<float>({0.2f, 0.8f, 0.9f, 0.1f}, {2, 2}), Array::from<std::int64_t>({1, 1}, {2})), 0.5);
  EXPECT_THAT(failure([&] { update({}, Array::full({1, 4}, DType::f32, 0.5), Array::zeros({1, 4}, DType::f32)); }), HasSubstr("consist of 0 and 1"));
  EXPECT_THAT(failure([&] { update({}, hot, Array::zeros({1, 5}, DType::f32)); }), HasSubstr("against ground truth"));
}

}  // namespace
}  // namespace vesal::train
