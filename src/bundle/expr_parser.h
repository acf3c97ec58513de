// The tree of an expression.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace vesal::bundle::expr {

struct Node;
using NodePtr = std::shared_ptr<const Node>;

/// What a node is, and what its kids are (a kid may be null where marked ?).
enum class Kind {
  constant,     ///< value
  name,         ///< text
  reference,    ///< text: the id
  fstring,      ///< parts: constants and fields
  field,        ///< expression, format spec? (an fstring); text: the conversion "r", "s", "a" or ""
  list,         ///< items, some of them star
  tuple,        ///< items
  set,          ///< items
  dict,         ///< key?, value, key?, value ...; no key: the value is spread
  attribute,    ///< object; text
  index,        ///< object, index
  slice,        ///< begin?, end?, step?
  call,         ///< callee, arguments: plain, star, double_star or keyword
  star,         ///< value
  double_star,  ///< value
  keyword,      ///< value; text
  unary,        ///< operand; text: "-", "+", "~", "not"
  binary,       ///< left, right; text
  compare,      ///< operands; ops: between them
  boolean,      ///< operands; text: "and" or "or"
  conditional,  ///< condition, then, else
  lambda,       ///< body; parameters
  list_comp,    ///< element; clauses
  set_comp,     ///< element; clauses
  dict_comp,    ///< key, value; clauses
  generator     ///< element; clauses
};

/// "for target in source if condition if condition"
struct Clause {
  NodePtr target;  ///< a name, or a tuple or list of targets
  NodePtr source;
  std::vector<NodePtr> conditions;
};

struct Parameter {
  std::string name;  ///< empty for a bare "*"
  NodePtr fallback;
  int stars = 0;
};

struct Node {
  Kind kind;
  std::string text = {};
  Value value = {};
  std::vector<NodePtr> kids = {};
  std::vector<std::string> ops = {};
  std::vector<Clause> clauses = {};
  std::vector<Parameter> parameters = {};
  int height = 1;  ///< of the tree below
};

/// Deepest nesting of brackets, operators and calls that is taken.
inline constexpr int kMaxDepth = 100;
/// Tallest tree: a chain of operators or attributes makes it taller without nesting.
inline constexpr int kMaxHeight = 500;

/// One expression. Throws Error(config) naming the column of a syntax error, Error(refused) when nested too deep.
NodePtr parse(std::string_view source);

/// "import a.b as c" or "from a.b import c as d".
struct Import {
  std::string path;   ///< "a.b", or "a.b.c" of the second
  std::string alias;  ///< "c"; of "import a.b" it is "a"
  bool more = false;  ///< further names follow and are ignored, as MONAI does
};
/// Nothing if the text is no import statement.
std::optional<Import> parse_import(std::string_view text);

/// The ids that an expression refers to, each once, in their order.
std::vector<std::string> references(const NodePtr& tree);

}  // namespace vesal::bundle::expr
