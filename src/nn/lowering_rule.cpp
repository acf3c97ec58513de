#include "nn/lowering_rule.h"

#include <map>

namespace vesal::nn {
namespace {

std::map<std::string, LoweringRule>& rules() {
  static std::map<std::string, LoweringRule> table;
  return table;
}

}  // namespace

RegisterLowering::RegisterLowering(std::initializer_list<const char*> operators, LoweringRule rule) {
  for (const char* name : operators) rules()[name] = rule;
}

LoweringRule find_lowering(const std::string& name) {
  constexpr std::string_view kSpace = "aten::";
  if (!name.starts_with(kSpace)) return nullptr;
  std::string bare = name.substr(kSpace.size());
  if (bare.ends_with('_')) bare.pop_back();
  const auto found = rules().find(bare);
  return found == rules().end() ? nullptr : found->second;
}

const Argument* OpCall::find(const std::string& name) const {
  const auto index = schema_.argumentIndexWithName(name);
  return index && static_cast<std::size_t>(*index) < arguments_.size() ? &arguments_[static_cast<std::size_t>(*index)] : nullptr;
}

bool OpCall::is_tensor(const std::string& name) const {
  const Argument* found = find(name);
  return found && found->kind == Argument::Kind::tensor;
}

const c10::IValue* OpCall::known(const std::string& name) const {
  const Argument* found = find(name);
  return found && found->kind == Argument::Kind::known ? &found->known : nullptr;
}

bool OpCall::is_none(const std::string& name) const {
  if (!find(name)) return true;
  const c10::IValue* value = known(name);
  return value && (value->isNone() || (value->isTensor() && !value->toTensor().defined()));
}

std::optional<double> OpCall::number(const std::string& name) const {
  const c10::IValue* value = known(name);
  if (!value) return std::nullopt;
  if (value->isDouble()) return value->toDouble();
  if (value->isInt()) return static_cast<double>(value->toInt());
  if (value->isBool()) return value->toBool();
  if (value->isTensor() && value->toTensor().defined() && value->toTensor().dim() == 0 && !value->toTensor().is_complex())
    return value->toTensor().item<double>();
  return std::nullopt;
}

std::optional<std::int64_t> OpCall::integer(const std::string& name) const {
  const c10::IValue* value = known(name);
  if (value && value->isInt()) return value->toInt();
  if (value && value->isBool()) return value->toBool();
  return std::nullopt;
}

std::optional<Shape> OpCall::ints(const std::string& name) const {
  const c10::IValue* value = known(name);
  if (value && value->isInt()) return Shape{value->toInt()};
  if (value && value->isIntList()) return value->toIntVector();
  return std::nullopt;
}

std::optional<Shape> OpCall::per_axis(const std::string& name, int axes, const Shape& fallback) const {
  std::optional<Shape> values = ints(name);
  if (!values) return std::nullopt;
  if (values->empty() && !fallback.empty()) return fallback;
  if (values->size() == 1) values->assign(static_cast<std::size_t>(axes), values->front());
  if (static_cast<int>(values->size()) != axes) return std::nullopt;
  return values;
}

std::optional<std::vector<double>> OpCall::numbers(const std::string& name) const {
  const c10::IValue* value = known(name);
  if (value && value->isDoubleList()) return value->toDoubleVector();
  if (value && value->isDouble()) return std::vector<double>{value->toDouble()};
  return std::nullopt;
}

std::optional<std::string> OpCall::text(const std::string& name) const {
  const c10::IValue* value = known(name);
  return value && value->isString() ? std::optional(value->toStringRef()) : std::nullopt;
}

std::optional<Array> OpCall::constant(const std::string& name) const {
  const c10::IValue* value = known(name);
  if (!value || !value->isTensor() || !value->toTensor().defined() || value->toTensor().scalar_type() != torch::kFloat) return std::nullopt;
  return to_array(value->toTensor().contiguous());
}

}  // namespace vesal::nn
