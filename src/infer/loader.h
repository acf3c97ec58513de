// What an engine iterates over: batches of items. See dataset.h for the components that make them.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "base/value.h"

namespace vesal::infer {

/// The items of one batch, not stacked: dictionaries (or plain images). A transform that returns several samples of one scan
/// (RandCropByPosNegLabeld) adds each of them, as MONAI's list_data_collate does.
using Batch = std::vector<Value>;

/// One pass over the data.
class BatchStream {
 public:
  virtual ~BatchStream() = default;
  /// The next batch, or nothing at the end of the pass. Errors of worker threads are rethrown here.
  virtual std::optional<Batch> next() = 0;
};

/// Something that can be passed over again and again; a shuffling one draws a new order for each pass.
class Loader : public Object {
 public:
  /// A new pass, from its batch number `skip` on.
  virtual std::unique_ptr<BatchStream> open(std::int64_t skip = 0) = 0;
  /// How many passes were opened, which decides what the next one draws.
  virtual std::int64_t passes() const { return 0; }
  virtual void set_passes(std::int64_t) {}
};

/// Stacks a batch: arrays and images of one key become one array [N, ...], numbers an array [N], text a list, dictionaries are
/// collated key by key. Items that are no dictionaries are stacked themselves. Throws Error(shape) naming the key.
Value collate(const Batch& items);
/// The inverse of collate: N items of what was stacked; what has no batch axis (text, numbers) is given to every item.
Batch decollate(const Value& batch);
/// The values of `key` of every item, stacked to [N, ...]; a batch of one is a view and copies nothing.
Array stack_key(const Batch& items, const std::string& key);

}  // namespace vesal::infer
