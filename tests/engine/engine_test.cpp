// The engine against a plain interpreter: what it fuses, where it puts things, and random graphs.
#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/plain_graph.h"
#include "kernels/convolution_bf16.h"
#include "kernels/simd.h"

namespace vesal::engine::tests {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> steps(const EnginePredictor& engine) {
  std::vector<std::string> all;
  const Value rows = engine.explain();
  for (const Value& row : rows.items()) all.push_back(row.as_dict().at("step").as_string());
  return all;
}

Dict first_row(const EnginePredictor& engine) { return Dict(engine.explain().items()[0].as_dict()); }

std::vector<Array> random_inputs(const Graph& graph, std::mt19937& random) {
  std::vector<Array> inputs;
  for (const std::size_t value : graph.inputs) inputs.push_back(random_array(random, graph.values[value]));
  return inputs;
}

void expect_same(const Graph& graph, const std::vector<Array>& got, const std::vector<Array>& inputs) {
  const std::vector<PlainValue> want = run_plain(graph, inputs);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t k = 0; k < want.size(); ++k) {
    ASSERT_EQ(got[k].shape(), graph.values[graph.outputs[k]]);
    double scale = 1, worst = 0;
    for (std::size_t i = 0; i < want[k].numbers.size(); ++i) {
      const double difference = std::fabs(got[k].data<float>()[i] - want[k].numbers[i]);
      scale = std::max(scale, std::fabs(want[k].numbers[i]));
      worst = std::max(worst, std::isnan(difference) ? INFINITY : difference);
    }
    ASSERT_LE(worst / scale, 1e-4) << "output " << k << " of shape " << to_string(got[k].shape());
  }
}

/// Runs twice, so that what a first run left in memory cannot go unnoticed.
void expect_right(GraphMaker& g, EnginePredictor& engine) {
  for (int i = 0; i < 2; ++i) {
    const std::vector<Array> inputs = random_inputs(g.graph, g.random);
    std::vector<Array> before;
    for (const Array& a : inputs) before.push_back(a.clone());
    expect_same(g.graph, engine.predict(inputs), before);
  }
}

TEST(Engine, ConvolutionTakesUpWhatFollows) {
  GraphMaker g(1);
  const std::size_t x = g.input({1, 1, 6, 7, 9});
  const std::size_t a = g.act(g.batch_norm(g.conv(x, {.out = 16})), "prelu");
  const std::size_t b = g.act(g.add(g.identity(g.conv(a, {.out = 16})), a), "relu");
  g.graph.outputs = {g.add(b, g.act(g.conv(b, {.out = 16}), "silu"))};
  EnginePredictor engine(g.graph);
  EXPECT_THAT(steps(engine), ElementsAre("conv + prelu", "conv + add + relu", "conv + silu + add", "output"));
  expect_right(g, engine);
}

TEST(Engine, NormsGoIntoTheConvolutionBehindThem) {
  GraphMaker g(2);
  const std::size_t x = g.input({1, 2, 8, 8, 8});
  std::size_t y = g.conv(x, {.out = 16});
  for (int i = 0; i < 2; ++i) y = g.conv(g.act(g.instance_norm(y), "leaky_relu"), {.out = 16, .stride = 1 + i});
  g.graph.outputs = {g.act(g.conv(g.act(g.group_norm(y, 4), "relu"), {.out = 3}), "sigmoid")};
  EnginePredictor engine(g.graph);
  EXPECT_THAT(steps(engine), ElementsAre("conv", "instance_norm (coefficients)", "instance_norm + leaky_relu + conv", "instance_norm (coefficients)",
                                         "instance_norm + leaky_relu + conv", "group_norm (coefficients)", "group_norm + relu + conv + sigmoid"));
  expect_right(g, engine);
}

