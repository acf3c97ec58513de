#include "infer/sliding_window.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "engine/predictor.h"
#include "paths.h"

namespace vesal::infer {
namespace {

Array image(const Shape& shape) {
  Array a = Array::empty(shape, DType::f32);
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<float>()[i] = static_cast<float>((i * 7919) % 1000) / 1000 - 0.3f;
  return a;
}

/// Channels [2 s + ramp, s^2 - ramp] of s = the sum over the input's channels; ramp grows over the window. See data/make_sliding_window.py.
Array full_network(const Array& x) {
  Shape shape = x.shape();
  shape[1] = 2;
  Array out = Array::empty(shape, DType::f32);
  const Shape spatial(shape.begin() + 2, shape.end());
  const std::int64_t voxels = numel_of(spatial);
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t v = 0; v < voxels; ++v) {
      float s = 0, ramp = 0;
      for (std::int64_t c = 0; c < x.size(1); ++c) s += x.data<float>()[(n * x.size(1) + c) * voxels + v];
      std::int64_t rest = v;
      for (std::size_t axis = spatial.size(); axis-- > 0; rest /= spatial[axis])
        ramp += static_cast<float>(axis + 1) * static_cast<float>(rest % spatial[axis]) / 10;
      out.data<float>()[(n * 2) * voxels + v] = 2 * s + ramp;
      out.data<float>()[(n * 2 + 1) * voxels + v] = s * s - ramp;
    }
  }
  return out;
}

Array half_network(const Array& x) {
  Array out = full_network(x);
  for (int axis = 2; axis < out.dim(); ++axis) out = out.slice(axis, 0, out.size(axis), 2);
  return out;
}

class FormulaNetwork : public Object, public engine::Predictor {
 public:
  std::string type_name() const override { return "FormulaNetwork"; }
  std::vector<Array> predict(const std::vector<Array>& inputs) override {
    EXPECT_TRUE(inputs.at(0).is_contiguous());
    batches.push_back(inputs[0].size(0));
    return {full_network(inputs[0])};
  }
  std::vector<std::int64_t> batches;
};

Value network(const std::string& kind) {
  if (kind == "full") return std::make_shared<FormulaNetwork>();
  return make_function(kind, [kind](const CallArgs& args) -> Value {
    const Array& x = args.positional.at(0).as_array();
    if (kind == "half") return half_network(x);
    return Dict{{"b", half_network(x)}, {"a", full_network(x)}};
  });
}

std::vector<Array> arrays_of(const Value& v) {
  if (v.is_array()) return {v.as_array()};
  std::vector<Array> out;
  for (const auto& [key, value] : v.as_dict()) out.push_back(value.as_array());
  return out;
}

TEST(SlidingWindow, AgreesWithMonai) {
  const Value cases = parse_json(read_text(tests::data("infer/data/sliding_window.json")));
  for (const Value& c : cases.items()) {
    const Dict& d = c.as_dict();
    SCOPED_TRACE(to_json(d.at("args"), -1));
    CallArgs args;
    for (const auto& [key, value] : d.at("args").as_dict()) args.named.emplace_back(key.as_string(), value);
    const bool slice = d.contains("slice");
    if (slice) args.named.emplace_back("spatial_dim", d.at("slice"));
    const Value inferer = construct(components::get(slice ? "SliceInferer" : "SlidingWindowInferer"), args);
    const Value* kind = d.find("network");
    const Array input = image(cast<std::vector<std::int64_t>>(d.at("shape")));
    const auto outputs = arrays_of(call_value(inferer, {{Value(input), network(kind ? kind->as_string() : "full")}, {}}));
    const auto& expected = d.at("outputs").items();
    ASSERT_EQ(outputs.size(), expected.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const Dict& want = expected[k].as_dict();
      ASSERT_EQ(outputs[k].shape(), cast<std::vector<std::int64_t>>(want.at("shape")));
      const Array flat = outputs[k].contiguous();
      const auto& values = want.at("values").items();
      for (std::size_t i = 0; i < values.size(); ++i)
        ASSERT_NEAR(flat.data<float>()[i * 7], values[i].as_float(), 1e-5) << "output " << k << ", value " << i * 7;
    }
  }
}

