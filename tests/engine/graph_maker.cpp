#include <algorithm>
#include <cmath>

#include "engine/plain_graph.h"

namespace vesal::engine::tests {

Array random_array(std::mt19937& random, Shape shape, float scale) {
  std::normal_distribution<float> normal(0, scale);
  Array a = Array::empty(std::move(shape), DType::f32);
  std::generate_n(a.data<float>(), a.numel(), [&] { return normal(random); });
  return a;
}

namespace {

Array positive(Array a) {
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<float>()[i] = 0.3f + std::fabs(a.data<float>()[i]);
  return a;
}

}  // namespace

std::size_t GraphMaker::node(Node node, Shape shape) {
  const std::size_t value = graph.values.size();
  graph.values.push_back(std::move(shape));
  node.outputs = {value};
  if (node.label.empty()) node.label = node.op + "." + std::to_string(graph.nodes.size());
  graph.nodes.push_back(std::move(node));
  return value;
}

std::size_t GraphMaker::input(Shape shape) {
  graph.values.push_back(std::move(shape));
  graph.inputs.push_back(graph.values.size() - 1);
  return graph.values.size() - 1;
}

std::size_t GraphMaker::conv(std::size_t value, Conv c) {
  const Shape& in = shape(value);
  Shape out = in, weight{c.out, in[1] / c.groups};
  if (c.transposed) weight = {in[1], c.out / c.groups};
  out[1] = c.out;
  const std::int64_t padding = (c.kernel - 1) * c.dilation / 2;
  double taps = static_cast<double>(in[1] / c.groups);
  for (std::size_t a = 2; a < in.size(); ++a) {
    weight.push_back(c.kernel);
    taps *= static_cast<double>(c.kernel);
    const std::int64_t reach = (c.kernel - 1) * c.dilation + 1;
    out[a] = c.transposed ? (in[a] - 1) * c.stride - 2 * padding + reach + c.output_padding : (in[a] + 2 * padding - reach) / c.stride + 1;
  }
  Node n{.op = "conv", .inputs = {value}};
  n.ints = {{"stride", {c.stride}}, {"padding", {padding}},         {"dilation", {c.dilation}},
            {"groups", {c.groups}}, {"transposed", {c.transposed}}, {"output_padding", {c.output_padding}}};
  n.constants["weight"] = random_array(random, weight, static_cast<float>(1 / std::sqrt(taps)));
  if (c.bias) n.constants["bias"] = random_array(random, {c.out}, 0.5f);
  Graph alone;  // what runs it where the engine has no kernel
  alone.values = {in, out};
  alone.inputs = {0};
  alone.outputs = {1};
  alone.nodes = {n};
  alone.nodes[0].inputs = {0};
  alone.nodes[0].outputs = {1};
  n.external = [alone, out](const std::vector<Array>& inputs) {
    const PlainValue result = run_plain(alone, inputs)[0];
    Array array = Array::empty(out, DType::f32);
    std::copy(result.numbers.begin(), result.numbers.end(), array.data<float>());
    return std::vector<Array>{array};
  };
  return node(std::move(n), out);
}

std::size_t GraphMaker::batch_norm(std::size_t value) {
  const std::int64_t c = channels(value);
  Node n{.op = "batch_norm", .inputs = {value}};
  n.floats["eps"] = {1e-3};
  n.constants = {{"mean", random_array(random, {c})}, {"variance", positive(random_array(random, {c}))}};
  if (random() % 2) n.constants["weight"] = random_array(random, {c}), n.constants["bias"] = random_array(random, {c});
  return node(std::move(n), shape(value));
}

std::size_t GraphMaker::instance_norm(std::size_t value, bool affine) {
  Node n{.op = "instance_norm", .inputs = {value}};
  n.floats["eps"] = {1e-2};
  if (affine) n.constants = {{"weight", random_array(random, {channels(value)})}, {"bias", random_array(random, {channels(value)})}};
  return node(std::move(n), shape(value));
}

std::size_t GraphMaker::group_norm(std::size_t value, std::int64_t groups) {
  Node n{.op = "group_norm", .inputs = {value}};
  n.floats["eps"] = {1e-2};
  n.ints["groups"] = {groups};
  n.constants = {{"weight", random_array(random, {channels(value)})}, {"bias", random_array(random, {channels(value)})}};
  return node(std::move(n), shape(value));
}

std::size_t GraphMaker::act(std::size_t value, const std::string& op) {
  Node n{.op = op, .inputs = {value}};
  if (op == "leaky_relu" || op == "elu") n.floats["slope"] = {0.2};
  if (op == "prelu") n.constants["weight"] = random_array(random, {random() % 2 ? channels(value) : 1}, 0.3f);
  return node(std::move(n), shape(value));
}

std::size_t GraphMaker::add(std::size_t a, std::size_t b, const std::string& op, double alpha) {
  Node n{.op = op, .inputs = {a, b}};
  if (op != "mul") n.floats["alpha"] = {alpha};
  return node(std::move(n), numel_of(shape(a)) >= numel_of(shape(b)) ? shape(a) : shape(b));
}

std::size_t GraphMaker::scalar(std::size_t value, const std::string& op, double s) {
  Node n{.op = op, .inputs = {value}};
  n.floats["scalar"] = {s};
  return node(std::move(n), shape(value));
}

std::size_t GraphMaker::cat(const std::vector<std::size_t>& values) {
  Node n{.op = "cat", .inputs = values};
  n.ints["axis"] = {1};
  Shape out = shape(values[0]);
  out[1] = 0;
  for (const std::size_t value : values) out[1] += channels(value);
  return node(std::move(n), out);
}

std::size_t GraphMaker::max_pool(std::size_t value, std::int64_t kernel, std::int64_t stride) {
  Node n{.op = "max_pool", .inputs = {value}};
  n.ints = {{"kernel", {kernel}}, {"stride", {stride}}, {"padding", {0}}, {"dilation", {1}}};
  Shape out = shape(value);
  for (std::size_t a = 2; a < out.size(); ++a) out[a] = (out[a] - kernel) / stride + 1;
  return node(std::move(n), out);
}

std::size_t GraphMaker::avg_pool(std::size_t value, std::int64_t kernel, std::int64_t stride) {
  const std::size_t made = max_pool(value, kernel, stride);
  graph.nodes.back().op = "avg_pool";
  return made;
}

std::size_t GraphMaker::global_pool(std::size_t value) {
  Node n{.op = "adaptive_avg_pool", .inputs = {value}};
  n.ints["size"] = {1};
  Shape out = shape(value);
  std::fill(out.begin() + 2, out.end(), 1);
  return node(std::move(n), out);
}

std::size_t GraphMaker::upsample(std::size_t value, bool linear, bool align_corners) {
  Node n{.op = "upsample", .inputs = {value}};
  n.ints = {{"linear", {linear}}, {"align_corners", {align_corners}}};
  Shape out = shape(value);
  for (std::size_t a = 2; a < out.size(); ++a) out[a] *= 2;
  return node(std::move(n), out);
}

std::size_t GraphMaker::softmax(std::size_t value) {
  Node n{.op = "softmax", .inputs = {value}};
  n.ints["axis"] = {1};
  return node(std::move(n), shape(value));
}

std::size_t GraphMaker::pad(std::size_t value, std::int64_t before, std::int64_t after, double number) {
  Node n{.op = "pad", .inputs = {value}};
  n.ints = {{"before", {before}}, {"after", {after}}};
  n.floats["value"] = {number};
  Shape out = shape(value);
  for (std::size_t a = 2; a < out.size(); ++a) out[a] += before + after;
  return node(std::move(n), out);
}

std::size_t GraphMaker::identity(std::size_t value) { return node({.op = "identity", .inputs = {value}}, shape(value)); }

std::size_t GraphMaker::external(std::size_t value) {
  Node n{.op = "external", .inputs = {value}, .label = "twice and backwards"};
  n.external = [](const std::vector<Array>& inputs) {
    Array out = inputs[0].flip(-1).clone();
    for (std::int64_t i = 0; i < out.numel(); ++i) out.data<float>()[i] *= 2;
    return std::vector<Array>{out};
  };
  return node(std::move(n), shape(value));
}

}  // namespace vesal::engine::tests