/// norm -> act -> conv -> norm -> act -> conv + x, as SegResNet has it: the only passes are for sums that nobody leaves behind.
TEST(Engine, PreActivation) {
  GraphMaker g(3);
  const std::size_t x = g.conv(g.input({1, 1, 8, 9, 10}), {.out = 16});
  std::size_t y = g.conv(g.act(g.group_norm(x, 8), "relu"), {.out = 16, .bias = false});
  y = g.add(g.conv(g.act(g.group_norm(y, 8), "relu"), {.out = 16, .bias = false}), x);
  g.graph.outputs = {g.conv(g.act(g.group_norm(y, 8), "relu"), {.out = 2, .kernel = 1})};
  EnginePredictor engine(g.graph);
  EXPECT_THAT(steps(engine), ElementsAre("conv", "group_norm (coefficients)", "group_norm + relu + conv", "group_norm (coefficients)",
                                         "group_norm + relu + conv + add", "group_norm (coefficients)", "group_norm + relu + conv"));
  expect_right(g, engine);
}

TEST(Engine, ConcatenationCopiesNothing) {
  GraphMaker g(4);
  const std::size_t x = g.input({1, 1, 8, 8, 12});
  const std::size_t a = g.act(g.instance_norm(g.conv(x, {.out = 32})), "relu"), low = g.act(g.conv(g.max_pool(a, 2, 2), {.out = 64}), "relu");
  const std::size_t up = g.instance_norm(g.conv(low, {.out = 20, .kernel = 2, .stride = 2, .transposed = true}));
  g.graph.outputs = {g.conv(g.cat({a, up}), {.out = 2})};
  EnginePredictor engine(g.graph);
  for (const std::string& step : steps(engine)) EXPECT_THAT(step, ::testing::Not(HasSubstr("copy")));
  expect_right(g, engine);
}

TEST(Engine, ConcatenationOfAnyParts) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    GraphMaker g(seed);
    const std::size_t x = g.input({1, 3, 5, 6});
    std::vector<std::size_t> parts;
    const std::int64_t channels[] = {1, 3, 8, 16, 17, 32};
    for (int i = 0; i < 3; ++i) {
      parts.push_back(g.conv(x, {.out = channels[g.random() % 6], .kernel = 1}));
      if (g.random() % 2) parts.back() = g.instance_norm(parts.back());
      if (g.random() % 2) parts.back() = g.act(parts.back(), std::vector<const char*>{"relu", "prelu", "silu"}[g.random() % 3]);
    }
    parts.push_back(parts[g.random() % 3]);
    if (seed % 3 == 0) parts.push_back(x);
    const std::size_t whole = g.cat(parts);
    g.graph.outputs = {g.conv(whole, {.out = 5}), g.conv(g.cat({whole, parts[0]}), {.out = 2})};
    if (seed % 4 == 0) g.graph.outputs.push_back(whole);
    EnginePredictor engine(g.graph);
    expect_right(g, engine);
  }
}

/// Softmax would rather write over its operand: not over a part whose whole is read later, nor over a whole whose part is.
TEST(Engine, PartsAndWholesStayAsLongAsTheyAreRead) {
  for (const bool of_part : {true, false}) {
    GraphMaker g(12);
    const std::size_t x = g.input({1, 1, 6, 6});
    const std::size_t a = g.conv(x, {.out = 16}), b = g.conv(x, {.out = 16}), whole = g.cat({a, b});
    const std::size_t soft = g.softmax(of_part ? a : whole);
    g.graph.outputs = {g.conv(soft, {.out = 2}), g.conv(of_part ? whole : a, {.out = 2}), g.conv(b, {.out = 2})};
    EnginePredictor engine(g.graph);
    expect_right(g, engine);
  }
}

/// Many classes never exist in blocks: a slice of them at a time does.
TEST(Engine, ManyClassesBySlices) {
  GraphMaker g(13);
  const std::size_t x = g.conv(g.input({1, 1, 8, 8, 8}), {.out = 16});
  g.graph.outputs = {g.act(g.conv(g.act(g.instance_norm(x), "relu"), {.out = 99}), "prelu")};
  EnginePredictor engine(g.graph);
  EXPECT_EQ(engine.memory().arena, (16 + 64) * 512 * 4);
  expect_right(g, engine);
  EXPECT_FALSE(engine.predict_planes({random_array(g.random, {1, 1, 8, 8, 8})}, {}));
}

