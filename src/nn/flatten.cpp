// Walks a graph of TorchScript for an input of one shape.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/normalize_ops.h>
#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <set>

#include "nn/flat_program.h"
#include "nn/lowering_rule.h"
#include "nn/network.h"

namespace vesal::nn {
namespace {

namespace jit = torch::jit;
using c10::IValue;

constexpr std::size_t kMostSteps = 200000;

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorKind::unsupported, why); }

/// A tensor of the program under the name it has for now: what is written in place gives the name another tensor.
struct Cell {
  std::size_t tensor;
};

/// What stands for a value of the graph.
struct Item {
  enum class Kind { known, tensor, list };
  Kind kind = Kind::known;
  IValue known;
  std::shared_ptr<Cell> cell;
  std::shared_ptr<std::vector<Item>> items;  ///< a list or tuple in which there may be tensors of the program; shared as Python's are

  static Item of(IValue value) { return {Kind::known, std::move(value), nullptr, nullptr}; }
  static Item of(std::shared_ptr<Cell> cell) { return {Kind::tensor, IValue(), std::move(cell), nullptr}; }
  static Item of(std::vector<Item> items) { return {Kind::list, IValue(), nullptr, std::make_shared<std::vector<Item>>(std::move(items))}; }
  bool is_known() const { return kind == Kind::known; }
  bool all_known() const {
    return is_known() || (items && std::all_of(items->begin(), items->end(), [](const Item& i) { return i.all_known(); }));
  }
};

/// What an operator says about a tensor besides its numbers.
bool asks_for_facts(const std::string& name) {
  static const std::set<std::string> names{"aten::size",
                                           "aten::dim",
                                           "aten::len",
                                           "aten::numel",
                                           "aten::stride",
                                           "prim::dtype",
                                           "prim::device",
                                           "prim::layout",
                                           "prim::is_cuda",
                                           "prim::is_sparse",
                                           "prim::shape",
                                           "prim::ndim",
                                           "prim::is_meta",
                                           "aten::is_contiguous",
                                           "prim::requires_grad",
                                           "prim::is_mps",
                                           "prim::type",
                                           "prim::is_quantized",
                                           "aten::is_floating_point",
                                           "aten::is_complex"};
  return names.count(name) > 0;
}

bool has_tag(const c10::FunctionSchema& schema, at::Tag tag) {
  const auto found = c10::Dispatcher::singleton().findSchema({schema.name(), schema.overload_name()});
  return found && found->hasTag(tag);
}

IValue list_of(const c10::TypePtr& element, const std::vector<IValue>& values) {
  c10::impl::GenericList list(element);
  for (const IValue& value : values) list.push_back(value);
  return list;
}

class Walker {
 public:
  Walker(const Network& network, const Shape& input) {
    for (const auto& [name, tensor] : network.named_state()) {
      if (tensor.numel() == 0) continue;
      names_.emplace(tensor.data_ptr(), name.substr(0, name.rfind('.')));
      state_.insert(tensor.storage().data());
    }
    Shape strides(input.size(), 1);
    for (std::size_t i = input.size(); i-- > 1;) strides[i - 1] = strides[i] * input[i];
    input_ = fresh({input, strides, torch::kFloat, 0});
  }

  FlatProgram run(jit::Graph& graph, const IValue& self) {
    auto inputs = graph.inputs();
    std::size_t first = 0;
    if (self.isObject()) set(inputs[first++], Item::of(self));
    if (inputs.size() != first + 1) refuse("it takes " + std::to_string(inputs.size() - first) + " inputs");
    set(inputs[first], Item::of(input_));
    block(*graph.block());
    for (const jit::Value* output : graph.outputs()) add_output(get(output), true);
    return std::move(program_);
  }

 private:
  void set(const jit::Value* value, Item item) { items_[value] = std::move(item); }
  const Item& get(const jit::Value* value) const { return items_.at(value); }
  const IValue& known(const jit::Value* value, const char* what) const {
    const Item& item = get(value);
    if (!item.is_known()) refuse(std::string(what) + " depends on the numbers");
    return item.known;
  }
  const TensorFacts& facts(const Item& item) const { return program_.tensors[item.cell->tensor]; }

