#include "nn/torch_piece.h"

#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <map>
#include <set>
#include <unordered_map>

namespace vesal::nn {
namespace {

using c10::IValue;
using Values = std::unordered_map<std::size_t, Tensor>;

IValue value_of(const Argument& argument, const Values& values) {
  if (argument.kind == Argument::Kind::known) return argument.known;
  if (argument.kind == Argument::Kind::tensor) return values.at(argument.tensor);
  bool optional = false;
  for (const Argument& item : argument.items) optional = optional || (item.kind == Argument::Kind::known && item.known.isNone());
  if (optional) {
    c10::List<c10::optional<Tensor>> list;
    for (const Argument& item : argument.items) list.push_back(value_of(item, values).toOptional<Tensor>());
    return list;
  }
  c10::List<Tensor> list;
  for (const Argument& item : argument.items) list.push_back(value_of(item, values).toTensor());
  return list;
}

}  // namespace

TorchPiece::TorchPiece(std::vector<FlatOp> ops, std::vector<std::size_t> inputs, std::vector<std::size_t> outputs)
    : ops_(std::move(ops)), dead_(ops_.size()), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
  std::set<std::size_t> needed(outputs_.begin(), outputs_.end());
  for (std::size_t i = ops_.size(); i-- > 0;) {
    const auto last_use = [&](std::size_t tensor) {
      if (needed.insert(tensor).second) dead_[i].push_back(tensor);
    };
    ops_[i].each_output(last_use);
    ops_[i].each_input(last_use);
    ops_[i].lowered.reset();
  }
}

std::vector<Array> TorchPiece::operator()(const std::vector<Array>& inputs) const {
  return torch_call([&] {
    const c10::InferenceMode inference;
    use_thread_count();
    Values values;
    for (std::size_t i = 0; i < inputs_.size(); ++i) values[inputs_[i]] = to_tensor(inputs.at(i));
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      const FlatOp& op = ops_[i];
      torch::jit::Stack stack;
      for (const Argument& argument : op.arguments) stack.push_back(value_of(argument, values));
      for (const std::size_t place : op.overwritten) stack[place] = stack[place].toTensor().clone();
      (*op.run)(stack);
      const std::size_t first = stack.size() - op.results.size();
      for (std::size_t r = 0; r < op.results.size(); ++r) {
        const IValue& made = stack[first + r];
        if (made.isTensorList())
          for (std::size_t k = 0; k < op.results[r].size(); ++k) values[op.results[r][k]] = made.toTensorVector().at(k);
        else if (!op.results[r].empty()) values[op.results[r][0]] = made.toTensor();
      }
      for (const std::size_t tensor : dead_[i]) values.erase(tensor);
    }
    std::vector<Array> outputs;
    for (const std::size_t tensor : outputs_) outputs.push_back(to_array(values.at(tensor).contiguous()));
    return outputs;
  });
}

}  // namespace vesal::nn