/// If each voxel comes of one voxel, some planes of all classes exist at a time, and the whole only for those who want it.
TEST(Engine, ManyClassesByPlanes) {
  GraphMaker g(17);
  const std::size_t x = g.conv(g.input({1, 1, 21, 32, 40}), {.out = 16});
  g.graph.outputs = {g.act(g.conv(g.act(g.instance_norm(x), "relu"), {.out = 99, .kernel = 1}), "prelu")};
  EnginePredictor engine(g.graph);
  EXPECT_EQ(engine.memory().arena, (16 * 21 + (112 + 99) * 7) * 32 * 40 * 4) << "a third of the planes, in blocks and not";
  expect_right(g, engine);

  const Array batch = random_array(g.random, {2, 1, 21, 32, 40});
  const Array whole = engine.predict({batch})[0];
  std::vector<std::pair<std::int64_t, std::int64_t>> came;
  const auto take = [&](const OutputPlanes& some) {
    came.emplace_back(some.sample, some.first);
    ASSERT_EQ(some.whole, (Shape{99, 21, 32, 40}));
    ASSERT_EQ(some.values.shape(), (Shape{99, 7, 32, 40}));
    const Array want = whole.select(0, some.sample).slice(1, some.first, some.first + 7).contiguous();
    for (std::int64_t i = 0; i < want.numel(); ++i) ASSERT_EQ(some.values.data<float>()[i], want.data<float>()[i]) << i;
  };
  EXPECT_TRUE(engine.predict_planes({batch}, take));
  EXPECT_THAT(came, ElementsAre(std::pair(0, 0), std::pair(0, 7), std::pair(0, 14), std::pair(1, 0), std::pair(1, 7), std::pair(1, 14)));
  EXPECT_THROW(engine.predict_planes({batch}, [](const OutputPlanes&) { throw Error(ErrorKind::cancelled, "enough"); }), Error);
  const Array again = engine.predict({batch})[0];
  for (std::int64_t i = 0; i < whole.numel(); ++i) ASSERT_EQ(again.data<float>()[i], whole.data<float>()[i]);
  EXPECT_THROW(engine.predict_planes({random_array(g.random, {1, 1, 21, 32, 41})}, take), Error);
}

/// Rows are the planes of an image; what others read too is not given so.
TEST(Engine, PlanesOfImagesAndOfOneOutputAlone) {
  GraphMaker g(18);
  const std::size_t x = g.conv(g.input({1, 2, 10, 12}), {.out = 4}), y = g.conv(x, {.out = 70, .kernel = 1});
  g.graph.outputs = {y};
  const Array input = random_array(g.random, {1, 2, 10, 12});
  EnginePredictor alone(g.graph);
  expect_right(g, alone);
  const Array want = alone.predict({input})[0];
  std::int64_t rows = 0;
  const auto take = [&](const OutputPlanes& some) {
    const Array part = want.select(0, 0).slice(1, some.first, some.first + some.values.size(1)).contiguous();
    for (std::int64_t i = 0; i < part.numel(); ++i) ASSERT_EQ(some.values.data<float>()[i], part.data<float>()[i]);
    rows += some.values.size(1);
  };
  EXPECT_TRUE(alone.predict_planes({input}, take));
  EXPECT_EQ(rows, 10);
  g.graph.outputs = {y, x};
  EnginePredictor two(g.graph);
  expect_right(g, two);
  EXPECT_FALSE(two.predict_planes({input}, take));
}

TEST(Engine, Bfloat16) {
  GraphMaker g(14);
  std::size_t x = g.act(g.instance_norm(g.conv(g.input({1, 1, 8, 12, 12}), {.out = 32})), "leaky_relu");
  g.graph.outputs = {g.conv(g.act(g.conv(x, {.out = 32}), "relu"), {.out = 16})};
  EnginePredictor exact(g.graph), rounded(g.graph, {.bf16 = true});
  const std::vector<Array> inputs = random_inputs(g.graph, g.random);
  const Array want = exact.predict(inputs)[0], got = rounded.predict(inputs)[0];
  double most = 0, worst = 0;
  for (std::int64_t i = 0; i < want.numel(); ++i) {
    most = std::max(most, std::fabs(static_cast<double>(want.data<float>()[i])));
    worst = std::max(worst, std::fabs(static_cast<double>(want.data<float>()[i]) - got.data<float>()[i]));
  }
  EXPECT_LT(worst, 0.02 * most);
  if (!kernels::has_bf16()) GTEST_SKIP() << "no bfloat16 here";
  EXPECT_GT(worst, 1e-5 * most);
}

