// Losses against MONAI's and torch's numbers (data/make_losses.py).
#include "train/loss.h"

#include <gmock/gmock.h>

#include <cmath>

#include "nn/tensor.h"
#include "train/golden.h"

namespace vesal::train {
namespace {

using testing::HasSubstr;

TEST(Losses, ValuesAndGradientsAreMonais) {
  const Golden golden("losses.json");
  int checked = 0;
  for (const Value& entry : golden.cases()) {
    const Dict& c = entry.as_dict();
    SCOPED_TRACE(c.at("name").str() + " " + c.at("args").repr() + " of " + c.at("input").str() + ", " + c.at("target").str());
    const Value loss = train::make(c.at("name").as_string(), c.at("args").as_dict());

    const Value called = call_value(loss, {{golden.array(c.at("input")), golden.array(c.at("target"))}, {}});
    const std::vector<float> wanted = Golden::floats(c.at("value"));
    if (c.at("shape").items().empty()) {
      ASSERT_TRUE(called.is_float());
      EXPECT_NEAR(called.as_float(), wanted[0], 1e-5 * std::max(1.0f, std::fabs(wanted[0])));
    } else {
      const Array got = called.as_array().contiguous();
      ASSERT_EQ(got.shape(), Golden::shape(c.at("shape")));
      for (std::int64_t i = 0; i < got.numel(); ++i) EXPECT_NEAR(got.data<float>()[i], wanted[i], 1e-5 * std::max(1.0f, std::fabs(wanted[i])));
    }

    torch::Tensor input = nn::to_tensor(golden.array(c.at("input"))).clone().requires_grad_(true);
    loss.object<Loss>()->forward(input, nn::to_tensor(golden.array(c.at("target")))).sum().backward();
    const double magnitude = c.at("gradient").as_float();
    EXPECT_NEAR(input.grad().abs().sum().item<double>(), magnitude, 1e-5 * std::max(1.0, magnitude));
    const std::vector<float> first = Golden::floats(c.at("first"));
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(input.grad().flatten()[i].item<float>(), first[i], 1e-5);
    ++checked;
  }
  EXPECT_GT(checked, 70);
}

TEST(Losses, RefuseWhatDoesNotFitInOneLine) {
  const Array x = Array::zeros({2, 3, 4, 4}, DType::f32);
  const Value dice = train::make("DiceLoss", {{"softmax", true}, {"to_onehot_y", true}});
  const auto call = [](const Value& loss, const Array& a, const Array& b) { return failure([&] { call_value(loss, {{a, b}, {}}); }); };
  EXPECT_THAT(call(dice, x, Array::full({2, 1, 4, 4}, DType::f32, 3)), HasSubstr("labels reach from 3 to 3, the prediction has 3 classes"));
  EXPECT_THAT(call(dice, x, Array::zeros({2, 1, 4, 5}, DType::f32)), HasSubstr("ground truth [2, 3, 4, 5] against predictions [2, 3, 4, 4]"));
  EXPECT_THAT(call(train::make("DiceCELoss", {}), x, Array::zeros({2, 2, 4, 4}, DType::f32)), HasSubstr("1 or as many channels"));
  const std::string torchs = call(train::make("torch.nn.CrossEntropyLoss", {}), x, Array::full({2, 4, 4}, DType::i64, 7));
  EXPECT_THAT(torchs, HasSubstr("CrossEntropyLoss: Target 7 is out of bounds"));
  EXPECT_EQ(torchs.find('\n'), std::string::npos);
}

TEST(Losses, RefuseWrongArguments) {
  const auto make = [](const std::string& name, const Dict& arguments) { return failure([&] { train::make(name, arguments); }); };
  EXPECT_THAT(make("DiceLoss", {{"softmax", true}, {"sigmoid", true}}), HasSubstr("exclude each other"));
  EXPECT_THAT(make("DiceLoss", {{"reduction", "median"}}), HasSubstr("want none, mean or sum"));
  EXPECT_THAT(make("DiceLoss", {{"weight", List{{1.0, -1.0}}}}), HasSubstr("no less than 0"));
  EXPECT_THAT(make("DiceLoss", {{"other_act", "tanh"}}), HasSubstr("other_act"));
  EXPECT_THAT(make("DiceCELoss", {{"reduction", "none"}}), HasSubstr("mean or sum"));
  EXPECT_THAT(make("DiceCELoss", {{"lambda_ce", -1}}), HasSubstr("lambda_ce"));
  EXPECT_THAT(make("GeneralizedDiceLoss", {{"w_type", "cube"}}), HasSubstr("square, simple or uniform"));
}

TEST(Losses, TakeIntegerLabelsAndImages) {
  const Value loss = train::make("DiceCELoss", {{"softmax", true}, {"to_onehot_y", true}});
  const Array x = Array::zeros({1, 2, 2, 2}, DType::f64);
  const Value v = call_value(loss, {{x, Array::zeros({1, 1, 2, 2}, DType::u16)}, {}});
  EXPECT_NEAR(v.as_float(), (1.0 / 3 + 1) / 2 + std::log(2.0), 1e-5);
}

}  // namespace
}  // namespace vesal::train
