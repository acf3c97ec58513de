// Python pickles of plain data: read without ever importing or calling anything, and written.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "base/value.h"

namespace vesal::bundle {

/// What a pickle may name. `global` stands for "module.name" while the pickle is read.
class PickleGlobal : public Object {
 public:
  using Call = std::function<Value(const std::vector<Value>& args)>;
  PickleGlobal(std::string name, Call call) : name_(std::move(name)), call_(std::move(call)) {}
  std::string type_name() const override { return "class " + name_; }
  const std::string& name() const { return name_; }
  Value make(const std::vector<Value>& args) const;

 private:
  std::string name_;
  Call call_;
};

/// An object that a pickle fills after it made it (BUILD), such as a NumPy array.
class PickleShell : public Object {
 public:
  virtual void build(const Value& state) = 0;
  virtual Value built() const = 0;  ///< throws while it is not built
};

/// What the reader of one kind of file allows.
struct PickleRules {
  /// The stand-in for module.name; throws Error(refused) for anything that is not on its list.
  std::function<Value(const std::string& module, const std::string& name)> global;
  /// What a persistent id stands for.
  std::function<Value(const Value& id)> persistent;
};

/// Runs protocols 2 to 5 on plain data: None, bool, int (64 bits), float, str, bytes (as uint8 arrays), list, tuple, dict, set (as a list), and what
/// `rules` allow. Depth, number of values and copied text are bounded; values that hold themselves are refused.
Value read_pickle(std::string_view bytes, const PickleRules& rules);

/// Writes protocol 2, as torch does.
class PickleWriter {
 public:
  /// Writes a tensor; it may call the methods below.
  using Tensor = std::function<void(PickleWriter&, const Array&)>;
  explicit PickleWriter(Tensor tensor) : tensor_(std::move(tensor)) {}
  std::string write(const Value& tree);

  void value(const Value& v);
  void global(std::string_view module, std::string_view name);
  void opcode(char code) { out_ += code; }

 private:
  void integer(std::int64_t v);
  void text(std::string_view s);
  Tensor tensor_;
  std::string out_;
  int depth_ = 0;
};

/// Opcodes used outside of the reader and the writer.
enum PickleOpcode : char { kMark = '(', kTuple = 't', kReduce = 'R', kEmptyTuple = ')', kPersistent = 'Q' };

}  // namespace vesal::bundle
