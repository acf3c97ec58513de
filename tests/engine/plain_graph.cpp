#include "engine/plain_graph.h"

#include <cmath>
#include <map>
#include <stdexcept>

namespace vesal::engine::tests {
namespace {

double number(const Node& n, const std::string& name, double fallback) { return n.floats.contains(name) ? n.floats.at(name)[0] : fallback; }
std::int64_t integer(const Node& n, const std::string& name, std::int64_t fallback) { return n.ints.contains(name) ? n.ints.at(name)[0] : fallback; }
double entry(const Node& n, const std::string& name, std::int64_t i, double fallback) {
  if (!n.constants.contains(name)) return fallback;
  const Array& a = n.constants.at(name);
  return a.data<float>()[a.numel() == 1 ? 0 : i];
}

PlainValue blank(const Shape& shape) {
  PlainValue v{.channels = shape[1], .numbers = {}};
  for (std::size_t a = 2; a < shape.size(); ++a) v.extents[5 - shape.size() + a - 2] = shape[a];
  v.numbers.assign(static_cast<std::size_t>(v.channels * v.voxels()), 0.0);
  return v;
}

struct At {
  std::int64_t c, p[3];
  std::size_t index;
};
template <class Body>
void each(const PlainValue& v, const Body& body) {
  std::size_t i = 0;
  for (std::int64_t c = 0; c < v.channels; ++c)
    for (std::int64_t x = 0; x < v.extents[0]; ++x)
      for (std::int64_t y = 0; y < v.extents[1]; ++y)
        for (std::int64_t z = 0; z < v.extents[2]; ++z) body(At{c, {x, y, z}, i++});
}
std::size_t index(const PlainValue& v, std::int64_t c, std::int64_t x, std::int64_t y, std::int64_t z) {
  return static_cast<std::size_t>(((c * v.extents[0] + x) * v.extents[1] + y) * v.extents[2] + z);
}

/// Every product of a convolution: body(weight, index into `in`, index into `out`).
template <class Body>
void products(const Node& n, const PlainValue& in, const PlainValue& out, const Body& body) {
  const Array& weight = n.constants.at("weight");
  const bool transposed = integer(n, "transposed", 0);
  const int missing = 5 - weight.dim();
  std::int64_t kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, padding[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};
  for (int a = missing; a < 3; ++a) {
    kernel[a] = weight.size(2 + a - missing);
    stride[a] = integer(n, "stride", 1), padding[a] = integer(n, "padding", 0), dilation[a] = integer(n, "dilation", 1);
  }
  const std::int64_t taps = kernel[0] * kernel[1] * kernel[2], groups = integer(n, "groups", 1);
  const PlainValue &dense = transposed ? in : out, &other = transposed ? out : in;
  const std::int64_t dense_share = dense.channels / groups, other_share = other.channels / groups;
  each(dense, [&](const At& d) {
    for (std::int64_t k = 0; k < taps; ++k) {
      const std::int64_t t[3] = {k / (kernel[1] * kernel[2]), k / kernel[2] % kernel[1], k % kernel[2]};
      std::int64_t p[3];
      bool inside = true;
      for (int a = 0; a < 3; ++a) {
        p[a] = d.p[a] * stride[a] + t[a] * dilation[a] - padding[a];
        inside = inside && p[a] >= 0 && p[a] < other.extents[a];
      }
      if (!inside) continue;
      for (std::int64_t c = 0; c < other_share; ++c) {
        const std::size_t there = index(other, d.c / dense_share * other_share + c, p[0], p[1], p[2]);
        body(weight.data<float>()[(d.c * other_share + c) * taps + k], transposed ? d.index : there, transposed ? there : d.index);
      }
    }
  });
}

PlainValue conv(const Node& n, const PlainValue& in, PlainValue out) {
  each(out, [&](const At& o) { out.numbers[o.index] = entry(n, "bias", o.c, 0); });
  products(n, in, out, [&](double w, std::size_t i, std::size_t o) { out.numbers[o] += w * in.numbers[i]; });
  return out;
}

PlainValue norm(const Node& n, PlainValue v) {
  const std::int64_t group = n.op == "group_norm" ? v.channels / integer(n, "groups", 1) : 1;
  const double eps = number(n, "eps", 1e-5);
  for (std::int64_t first = 0; first < v.channels; first += group) {
    double mean = 0, variance = 0;
    const auto begin = static_cast<std::size_t>(first * v.voxels()), end = static_cast<std::size_t>((first + group) * v.voxels());
    for (std::size_t i = begin; i < end; ++i) mean += v.numbers[i] / static_cast<double>(end - begin);
    for (std::size_t i = begin; i < end; ++i) variance += std::pow(v.numbers[i] - mean, 2) / static_cast<double>(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      const auto c = static_cast<std::int64_t>(i) / v.voxels();
      v.numbers[i] = (v.numbers[i] - mean) / std::sqrt(variance + eps) * entry(n, "weight", c, 1) + entry(n, "bias", c, 0);
    }
  }
  return v;
}

double activation(const Node& n, double x, std::int64_t c) {
  const double slope = n.op == "prelu" ? entry(n, "weight", c, 0) : number(n, "slope", 0);
  if (n.op == "relu") return x < 0 ? 0 : x;
  if (n.op == "leaky_relu" || n.op == "prelu") return x < 0 ? slope * x : x;
  if (n.op == "elu") return x < 0 ? slope * std::expm1(x) : x;
  if (n.op == "silu") return x / (1 + std::exp(-x));
  if (n.op == "sigmoid") return 1 / (1 + std::exp(-x));
  if (n.op == "tanh") return std::tanh(x);
  if (n.op == "batch_norm")
    return (x - entry(n, "mean", c, 0)) / std::sqrt(entry(n, "variance", c, 1) + number(n, "eps", 0)) * entry(n, "weight", c, 1) +
           entry(n, "bias", c, 0);
  if (n.op == "identity") return x;
  const double s = number(n, "scalar", 0) * number(n, "alpha", 1);
  return n.op == "mul" ? x * s : n.op == "add" ? x + s : x - s;
}

PlainValue pair(const Node& n, const PlainValue& a, const PlainValue& b, PlainValue out) {
  const auto of = [](const PlainValue& v, const At& o) { return v.voxels() == 1 ? v.numbers[static_cast<std::size_t>(o.c)] : v.numbers[o.index]; };
  const double alpha = number(n, "alpha", 1);
  each(out, [&](const At& o) {
    const double x = of(a, o), y = of(b, o);
    out.numbers[o.index] = n.op == "mul" ? x * y : n.op == "add" ? x + alpha * y : x - alpha * y;
  });
  return out;
}

PlainValue pool(const Node& n, const PlainValue& in, PlainValue out) {
  each(out, [&](const At& o) {
    std::int64_t begin[3], end[3];
    for (int a = 0; a < 3; ++a) {
      const bool real = in.extents[a] > 1;
      const std::int64_t kernel = n.op == "adaptive_avg_pool" ? in.extents[a] : real ? integer(n, "kernel", 1) : 1;
      begin[a] = o.p[a] * (real ? integer(n, "stride", 1) : 1);
      end[a] = begin[a] + kernel;
    }
    double sum = n.op == "max_pool" ? -INFINITY : 0, count = 0;
    for (std::int64_t x = begin[0]; x < end[0]; ++x)
      for (std::int64_t y = begin[1]; y < end[1]; ++y)
        for (std::int64_t z = begin[2]; z < end[2]; ++z, ++count) {
          const double v = in.numbers[index(in, o.c, x, y, z)];
          sum = n.op == "max_pool" ? std::max(sum, v) : sum + v;
        }
    out.numbers[o.index] = n.op == "max_pool" ? sum : sum / count;
  });
  return out;
}

/// By two, as GraphMaker makes them.
PlainValue upsample(const Node& n, const PlainValue& in, PlainValue out) {
  each(out, [&](const At& o) {
    double sum = 0;
    for (int k = 0; k < 8; ++k) {
      double weight = 1;
      std::int64_t p[3];
      for (int a = 0; a < 3; ++a) {
        const double last = static_cast<double>(in.extents[a] - 1), out_last = static_cast<double>(out.extents[a] - 1),
                     i = static_cast<double>(o.p[a]), ratio = static_cast<double>(in.extents[a]) / static_cast<double>(out.extents[a]);
        double place = integer(n, "align_corners", 0) ? (out_last > 0 ? i * last / out_last : 0) : (i + 0.5) * ratio - 0.5;
        if (!integer(n, "linear", 0)) place = std::floor(i * ratio);
        place = std::min(std::max(place, 0.0), last);
        const double low = std::floor(place);
        p[a] = std::min(static_cast<std::int64_t>(low) + (k >> a & 1), in.extents[a] - 1);
        weight *= k >> a & 1 ? place - low : 1 - (place - low);
      }
      sum += weight * in.numbers[index(in, o.c, p[0], p[1], p[2])];
    }
    out.numbers[o.index] = sum;
  });
  return out;
}

PlainValue softmax(PlainValue v) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(v.voxels()); ++i) {
    double sum = 0;
    for (std::size_t j = i; j < v.numbers.size(); j += static_cast<std::size_t>(v.voxels())) sum += std::exp(v.numbers[j]);
    for (std::size_t j = i; j < v.numbers.size(); j += static_cast<std::size_t>(v.voxels())) v.numbers[j] = std::exp(v.numbers[j]) / sum;
  }
  return v;
}

