// FlatProgram: what a network does to an input of one shape, as a straight list of operators: calls inlined, loops unrolled, sizes and
// decisions that follow from the shape folded away.
#pragma once
#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "nn/tensor.h"

namespace vesal::nn {

class Network;

/// What is known about a tensor that depends on the network's input, without computing it.
struct TensorFacts {
  Shape shape, strides;
  torch::ScalarType type = torch::kFloat;
  std::size_t memory = 0;  ///< tensors of equal numbers may lie in the same memory

  bool is_float() const { return type == torch::kFloat; }
};

/// An argument of an operator: a value that is known now, the number of a tensor that is not, or a list with such tensors.
struct Argument {
  enum class Kind { known, tensor, list };
  Kind kind = Kind::known;
  c10::IValue known;
  std::size_t tensor = 0;
  std::vector<Argument> items;

  /// Calls visit(number) for every tensor in it.
  template <class F>
  void each_tensor(const F& visit) const {
    if (kind == Kind::tensor) visit(tensor);
    for (const Argument& item : items) item.each_tensor(visit);
  }
};

/// An operator of libtorch. It changes none of its inputs: what it overwrites is copied before.
struct FlatOp {
  std::string name;  ///< "aten::conv3d"
  std::shared_ptr<torch::jit::Operation> run;
  std::vector<Argument> arguments;
  std::vector<std::size_t> overwritten;           ///< places of arguments it writes to
  std::vector<std::vector<std::size_t>> results;  ///< per output the tensors it makes: one, or those of a list
  std::optional<engine::Node> lowered;            ///< the same for the engine, with numbers of tensors instead of values
  bool per_sample = true;                         ///< whether in a batch it would do to each sample what it does to one
  std::string label;                              ///< where it comes from

  template <class F>
  void each_input(const F& visit) const {
    for (const Argument& argument : arguments) argument.each_tensor(visit);
  }
  template <class F>
  void each_output(const F& visit) const {
    for (const auto& result : results)
      for (const std::size_t tensor : result) visit(tensor);
  }
};

struct FlatProgram {
  std::vector<TensorFacts> tensors;  ///< the first is the input
  std::vector<FlatOp> ops;           ///< in an order in which they can run
  std::vector<std::size_t> outputs;
};

/// Follows `graph`, whose inputs are `self` (if it is an object) and one tensor of this shape. Throws Error(unsupported) saying why where
/// that cannot be done: something depends on the numbers and not on the shape alone, chance, state that changes.
FlatProgram flatten(const Network& network, const std::shared_ptr<torch::jit::Graph>& graph, const c10::IValue& self, const Shape& input);

}  // namespace vesal::nn
