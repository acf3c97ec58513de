// Evaluates the tree of an expression. Safe against hostile text: every evaluation has a budget of steps, depth and memory.
#pragma once
#include <memory>
#include <string>

#include "bundle/expr_parser.h"

namespace vesal::bundle::expr {

/// Where names and "@id" references come from beyond the expression itself; kept alive by the lambdas that come out.
class Environment {
 public:
  virtual ~Environment() = default;
  /// A name that an import bound; nothing otherwise.
  virtual std::optional<Value> name(const std::string& name) const = 0;
  virtual Value reference(const std::string& id) const = 0;
};

/// Throws Error(refused) for anything outside the allow-list, Error(config) for what Python would raise.
Value evaluate(const NodePtr& tree, std::shared_ptr<const Environment> environment);

/// One Python literal ("[1, 2]", "1e-3", "{'a': True}", "None"), where bare words are strings ("[a, b]"), as Python Fire reads
/// arguments; nothing if the text is something else.
std::optional<Value> literal(const std::string& text);

}  // namespace vesal::bundle::expr
