// Rules that say what an operator of libtorch is for the engine; each file of rules registers its own.
#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "nn/flat_program.h"

namespace vesal::nn {

/// An operator and its arguments by name, as a rule sees them. Tensors that depend on the input are float32 [1, C, spatial...] here.
class OpCall {
 public:
  OpCall(const c10::FunctionSchema& schema, const std::vector<Argument>& arguments, const std::vector<TensorFacts>& tensors)
      : schema_(schema), arguments_(arguments), tensors_(tensors) {}

  const Argument* find(const std::string& name) const;  ///< nullptr if the operator has none of this name
  bool is_tensor(const std::string& name) const;        ///< one that depends on the input
  std::size_t tensor(const std::string& name) const { return find(name)->tensor; }
  const Shape& shape(const std::string& name) const { return tensors_[tensor(name)].shape; }
  const Shape& shape_of(std::size_t tensor) const { return tensors_[tensor].shape; }
  int spatial_axes(const std::string& name) const { return static_cast<int>(shape(name).size()) - 2; }
  bool is_none(const std::string& name) const;  ///< None, or no such argument

  // Nothing if it is not known, or of another type.
  std::optional<double> number(const std::string& name) const;  ///< a tensor without axes too
  std::optional<std::int64_t> integer(const std::string& name) const;
  bool flag(const std::string& name) const { return integer(name).value_or(0) != 0; }
  std::optional<Shape> ints(const std::string& name) const;
  /// One number per spatial axis; a lone one counts for all axes, an empty list gives `fallback`.
  std::optional<Shape> per_axis(const std::string& name, int axes, const Shape& fallback = {}) const;
  std::optional<std::vector<double>> numbers(const std::string& name) const;
  std::optional<std::string> text(const std::string& name) const;
  std::optional<Array> constant(const std::string& name) const;  ///< float32, dense

 private:
  const c10::IValue* known(const std::string& name) const;
  const c10::FunctionSchema& schema_;
  const std::vector<Argument>& arguments_;
  const std::vector<TensorFacts>& tensors_;
};

/// The engine's node, its inputs numbers of tensors, and the shape of what it makes.
struct Lowered {
  engine::Node node;
  Shape shape;
};
/// Nothing where the engine has nothing of the kind.
using LoweringRule = std::optional<Lowered> (*)(const OpCall&);

/// static const RegisterLowering relu({"relu"}, [](const OpCall& call) {...}); names without aten:: and the underscore of those in place.
struct RegisterLowering {
  RegisterLowering(std::initializer_list<const char*> operators, LoweringRule rule);
};
/// "aten::relu_" finds the rule of relu; nullptr if there is none.
LoweringRule find_lowering(const std::string& name);

/// Whether an operator does to every sample of a batch what it does to one alone, going by its name, arguments and the shapes of what it makes.
bool is_per_sample(const std::string& name, const OpCall& call, const std::vector<Shape>& results);

}  // namespace vesal::nn