  std::size_t add_tensor(TensorFacts facts) {
    program_.tensors.push_back(std::move(facts));
    return program_.tensors.size() - 1;
  }
  /// A new name for a new tensor, in memory of its own if facts.memory is 0.
  std::shared_ptr<Cell> fresh(TensorFacts facts) {
    if (facts.memory == 0) facts.memory = ++memories_;
    ++names_of_memory_[facts.memory];
    return std::make_shared<Cell>(Cell{add_tensor(std::move(facts))});
  }

  void add_output(const Item& item, bool outermost) {
    if (item.kind == Item::Kind::tensor) program_.outputs.push_back(item.cell->tensor);
    else if (item.kind == Item::Kind::list && outermost)
      for (const Item& inner : *item.items) add_output(inner, false);
    else refuse(item.kind == Item::Kind::list ? "it returns lists of lists" : "an output does not depend on the input");
  }

  void block(jit::Block& b) {
    for (jit::Node* node : b.nodes()) {
      if (++steps_ > kMostSteps) refuse("more than " + std::to_string(kMostSteps) + " steps");
      step(*node);
    }
  }

  void step(jit::Node& node) {
    const auto kind = node.kind();
    if (kind == c10::prim::Constant) set(node.output(), Item::of(jit::toIValue(node.output()).value_or(IValue())));
    else if (kind == c10::prim::GetAttr)
      set(node.output(), Item::of(known(node.input(), "an object").toObjectRef().getAttr(node.s(c10::attr::name))));
    else if (kind == c10::prim::ListConstruct || kind == c10::prim::TupleConstruct) construct(node);
    else if (kind == c10::prim::ListUnpack || kind == c10::prim::TupleUnpack) unpack(node);
    else if (kind == c10::prim::If) branch(node);
    else if (kind == c10::prim::Loop) loop(node);
    else if (kind == c10::prim::unchecked_cast) set(node.output(), get(node.input()));
    else if (kind == c10::prim::Uninitialized) set(node.output(), Item::of(IValue()));
    else if (kind == c10::prim::isinstance) is_instance(node);
    else if (kind == c10::prim::Print || kind == c10::aten::warn) return;
    else if (kind == c10::prim::RaiseException) refuse("it raises an exception for this shape");
    else if (kind == c10::prim::SetAttr) refuse("it keeps state from call to call");
    else if (kind == c10::prim::DictConstruct) refuse("it makes a dict");
    else if (kind == c10::prim::CallMethod || kind == c10::prim::CallFunction || kind == c10::prim::PythonOp)
      refuse(std::string("it calls what is known only when it runs (") + kind.toQualString() + ")");
    else if (!of_lists(node)) op(node);
  }

  void construct(jit::Node& node) {
    std::vector<Item> items;
    bool all_known = true;
    for (const jit::Value* input : node.inputs()) {
      items.push_back(get(input));
      all_known = all_known && items.back().is_known();
    }
    const bool tuple = node.kind() == c10::prim::TupleConstruct;
    const auto list = node.output()->type()->cast<c10::ListType>();
    const bool of_tensors = list && list->getElementType()->isSubtypeOf(*c10::OptionalType::ofTensor());
    if (!all_known || of_tensors) return set(node.output(), Item::of(std::move(items)));
    std::vector<IValue> values;
    for (Item& item : items) values.push_back(item.known);
    set(node.output(), Item::of(tuple ? IValue(c10::ivalue::Tuple::create(std::move(values))) : list_of(list->getElementType(), values)));
  }

  static std::vector<Item> items_of(const Item& item) {
    if (item.kind == Item::Kind::list) return *item.items;
    std::vector<Item> out;
    if (item.known.isTuple())
      for (const IValue& value : item.known.toTupleRef().elements()) out.push_back(Item::of(value));
    else if (item.known.isList())
      for (const IValue& value : item.known.toListRef()) out.push_back(Item::of(value));
    else refuse("it takes apart what is no list");
    return out;
  }

