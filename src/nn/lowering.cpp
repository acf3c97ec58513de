#include "nn/lowering.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>

#include "nn/flat_program.h"
#include "nn/torch_piece.h"
#include "nn/without_gradients.h"

namespace vesal::nn {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// Takes away operators whose results nobody uses.
void remove_unused(FlatProgram& program) {
  std::set<std::size_t> used(program.outputs.begin(), program.outputs.end());
  std::vector<FlatOp> kept;
  for (std::size_t i = program.ops.size(); i-- > 0;) {
    bool needed = false;
    program.ops[i].each_output([&](std::size_t t) { needed = needed || used.count(t); });
    if (!needed) continue;
    program.ops[i].each_input([&](std::size_t t) { used.insert(t); });
    kept.push_back(std::move(program.ops[i]));
  }
  std::reverse(kept.begin(), kept.end());
  program.ops = std::move(kept);
}

/// Which operators form one node of the graph: one of the engine's alone, several of libtorch's that depend on each other together.
class Grouping {
 public:
  explicit Grouping(const FlatProgram& program) : program_(program), maker_(program.tensors.size(), kNone), outside_(program.ops.size()) {
    for (std::size_t i = 0; i < program.ops.size(); ++i) {
      program.ops[i].each_output([&](std::size_t t) { maker_[t] = i; });
      outside_[i] = !program.ops[i].lowered;
    }
    while (!form()) {}
  }

  bool outside(std::size_t op) const { return outside_[op]; }
  std::size_t group(std::size_t op) const { return group_[op]; }
  const std::vector<std::size_t>& members(std::size_t group) const { return members_[group]; }
  std::size_t maker(std::size_t tensor) const { return maker_[tensor]; }

 private:
  /// What may pass between libtorch and the engine.
  bool can_pass(std::size_t tensor) const {
    const TensorFacts& f = program_.tensors[tensor];
    return f.is_float() && f.shape.size() >= 3 && f.shape.size() <= 5 && f.shape[0] == 1;
  }

  /// False if some of the engine's operators had to become libtorch's: then everything is to be formed anew.
  bool form() {
    const std::size_t n = program_.ops.size();
    group_.resize(n);
    members_.assign(n, {});
    for (std::size_t i = 0; i < n; ++i) members_[group_[i] = i] = {i};
    for (std::size_t i = 0; i < n; ++i) {
      if (!outside_[i]) continue;
      std::vector<std::size_t> inputs;
      program_.ops[i].each_input([&](std::size_t t) { inputs.push_back(t); });
      for (const std::size_t t : inputs) {
        const std::size_t before = maker_[t];
        if (before == kNone || !outside_[before] || group_[before] == group_[i]) continue;
        const std::set<std::size_t> between = groups_between(group_[before], group_[i]);
        if (between.empty()) join(group_[before], group_[i]);
        else if (!can_pass(t)) {
          for (const std::size_t g : between)
            for (const std::size_t op : members_[g]) outside_[op] = true;
          return false;
        }
      }
    }
    return true;
  }

  void join(std::size_t a, std::size_t b) {
    for (const std::size_t op : members_[b]) group_[op] = a;
    members_[a].insert(members_[a].end(), members_[b].begin(), members_[b].end());
    members_[b].clear();
    std::sort(members_[a].begin(), members_[a].end());
  }

  /// Other groups that need something of `from` and that `to` needs something of: they would stand before and behind the two joined.
  std::set<std::size_t> groups_between(std::size_t from, std::size_t to) const {
    std::map<std::size_t, bool> leads;  // whether it needs something of `from`
    const std::function<bool(std::size_t)> visit = [&](std::size_t group) {
      if (group == from) return true;
      if (const auto known = leads.find(group); known != leads.end()) return known->second;
      leads[group] = false;
      bool found = false;
      for (const std::size_t op : members_[group])
        program_.ops[op].each_input([&](std::size_t t) {
          if (maker_[t] != kNone && group_[maker_[t]] != group && visit(group_[maker_[t]])) found = true;
        });
      return leads[group] = found;
    };
    visit(to);
    std::set<std::size_t> out;
    for (const auto& [group, does] : leads)
      if (does && group != to) out.insert(group);
    return out;
  }

  const FlatProgram& program_;
  std::vector<std::size_t> maker_;
  std::vector<char> outside_;
  std::vector<std::size_t> group_;
  std::vector<std::vector<std::size_t>> members_;
};

/// "aten::gelu, aten::view, ...": each name once.
std::string names_of(const std::vector<FlatOp>& ops) {
  constexpr std::size_t kMost = 6;
  std::vector<std::string> names;
  for (const FlatOp& op : ops)
    if (std::find(names.begin(), names.end(), op.name) == names.end()) names.push_back(op.name);
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) text += (i ? ", " : "") + names[i];
  return names.size() > kMost ? text + fmt::format(" and {} more", names.size() - kMost) : text;
}

class Assembly {
 public:
  explicit Assembly(const FlatProgram& program) : program_(program), grouping_(program), users_(program.tensors.size()) {
    for (std::size_t i = 0; i < program.ops.size(); ++i) program.ops[i].each_input([&](std::size_t t) { users_[t].insert(grouping_.group(i)); });
    values_.assign(program.tensors.size(), kNone);
  }

