// Where the weights of a transfer come from: a tiny bundle whose weights follow a rule.
#include "tune/start_weights.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "bundle/checkpoint.h"
#include "cli/tiny_bundle.h"
#include "paths.h"

namespace vesal::tests {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const Array& tensor(const bundle::StateDict& state, const std::string& name) {
  for (const auto& [key, array] : state)
    if (key == name) return array;
  throw std::runtime_error(name);
}
double at(const Array& a, const Shape& place) {
  Array part = a;
  for (std::int64_t i : place) part = part.slice(0, i, i + 1).squeeze(0);
  return part.item();
}

class StartWeights : public testing::Test {
 protected:
  void SetUp() override { write_tiny_bundle(dir.path()); }
  TempDir dir;
};

TEST_F(StartWeights, OfAFineTuningAreTheBundlesOwn) {
  const tune::BaseBundle base = tune::read_base(dir.path());
  const tune::StartWeights start = tune::own_weights(base);
  EXPECT_EQ(start.copied, start.parameters);
  EXPECT_TRUE(start.fresh.empty());
  for (const auto& [name, array] : bundle::read_state_dict(dir / "models/model.pt"))
    EXPECT_EQ(at(tensor(start.state, name).reshape({-1}), {0}), at(array.reshape({-1}), {0}));
}

TEST_F(StartWeights, OfATransferCopyWhatFitsAndRowsOfTheSameName) {
  const tune::BaseBundle base = tune::read_base(dir.path());
  const tune::StartWeights start = tune::transplanted_weights(base, {"background", "liver", "Spleen"}, 3);
  EXPECT_THAT(start.kept_classes, ElementsAre("background", "Spleen"));
  EXPECT_THAT(start.fresh, Contains("model.2.0.conv.weight"));
  EXPECT_THAT(start.copied, Contains("model.0.conv.unit0.conv.weight"));
  EXPECT_EQ(start.copied.size() + start.fresh.size(), start.parameters.size());
  const bundle::StateDict old = bundle::read_state_dict(dir / "models/model.pt");
  // Transposed convolution: [in, out, ...].
  const Array now = tensor(start.state, "model.2.0.conv.weight"), before = tensor(old, "model.2.0.conv.weight");
  ASSERT_EQ(now.shape(), (Shape{12, 3, 3, 3, 3}));
  EXPECT_EQ(at(now, {5, 0, 1, 1, 1}), at(before, {5, 0, 1, 1, 1}));
  EXPECT_EQ(at(now, {5, 2, 1, 1, 1}), at(before, {5, 1, 1, 1, 1}));
  EXPECT_NE(at(now, {5, 1, 1, 1, 1}), at(before, {5, 1, 1, 1, 1}));
  // The last convolution has the classes on both axes.
  const Array last = tensor(start.state, "model.2.1.conv.unit0.conv.weight"), last_before = tensor(old, "model.2.1.conv.unit0.conv.weight");
  EXPECT_EQ(at(last, {2, 0, 1, 1, 1}), at(last_before, {1, 0, 1, 1, 1}));
  EXPECT_EQ(at(last, {2, 2, 0, 0, 0}), at(last_before, {1, 1, 0, 0, 0}));
  // What does not hang on the classes is whole.
  EXPECT_EQ(at(tensor(start.state, "model.0.conv.unit0.conv.weight"), {1, 0, 1, 1, 1}),
            at(tensor(old, "model.0.conv.unit0.conv.weight"), {1, 0, 1, 1, 1}));
}

TEST_F(StartWeights, OfAnotherOrganAreFreshThoughTheShapesFit) {
  const tune::BaseBundle base = tune::read_base(dir.path());
  const tune::StartWeights start = tune::transplanted_weights(base, {"background", "liver"}, 3);
  EXPECT_THAT(start.kept_classes, ElementsAre("background"));
  EXPECT_THAT(start.fresh, Contains("model.2.0.conv.weight"));
  const auto again = tune::transplanted_weights(base, {"background", "liver"}, 3),
             other = tune::transplanted_weights(base, {"background", "liver"}, 4);
  const auto fresh = [](const tune::StartWeights& s) { return at(tensor(s.state, "model.2.0.conv.weight"), {5, 1, 1, 1, 1}); };
  EXPECT_EQ(fresh(start), fresh(again));
  EXPECT_NE(fresh(start), fresh(other));
}

TEST_F(StartWeights, OfAnotherArchitectureAreRefused) {
  bundle::StateDict state = bundle::read_state_dict(dir / "models/model.pt");
  state[0].second = Array::zeros({7, 1, 3, 3, 3}, DType::f32);
  bundle::write_state_dict(dir / "models/model.pt", state);
  const tune::BaseBundle base = tune::read_base(dir.path());
  for (const bool transfer : {false, true}) {
    try {
      if (transfer) tune::transplanted_weights(base, {"background", "liver"}, 1);
      else tune::own_weights(base);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::weights);
      EXPECT_THAT(e.what(), HasSubstr("models/model.pt"));
    }
  }
}

}  // namespace
}  // namespace vesal::tests
