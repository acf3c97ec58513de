#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <unordered_map>

#include "base/error.h"
#include "bundle/pickle.h"
#include "bundle/pickle_tree.h"

namespace vesal::bundle {
namespace {

constexpr std::size_t kMaxValues = 4'000'000, kMaxCopied = 256u << 20;

[[noreturn]] void damaged(const std::string& what) { throw Error(ErrorKind::format, "pickle: " + what); }

/// The pickle machine: a stack, marks in it, and a memo. Opcode numbers and meanings: Python's Lib/pickletools.py.
class Machine {
 public:
  Machine(std::string_view in, const PickleRules& rules) : in_(in), rules_(rules) {}
  Value run() {
    while (!step(static_cast<unsigned char>(take(1)[0]))) {}
    if (stack_.size() != 1) damaged("ends with " + std::to_string(stack_.size()) + " values on the stack");
    const Value result = plain(pop());
    tree_.check(result);
    return result;
  }

 private:
  std::string_view take(std::uint64_t n) {
    if (n > in_.size() - at_) damaged("truncated at byte " + std::to_string(at_));
    const auto part = in_.substr(at_, n);
    at_ += n;
    return part;
  }
  template <class T>
  T number() {
    T v;
    std::memcpy(&v, take(sizeof(T)).data(), sizeof(T));
    return v;
  }
  std::string_view line() {
    const auto end = in_.find('\n', at_);
    if (end == std::string_view::npos) damaged("truncated at byte " + std::to_string(at_));
    const auto text = in_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }

  void push(Value v) {
    if (++values_ > kMaxValues) damaged("more than " + std::to_string(kMaxValues) + " values");
    if (v.is_string() && (copied_ += v.as_string().size()) > kMaxCopied) damaged("more than " + std::to_string(kMaxCopied >> 20) + " MiB of text");
    stack_.push_back(std::move(v));
  }
  void push_made(Value v) {
    tree_.made(v);
    push(std::move(v));
  }
  Value pop() {
    if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) damaged("stack underflow at byte " + std::to_string(at_ - 1));
    Value v = std::move(stack_.back());
    stack_.pop_back();
    return v;
  }
  Value& top() {
    if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) damaged("stack underflow at byte " + std::to_string(at_ - 1));
    return stack_.back();
  }
  /// What was pushed since the last mark.
  std::vector<Value> pop_mark() {
    if (marks_.empty()) damaged("no mark at byte " + std::to_string(at_ - 1));
    std::vector<Value> items(std::make_move_iterator(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back())),
                             std::make_move_iterator(stack_.end()));
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  /// A value as it is kept: objects that were filled later become what they hold.
  static Value plain(Value v) {
    if (const auto shell = v.object<PickleShell>()) return shell->built();
    return v;
  }
  void push_tuple(std::vector<Value> items) {
    for (Value& v : items) v = plain(std::move(v));
    push_made(Tuple{std::move(items)});
  }
  void push_tuple_of(std::size_t n) {
    std::vector<Value> items(n);
    while (n > 0) items[--n] = pop();
    push_tuple(std::move(items));
  }
  void append(Value& list, Value item) {
    if (!list.is_list()) damaged("appending to " + list.type_name());
    list.mutable_items().push_back(plain(std::move(item)));
  }
  void set(Value& dict, const Value& key, Value item) {
    if (!dict.is_dict()) damaged("setting an item of " + dict.type_name());
    if (!key.is_string() && !key.is_number() && !key.is_none()) damaged(key.type_name() + " as the key of a dict");
    dict.mutable_dict()[key] = plain(std::move(item));
  }
  void set_all(Value& dict, std::vector<Value> items) {
    if (items.size() % 2) damaged("a key without a value");
    for (std::size_t i = 0; i < items.size(); i += 2) set(dict, items[i], std::move(items[i + 1]));
  }
  void push_bytes(std::uint64_t n) {
    const auto part = take(n);
    if ((copied_ += n) > kMaxCopied) damaged("too many bytes");
    push(Array::from(std::span(reinterpret_cast<const std::uint8_t*>(part.data()), part.size()), {static_cast<std::int64_t>(n)}));
  }
  void push_long(std::uint64_t n) {
    const auto part = take(n);
    if (n > 8) damaged("an integer of " + std::to_string(n) + " bytes, at most 8 are taken");
    std::uint64_t v = n && static_cast<signed char>(part.back()) < 0 ? ~0ull : 0;
    std::memcpy(&v, part.data(), n);
    push(static_cast<std::int64_t>(v));
  }
  void put(std::uint64_t index) {
    const Value& v = top();
    if (v.is_string() && (copied_ += v.as_string().size()) > kMaxCopied) damaged("too much text");
    memo_[index] = v;
  }
  void get(std::uint64_t index) {
    const auto it = memo_.find(index);
    if (it == memo_.end()) damaged("memo " + std::to_string(index) + " is empty");
    push(it->second);
  }
  void reduce() {
    const Value args = pop(), callee = pop();
    const auto global = callee.object<PickleGlobal>();
    if (!global || !args.is_tuple()) damaged("a call of " + callee.type_name() + " with " + args.type_name());
    push_made(global->make(args.items()));
  }
  void build() {
    const Value state = pop();
    const Value& target = top();
    if (const auto shell = target.object<PickleShell>()) return shell->build(state);
    // Attributes of an OrderedDict (a state_dict's _metadata), and the state of a dtype, are not needed.
    if (!target.is_dict() && !target.is_dtype()) damaged("setting the state of " + target.type_name());
    if (target.is_dtype() && state.is_tuple() && state.items().size() > 1 && state.items()[1] == Value(">"))
      throw Error(ErrorKind::unsupported, "pickle: big-endian NumPy data");
  }
  [[noreturn]] void refused_opcode(unsigned char code) const {
    throw Error(ErrorKind::refused, fmt::format("pickle: opcode 0x{:02x} at byte {} is none that plain data needs", code, at_ - 1));
  }
  bool step(unsigned char code);