/// norm(conv) + norm(conv), as residual blocks of nnU-Net and SwinUNETR have it, is one pass.
TEST(Engine, TwoNormsAndTheirSum) {
  for (const char* op : {"add", "sub"}) {
    GraphMaker g(15);
    const std::size_t x = g.input({1, 2, 6, 6, 7});
    const std::size_t a = g.instance_norm(g.conv(x, {.out = 16}), true), b = g.instance_norm(g.conv(x, {.out = 16, .kernel = 1}), true);
    g.graph.outputs = {g.conv(g.act(g.add(a, b, op), "leaky_relu"), {.out = 2})};
    EnginePredictor engine(g.graph);
    const std::vector<std::string> all = steps(engine);
    EXPECT_EQ(std::count(all.begin(), all.end(), "instance_norm + instance_norm + add + leaky_relu"), op == std::string("add") ? 1 : 0);
    expect_right(g, engine);
  }
}

/// A bias of ten thousand deviations does not matter to an instance norm.
TEST(Engine, BiasesBeforeInstanceNorms) {
  GraphMaker g(16);
  const std::size_t x = g.input({1, 1, 20, 20, 20}), y = g.conv(x, {.out = 16});
  for (std::int64_t c = 0; c < 16; ++c) g.graph.nodes.back().constants.at("bias").data<float>()[c] = 1e4f;
  g.graph.outputs = {g.conv(g.instance_norm(y), {.out = 2})};
  EnginePredictor engine(g.graph);
  expect_right(g, engine);
}

TEST(Engine, BatchNormAlone) {
  GraphMaker g(5);
  const std::size_t x = g.input({1, 20, 7, 6});
  g.graph.outputs = {g.batch_norm(g.act(x, "relu")), g.scalar(g.scalar(x, "mul", 3), "add", 0.5)};
  EnginePredictor engine(g.graph);
  expect_right(g, engine);
}

TEST(Engine, BatchNormAfterGroupsAndTransposed) {
  GraphMaker g(6);
  const std::size_t x = g.input({1, 8, 5, 5, 6});
  g.graph.outputs = {g.batch_norm(g.conv(x, {.out = 12, .groups = 4})), g.batch_norm(g.conv(x, {.out = 6, .groups = 2, .transposed = true})),
                     g.batch_norm(g.conv(x, {.out = 6, .stride = 2, .output_padding = 1, .transposed = true}))};
  EnginePredictor engine(g.graph);
  expect_right(g, engine);
}

TEST(Engine, WhatItCannotDoRunsOutside) {
  GraphMaker g(7);
  const std::size_t x = g.input({1, 6, 4, 5});
  Node odd{.op = "grid_sampler", .inputs = {g.act(x, "relu")}, .label = "aten::grid_sampler"};
  g.graph.outputs = {g.act(g.external(g.conv(x, {.out = 20})), "tanh")};
  {
    EnginePredictor engine(g.graph);
    expect_right(g, engine);
    bool said = false;
    const Value rows = engine.explain();
    for (const Value& row : rows.items())
      said |= row.as_dict().at("label").as_string() == "twice and backwards" && !row.as_dict().at("external").is_none();
    EXPECT_TRUE(said);
  }
  odd.outputs = {g.graph.values.size()};
  g.graph.values.push_back({1, 6, 4, 5});
  g.graph.nodes.push_back(odd);
  g.graph.outputs = {odd.outputs[0]};
  try {
    EnginePredictor engine(g.graph);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::unsupported);
    EXPECT_THAT(e.what(), HasSubstr("aten::grid_sampler"));
  }
}

