// CacheDataset (monai.data.CacheDataset): what comes before the first random transform is computed once and kept, as far as memory goes.
#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/cancel.h"
#include "base/log.h"
#include "base/memory.h"
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

/// Bytes of the voxels in it.
std::uint64_t bytes_of(const Value& v) {
  std::uint64_t sum = 0;
  if (v.is_dict())
    for (const auto& entry : v.as_dict()) sum += bytes_of(entry.second);
  else if (v.is_list())
    for (const Value& value : v.items()) sum += bytes_of(value);
  else if (v.is_array()) sum = v.as_array().nbytes();
  else if (auto image = v.object<image::Image>()) sum = image->array().nbytes();
  return sum;
}

/// The share of the memory that is free when a cache is filled that it may take; the rest is for the network and what else comes.
constexpr double kShareOfMemory = 0.7;

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
  std::uint64_t make_room(std::uint64_t bytes) override {
    const std::lock_guard lock(mutex_);
    std::uint64_t freed = 0;
    for (; freed < bytes && !cache_.empty(); cache_.pop_back()) freed += bytes_of(cache_.back());
    return freed;
  }

 protected:
  Value fixed_part(std::int64_t i) override {
    const Value kept = cached(places_[static_cast<std::size_t>(i)]);
    if (kept.is_none()) return Dataset::fixed_part(i);
    return kept.is_dict() ? Value(Dict(kept.as_dict())) : kept;  // the caller's own dict; voxels are never written to
  }

 private:
  Value cached(std::size_t place) const {
    const std::lock_guard lock(mutex_);
    return place < cache_.size() ? cache_[place] : Value();
  }
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
  /// Fills the cache from the front; it gets shorter if there is no room for all of it.
  void fill(std::vector<Value>& cache, int num_workers, bool show) {
    if (cache.empty()) return;
    const std::optional<std::uint64_t> available = available_memory();
    const std::uint64_t room = available ? static_cast<std::uint64_t>(static_cast<double>(*available) * kShareOfMemory) : UINT64_MAX;
    cache[0] = made(0);
    const std::uint64_t first = bytes_of(cache[0]), wanted = first * cache.size();
    if (available && wanted > std::min(room, kWorthALine))
      log::info("cache: {} items of about {}, {} of {} available", cache.size(), bytes_text(first), bytes_text(wanted), bytes_text(*available));
    std::atomic<std::size_t> next{1},
        end{std::min<std::uint64_t>(cache.size(), std::max<std::uint64_t>(1, room / std::max<std::uint64_t>(1, first)))};
    std::atomic<std::uint64_t> taken{first};
    std::optional<Progress> progress;
    if (show) progress.emplace("loading data", static_cast<std::int64_t>(end)), progress->advance();
    std::exception_ptr error;
    std::mutex mutex;
    const auto work = [&] {
      for (std::size_t i = next++; i < end; i = next++) {
        try {
          check_cancelled();
          Value item = made(i);
          if ((taken += bytes_of(item)) > room) {  // later items are larger than the first
            for (std::size_t now = end; i < now && !end.compare_exchange_weak(now, i);) {}
            break;
          }
          cache[i] = std::move(item);
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
    if (end == cache.size()) return;
    log::warning("there is memory for {} of {} items of the cache ({} available): the others are loaded anew each time, as with cache_rate {:.2f}",
                 end.load(), cache.size(), bytes_text(*available),
                 std::floor(100.0 * static_cast<double>(end) / static_cast<double>(items_.size())) / 100);
    cache.resize(end);
  }
  Value made(std::size_t i) {
    return with_context(described(items_[i]), [&] { return settled(Dataset::fixed_part(items_[i])); });
  }

  static constexpr std::uint64_t kWorthALine = std::uint64_t{256} << 20;  ///< smaller caches are filled without a word
  mutable std::mutex mutex_;                                              ///< of the cache, once it is filled
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
