#include "bundle/expr_eval.h"

#include <algorithm>
#include <set>

#include "bundle/expr_runtime.h"

namespace vesal::bundle::expr {
namespace {

/// Local variables of a lambda or comprehension; inner ones see the outer.
struct Scope {
  std::vector<std::pair<std::string, Value>> names;
  std::shared_ptr<Scope> outer;

  void set(const std::string& name, Value value) {
    for (auto& [n, v] : names)
      if (n == name) {
        v = std::move(value);
        return;
      }
    names.emplace_back(name, std::move(value));
  }
  const Value* find(const std::string& name) const {
    for (const Scope* s = this; s; s = s->outer.get())
      for (const auto& [n, v] : s->names)
        if (n == name) return &v;
    return nullptr;
  }
};
using ScopePtr = std::shared_ptr<Scope>;

struct Context {
  std::shared_ptr<const Environment> environment;
  ScopePtr scope;
};

Value eval(const NodePtr& node, const Context& c);

/// Python's builtins that reach the system or the interpreter; naming them says so.
const std::set<std::string, std::less<>> kDangerous{"open",  "exec",    "eval",    "compile", "__import__", "globals",     "locals",       "vars",
                                                    "input", "getattr", "delattr", "hasattr", "breakpoint", "memoryview",  "__builtins__", "exit",
                                                    "quit",  "help",    "type",    "super",   "object",     "classmethod", "id",           "dir"};

Value name_value(const std::string& name, const Context& c) {
  if (c.scope)
    if (const Value* local = c.scope->find(name)) return *local;
  if (auto imported = c.environment->name(name)) return *imported;
  if (const Value* allowed = allowed::find(name)) return *allowed;
  if (name == "np") return lookup("numpy");
  if (name == "monai" || name == "torch" || allowed::is_prefix(name)) return lookup(name);
  if (name.starts_with("__") || kDangerous.contains(name)) throw Error(ErrorKind::refused, "'" + name + "' is not allowed in an expression");
  throw Error(ErrorKind::config, "name '" + name + "' is not defined" + suggestion(name, allowed::known()));
}

/// "a.b.c" without insisting that it names something yet.
Value path_value(const NodePtr& node, const Context& c) {
  if (node->kind == Kind::name) return name_value(node->text, c);
  if (node->kind != Kind::attribute) return eval(node, c);
  const Deeper level;
  return attribute(path_value(node->kids[0], c), node->text);
}

void assign(const NodePtr& target, const Value& value, Scope& scope) {
  if (target->kind == Kind::name) {
    scope.set(target->text, value);
    return;
  }
  const std::vector<Value> items = drain(value);
  const auto& wanted = target->kids;
  const auto star = std::find_if(wanted.begin(), wanted.end(), [](const NodePtr& n) { return n->kind == Kind::star; });
  if (star == wanted.end() ? items.size() != wanted.size() : items.size() + 1 < wanted.size())
    fail("cannot unpack " + std::to_string(items.size()) + " values into " + std::to_string(wanted.size()) + " names");
  const auto before = static_cast<std::size_t>(star - wanted.begin());
  for (std::size_t i = 0; i < std::min(before, wanted.size()); ++i) assign(wanted[i], items[i], scope);
  if (star == wanted.end()) return;
  const std::size_t after = wanted.size() - before - 1;
  List rest{{items.begin() + static_cast<std::ptrdiff_t>(before), items.end() - static_cast<std::ptrdiff_t>(after)}};
  scope.set((*star)->kids[0]->text, std::move(rest));
  for (std::size_t i = 0; i < after; ++i) assign(wanted[before + 1 + i], items[items.size() - after + i], scope);
}

/// The loops of a comprehension: each advance() makes the next combination that passes every condition.
class Loops {
 public:
  Loops(NodePtr node, const Context& outer) : node_(std::move(node)), context_(outer) {
    context_.scope = std::make_shared<Scope>(Scope{{}, outer.scope});
    open_.push_back(iterate(eval(node_->clauses[0].source, outer)));
  }
  const Context& context() const { return context_; }
  const Node& node() const { return *node_; }

  bool advance() {
    while (!open_.empty()) {
      spend();
      const Clause& clause = node_->clauses[open_.size() - 1];
      const auto value = open_.back()->next();
      if (!value) {
        open_.pop_back();
        continue;
      }
      assign(clause.target, *value, *context_.scope);
      const bool passes = std::all_of(clause.conditions.begin(), clause.conditions.end(), [&](const NodePtr& n) { return truth(eval(n, context_)); });
      if (!passes) continue;
      if (open_.size() == node_->clauses.size()) return true;
      open_.push_back(iterate(eval(node_->clauses[open_.size()].source, context_)));
    }
    return false;
  }

 private:
  NodePtr node_;
  Context context_;
  std::vector<IteratorPtr> open_;
};

class Generator : public Iterator {
 public:
  Generator(NodePtr node, const Context& outer) : loops_(std::move(node), outer) {}
  std::string type_name() const override { return "generator"; }
  std::optional<Value> next() override {
    const Budget budget;
    const Deeper level;
    if (!loops_.advance()) return std::nullopt;
    return eval(loops_.node().kids[0], loops_.context());
  }

