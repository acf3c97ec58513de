#include "bundle/expr_parser.h"

#include <algorithm>
#include <map>
#include <set>

#include "bundle/expr_lexer.h"

namespace vesal::bundle::expr {
namespace {

/// Every node is made here, so that the height of a tree, and with it the depth of every walk over it, is bounded.
NodePtr finish(Node node) {
  auto above = [&](const NodePtr& kid) {
    if (kid) node.height = std::max(node.height, kid->height + 1);
  };
  for (const NodePtr& kid : node.kids) above(kid);
  for (const Clause& clause : node.clauses) {
    above(clause.target), above(clause.source);
    for (const NodePtr& condition : clause.conditions) above(condition);
  }
  for (const Parameter& p : node.parameters) above(p.fallback);
  if (node.height > kMaxHeight) throw Error(ErrorKind::refused, "an expression of more than " + std::to_string(kMaxHeight) + " operations in a row");
  return std::make_shared<Node>(std::move(node));
}
NodePtr make(Kind kind, std::vector<NodePtr> kids, std::string text = {}) {
  return finish(Node{.kind = kind, .text = std::move(text), .kids = std::move(kids)});
}
NodePtr constant(Value v) { return finish(Node{.kind = Kind::constant, .value = std::move(v)}); }

const std::set<std::string, std::less<>> kKeywords{"False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
                                                   "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
                                                   "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
                                                   "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};
/// Left-associative operators by how strongly they bind.
const std::map<std::string, int, std::less<>> kBinary{{"|", 1}, {"^", 2}, {"&", 3}, {"<<", 4}, {">>", 4}, {"+", 5},
                                                      {"-", 5}, {"*", 6}, {"/", 6}, {"//", 6}, {"%", 6}};

class Parser {
 public:
  Parser(std::string_view source, int depth) : source_(source), tokens_(tokenize(source)), depth_(depth) {}

  NodePtr whole() {
    NodePtr tree = tuple_or_one();
    if (peek().kind != TokenKind::end) fail("unexpected " + shown());
    return tree;
  }

 private:
  /// Counts the nesting; the parser's own recursion is bounded by it.
  struct Level {
    explicit Level(int& depth) : depth_(depth) {
      if (++depth_ > kMaxDepth) throw Error(ErrorKind::refused, "an expression nested deeper than " + std::to_string(kMaxDepth));
    }
    ~Level() { --depth_; }
    int& depth_;
  };

  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool is(std::string_view text, std::size_t ahead = 0) const {
    const Token& t = peek(ahead);
    return (t.kind == TokenKind::op || t.kind == TokenKind::name) && t.text == text;
  }
  bool accept(std::string_view text) {
    if (!is(text)) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view text) {
    if (!accept(text)) fail("'" + std::string(text) + "' wanted, found " + shown());
  }
  std::string shown() const {
    const Token& t = peek();
    return t.kind == TokenKind::end ? "the end" : "'" + std::string(source_.substr(t.begin, std::min<std::size_t>(t.end - t.begin, 20))) + "'";
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorKind::config, "syntax error at column " + std::to_string(peek().begin + 1) + ": " + why);
  }
  std::string identifier() {
    const Token& t = peek();
    if (t.kind != TokenKind::name || kKeywords.contains(t.text)) fail("a name wanted, found " + shown());
    ++at_;
    return t.text;
  }

  NodePtr starred() {
    if (accept("*")) return make(Kind::star, {operators(1)});
    return expression();
  }

  /// Items up to a closing bracket or the end; one without a comma is itself.
  NodePtr tuple_or_one() {
    NodePtr first = starred();
    if (!is(",")) {
      if (first->kind == Kind::star) fail("a starred expression stands only in a list");
      return first;
    }
    std::vector<NodePtr> items{first};
    while (accept(",")) {
      if (at_end_of_items()) break;
      items.push_back(starred());
    }
    return make(Kind::tuple, std::move(items));
  }
  bool at_end_of_items() const { return peek().kind == TokenKind::end || is(")") || is("]") || is("}") || is(":") || is("="); }

  NodePtr expression() {
    const Level level(depth_);
    if (is("lambda")) return lambda();
    NodePtr value = disjunction();
    if (is(":=")) throw Error(ErrorKind::unsupported, "assignment inside an expression (:=) is not supported");
    if (!accept("if")) return value;
    NodePtr condition = disjunction();
    expect("else");
    return make(Kind::conditional, {condition, value, expression()});
  }

  NodePtr lambda() {
    const std::size_t begin = peek().begin;
    expect("lambda");
    Node node{.kind = Kind::lambda};
    std::set<std::string> names;
    while (!is(":")) {
      Parameter p;
      if (accept("**")) p.stars = 2;
      else if (accept("*")) p.stars = 1;
      else if (accept("/")) {
        if (!accept(",")) break;
        continue;
      }
      if (!(p.stars == 1 && is(","))) p.name = identifier();
      if (!p.name.empty() && !names.insert(p.name).second) fail("argument '" + p.name + "' twice");
      if (p.stars == 0 && accept("=")) p.fallback = expression();
      node.parameters.push_back(std::move(p));
      if (!accept(",")) break;
    }
    expect(":");
    node.kids.push_back(expression());
    node.text = source_.substr(begin, tokens_[at_ - 1].end - begin);
    return finish(std::move(node));
  }

  NodePtr disjunction() {
    return chain("or", [this] { return chain("and", [this] { return negation(); }); });
  }
  template <class F>
  NodePtr chain(const char* word, F&& operand) {
    std::vector<NodePtr> kids{operand()};
    while (accept(word)) kids.push_back(operand());
    return kids.size() == 1 ? kids[0] : make(Kind::boolean, std::move(kids), word);
  }
  NodePtr negation() {
    const Level level(depth_);
    if (accept("not")) return make(Kind::unary, {negation()}, "not");
    return comparison();
  }
  NodePtr comparison() {
    std::vector<NodePtr> kids{operators(1)};
    std::vector<std::string> ops;
    while (true) {
      std::string op;
      for (const char* candidate : {"==", "!=", "<=", ">=", "<", ">", "in", "is"})
        if (is(candidate)) op = candidate;
      if (op.empty() && is("not") && is("in", 1)) op = "not in", ++at_;
      if (op.empty()) break;
      ++at_;
      if (op == "is" && accept("not")) op = "is not";
      ops.push_back(op);
      kids.push_back(operators(1));
    }
    if (ops.empty()) return kids[0];
    return finish(Node{.kind = Kind::compare, .kids = std::move(kids), .ops = std::move(ops)});
  }
  /// Precedence climbing over the left-associative operators; a chain of equals does not nest the parser, only the tree.
  NodePtr operators(int binding) {
    const Level level(depth_);
    NodePtr left = factor();
    while (peek().kind == TokenKind::op) {
      const auto op = kBinary.find(peek().text);
      if (op == kBinary.end() || op->second < binding) break;
      ++at_;
      NodePtr right = operators(op->second + 1);
      left = make(Kind::binary, {left, right}, op->first);
    }
    return left;
  }
  NodePtr factor() {
    const Level level(depth_);
    for (const char* op : {"-", "+", "~"})
      if (accept(op)) return make(Kind::unary, {factor()}, op);
    NodePtr base = primary();
    if (accept("**")) return make(Kind::binary, {base, factor()}, "**");
    return base;
  }

  NodePtr primary() {
    NodePtr node = atom();
    while (true) {
      if (accept(".")) {
        node = make(Kind::attribute, {node}, identifier());
      } else if (accept("(")) {
        node = call(node);
      } else if (accept("[")) {
        node = make(Kind::index, {node, subscript()});
        expect("]");
      } else {
        return node;
      }
    }
  }

  NodePtr call(NodePtr callee) {
    std::vector<NodePtr> kids{std::move(callee)};
    std::set<std::string> names;
    while (!is(")")) {
      if (accept("**")) {
        kids.push_back(make(Kind::double_star, {expression()}));
      } else if (accept("*")) {
        kids.push_back(make(Kind::star, {expression()}));
      } else if (peek().kind == TokenKind::name && is("=", 1)) {
        std::string name = identifier();
        if (!names.insert(name).second) fail("argument '" + name + "' twice");
        expect("=");
        kids.push_back(make(Kind::keyword, {expression()}, std::move(name)));
      } else {
        if (!names.empty()) fail("a positional argument after a keyword argument");
        NodePtr value = expression();
        if (is("for") || is("async")) value = comprehension(Kind::generator, {value});
        kids.push_back(std::move(value));
      }
      if (!accept(",")) break;
    }
    expect(")");
    return make(Kind::call, std::move(kids));
  }

  NodePtr subscript() {
    std::vector<NodePtr> items;
    bool tuple = false;
    while (!is("]")) {
      items.push_back(slice());
      if (!accept(",")) break;
      tuple = true;
    }
    if (items.empty()) fail("an index wanted");
    return tuple ? make(Kind::tuple, std::move(items)) : items[0];
  }
  NodePtr slice() {
    NodePtr parts[3];
    int n = 0;
    if (!is(":")) {
      parts[0] = starred();
      if (!is(":")) return parts[0];
    }
    while (n < 2 && accept(":")) {
      ++n;
      if (!is(":") && !is("]") && !is(",")) parts[n] = expression();
    }
    return make(Kind::slice, {parts[0], parts[1], parts[2]});
  }

  NodePtr comprehension(Kind kind, std::vector<NodePtr> kids) {
    Node node{.kind = kind, .kids = std::move(kids)};
    while (accept("for")) {
      Clause clause;
      clause.target = targets();
      expect("in");
      clause.source = disjunction();
      while (accept("if")) clause.conditions.push_back(is("lambda") ? lambda() : disjunction());
      node.clauses.push_back(std::move(clause));
    }
    if (node.clauses.empty()) fail("'for' wanted, found " + shown());
    return finish(std::move(node));
  }
  NodePtr targets() {
    std::vector<NodePtr> items;
    bool tuple = false;
    do {
      if (is("in")) break;
      items.push_back(target());
    } while (accept(",") && (tuple = true));
    if (items.empty()) fail("a name is wanted after 'for'");
    return tuple ? make(Kind::tuple, std::move(items)) : items.at(0);
  }
  NodePtr target() {
    const Level level(depth_);
    if (accept("*")) return make(Kind::star, {make(Kind::name, {}, identifier())});
    const char* close = is("(") ? ")" : is("[") ? "]" : nullptr;
    if (!close) return make(Kind::name, {}, identifier());
    ++at_;
    NodePtr inner = targets();
    expect(close);
    return inner;
  }

  NodePtr atom() {
    const Token& t = peek();
    if (t.kind == TokenKind::number) return ++at_, constant(t.value);
    if (t.kind == TokenKind::reference) return ++at_, make(Kind::reference, {}, t.text);
    if (t.kind == TokenKind::string || t.kind == TokenKind::fstring) return strings();
    if (accept("(")) return parenthesis();
    if (accept("[")) return bracket();
    if (accept("{")) return brace();
    if (accept("...")) return make(Kind::name, {}, "Ellipsis");
    if (t.kind == TokenKind::name) {
      if (accept("None")) return constant({});
      if (accept("True")) return constant(true);
      if (accept("False")) return constant(false);
      if (is("await") || is("yield")) throw Error(ErrorKind::unsupported, "'" + t.text + "' is not supported");
      return make(Kind::name, {}, identifier());
    }
    fail(t.kind == TokenKind::end ? "the expression ends too early" : "unexpected " + shown());
  }

  NodePtr parenthesis() {
    if (accept(")")) return make(Kind::tuple, {});
    NodePtr inner = starred();
    if (is("for")) {
      inner = comprehension(Kind::generator, {inner});
    } else if (is(",") || inner->kind == Kind::star) {
      std::vector<NodePtr> items{inner};
      while (accept(",") && !is(")")) items.push_back(starred());
      if (items.size() == 1 && tokens_[at_ - 1].text != ",") fail("a starred expression stands only in a list");
      inner = make(Kind::tuple, std::move(items));
    }
    expect(")");
    return inner;
  }
  NodePtr bracket() {
    std::vector<NodePtr> items;
    while (!is("]")) {
      items.push_back(starred());
      if (items.size() == 1 && is("for")) {
        NodePtr node = comprehension(Kind::list_comp, std::move(items));
        expect("]");
        return node;
      }
      if (!accept(",")) break;
    }
    expect("]");
    return make(Kind::list, std::move(items));
  }
  NodePtr brace() {
    std::vector<NodePtr> items;
    bool dict = true, first = true;
    while (!is("}")) {
      if (accept("**")) {
        if (!dict) fail("'**' in a set");
        items.insert(items.end(), {nullptr, operators(1)});
      } else {
        NodePtr key = starred();
        if (first) dict = is(":");
        if (dict) {
          expect(":");
          NodePtr value = expression();
          items.insert(items.end(), {key, value});
        } else {
          items.push_back(key);
        }
        if (first && is("for")) {
          NodePtr node = comprehension(dict ? Kind::dict_comp : Kind::set_comp, std::move(items));
          expect("}");
          return node;
        }
      }
      first = false;
      if (!accept(",")) break;
    }
    expect("}");
    return make(dict ? Kind::dict : Kind::set, std::move(items));
  }

  /// Adjacent literals are one.
  NodePtr strings() {
    std::vector<NodePtr> parts;
    bool formatted = false;
    for (; peek().kind == TokenKind::string || peek().kind == TokenKind::fstring; ++at_) {
      if (peek().kind == TokenKind::string) {
        parts.push_back(constant(peek().value));
      } else {
        formatted = true;
        fields(peek().text, peek().raw, parts);
      }
    }
    if (formatted) return make(Kind::fstring, std::move(parts));
    if (parts.size() == 1) return parts[0];
    std::string all;
    for (const NodePtr& p : parts) all += p->value.as_string();
    return constant(all);
  }

  void fields(std::string_view body, bool raw, std::vector<NodePtr>& parts) {
    const Level level(depth_);
    std::string text;
    auto flush = [&] {
      if (!text.empty()) parts.push_back(constant(raw ? text : unescape(text)));
      text.clear();
    };
    for (std::size_t i = 0; i < body.size(); ++i) {
      if ((body[i] == '{' || body[i] == '}') && i + 1 < body.size() && body[i + 1] == body[i]) {
        text += body[i++];
      } else if (body[i] == '}') {
        fail("a single '}' in an f-string");
      } else if (body[i] == '{') {
        flush();
        const std::size_t end = end_of_field(body, i);
        field(body.substr(i + 1, end - i - 1), raw, parts);
        i = end;
      } else {
        if (body[i] == '\\' && !raw && i + 1 < body.size()) text += body[i++];
        text += body[i];
      }
    }
    flush();
  }

  void field(std::string_view inside, bool raw, std::vector<NodePtr>& parts) {
    std::size_t end = 0;  // of the expression: the first "!", ":" or "=" outside of brackets and strings
    int depth = 0;
    for (; end < inside.size(); ++end) {
      const char c = inside[end];
      const char next = end + 1 < inside.size() ? inside[end + 1] : '\0';
      if (c == '(' || c == '[' || c == '{') ++depth;
      else if (c == ')' || c == ']' || c == '}') --depth;
      else if (c == '"' || c == '\'') {
        const std::size_t close = inside.find(c, end + 1);
        if (close == std::string_view::npos) fail("a string without end in an f-string");
        end = close;
      } else if (c == ':' && next == ':' && depth == 0 && end + 2 < inside.size() && inside[end + 2] != '}') {
        ++end;  // the separator of an id
      } else if (depth == 0 && (c == ':' || (c == '!' && next != '='))) {
        break;
      } else if (depth == 0 && c == '=' && next != '=' && (end == 0 || std::string_view("=!<>").find(inside[end - 1]) == std::string_view::npos)) {
        break;
      }
    }
    const std::string_view source = inside.substr(0, end);
    std::string_view rest = inside.substr(end);
    bool debug = false;
    if (rest.starts_with("=")) {
      debug = true;
      parts.push_back(constant(std::string(source) + "="));
      rest.remove_prefix(1);
    }
    std::string conversion;
    if (rest.starts_with("!")) {
      conversion = rest.substr(1, 1);
      if (conversion != "r" && conversion != "s" && conversion != "a") fail("'!" + conversion + "' in an f-string");
      rest.remove_prefix(2);
    }
    NodePtr spec;
    if (rest.starts_with(":")) {
      std::vector<NodePtr> spec_parts;
      fields(rest.substr(1), raw, spec_parts);
      spec = make(Kind::fstring, std::move(spec_parts));
    } else if (!rest.empty()) {
      fail("'" + std::string(rest) + "' in an f-string");
    }
    if (debug && conversion.empty() && !spec) conversion = "r";
    parts.push_back(make(Kind::field, {Parser(source, depth_).whole(), spec}, conversion));
  }

  std::string_view source_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_;
};

void collect(const NodePtr& node, std::vector<std::string>& ids) {
  if (!node) return;
  if (node->kind == Kind::reference && std::find(ids.begin(), ids.end(), node->text) == ids.end()) ids.push_back(node->text);
  for (const NodePtr& kid : node->kids) collect(kid, ids);
  for (const Clause& clause : node->clauses) {
    collect(clause.source, ids);
    for (const NodePtr& condition : clause.conditions) collect(condition, ids);
  }
  for (const Parameter& p : node->parameters) collect(p.fallback, ids);
}

}  // namespace

NodePtr parse(std::string_view source) { return Parser(source, 0).whole(); }

std::optional<Import> parse_import(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return std::nullopt;
  text.remove_prefix(first);
  if (!text.starts_with("import ") && !text.starts_with("from ")) return std::nullopt;
  const std::vector<Token> tokens = tokenize(text);
  std::size_t i = 1;
  auto fail = [&](const std::string& why) -> Error { return Error(ErrorKind::config, "not an import statement: " + why); };
  auto dotted = [&] {
    std::string path;
    while (true) {
      if (tokens[i].kind != TokenKind::name) throw fail("a name wanted");
      path += tokens[i++].text;
      if (tokens[i].text != ".") return path;
      path += tokens[i++].text;
    }
  };
  Import result;
  result.path = dotted();
  result.alias = result.path.substr(0, result.path.find('.'));
  const bool from = tokens[0].text == "from";
  if (from) {
    if (tokens[i++].text != "import") throw fail("'import' wanted");
    result.alias = dotted();
    result.path += "." + result.alias;
  }
  if (tokens[i].text == "as") {
    ++i;
    result.alias = dotted();
  } else if (!from) {
    result.path = result.alias;  // "import a.b" binds a
  }
  result.more = tokens[i].text == ",";
  if (!result.more && tokens[i].kind != TokenKind::end) throw fail("unexpected '" + tokens[i].text + "'");
  return result;
}

std::vector<std::string> references(const NodePtr& tree) {
  std::vector<std::string> ids;
  collect(tree, ids);
  return ids;
}

}  // namespace vesal::bundle::expr