  std::string_view in_;
  const PickleRules& rules_;
  std::size_t at_ = 0, values_ = 0, copied_ = 0;
  PickleTree tree_;  // before all that holds values: it goes last
  std::vector<Value> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Value> memo_;
};

/// One opcode; true at the end.
bool Machine::step(unsigned char code) {
  switch (code) {
    case 0x80:
      if (const int protocol = static_cast<unsigned char>(take(1)[0]); protocol < 2 || protocol > 5) damaged("protocol " + std::to_string(protocol));
      break;
    case 0x95: take(8); break;  // a frame only groups bytes
    case '(': marks_.push_back(stack_.size()); break;
    case '.': return true;
    case '0':
      if (!marks_.empty() && marks_.back() == stack_.size()) marks_.pop_back();
      else pop();
      break;
    case '1': pop_mark(); break;
    case '2': push(top()); break;

    case 'N': push(nullptr); break;
    case 0x88: push(true); break;
    case 0x89: push(false); break;
    case 'J': push(number<std::int32_t>()); break;
    case 'K': push(number<std::uint8_t>()); break;
    case 'M': push(number<std::uint16_t>()); break;
    case 0x8a: push_long(number<std::uint8_t>()); break;
    case 0x8b: push_long(number<std::uint32_t>()); break;
    case 'G': push(std::bit_cast<double>(__builtin_bswap64(number<std::uint64_t>()))); break;
    case 'X':
    case 'T': push(take(number<std::uint32_t>())); break;
    case 0x8c:
    case 'U': push(take(number<std::uint8_t>())); break;
    case 0x8d: push(take(number<std::uint64_t>())); break;
    case 'B': push_bytes(number<std::uint32_t>()); break;
    case 'C': push_bytes(number<std::uint8_t>()); break;
    case 0x8e:
    case 0x96: push_bytes(number<std::uint64_t>()); break;

    case ']':
    case 0x8f: push_made(List{}); break;
    case '}': push_made(Dict{}); break;
    case ')': push(Tuple{}); break;
    case 0x85: push_tuple_of(1); break;
    case 0x86: push_tuple_of(2); break;
    case 0x87: push_tuple_of(3); break;
    case 't': push_tuple(pop_mark()); break;
    case 'l':
    case 0x91: {
      std::vector<Value> items = pop_mark();
      push_made(List{});
      for (Value& v : items) append(stack_.back(), std::move(v));
      break;
    }
    case 'd': {
      std::vector<Value> items = pop_mark();
      push_made(Dict{});
      set_all(stack_.back(), std::move(items));
      break;
    }
    case 'a': {
      Value item = pop();
      append(top(), std::move(item));
      break;
    }
    case 'e':
    case 0x90: {
      std::vector<Value> items = pop_mark();
      for (Value& v : items) append(top(), std::move(v));
      break;
    }
    case 's': {
      Value item = pop();
      const Value key = pop();
      set(top(), key, std::move(item));
      break;
    }
    case 'u': {
      std::vector<Value> items = pop_mark();
      set_all(top(), std::move(items));
      break;
    }

    case 'q': put(number<std::uint8_t>()); break;
    case 'r': put(number<std::uint32_t>()); break;
    case 0x94: put(memo_.size()); break;
    case 'h': get(number<std::uint8_t>()); break;
    case 'j': get(number<std::uint32_t>()); break;

    case 'c':
    case 'i': {
      const std::string module(line()), name(line());
      push(rules_.global(module, name));
      if (code == 'i') refused_opcode(code);
      break;
    }
    case 0x93: {
      const Value name = pop(), module = pop();
      if (!name.is_string() || !module.is_string()) damaged("a global named by " + name.type_name());
      push(rules_.global(module.as_string(), name.as_string()));
      break;
    }
    case 'Q': push(rules_.persistent(pop())); break;
    case 'R':
    case 0x81: reduce(); break;
    case 'b': build(); break;
    default: refused_opcode(code);
  }
  return false;
}

}  // namespace

Value PickleGlobal::make(const std::vector<Value>& args) const {
  if (!call_) throw Error(ErrorKind::refused, "pickle: a call of " + name_);
  return call_(args);
}

Value read_pickle(std::string_view bytes, const PickleRules& rules) {
  Machine machine(bytes, rules);
  return machine.run();
}

}  // namespace vesal::bundle