 private:
  Loops loops_;
};

class Lambda : public Function {
 public:
  Lambda(NodePtr node, Context context, std::vector<Value> fallbacks)
      : Function("<lambda>", nullptr), node_(std::move(node)), context_(std::move(context)), fallbacks_(std::move(fallbacks)) {}
  std::string repr() const override { return node_->text; }

  Value call(const CallArgs& args) override {
    const Budget budget;
    const Deeper level;
    auto scope = std::make_shared<Scope>(Scope{{}, context_.scope});
    bind(args, *scope);
    return eval(node_->kids[0], {context_.environment, scope});
  }

 private:
  void bind(const CallArgs& args, Scope& scope) const {
    std::size_t taken = 0;
    std::set<std::string> used;
    bool only_named = false;
    for (std::size_t i = 0; i < node_->parameters.size(); ++i) {
      const Parameter& p = node_->parameters[i];
      if (p.stars == 1) {
        only_named = true;
        if (p.name.empty()) continue;
        Tuple rest{{args.positional.begin() + static_cast<std::ptrdiff_t>(std::min(taken, args.positional.size())), args.positional.end()}};
        taken = args.positional.size();
        scope.set(p.name, std::move(rest));
      } else if (p.stars == 2) {
        Dict rest;
        for (const auto& [name, value] : args.named)
          if (!used.contains(name)) rest[name] = value, used.insert(name);
        scope.set(p.name, std::move(rest));
      } else {
        const auto named = std::find_if(args.named.begin(), args.named.end(), [&](const auto& a) { return a.first == p.name; });
        if (!only_named && taken < args.positional.size()) {
          if (named != args.named.end()) fail("the lambda got argument '" + p.name + "' twice");
          scope.set(p.name, args.positional[taken++]);
        } else if (named != args.named.end()) {
          scope.set(p.name, named->second);
          used.insert(p.name);
        } else if (p.fallback) {
          scope.set(p.name, fallbacks_[i]);
        } else {
          fail("the lambda needs the argument '" + p.name + "'");
        }
      }
    }
    if (taken < args.positional.size())
      fail("the lambda takes " + std::to_string(taken) + " arguments, got " + std::to_string(args.positional.size()));
    for (const auto& [name, value] : args.named)
      if (!used.contains(name)) fail("the lambda has no argument '" + name + "'");
  }

