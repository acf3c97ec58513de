#include "infer/data_loader.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

#include "base/cancel.h"
#include "base/random.h"
#include "base/registry.h"
#include "infer/dataset.h"
#include "infer/sampler.h"

namespace vesal::infer {
namespace {

/// Which items make up a pass, and how they are made. Thread safe.
struct Plan {
  std::shared_ptr<Dataset> dataset;
  std::vector<std::int64_t> order;
  std::int64_t batch_size, batches;
  std::uint64_t seed;

  Batch make(std::int64_t number) const {
    Batch batch;
    const std::int64_t begin = number * batch_size, end = std::min<std::int64_t>(begin + batch_size, static_cast<std::int64_t>(order.size()));
    for (std::int64_t at = begin; at < end; ++at) {
      check_cancelled();
      const std::int64_t i = order[static_cast<std::size_t>(at)];
      Value item = with_context(dataset->described(i), [&] { return dataset->item(i, mix_seed(seed, static_cast<std::uint64_t>(i))); });
      if (!item.is_list()) batch.push_back(std::move(item));
      else batch.insert(batch.end(), item.items().begin(), item.items().end());
    }
    return batch;
  }
};

class PlainStream : public BatchStream {
 public:
  PlainStream(Plan plan, std::int64_t begin) : plan_(std::move(plan)), next_(begin) {}
  std::optional<Batch> next() override {
    if (next_ == plan_.batches) return std::nullopt;
    return plan_.make(next_++);
  }

 private:
  Plan plan_;
  std::int64_t next_;
};

/// Threads take the numbers of batches in turn and put what they made where next() waits for it.
class ThreadedStream : public BatchStream {
 public:
  ThreadedStream(Plan plan, std::int64_t begin, int workers, int ahead)
      : plan_(std::move(plan)), ahead_(static_cast<std::int64_t>(workers) * ahead), begun_(begin), taken_(begin) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }
  ~ThreadedStream() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    for (std::thread& t : threads_) t.join();
  }
  std::optional<Batch> next() override {
    std::unique_lock lock(mutex_);
    if (taken_ == plan_.batches) return std::nullopt;
    changed_.wait(lock, [&] { return made_.contains(taken_); });
    Made made = std::move(made_.extract(taken_).mapped());
    ++taken_;
    if (made.error) stop_ = true;
    lock.unlock();
    changed_.notify_all();
    if (made.error) std::rethrow_exception(made.error);
    return std::move(made.batch);
  }

 private:
  struct Made {
    Batch batch;
    std::exception_ptr error;
  };
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stop_ || begun_ == plan_.batches || begun_ < taken_ + ahead_; });
      if (stop_ || begun_ == plan_.batches) return;
      const std::int64_t number = begun_++;
      lock.unlock();
      Made made;
      try {
        made.batch = plan_.make(number);
      } catch (...) { made.error = std::current_exception(); }
      lock.lock();
      made_[number] = std::move(made);
      changed_.notify_all();
    }
  }

  Plan plan_;
  std::int64_t ahead_, begun_, taken_;
  bool stop_ = false;
  std::map<std::int64_t, Made> made_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::thread> threads_;
};

class Repeated : public BatchStream {
 public:
  Repeated(std::unique_ptr<BatchStream> stream, std::int64_t repeats) : stream_(std::move(stream)), repeats_(repeats) {}
  std::optional<Batch> next() override {
    if (left_-- > 0) return batch_;
    batch_ = stream_->next();
    left_ = repeats_ - 1;
    return batch_;
  }

 private:
  std::unique_ptr<BatchStream> stream_;
  std::int64_t repeats_, left_ = 0;
  std::optional<Batch> batch_;
};

/// The batches as an expression sees them.
class BatchIterator : public bundle::Iterator {
 public:
  BatchIterator(std::unique_ptr<BatchStream> stream, bool collated) : stream_(std::move(stream)), collated_(collated) {}
  std::optional<Value> next() override {
    std::optional<Batch> batch = stream_->next();
    if (!batch) return std::nullopt;
    return collated_ ? collate(*batch) : Value(List{std::move(*batch)});
  }

