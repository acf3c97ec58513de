// Planner: walks a graph's nodes and lets each operator add its steps. What an operator does not need to do at once stays pending.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/graph.h"
#include "engine/plan.h"

namespace vesal::engine {

using ValueId = std::size_t;

/// A value as after(scale * tensor + shift): what is not applied yet a convolution applies to its input, or a pass of its own does.
struct Operand {
  TensorId tensor = 0;
  std::shared_ptr<Coefficients> map = nullptr;  ///< null: none
  kernels::Pointwise after = {};
  std::string pending = {}, label = {};  ///< what is pending, "instance_norm + prelu", and of which node

  bool plain() const { return !map && after.is_identity(); }
};

class Planner {
 public:
  Planner(const Graph& graph, const EngineOptions& options);
  Plan plan();

  const Graph& graph() const { return graph_; }
  const EngineOptions& options() const { return options_; }
  const Shape& shape(ValueId value) const { return graph_.values[value]; }
  /// Whether the value is [1, C, up to three axes], as the engine's own steps need it.
  bool spatial(ValueId value) const;
  /// Whether all values of a node are; and its input has voxels.
  bool spatial(const Node& node) const;

  /// Whether the value is known already, in the order in which nodes are planned.
  bool known(ValueId value) const { return operands_[value].has_value(); }
  /// The value with what is pending, if all who take it can do that; else with nothing pending.
  Operand operand(ValueId value);
  /// As it is, whoever takes it.
  const Operand& pending(ValueId value) const { return operands_[value].value(); }
  /// The value in memory, nothing pending: adds a pass if it must.
  TensorId tensor(ValueId value);
  /// A new tensor of the value's shape, which the value then is.
  TensorId make(ValueId value);
  TensorId make_planes(ValueId value);  ///< planar whatever its channels: for outputs that nothing else reads
  void set(ValueId value, Operand operand) { operands_[value] = std::move(operand); }
  Tensor& at(TensorId id) { return plan_.tensors[id]; }
  TensorId add(Tensor tensor);

  /// The value gets `map` or `after` on top of what is pending on `from`.
  void defer(const Node& node, const std::string& what, std::shared_ptr<Coefficients> map, kernels::Pointwise after);

  void emit(Step step) { plan_.steps.push_back(std::move(step)); }
  const std::vector<const Node*>& consumers(ValueId value) const { return consumers_[value]; }
  /// The only node that takes the value, if it is no output of the graph.
  const Node* sole_consumer(ValueId value) const;
  /// Whether every consumer applies what is pending itself.
  bool all_take_pending(ValueId value);
  /// Marks a node as done by the step of another.
  void absorb(const Node& node) { absorbed_[&node] = true; }
  /// If a norm takes the value: where the writer of `id` is to leave its sums; else null.
  double* statistics(ValueId value, TensorId id);

  /// Something an operator keeps per node while planning.
  template <class T, class Make>
  std::shared_ptr<T> kept(const Node& node, Make&& make) {
    auto [entry, fresh] = kept_.try_emplace(&node);
    if (fresh) entry->second = std::shared_ptr<T>(make());
    return std::static_pointer_cast<T>(entry->second);
  }

 private:
  void plan_node(const Node& node);
  void take_inputs();
  void give_outputs();

  const Graph& graph_;
  EngineOptions options_;
  Plan plan_;
  std::vector<std::optional<Operand>> operands_;
  std::vector<std::vector<const Node*>> consumers_;
  std::vector<bool> is_output_;
  std::map<const Node*, bool> absorbed_;
  std::map<const Node*, std::shared_ptr<void>> kept_;
};

/// How nodes of one name become steps. Operators register themselves.
struct Operator {
  /// False if the engine has no step for such a node, which then runs through its External.
  bool (*plan)(Planner&, const Node&);
  /// Whether the node takes what is pending on this value; null: no.
  bool (*takes_pending)(Planner&, const Node&, ValueId) = nullptr;
  bool wants_statistics = false;
};

namespace operators {
const Operator* find(const std::string& op);
void add(const std::string& op, Operator o);
}  // namespace operators

struct RegisterOperator {
  RegisterOperator(std::initializer_list<const char*> ops, Operator o) {
    for (const char* op : ops) operators::add(op, o);
  }
};

/// A step from a node's tensors, still without `run`.
Step step_of(const std::string& what, const Node& node, std::vector<TensorId> reads, std::vector<TensorId> writes);
/// Runs the node through its External; throws Error(unsupported) if it has none. `why` goes to the reader of explain().
void plan_external(Planner& planner, const Node& node, const std::string& why);

}  // namespace vesal::engine
