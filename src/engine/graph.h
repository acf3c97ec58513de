// Graph: a network as a list of operators on values of known shapes, before anything is decided about how it runs.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/array.h"

namespace vesal::engine {

/// What the engine cannot do itself: dense C-contiguous arrays in, dense C-contiguous arrays out (batch axis of one included).
using External = std::function<std::vector<Array>(const std::vector<Array>&)>;

/// An operator, named and parametrised as PyTorch has it (aten without dimensions and underscores); each makes one value except "external".
///
///   conv            constants weight, bias?; ints stride, padding, dilation, output_padding, groups, transposed (0, 1); lists one per spatial axis
///   batch_norm      constants weight?, bias?, mean, variance; floats eps          (evaluation)
///   instance_norm   constants weight?, bias?; floats eps
///   group_norm      constants weight?, bias?; ints groups; floats eps
///   relu, sigmoid, tanh, silu; leaky_relu, elu with floats slope; prelu with constant weight
///   add, sub, mul   two inputs of equal shape, or the second [1, C, 1...]; or one input and floats scalar; add: floats alpha
///   cat             ints axis (always 1)
///   max_pool, avg_pool   ints kernel, stride, padding, dilation, ceil_mode, count_include_pad
///   adaptive_avg_pool    ints size
///   upsample        ints size; ints linear (0: nearest, 1: linear), align_corners; the scales PyTorch would use: floats scale (empty: from the
///   sizes) softmax         ints axis (always 1) pad             ints before, after per spatial axis; floats value  (constant) identity (dropout,
///   contiguous, to float32) external        a function, and a text that says what it is
struct Node {
  std::string op;
  std::vector<std::size_t> inputs = {}, outputs = {};  ///< numbers of values
  std::map<std::string, std::vector<std::int64_t>> ints = {};
  std::map<std::string, std::vector<double>> floats = {};
  std::map<std::string, Array> constants = {};  ///< float32, dense
  External external = {};
  std::string label = {};  ///< where it comes from: "model.1.submodule.0.conv", "aten::grid_sampler"; for people
};

/// Every value is float32 with a batch axis of one: [1, C, spatial...]. Nodes stand in an order in which they can run; each value is made once.
struct Graph {
  std::vector<Shape> values;
  std::vector<std::size_t> inputs, outputs;
  std::vector<Node> nodes;
};

}  // namespace vesal::engine