 private:
  std::unique_ptr<BatchStream> stream_;
  bool collated_;
};

/// Engines take items one by one, so that a function of one's own would have no effect there.
bool collates(const Value& function) {
  if (function.is_none()) return true;
  const auto known = function.object<Function>();
  if (known && known->name().ends_with("list_data_collate")) return true;
  if (known && known->name().ends_with("no_collation")) return false;
  throw Error(ErrorKind::unsupported, "collate_fn: only list_data_collate and no_collation are available");
}

void refuse(const Args& args, const char* name) {
  if (!args.is_none(name)) throw Error(ErrorKind::unsupported, std::string(name) + " is not available; use shuffle, batch_size and drop_last");
}

DataLoader::Options read(const Args& args) {
  DataLoader::Options o;
  o.dataset = args["dataset"];
  o.batch_size = args.get<std::int64_t>("batch_size");
  o.shuffle = args.get<std::optional<bool>>("shuffle").value_or(false);
  o.drop_last = args.get<bool>("drop_last");
  o.num_workers = args.get<int>("num_workers");
  o.collate = collates(args["collate_fn"]);
  o.sampler = args["sampler"];
  refuse(args, "batch_sampler");
  if (o.shuffle && !o.sampler.is_none()) throw Error(ErrorKind::config, args.component() + ": shuffle and sampler exclude each other");
  if (o.batch_size < 1) throw Error(ErrorKind::config, args.component() + ": batch_size must be positive");
  if (o.num_workers < 0) throw Error(ErrorKind::config, args.component() + ": num_workers must be no less than 0");
  return o;
}

std::vector<Param> with_common(std::vector<Param> params) {
  for (Param p : {optional("batch_size", 1, "items per batch"), optional("shuffle", false, "a new order for each pass"),
                  optional("sampler", nullptr, "which items, in which order: a sampler or a list of numbers"),
                  optional("batch_sampler", nullptr, "not available"), optional("collate_fn", nullptr, "list_data_collate or no_collation"),
                  optional("pin_memory", false, "accepted; batches stay in ordinary memory"),
                  optional("drop_last", false, "leave out a last batch that is not full"), optional("timeout", 0, "accepted; there is none"),
                  optional("worker_init_fn", nullptr, "accepted; items are seeded one by one"),
                  optional("multiprocessing_context", nullptr, "accepted; workers are threads"),
                  optional("generator", nullptr, "accepted; the order follows monai.utils.set_determinism"),
                  optional("prefetch_factor", nullptr, "accepted; each worker is one batch ahead"),
                  optional("persistent_workers", false, "accepted; threads are started for each pass")})
    params.push_back(std::move(p));
  return params;
}

const Param kWorkers = optional("num_workers", 0, "threads that make batches ahead of time");

const Register data_loader({
    .kind = "dataset",
    .name = "DataLoader",
    .aliases = {"torch.utils.data.DataLoader", "torch.utils.data.dataloader.DataLoader"},
    .summary = "Batches of a dataset, made ahead of time by threads",
    .params = with_common({required("dataset", "a dataset or a list"), kWorkers}),
    .make = [](const Args& args) -> Value { return std::make_shared<DataLoader>("DataLoader", read(args)); },
});

const Register thread_data_loader({
    .kind = "dataset",
    .name = "ThreadDataLoader",
    .summary = "A DataLoader that always makes the next batches in the background",
    .params = with_common({required("dataset", "a dataset or a list"), optional("buffer_size", 1, "batches that wait to be taken"),
                           optional("buffer_timeout", 0.01, "accepted; threads wake each other"), optional("repeats", 1, "each batch comes so often"),
                           optional("use_thread_workers", false, "accepted; workers are threads"), kWorkers}),
    .make = [](const Args& args) -> Value {
      DataLoader::Options o = read(args);
      o.num_workers = std::max(1, o.num_workers);
      o.ahead = std::clamp(args.get<int>("buffer_size"), 1, 64);
      o.repeats = std::max<std::int64_t>(1, args.get<std::int64_t>("repeats"));
      return std::make_shared<DataLoader>("ThreadDataLoader", std::move(o));
    },
});

}  // namespace

