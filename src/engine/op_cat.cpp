// Concatenation over channels: whoever makes a part writes it where it belongs, if it fills whole blocks there; else it is copied.
// What is pending on the parts stays pending on the whole, if its consumers can take that.
#include <algorithm>

#include "engine/attributes.h"
#include "engine/planner.h"
#include "kernels/layout.h"

namespace vesal::engine {
namespace {

using kernels::Function;
using kernels::Pointwise;

bool over_channels(const Node& node) { return integer(node, "axis", 1) == 1; }

/// One function for all channels, if there is one: relu and its kin differ by the slope alone.
std::optional<Pointwise> common_function(Planner& planner, const std::vector<Operand>& parts) {
  const auto same = [&](const Operand& o) {
    return o.after.function == parts[0].after.function && o.after.slope == parts[0].after.slope && o.after.slope.size() <= 1;
  };
  if (std::all_of(parts.begin(), parts.end(), same)) return parts[0].after;
  Pointwise all{.function = Function::prelu};
  for (const Operand& o : parts) {
    const auto channels = static_cast<std::size_t>(planner.at(o.tensor).channels);
    const Function f = o.after.function;
    if (f == Function::identity) all.slope.insert(all.slope.end(), channels, 1.0f);
    else if (f == Function::relu) all.slope.insert(all.slope.end(), channels, 0.0f);
    else if (f != Function::leaky_relu && f != Function::prelu) return std::nullopt;
    else if (o.after.slope.size() == channels) all.slope.insert(all.slope.end(), o.after.slope.begin(), o.after.slope.end());
    else all.slope.insert(all.slope.end(), channels, o.after.slope.at(0));
  }
  return all;
}

/// Coefficients of all channels, put together from those of the parts in a step of their own.
std::shared_ptr<Coefficients> join(Planner& planner, const Node& node, const std::vector<Operand>& parts, std::int64_t channels) {
  if (std::none_of(parts.begin(), parts.end(), [](const Operand& o) { return o.map != nullptr; })) return nullptr;
  auto whole = std::make_shared<Coefficients>(channels);
  std::vector<std::shared_ptr<Coefficients>> maps;
  std::vector<std::int64_t> sizes;
  for (const Operand& o : parts) {
    maps.push_back(o.map);
    sizes.push_back(planner.at(o.tensor).channels);
  }
  Step step = step_of("cat (coefficients)", node, {}, {});
  step.run = [whole, maps, sizes](const Memory&) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < maps.size(); at += sizes[i++]) {
      if (maps[i]) {
        std::copy_n(maps[i]->scale.begin(), sizes[i], whole->scale.begin() + at);
        std::copy_n(maps[i]->shift.begin(), sizes[i], whole->shift.begin() + at);
      } else {
        std::fill_n(whole->scale.begin() + at, sizes[i], 1.0f);
      }
    }
  };
  planner.emit(std::move(step));
  return whole;
}

/// Whether the part can be made in its place: it is nobody else's part, and shares no block with the next one.
bool fits(const Tensor& part, const Tensor& whole, std::int64_t first, bool last) {
  if (part.inside || part.home != Home::arena || part.planar != whole.planar) return false;
  return part.planar || (first % kernels::kBlock == 0 && (last || part.channels % kernels::kBlock == 0));
}

void put(Planner& planner, const Node& node, TensorId part, TensorId whole, std::int64_t first, bool last) {
  Tensor& p = planner.at(part);
  if (fits(p, planner.at(whole), first, last)) {
    p.inside = whole;
    p.first_part = p.planar ? first : first / kernels::kBlock;
    return;
  }
  Step step = step_of("cat (copy)", node, {part}, {whole});
  step.copied = p.size();
  step.run = [part, whole, first](const Memory& memory) { kernels::copy_channels(memory.at(part), memory.at(whole), first); };
  planner.emit(std::move(step));
}

bool takes_pending(Planner& planner, const Node& node, ValueId) { return over_channels(node) && planner.all_take_pending(node.outputs[0]); }

bool plan(Planner& planner, const Node& node) {
  if (!over_channels(node)) return false;
  std::vector<Operand> parts;
  for (const ValueId value : node.inputs) parts.push_back(planner.operand(value));
  std::optional<Pointwise> after = common_function(planner, parts);
  if (!after) {
    parts.clear();
    for (const ValueId value : node.inputs) parts.push_back({.tensor = planner.tensor(value)});
    after.emplace();
  }
  const TensorId whole = planner.make(node.outputs[0]);
  std::int64_t first = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    put(planner, node, parts[i].tensor, whole, first, i + 1 == parts.size());
    first += planner.at(parts[i].tensor).channels;
  }
  if (first != planner.at(whole).channels) throw Error(ErrorKind::shape, "parts of " + std::to_string(first) + " channels in all");
  Operand o{.tensor = whole, .map = join(planner, node, parts, first), .after = *after, .label = node.label};
  for (const Operand& part : parts)
    if (o.pending.empty()) o.pending = part.pending;
  planner.set(node.outputs[0], std::move(o));
  return true;
}

const RegisterOperator registered({"cat"}, {plan, takes_pending});

}  // namespace
}  // namespace vesal::engine