TEST(Engine, SamplesOneByOneAndMemoryGivenBack) {
  GraphMaker g(8);
  const std::size_t x = g.input({1, 2, 6, 6});
  g.graph.outputs = {g.softmax(g.conv(x, {.out = 3})), g.conv(x, {.out = 9}), x};
  EnginePredictor engine(g.graph);
  const Array batch = random_array(g.random, {3, 2, 6, 6});
  const std::vector<Array> all = engine.predict({batch});
  ASSERT_EQ(all[1].shape(), (Shape{3, 9, 6, 6}));
  for (std::int64_t n = 0; n < 3; ++n) {
    std::vector<Array> one;
    for (const Array& a : all) one.push_back(a.slice(0, n, n + 1).contiguous());
    expect_same(g.graph, one, {batch.slice(0, n, n + 1).contiguous()});
  }
  const Array kept = engine.predict({batch})[0];  // the caller's own as long as it is held
  const Array copy = kept.clone();
  engine.predict({random_array(g.random, {3, 2, 6, 6})});
  for (std::int64_t i = 0; i < kept.numel(); ++i) ASSERT_EQ(kept.data<float>()[i], copy.data<float>()[i]);
}

TEST(Engine, ShapesOfOthers) {
  GraphMaker g(9);
  g.graph.outputs = {g.conv(g.input({1, 2, 6, 6}), {.out = 3})};
  EnginePredictor engine(g.graph);
  for (const Shape& shape : {Shape{1, 2, 6, 5}, Shape{1, 3, 6, 6}, Shape{2, 6, 6}, Shape{1, 2, 6, 6, 1}}) {
    try {
      engine.predict({Array::zeros(shape, DType::f32)});
      ADD_FAILURE() << to_string(shape);
    } catch (const Error& e) { EXPECT_EQ(e.kind(), ErrorKind::shape); }
  }
  EXPECT_THROW(engine.predict({Array::zeros({1, 2, 6, 6}, DType::f64)}), Error);
  EXPECT_THROW(engine.predict({}), Error);
}

/// A chain of residual blocks needs two buffers, however long it is.
TEST(Engine, TheArenaIsShared) {
  GraphMaker g(10);
  std::size_t x = g.conv(g.input({1, 1, 8, 8, 8}), {.out = 16});
  for (int i = 0; i < 6; ++i) x = g.act(g.add(g.conv(g.act(g.conv(x, {.out = 16, .kernel = 1}), "relu"), {.out = 16}), x), "relu");
  g.graph.outputs = {g.conv(x, {.out = 1, .kernel = 1})};
  EnginePredictor engine(g.graph);
  EXPECT_EQ(engine.memory().arena, 2 * 8 * 8 * 8 * 16 * 4);
  expect_right(g, engine);
}

/// Down, up, and the sum with what was there before: of the finest level two are needed at any time, and no third.
TEST(Engine, TheArenaHoldsNoMoreThanWhatLivesAtOnce) {
  GraphMaker g(19);
  const auto block = [&](std::size_t x) { return g.add(g.conv(g.act(g.conv(x, {.out = 16}), "relu"), {.out = 16}), x); };
  const std::size_t x = block(g.conv(g.input({1, 1, 8, 8, 8}), {.out = 16}));
  const std::size_t up = g.upsample(block(g.conv(x, {.out = 16, .stride = 2})), true);
  g.graph.outputs = {g.conv(block(g.add(up, x)), {.out = 2, .kernel = 1})};
  EnginePredictor engine(g.graph);
  EXPECT_EQ(g.shape(up), g.shape(x));
  EXPECT_EQ(engine.memory().arena, (2 * 8 * 8 * 8 + 4 * 4 * 4) * 16 * 4);
  expect_right(g, engine);
}

TEST(Engine, ExplainsWithTimes) {
  GraphMaker g(11);
  g.graph.outputs = {g.conv(g.input({1, 4, 8, 8, 8}), {.out = 16})};
  EnginePredictor engine(g.graph);
  EXPECT_TRUE(first_row(engine).at("ms").is_none());
  engine.set_profiling(true);
  engine.predict({random_array(g.random, {1, 4, 8, 8, 8})});
  const Dict row = first_row(engine);
  EXPECT_GT(row.at("ms").as_float(), 0);
  EXPECT_NEAR(row.at("gflop").as_float(), 2e-9 * 512 * 27 * 4 * 16, 1e-12);
  EXPECT_GT(row.at("mb").as_float(), 4e-6 * 512 * 20);
}