DataLoader::DataLoader(std::string name, Options options) : name_(std::move(name)), options_(std::move(options)) {
  if (!options_.dataset.object<Dataset>()) options_.dataset = std::make_shared<Dataset>(options_.dataset, Value());
  items_ = options_.dataset.as_object()->length().value_or(0);
  if (const Value& s = options_.sampler; s.is_list()) taken_ = static_cast<std::int64_t>(s.items().size());
  else if (!s.is_none()) taken_ = s.is_object() ? s.as_object()->length() : std::nullopt;
  else taken_ = items_;
  if (!taken_) throw Error(ErrorKind::config, name_ + ": sampler " + options_.sampler.type_name() + " has no length");
}

std::optional<std::int64_t> DataLoader::length() const {
  const std::int64_t n = options_.drop_last ? *taken_ / options_.batch_size : (*taken_ + options_.batch_size - 1) / options_.batch_size;
  return n * options_.repeats;
}

std::optional<Value> DataLoader::attribute(std::string_view name) {
  if (name == "dataset") return options_.dataset;
  if (name == "batch_size") return Value(options_.batch_size);
  if (name == "num_workers") return Value(options_.num_workers);
  if (name == "sampler") return options_.sampler;
  return std::nullopt;
}

std::vector<std::int64_t> DataLoader::sampled() const {
  std::vector<std::int64_t> order;
  if (const auto known = options_.sampler.object<Sampler>()) order = known->order();
  else
    for (const Value& v : bundle::drain(options_.sampler)) order.push_back(v.as_int());
  for (const std::int64_t i : order)
    if (i < 0 || i >= items_) throw Error(ErrorKind::config, "the sampler asks for item " + std::to_string(i) + " of " + std::to_string(items_));
  if (static_cast<std::int64_t>(order.size()) != *taken_)
    throw Error(ErrorKind::config, "the sampler gives " + std::to_string(order.size()) + " items, its length is " + std::to_string(*taken_));
  return order;
}

void DataLoader::set_passes(std::int64_t n) {
  seed_ = global_seed();
  passes_ = static_cast<std::uint64_t>(n);
}

std::unique_ptr<BatchStream> DataLoader::open(std::int64_t skip) {
  if (const std::uint64_t seed = global_seed(); seed != seed_) {
    seed_ = seed;
    passes_ = 0;
  }
  Plan plan{options_.dataset.object<Dataset>(), {}, options_.batch_size, *length() / options_.repeats, mix_seed(seed_, ++passes_)};
  if (!options_.sampler.is_none()) {
    plan.order = sampled();
  } else if (options_.shuffle) {
    plan.order = Random(plan.seed).permutation(items_);
  } else {
    plan.order.resize(static_cast<std::size_t>(items_));
    std::iota(plan.order.begin(), plan.order.end(), std::int64_t{0});
  }
  std::unique_ptr<BatchStream> stream;
  const int workers =
      static_cast<int>(std::min<std::int64_t>({options_.num_workers, plan.batches, std::max(1u, std::thread::hardware_concurrency())}));
  const std::int64_t begin = std::min(skip / options_.repeats, plan.batches);
  if (workers > 0) stream = std::make_unique<ThreadedStream>(std::move(plan), begin, workers, options_.ahead);
  else stream = std::make_unique<PlainStream>(std::move(plan), begin);
  if (options_.repeats > 1) {
    stream = std::make_unique<Repeated>(std::move(stream), options_.repeats);
    for (std::int64_t i = begin * options_.repeats; i < skip; ++i) stream->next();
  }
  return stream;
}

bundle::IteratorPtr DataLoader::iterate() { return std::make_shared<BatchIterator>(open(), options_.collate); }

}  // namespace vesal::infer
