// DataLoader: batches of a dataset, made ahead of time by threads (torch.utils.data.DataLoader as monai.data has it).
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "bundle/iterate.h"
#include "infer/loader.h"

namespace vesal::infer {

/// With num_workers > 0 so many threads make the next batches while the caller works on this one; each is one batch ahead. What a
/// pass gives depends on the seed of the process and the number of the pass, never on the threads. Iterating gives collated batches.
class DataLoader : public Loader, public bundle::Iterable {
 public:
  struct Options {
    Value dataset;  ///< a Dataset, a list or an object with length and index
    std::int64_t batch_size = 1;
    bool shuffle = false;
    Value sampler = {};  ///< None, a Sampler, a list of numbers, or an object with a length that gives numbers
    bool drop_last = false;
    bool collate = true;  ///< false: iterating gives lists of items
    int num_workers = 0;
    int ahead = 1;             ///< batches per worker that wait to be taken
    std::int64_t repeats = 1;  ///< each batch comes so often
  };
  DataLoader(std::string name, Options options);
  std::string type_name() const override { return name_; }
  std::optional<std::int64_t> length() const override;             ///< batches per pass
  std::optional<Value> attribute(std::string_view name) override;  ///< dataset, batch_size, num_workers, sampler
  std::unique_ptr<BatchStream> open(std::int64_t skip = 0) override;
  std::int64_t passes() const override { return static_cast<std::int64_t>(passes_); }
  void set_passes(std::int64_t n) override;
  bundle::IteratorPtr iterate() override;

 private:
  std::vector<std::int64_t> sampled() const;
  std::string name_;
  Options options_;
  std::int64_t items_;
  std::optional<std::int64_t> taken_;    ///< items of a pass
  std::uint64_t seed_ = 0, passes_ = 0;  ///< passes begun under that seed
};

}  // namespace vesal::infer