TEST(SlidingWindow, BatchesAreBounded) {
  SlidingWindowInferer::Options o;
  o.roi_size = {4};
  o.sw_batch_size = 3;
  auto net = std::make_shared<FormulaNetwork>();
  SlidingWindowInferer(o).infer(image({1, 1, 8, 8, 4}), forward_of(net));
  EXPECT_EQ(net->batches, (std::vector<std::int64_t>{3, 3, 3}));
}

TEST(SlidingWindow, ViewsAndOtherTypesGiveTheSame) {
  SlidingWindowInferer::Options o;
  o.roi_size = {4, 5, 3};
  o.overlap = {0.5};
  const Array plain = image({1, 1, 9, 8, 7});
  const SlidingWindowInferer inferer(o);
  const Array want = inferer.infer(plain, forward_of(network("full"))).arrays[0];
  const int axes[] = {0, 1, 4, 3, 2};
  const Array view = plain.permute(axes).contiguous().permute(axes).flip(3).contiguous().flip(3);
  const Array got = inferer.infer(view, forward_of(network("full"))).arrays[0];
  for (std::int64_t i = 0; i < want.numel(); ++i) ASSERT_EQ(want.data<float>()[i], got.data<float>()[i]);
}

TEST(SlidingWindow, AConstantNetworkStaysConstant) {
  for (const BlendMode mode : {BlendMode::constant, BlendMode::gaussian}) {
    SlidingWindowInferer::Options o;
    o.roi_size = {7, 6, 5};
    o.overlap = {0.7};
    o.mode = mode;
    const Value ones =
        make_function("ones", [](const CallArgs& args) -> Value { return Array::full(args.positional[0].as_array().shape(), DType::f32, 3); });
    const Array out = SlidingWindowInferer(o).infer(image({1, 1, 20, 17, 5}), forward_of(ones)).arrays[0];
    for (std::int64_t i = 0; i < out.numel(); ++i) ASSERT_NEAR(out.data<float>()[i], 3, 1e-5);
  }
}

TEST(SlidingWindow, RefusesWhatMakesNoSense) {
  const auto make = [](const Value& roi, const Value& overlap) {
    return construct(components::get("SlidingWindowInferer"), {{}, {{"roi_size", roi}, {"overlap", overlap}}});
  };
  const auto run = [&](const Value& inferer, const Array& input) { return call_value(inferer, {{Value(input), network("full")}, {}}); };
  EXPECT_THROW(run(make(4, 1.0), image({1, 1, 8, 8, 8})), Error);
  EXPECT_THROW(run(make(4, -0.1), image({1, 1, 8, 8, 8})), Error);
  EXPECT_THROW(run(make(4, std::nan("")), image({1, 1, 8, 8, 8})), Error);
  EXPECT_THROW(run(make(List{{4, 4}}, 0.5), image({1, 1, 8, 8, 8})), Error);
  EXPECT_THROW(run(make(4, 0.5), image({8, 8})), Error);
  EXPECT_THROW(run(make(4, 0.5), Array::zeros({1, 1, 0, 8, 8}, DType::f32)), Error);
  EXPECT_THROW(construct(components::get("SlidingWindowInferer"), {{Value(4)}, {{"mode", "median"}}}), Error);
  EXPECT_THROW(construct(components::get("SlidingWindowInferer"), {{Value(4)}, {{"with_coord", true}}}), Error);
  EXPECT_THROW(construct(components::get("SlidingWindowInferer"), {{Value(4), Value(0)}, {}}), Error);
  EXPECT_THROW(construct(components::get("SliceInferer"), {{}, {{"roi_size", List{{4, 4, 4}}}}}), Error);
}

TEST(SimpleInferer, GivesTheNetworkEverything) {
  const Value inferer = construct(components::get("monai.inferers.SimpleInferer"), {});
  const Array x = image({1, 1, 4, 4, 4});
  const Array out = call_value(inferer, {{}, {{"inputs", x}, {"network", network("full")}}}).as_array();
  EXPECT_EQ(out.shape(), (Shape{1, 2, 4, 4, 4}));
}

}  // namespace
}  // namespace vesal::infer