PlainValue pad(const Node& n, const PlainValue& in, PlainValue out, int axes) {
  each(out, [&](const At& o) {
    std::int64_t p[3];
    bool inside = true;
    for (int a = 0; a < 3; ++a) {
      p[a] = o.p[a] - (a >= 3 - axes ? integer(n, "before", 0) : 0);
      inside = inside && p[a] >= 0 && p[a] < in.extents[a];
    }
    out.numbers[o.index] = inside ? in.numbers[index(in, o.c, p[0], p[1], p[2])] : number(n, "value", 0);
  });
  return out;
}

PlainValue external(const Node& n, const PlainValue& in, PlainValue out, const Shape& shape) {
  Array array = Array::empty(shape, DType::f32);
  std::copy(in.numbers.begin(), in.numbers.end(), array.data<float>());
  const Array result = n.external({array})[0];
  std::copy_n(result.data<float>(), result.numel(), out.numbers.begin());
  return out;
}

PlainValue run_node(const Graph& graph, const Node& n, const std::vector<PlainValue>& values) {
  const PlainValue& in = values[n.inputs[0]];
  PlainValue out = blank(graph.values[n.outputs[0]]);
  if (n.op == "conv") return conv(n, in, out);
  if (n.op == "instance_norm" || n.op == "group_norm") return norm(n, in);
  if (n.inputs.size() == 2 && n.op != "cat") return pair(n, in, values[n.inputs[1]], out);
  if (n.op == "cat") {
    out.numbers.clear();
    for (const std::size_t value : n.inputs) out.numbers.insert(out.numbers.end(), values[value].numbers.begin(), values[value].numbers.end());
    return out;
  }
  if (n.op.ends_with("pool")) return pool(n, in, out);
  if (n.op == "upsample") return upsample(n, in, out);
  if (n.op == "softmax") return softmax(in);
  if (n.op == "pad") return pad(n, in, out, static_cast<int>(graph.values[n.inputs[0]].size()) - 2);
  if (n.op == "external") return external(n, in, out, graph.values[n.inputs[0]]);
  each(out, [&](const At& o) { out.numbers[o.index] = activation(n, in.numbers[o.index], o.c); });
  return out;
}

}  // namespace

std::vector<PlainValue> run_plain(const Graph& graph, const std::vector<Array>& inputs) {
  std::vector<PlainValue> values(graph.values.size()), outputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    PlainValue& v = values[graph.inputs[i]] = blank(graph.values[graph.inputs[i]]);
    std::copy_n(inputs[i].data<float>(), inputs[i].numel(), v.numbers.begin());
  }
  for (const Node& n : graph.nodes) values[n.outputs[0]] = run_node(graph, n, values);
  for (const std::size_t value : graph.outputs) outputs.push_back(values[value]);
  return outputs;
}

}  // namespace vesal::engine::tests
