// The containers a pickle makes: kept until the end, because hostile ones hold themselves, each other a million times, or are a million deep.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/value.h"

namespace vesal::bundle {

class PickleTree {
 public:
  PickleTree() = default;
  PickleTree(const PickleTree&) = delete;
  PickleTree& operator=(const PickleTree&) = delete;
  /// Takes apart everything made that the last checked result does not hold, without deep recursion.
  ~PickleTree();
  /// Takes note of a list, tuple or dict; other values are of no interest.
  void made(const Value& container);
  /// Refuses a result that holds itself, is too deep, is too large when written out, or holds classes instead of data.
  void check(const Value& result);

 private:
  struct Extent {
    int height = -1;  ///< -1 while it is being looked at
    std::uint64_t values = 0;
  };
  Extent measure(const Value& v, int depth);
  std::vector<Value> made_;
  std::unordered_map<const void*, Extent> seen_;
  bool checked_ = false;
};

}  // namespace vesal::bundle