  NodePtr node_;
  Context context_;
  std::vector<Value> fallbacks_;
};

std::vector<Value> eval_items(const Node& node, const Context& c) {
  std::vector<Value> items;
  for (const NodePtr& kid : node.kids) {
    if (kid->kind != Kind::star) {
      items.push_back(eval(kid, c));
      continue;
    }
    std::vector<Value> more = drain(eval(kid->kids[0], c));
    items.insert(items.end(), more.begin(), more.end());
  }
  spend(static_cast<std::int64_t>(items.size()));
  return items;
}

Value eval_dict(const Node& node, const Context& c) {
  Dict dict;
  for (std::size_t i = 0; i < node.kids.size(); i += 2) {
    if (node.kids[i]) {
      const Value key = eval(node.kids[i], c);
      check_hashable(key);
      dict[key] = eval(node.kids[i + 1], c);
    } else {
      const Value spread = eval(node.kids[i + 1], c);
      for (const auto& [key, value] : spread.as_dict()) spend(), dict[key] = value;
    }
  }
  return dict;
}

Value eval_call(const Node& node, const Context& c) {
  const Value callee = eval(node.kids[0], c);
  CallArgs args;
  for (std::size_t i = 1; i < node.kids.size(); ++i) {
    const NodePtr& kid = node.kids[i];
    if (kid->kind == Kind::star) {
      const std::vector<Value> more = drain(eval(kid->kids[0], c));
      args.positional.insert(args.positional.end(), more.begin(), more.end());
    } else if (kid->kind == Kind::keyword) {
      args.named.emplace_back(kid->text, eval(kid->kids[0], c));
    } else if (kid->kind == Kind::double_star) {
      const Value spread = eval(kid->kids[0], c);
      for (const auto& [key, value] : spread.as_dict()) {
        const std::string& name = key.as_string();
        const bool twice = std::any_of(args.named.begin(), args.named.end(), [&name](const auto& a) { return a.first == name; });
        if (twice) fail("argument '" + name + "' twice");
        args.named.emplace_back(name, value);
      }
    } else {
      args.positional.push_back(eval(kid, c));
    }
  }
  return call(callee, args);
}

Value eval_fstring(const Node& node, const Context& c) {
  std::string text;
  for (const NodePtr& part : node.kids) {
    if (part->kind == Kind::constant) {
      text += part->value.as_string();
    } else {
      Value v = eval(part->kids[0], c);
      if (part->text == "r" || part->text == "a") v = v.repr();
      else if (part->text == "s") v = v.str();
      text += format_value(v, part->kids[1] ? eval(part->kids[1], c).as_string() : "");
    }
    if (static_cast<std::int64_t>(text.size()) > kMaxString) throw Error(ErrorKind::refused, "a string longer than " + std::to_string(kMaxString));
  }
  spend(static_cast<std::int64_t>(text.size() / 64));
  return text;
}

Value eval_compare(const Node& node, const Context& c) {
  Value left = eval(node.kids[0], c), result;
  for (std::size_t i = 0; i < node.ops.size(); ++i) {
    const Value right = eval(node.kids[i + 1], c);
    result = compare(node.ops[i], left, right);
    if (i + 1 < node.ops.size() && !truth(result)) return result;
    left = right;
  }
  return result;
}

Value eval_comprehension(const NodePtr& node, const Context& c) {
  Loops loops(node, c);
  if (node->kind == Kind::list_comp) {
    List list;
    while (loops.advance()) list.items.push_back(eval(node->kids[0], loops.context()));
    return list;
  }
  if (node->kind == Kind::set_comp) {
    auto set = std::make_shared<Set>();
    while (loops.advance()) set->add(eval(node->kids[0], loops.context()));
    return set;
  }
  Dict dict;
  while (loops.advance()) {
    const Value key = eval(node->kids[0], loops.context());
    check_hashable(key);
    dict[key] = eval(node->kids[1], loops.context());
  }
  return dict;
}

Value eval_lambda(const NodePtr& node, const Context& c) {
  std::vector<Value> fallbacks;
  for (const Parameter& p : node->parameters) fallbacks.push_back(p.fallback ? eval(p.fallback, c) : Value());
  return std::make_shared<Lambda>(node, c, std::move(fallbacks));
}

Value eval_boolean(const Node& node, const Context& c) {
  Value v;
  for (const NodePtr& kid : node.kids) {
    v = eval(kid, c);
    if (&kid != &node.kids.back() && truth(v) == (node.text == "or")) break;
  }
  return v;
}

Value eval(const NodePtr& node, const Context& c) {
  const Deeper level;
  spend();
  switch (node->kind) {
    case Kind::constant: return node->value;
    case Kind::name:
    case Kind::attribute: {
      Value v = path_value(node, c);
      check_known(v);
      return v;
    }
    case Kind::reference: return c.environment->reference(node->text);
    case Kind::fstring: return eval_fstring(*node, c);
    case Kind::list: return List{eval_items(*node, c)};
    case Kind::tuple: return Tuple{eval_items(*node, c)};
    case Kind::set: {
      auto set = std::make_shared<Set>();
      for (const Value& v : eval_items(*node, c)) set->add(v);
      return set;
    }
    case Kind::dict: return eval_dict(*node, c);
    case Kind::index: {
      const Value container = eval(node->kids[0], c);
      return item(container, eval(node->kids[1], c));
    }
    case Kind::slice: {
      auto part = [&](std::size_t i) { return node->kids[i] ? eval(node->kids[i], c) : Value(); };
      return std::make_shared<Slice>(part(0), part(1), part(2));
    }
    case Kind::call: return eval_call(*node, c);
    case Kind::unary: {
      const Value v = eval(node->kids[0], c);
      return node->text == "not" ? Value(!truth(v)) : unary(node->text, v);
    }
    case Kind::binary: {
      const Value left = eval(node->kids[0], c);
      return binary(node->text, left, eval(node->kids[1], c));
    }
    case Kind::compare: return eval_compare(*node, c);
    case Kind::boolean: return eval_boolean(*node, c);
    case Kind::conditional: return eval(node->kids[truth(eval(node->kids[0], c)) ? 1 : 2], c);
    case Kind::lambda: return eval_lambda(node, c);
    case Kind::list_comp:
    case Kind::set_comp:
    case Kind::dict_comp: return eval_comprehension(node, c);
    case Kind::generator: return std::make_shared<Generator>(node, c);
    case Kind::field:
    case Kind::star:
    case Kind::double_star:
    case Kind::keyword: break;
  }
  fail("misplaced '*'");
}

/// Only constants, bare words, signs and displays.
bool is_literal(const NodePtr& node) {
  if (!node) return true;
  switch (node->kind) {
    case Kind::constant:
    case Kind::name: return true;
    case Kind::unary: return node->text != "not" && is_literal(node->kids[0]);
    case Kind::list:
    case Kind::tuple:
    case Kind::set:
    case Kind::dict: return std::all_of(node->kids.begin(), node->kids.end(), is_literal);
    default: return false;
  }
}

/// Every name stands for itself.
class BareWords : public Environment {
 public:
  std::optional<Value> name(const std::string& name) const override { return Value(name); }
  Value reference(const std::string& id) const override { return "@" + id; }
};

}  // namespace

Value evaluate(const NodePtr& tree, std::shared_ptr<const Environment> environment) {
  const Budget budget;
  return eval(tree, {std::move(environment), nullptr});
}

std::optional<Value> literal(const std::string& text) {
  try {
    const NodePtr tree = parse(text);
    if (is_literal(tree)) return evaluate(tree, std::make_shared<BareWords>());
  } catch (const Error&) {
    // Not Python: the caller keeps the text.
  }
  return std::nullopt;
}

}  // namespace vesal::bundle::expr