  engine::Graph run() {
    graph_.inputs = {value(0)};
    for (const std::size_t group : order()) {
      if (grouping_.outside(grouping_.members(group)[0])) add_outside(group);
      else add_own(program_.ops[grouping_.members(group)[0]]);
    }
    std::set<std::size_t> given(graph_.inputs.begin(), graph_.inputs.end());
    for (const std::size_t tensor : program_.outputs) {
      std::size_t output = value(tensor);
      if (!given.insert(output).second) {  // an input, or an output given twice
        engine::Node same;
        same.op = "identity";
        same.label = "output";
        same.inputs = {output};
        output = new_value(program_.tensors[tensor].shape);
        same.outputs = {output};
        graph_.nodes.push_back(std::move(same));
      }
      graph_.outputs.push_back(output);
    }
    return std::move(graph_);
  }

 private:
  std::size_t new_value(const Shape& shape) {
    graph_.values.push_back(shape);
    return graph_.values.size() - 1;
  }
  std::size_t value(std::size_t tensor) {
    if (values_[tensor] == kNone) values_[tensor] = new_value(program_.tensors[tensor].shape);
    return values_[tensor];
  }

  /// Groups in an order in which they can run, as near to the network's as that goes.
  std::vector<std::size_t> order() const {
    std::map<std::size_t, std::set<std::size_t>> before;
    for (std::size_t i = 0; i < program_.ops.size(); ++i) {
      auto& needs = before[grouping_.group(i)];
      program_.ops[i].each_input([&](std::size_t t) {
        if (const std::size_t maker = grouping_.maker(t); maker != kNone && grouping_.group(maker) != grouping_.group(i))
          needs.insert(grouping_.group(maker));
      });
    }
    std::map<std::size_t, std::vector<std::size_t>> after;
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (const auto& [group, needs] : before) {
      if (needs.empty()) ready.push(group);
      for (const std::size_t need : needs) after[need].push_back(group);
    }
    std::vector<std::size_t> out;
    while (!ready.empty()) {
      const std::size_t group = ready.top();
      ready.pop();
      out.push_back(group);
      for (const std::size_t next : after[group]) {
        before[next].erase(group);
        if (before[next].empty()) ready.push(next);
      }
    }
    if (out.size() != before.size()) throw Error(ErrorKind::internal, "operators that need each other's results");
    return out;
  }

  void add_own(const FlatOp& op) {
    engine::Node node = *op.lowered;
    const std::vector<std::size_t> inputs = node.inputs;
    for (std::size_t& input : node.inputs) input = value(input);
    std::vector<std::size_t> outputs;
    op.each_output([&](std::size_t t) { outputs.push_back(t); });
    node.outputs = {value(outputs.at(0))};
    node.external = TorchPiece({op}, inputs, outputs);
    graph_.nodes.push_back(std::move(node));
  }

  void add_outside(std::size_t group) {
    std::vector<FlatOp> ops;
    std::vector<std::size_t> inputs, outputs;
    const std::set<std::size_t> given(program_.outputs.begin(), program_.outputs.end());
    const auto add_once = [](std::vector<std::size_t>& list, std::size_t tensor) {
      if (std::find(list.begin(), list.end(), tensor) == list.end()) list.push_back(tensor);
    };
    for (const std::size_t i : grouping_.members(group)) {
      const FlatOp& op = program_.ops[i];
      op.each_input([&](std::size_t t) {
        if (grouping_.maker(t) == kNone || grouping_.group(grouping_.maker(t)) != group) add_once(inputs, t);
      });
      op.each_output([&](std::size_t t) {
        const auto& users = users_[t];
        const bool leaves = std::any_of(users.begin(), users.end(), [&](std::size_t user) { return user != group; });
        if (leaves || given.count(t)) add_once(outputs, t);
      });
      ops.push_back(op);
    }
    engine::Node node;
    node.op = "external";
    node.label = names_of(ops);
    for (const std::size_t t : inputs) node.inputs.push_back(value(t));
    for (const std::size_t t : outputs) node.outputs.push_back(value(t));
    node.external = TorchPiece(std::move(ops), inputs, outputs);
    graph_.nodes.push_back(std::move(node));
  }

  const FlatProgram& program_;
  const Grouping grouping_;
  std::vector<std::set<std::size_t>> users_;  ///< groups
  std::vector<std::size_t> values_;           ///< of tensors
  engine::Graph graph_;
};

}  // namespace

LoweredNetwork lower(Network& network, const Shape& input) {
  FlatProgram program = torch_call([&] {
    const torch::NoGradGuard no_grad;
    const WithoutGradients without(network);
    use_thread_count();
    c10::IValue self;
    const auto graph = network.computation(input, self);
    return flatten(network, graph, self, input);
  });
  remove_unused(program);
  for (const std::size_t output : program.outputs) {
    const TensorFacts& f = program.tensors[output];
    if (!f.is_float() || f.shape.size() < 2 || f.shape.size() > 5 || f.shape[0] != 1)
      throw Error(ErrorKind::unsupported, fmt::format("an output is {} {}", name_of(dtype_of(f.type)), to_string(f.shape)));
  }
  LoweredNetwork out;
  out.per_sample = std::all_of(program.ops.begin(), program.ops.end(), [](const FlatOp& op) { return op.per_sample; });
  out.graph = Assembly(program).run();
  return out;
}

}  // namespace vesal::nn