/// Random networks: any operator on any value there is, several outputs.
void random_graph(unsigned seed) {
  GraphMaker g(seed);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(g.random() % n); };
  const std::size_t dims = 1 + pick(3);
  Shape in{1, static_cast<std::int64_t>(1 + pick(20))};
  for (std::size_t a = 0; a < dims; ++a) in.push_back(static_cast<std::int64_t>(4 + pick(a + 1 == dims ? 9 : 5)));
  std::vector<std::size_t> values{g.input(in)};
  if (pick(4) == 0) values.push_back(g.input(in));
  const std::int64_t widths[] = {1, 2, 4, 5, 16, 16, 16, 17, 32};
  const char* acts[] = {"relu", "leaky_relu", "prelu", "silu", "sigmoid", "tanh", "elu"};
  for (std::size_t i = 0, n = 6 + pick(14); i < n; ++i) {
    // The last value more often than others, as networks have it.
    const std::size_t x = pick(3) ? values.back() : values[pick(values.size())];
    const std::int64_t small = *std::min_element(g.shape(x).begin() + 2, g.shape(x).end()), large = numel_of(g.shape(x));
    std::vector<std::size_t> alike;
    for (const std::size_t v : values)
      if (std::equal(g.shape(v).begin() + 2, g.shape(v).end(), g.shape(x).begin() + 2)) alike.push_back(v);
    const std::size_t y = alike[pick(alike.size())];
    switch (pick(16)) {
      case 0:
      case 1:
      case 2:
        values.push_back(g.conv(x, {.out = widths[pick(9)],
                                    .kernel = pick(2) ? 3 : 1,
                                    .stride = small > 3 ? 1 + static_cast<std::int64_t>(pick(2)) : 1,
                                    .bias = pick(2) == 0}));
        break;
      case 3:
        if (large < 4000) values.push_back(g.conv(x, {.out = widths[pick(9)], .kernel = 3, .stride = 2, .output_padding = 1, .transposed = true}));
        break;
      case 4: values.push_back(g.batch_norm(x)); break;
      case 5: values.push_back(g.instance_norm(x, pick(2) == 0)); break;
      case 6: values.push_back(g.group_norm(x, g.channels(x) % 4 == 0 ? 4 : 1)); break;
      case 7:
      case 8: values.push_back(g.act(x, acts[pick(7)])); break;
      case 9:
      case 10:
        if (g.shape(x) == g.shape(y)) values.push_back(g.add(x, y, pick(3) ? "add" : "sub", pick(3) ? 1 : 0.5));
        break;
      case 11:
        if (g.channels(x) + g.channels(y) < 80) values.push_back(g.cat({x, y}));
        break;
      case 12:
        if (small >= 4) values.push_back(pick(2) ? g.max_pool(x, 2, 2) : g.avg_pool(x, 3, 1));
        break;
      case 13:
        if (large < 4000) values.push_back(g.upsample(x, pick(2) == 0, pick(2) == 0));
        break;
      case 14: values.push_back(pick(2) ? g.external(x) : pick(2) ? g.softmax(x) : g.identity(x)); break;
      case 15:
        if (pick(2)) values.push_back(g.add(x, g.act(g.global_pool(x), "sigmoid"), pick(2) ? "mul" : "add"));
        else if (pick(2)) values.push_back(g.scalar(x, pick(2) ? "mul" : "sub", 0.7));
        else if (large < 4000) values.push_back(g.pad(x, 1, static_cast<std::int64_t>(pick(2)), pick(2) ? 0 : -1.5));
        break;
    }
  }
  g.graph.outputs = {values.back()};
  for (std::size_t k = pick(3); k > 0; --k) g.graph.outputs.push_back(values[pick(values.size())]);
  EnginePredictor engine(g.graph);
  expect_right(g, engine);
}

TEST(EngineFuzz, RandomNetworks) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_graph(seed);
    if (HasFatalFailure()) return;
  }
}

TEST(EngineFuzz, EveryInstructionSet) {
  for (const std::string& name : kernels::simd_choices()) {
    SCOPED_TRACE(name);
    kernels::set_simd(name);
    for (unsigned seed = 1000; seed < 1025; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      random_graph(seed);
    }
  }
  kernels::set_simd("auto");
}

}  // namespace
}  // namespace vesal::engine::tests
