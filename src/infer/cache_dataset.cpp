// CacheDataset (monai.data.CacheDataset): what comes before the first random transform is computed once and kept.
#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/cancel.h"
#include "base/progress.h"
#include "base/registry.h"
#include "image/image.h"
#include "infer/dataset.h"

namespace vesal::infer {
namespace {

/// Deferred voxels are computed and copies made dense, so that threads may share what is kept.
Value settled(const Value& v) {
  if (v.is_dict()) {
    Dict out;
    for (const auto& [key, value] : v.as_dict()) out[key] = settled(value);
    return out;
  }
  if (v.is_list()) {
    List out;
    for (const Value& value : v.items()) out.items.push_back(settled(value));
    return out;
  }
  if (v.is_array()) return v.as_array().contiguous();
  if (auto image = v.object<image::Image>()) return image::to_value(image->with(image->array().contiguous()));
  return v;
}

class CacheDataset : public Dataset {
 public:
  CacheDataset(const Value& data, const Value& transform, std::int64_t cache_num, double cache_rate, int num_workers, bool show, bool by_content)
      : Dataset(data, transform) {
    find_places(by_content);
    const auto different = static_cast<std::int64_t>(items_.size());
    const double share = std::floor(static_cast<double>(different) * cache_rate);
    const std::int64_t n = std::clamp<std::int64_t>(std::min(cache_num, static_cast<std::int64_t>(share)), 0, different);
    std::vector<Value> cache(static_cast<std::size_t>(n));
    fill(cache, num_workers, show);
    cache_ = std::move(cache);
  }
  std::string type_name() const override { return "CacheDataset"; }

 protected:
  Value fixed_part(std::int64_t i) override {
    const std::size_t place = places_[static_cast<std::size_t>(i)];
    if (place >= cache_.size()) return Dataset::fixed_part(i);
    const Value& kept = cache_[place];
    return kept.is_dict() ? Value(Dict(kept.as_dict())) : kept;  // the caller's own dict; voxels are never written to
  }

 private:
  /// Which items are kept, and where each item of the data is found; equal items are one when they count by content.
  void find_places(bool by_content) {
    std::unordered_map<std::size_t, std::vector<std::size_t>> seen;  // hash of an item -> places with that hash
    for (std::int64_t i = 0; i < *length(); ++i) {
      if (!by_content) {
        places_.push_back(items_.size());
        items_.push_back(i);
        continue;
      }
      const Value item = raw(i);
      std::vector<std::size_t>& alike = seen[std::hash<std::string>{}(item.repr())];
      const auto same = std::find_if(alike.begin(), alike.end(), [&](std::size_t place) { return raw(items_[place]) == item; });
      if (same == alike.end()) {
        alike.push_back(items_.size());
        places_.push_back(items_.size());
        items_.push_back(i);
      } else {
        places_.push_back(*same);
      }
    }
  }
  void fill(std::vector<Value>& cache, int num_workers, bool show) {
    std::optional<Progress> progress;
    if (show && !cache.empty()) progress.emplace("loading data", static_cast<std::int64_t>(cache.size()));
    std::atomic<std::size_t> next{0};
    std::exception_ptr error;
    std::mutex mutex;
    const auto work = [&] {
      for (std::size_t i = next++; i < cache.size(); i = next++) {
        try {
          check_cancelled();
          cache[i] = with_context("item " + std::to_string(i), [&] { return settled(Dataset::fixed_part(items_[i])); });
          if (progress) progress->advance();
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!error) error = std::current_exception();
          next = cache.size();
        }
      }
    };
    std::vector<std::thread> helpers;
    for (int i = 1; i < std::min<int>(num_workers, static_cast<int>(cache.size())); ++i) helpers.emplace_back(work);
    work();
    for (std::thread& t : helpers) t.join();
    if (error) std::rethrow_exception(error);
  }

  std::vector<Value> cache_;
  std::vector<std::size_t> places_;  ///< of each item of the data, in items_ and cache_
  std::vector<std::int64_t> items_;  ///< numbers of the different items
};

const Register cache_dataset({
    .kind = "dataset",
    .name = "CacheDataset",
    .summary = "A dataset that keeps its first items as they are before the first random transform",
    .params = {required("data", "list of items, or an object with length and index"), optional("transform", nullptr, "a transform or a list of them"),
               optional("cache_num", nullptr, "keep at most so many items"), optional("cache_rate", 1.0, "keep at most this share of the items"),
               optional("num_workers", 1, "threads that fill the cache; None: all cores"), optional("progress", true, "show a progress bar"),
               optional("copy_cache", true, "accepted; items are never changed in place"), optional("as_contiguous", true, "accepted; always so"),
               optional("hash_as_key", false, "keep equal items once"), optional("hash_func", nullptr, "accepted; items are compared whole"),
               optional("runtime_cache", false, "accepted; the cache is filled at once")},
    .make = [](const Args& args) -> Value {
      const double rate = args.get<double>("cache_rate");
      if (!(rate >= 0)) throw Error(ErrorKind::config, "cache_rate must be no less than 0");
      const int all_cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
      return std::make_shared<CacheDataset>(args["data"], args["transform"],
                                            args.get<std::optional<std::int64_t>>("cache_num").value_or(std::numeric_limits<std::int64_t>::max()),
                                            std::min(rate, 1.0), std::clamp(args.get<std::optional<int>>("num_workers").value_or(all_cores), 1, 64),
                                            args.get<bool>("progress"), args.get<bool>("hash_as_key"));
    },
});

}  // namespace
}  // namespace vesal::infer
