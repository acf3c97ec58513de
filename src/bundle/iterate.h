// Python's iteration: what a for, zip() or list() goes through.
#pragma once
#include <memory>
#include <optional>

#include "base/value.h"

namespace vesal::bundle {

/// Gives one value after another, once.
class Iterator : public Object {
 public:
  std::string type_name() const override { return "iterator"; }
  virtual std::optional<Value> next() = 0;
};
using IteratorPtr = std::shared_ptr<Iterator>;

/// An object that can be gone through: derive from it beside Object (a data loader, a dataset).
class Iterable {
 public:
  virtual ~Iterable() = default;
  virtual IteratorPtr iterate() = 0;
};

/// Iterators go on where they stand; lists, tuples, dict keys, strings by character, arrays along their first axis, Iterable
/// objects, and objects with length() and index(). Throws Error(config) for anything else.
IteratorPtr iterate(const Value& value);
/// All that is left, as a list. Throws Error(config) beyond `limit` items.
std::vector<Value> drain(const Value& value, std::size_t limit = std::size_t{1} << 24);

}  // namespace vesal::bundle