  void unpack(jit::Node& node) {
    const std::vector<Item> items = items_of(get(node.input()));
    if (items.size() != node.outputs().size()) refuse("a list of another length than it takes apart");
    for (std::size_t i = 0; i < items.size(); ++i) set(node.outputs()[i], items[i]);
  }

  void branch(jit::Node& node) {
    jit::Block& taken = *node.blocks()[known(node.input(), "a decision").toBool() ? 0 : 1];
    block(taken);
    for (std::size_t i = 0; i < node.outputs().size(); ++i) set(node.outputs()[i], get(taken.outputs()[i]));
  }

  void loop(jit::Node& node) {
    const std::int64_t most = known(node.inputs()[0], "a number of rounds").toInt();
    bool go_on = known(node.inputs()[1], "a decision").toBool();
    std::vector<Item> carried;
    for (std::size_t i = 2; i < node.inputs().size(); ++i) carried.push_back(get(node.inputs()[i]));
    jit::Block& body = *node.blocks()[0];
    for (std::int64_t round = 0; round < most && go_on; ++round) {
      set(body.inputs()[0], Item::of(round));
      for (std::size_t i = 0; i < carried.size(); ++i) set(body.inputs()[i + 1], carried[i]);
      block(body);
      go_on = known(body.outputs()[0], "a decision").toBool();
      for (std::size_t i = 0; i < carried.size(); ++i) carried[i] = get(body.outputs()[i + 1]);
      if (++steps_ > kMostSteps) refuse("more than " + std::to_string(kMostSteps) + " steps");
    }
    for (std::size_t i = 0; i < carried.size(); ++i) set(node.outputs()[i], carried[i]);
  }

  void is_instance(jit::Node& node) {
    const Item& item = get(node.input());
    const c10::TypePtr type = item.is_known() ? item.known.type() : item.cell ? c10::TypePtr(c10::TensorType::get()) : node.input()->type();
    const auto types = node.tys(c10::attr::types);
    set(node.output(), Item::of(std::any_of(types.begin(), types.end(), [&](const auto& t) { return type->isSubtypeOf(*t); })));
  }

  /// What Python does to lists, where tensors of the program are in them.
  bool of_lists(jit::Node& node) {
    const std::string name = node.kind().toQualString();
    if (name == "aten::__is__" || name == "aten::__isnot__") {
      const Item &a = get(node.inputs()[0]), &b = get(node.inputs()[1]);
      if (a.is_known() && b.is_known()) return false;
      if (!(a.is_known() && a.known.isNone()) && !(b.is_known() && b.known.isNone())) refuse("it asks which of two tensors is which");
      set(node.output(), Item::of(name == "aten::__isnot__"));
      return true;
    }
    if (node.inputs().empty() || get(node.inputs()[0]).kind != Item::Kind::list) return false;
    const Item list = get(node.inputs()[0]);
    std::vector<Item>& items = *list.items;
    const auto place = [&](std::int64_t i, std::size_t limit) {
      if (i < 0) i += static_cast<std::int64_t>(items.size());
      if (i < 0 || i >= static_cast<std::int64_t>(limit)) refuse("it reads past the end of a list");
      return i;
    };
    const auto number = [&](std::size_t input) { return known(node.inputs()[input], "a place in a list").toInt(); };
    if (name == "aten::append") items.push_back(get(node.inputs()[1]));
    else if (name == "aten::insert") items.insert(items.begin() + place(number(1), items.size() + 1), get(node.inputs()[2]));
    else if (name == "aten::extend") {
      const std::vector<Item> more = items_of(get(node.inputs()[1]));
      items.insert(items.end(), more.begin(), more.end());
    } else if (name == "aten::reverse") std::reverse(items.begin(), items.end());
    else if (name == "aten::len") set(node.output(), Item::of(static_cast<std::int64_t>(items.size())));
    else if (name == "aten::__getitem__" || name == "prim::TupleIndex")
      set(node.output(), Item(items[static_cast<std::size_t>(place(number(1), items.size()))]));
    else if (name == "aten::list") set(node.output(), Item::of(items));
    else if (name == "aten::add") {
      std::vector<Item> both = items;
      const std::vector<Item> more = items_of(get(node.inputs()[1]));
      both.insert(both.end(), more.begin(), more.end());
      set(node.output(), Item::of(std::move(both)));
      return true;
    } else return false;
    if (name == "aten::append" && node.outputs().size() == 1) set(node.output(), list);
    return true;
  }

  /// As an argument of this type: a list in which all is known becomes one of libtorch's.
  Argument argument(const Item& item, const c10::TypePtr& type) const {
    if (item.kind == Item::Kind::tensor) return {Argument::Kind::tensor, IValue(), item.cell->tensor, {}};
    if (item.is_known()) return {Argument::Kind::known, item.known, 0, {}};
    if (item.all_known()) {
      if (type->kind() != c10::TypeKind::ListType) refuse("a list where an operator wants a " + type->annotation_str());
      std::vector<IValue> values;
      for (const Item& inner : *item.items) values.push_back(inner.known);
      return {Argument::Kind::known, list_of(type->expectRef<c10::ListType>().getElementType(), values), 0, {}};
    }
    Argument out{Argument::Kind::list, IValue(), 0, {}};
    const c10::TypePtr inner_type = type->kind() == c10::TypeKind::ListType ? type->expectRef<c10::ListType>().getElementType() : type;
    for (const Item& inner : *item.items) out.items.push_back(argument(inner, inner_type));
    return out;
  }

  void op(jit::Node& node) {
    const c10::FunctionSchema* schema = node.maybeSchema();
    if (!schema) refuse(std::string("libtorch's ") + node.kind().toQualString() + " is unknown here");
    FlatOp out;
    out.name = schema->name();
    bool all_known = true;
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      const c10::TypePtr type = i < schema->arguments().size() ? schema->arguments()[i].type() : node.inputs()[i]->type();
      out.arguments.push_back(argument(get(node.inputs()[i]), type));
      all_known = all_known && out.arguments.back().kind == Argument::Kind::known;
      if (i < schema->arguments().size() && schema->arguments()[i].alias_info() && schema->arguments()[i].alias_info()->isWrite())
        out.overwritten.push_back(i);
    }
    if (node.isNondeterministic() || has_tag(*schema, at::Tag::nondeterministic_seeded))
      refuse_chance(OpCall(*schema, out.arguments, program_.tensors), out.name);
    out.run = std::make_shared<jit::Operation>(node.getOperation());
    if (all_known) return fold(node, out);
    if (has_tag(*schema, at::Tag::dynamic_output_shape) || has_tag(*schema, at::Tag::data_dependent_output))
      refuse("what " + schema->name() + " gives depends on the numbers");
    for (const std::size_t place : out.overwritten)
      if (out.arguments[place].kind != Argument::Kind::tensor) refuse(schema->name() + " writes into what the network keeps");
      else if (names_of_memory_[facts(get(node.inputs()[place])).memory] > 1) refuse(schema->name() + " writes into a part of another tensor");
    label(out);
    if (!lower(node, *schema, out)) try_out(node, *schema, out);
  }

  /// Dropout in evaluation leaves nothing to chance.
  static void refuse_chance(const OpCall& call, const std::string& name) {
    for (const char* switch_of : {"train", "training"})
      if (call.integer(switch_of) == 0) return;
    refuse("chance: " + name);
  }

  /// Computes now what does not depend on the input.
  void fold(jit::Node& node, FlatOp& op) {
    for (const std::size_t place : op.overwritten) {
      const IValue& value = op.arguments[place].known;
      if (value.isTensor() && value.toTensor().defined() && state_.count(value.toTensor().storage().data()))
        refuse(op.name + " changes what the network keeps");
    }
    jit::Stack stack;
    for (const Argument& a : op.arguments) stack.push_back(a.known);
    (*op.run)(stack);
    for (std::size_t i = 0; i < node.outputs().size(); ++i) set(node.outputs()[i], Item::of(stack[stack.size() - node.outputs().size() + i]));
  }

  void label(FlatOp& op) const {
    op.label = op.name;
    for (const Argument& a : op.arguments) {
      if (a.kind != Argument::Kind::known || !a.known.isTensor() || !a.known.toTensor().defined() || a.known.toTensor().numel() == 0) continue;
      const auto found = names_.find(a.known.toTensor().data_ptr());
      if (found == names_.end()) continue;
      op.label = found->second;
      return;
    }
  }

  /// By a rule, if there is one and it can.
  bool lower(jit::Node& node, const c10::FunctionSchema& schema, FlatOp& op) {
    const LoweringRule rule = find_lowering(op.name);
    if (!rule || node.outputs().size() != 1) return false;
    bool fits = true;
    op.each_input([&](std::size_t t) {
      const TensorFacts& f = program_.tensors[t];
      fits = fits && f.is_float() && f.shape.size() >= 3 && f.shape.size() <= 5 && f.shape[0] == 1 && numel_of(f.shape) > 0;
    });
    if (!fits) return false;
    std::optional<Lowered> found = rule(OpCall(schema, op.arguments, program_.tensors));
    if (!found) return false;
    found->node.label = op.label;
    op.lowered = std::move(found->node);
    Shape strides(found->shape.size(), 1);
    for (std::size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * found->shape[i];
    finish(node, op, {{{found->shape, strides, torch::kFloat, 0}}});
    return true;
  }

  /// Tells the outputs of an operator without a rule by running it on tensors of the inputs' shapes.
  void try_out(jit::Node& node, const c10::FunctionSchema& schema, FlatOp& op) {
    if (op.name == "aten::as_strided") refuse("aten::as_strided looks into memory");
    std::map<std::size_t, Tensor> samples;
    const bool index = op.name == "aten::index" || op.name.starts_with("aten::index_put");
    op.each_input([&](std::size_t t) {
      const TensorFacts& f = program_.tensors[t];
      if (index && (f.type == torch::kBool || f.type == torch::kUInt8)) refuse("what " + op.name + " gives depends on the numbers");
      Tensor sample = torch::empty_strided(f.shape, f.strides, f.type);
      if (!sample.is_floating_point()) sample.zero_();  // they may be places
      samples[t] = sample;
    });
    const std::function<IValue(const Argument&, const c10::TypePtr&)> made = [&](const Argument& a, const c10::TypePtr& type) -> IValue {
      if (a.kind == Argument::Kind::known) return a.known;
      if (a.kind == Argument::Kind::tensor) return samples.at(a.tensor);
      const c10::TypePtr element = type->expectRef<c10::ListType>().getElementType();
      std::vector<IValue> values;
      for (const Argument& item : a.items) values.push_back(made(item, element));
      return list_of(element, values);
    };
    jit::Stack stack;
    for (std::size_t i = 0; i < op.arguments.size(); ++i)
      stack.push_back(made(op.arguments[i], i < schema.arguments().size() ? schema.arguments()[i].type() : node.inputs()[i]->type()));
    (*op.run)(stack);
    const std::size_t first = stack.size() - node.outputs().size();
    if (asks_for_facts(op.name)) {
      for (std::size_t i = 0; i < node.outputs().size(); ++i) set(node.outputs()[i], Item::of(stack[first + i]));
      return;
    }
    std::vector<std::vector<TensorFacts>> results;
    for (std::size_t i = 0; i < node.outputs().size(); ++i) {
      const IValue& value = stack[first + i];
      results.emplace_back();
      if (value.isTensor() && value.toTensor().defined()) {
        if (op.overwritten.empty() && node.outputs().size() == 1 && same_tensor(node, op, value.toTensor(), samples)) return;
        results.back().push_back(facts_of(value.toTensor(), samples));
      } else if (value.isTensorList()) {
        for (const Tensor& tensor : value.toTensorVector()) results.back().push_back(facts_of(tensor, samples));
      } else refuse("what " + op.name + " gives (" + value.tagKind() + ") depends on the numbers");
    }
    finish(node, op, results);
  }

  /// Dropout in evaluation, contiguous() of what is contiguous: the output is the input.
  bool same_tensor(jit::Node& node, const FlatOp& op, const Tensor& output, const std::map<std::size_t, Tensor>& samples) {
    for (std::size_t i = 0; i < op.arguments.size(); ++i) {
      if (op.arguments[i].kind != Argument::Kind::tensor) continue;
      const Tensor& sample = samples.at(op.arguments[i].tensor);
      if (output.numel() == 0 || output.data_ptr() != sample.data_ptr() || output.sizes() != sample.sizes() || output.strides() != sample.strides() ||
          output.scalar_type() != sample.scalar_type())
        continue;
      set(node.output(), get(node.inputs()[i]));
      return true;
    }
    return false;
  }

  TensorFacts facts_of(const Tensor& tensor, const std::map<std::size_t, Tensor>& samples) const {
    if (tensor.layout() != torch::kStrided || !tensor.device().is_cpu()) refuse("a tensor that is sparse or on another device");
    TensorFacts out{shape_of(tensor), Shape(tensor.strides().begin(), tensor.strides().end()), tensor.scalar_type(), 0};
    for (const auto& [number, sample] : samples)
      if (sample.storage().data() && sample.storage().data() == tensor.storage().data()) out.memory = program_.tensors[number].memory;
    return out;
  }

  /// Adds the operator; an output that stands for an overwritten input goes by that one's name.
  void finish(jit::Node& node, FlatOp& op, const std::vector<std::vector<TensorFacts>>& results) {
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const bool list = node.outputs()[i]->type()->kind() == c10::TypeKind::ListType;
      op.results.emplace_back();
      std::vector<Item> items;
      for (const TensorFacts& f : results[i]) {
        shapes.push_back(f.shape);
        if (i == 0 && !op.overwritten.empty() && !list) {
          const Item& target = get(node.inputs()[op.overwritten[0]]);
          TensorFacts own = f;
          own.memory = facts(target).memory;
          target.cell->tensor = add_tensor(std::move(own));
          items.push_back(target);
        } else {
          items.push_back(Item::of(fresh(f)));
        }
        op.results.back().push_back(items.back().cell->tensor);
      }
      set(node.outputs()[i], list ? Item::of(std::move(items)) : items.at(0));
    }
    if (op.overwritten.size() > 1) refuse(op.name + " writes into several tensors");
    op.per_sample = op.lowered || is_per_sample(op.name, OpCall(node.schema(), op.arguments, program_.tensors), shapes);
    program_.ops.push_back(std::move(op));
  }

  FlatProgram program_;
  std::map<const jit::Value*, Item> items_;
  std::map<const void*, std::string> names_;
  std::set<const void*> state_;
  std::map<std::size_t, std::size_t> names_of_memory_;
  std::shared_ptr<Cell> input_;
  std::size_t steps_ = 0, memories_ = 0;
};

}  // namespace

FlatProgram flatten(const Network& network, const std::shared_ptr<jit::Graph>& graph, const IValue& self, const Shape& input) {
  try {
    const std::shared_ptr<jit::Graph> own = graph->copy();
    jit::Inline(*own);
    jit::NormalizeOps(own);
    return Walker(network, input).run(*own, self);
  } catch (const Error& e) { throw Error(ErrorKind::unsupported, e.what()); } catch (const c10::Error& e) {
    const std::string text = e.what_without_backtrace();
    throw Error(ErrorKind::unsupported, text.substr(0, text.find('\n')));
  } catch (const std::exception& e) {
    const std::string text = e.what();
    throw Error(ErrorKind::unsupported, text.substr(0, text.find('\n')));
  }
}

}  // namespace vesal::nn
