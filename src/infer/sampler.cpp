#include "infer/sampler.h"

#include <numeric>
#include <random>

#include "base/ranks.h"
#include "base/registry.h"

namespace vesal::infer {
namespace {

/// torch.randperm(n) of a generator with this seed, for n below 2^32: a Mersenne Twister and a shuffle from the front.
std::vector<std::int64_t> permutation_of_torch(std::int64_t n, std::uint64_t seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::mt19937 draw(static_cast<std::uint32_t>(seed));
  for (std::int64_t i = 0; i + 1 < n; ++i)
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(i + draw() % static_cast<std::uint64_t>(n - i))]);
  return order;
}

/// Every n-th item from the rank's own number on. The same order as torch's and MONAI's samplers of that name.
class DistributedSampler : public Sampler {
 public:
  struct Options {
    bool even = true, shuffle = true, drop_last = false;
    std::int64_t ranks = 1, rank = 0, seed = 0;
  };
  DistributedSampler(std::int64_t items, const Options& o) : o_(o), items_(items) {
    if (o.ranks < 1 || o.rank < 0 || o.rank >= o.ranks)
      throw Error(ErrorKind::config, "DistributedSampler: rank " + std::to_string(o.rank) + " of " + std::to_string(o.ranks));
    const bool drop = o.drop_last && items % o.ranks != 0;
    own_ = drop ? (items - o.ranks + o.ranks - 1) / o.ranks : (items + o.ranks - 1) / o.ranks;
    total_ = own_ * o.ranks;
    if (o.even) return;
    if (items < o.ranks)
      throw Error(ErrorKind::config,
                  "DistributedSampler: " + std::to_string(items) + " items for " + std::to_string(o.ranks) + " ranks: one would have none");
    if (o.rank + total_ - items >= o.ranks) --own_;
    total_ = items;
  }
  std::string type_name() const override { return "DistributedSampler"; }
  std::optional<std::int64_t> length() const override { return own_; }
  void set_epoch(std::int64_t epoch) override { epoch_ = epoch; }

  std::vector<std::int64_t> order() const override {
    std::vector<std::int64_t> all(static_cast<std::size_t>(items_));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    if (o_.shuffle) all = permutation_of_torch(items_, static_cast<std::uint64_t>(o_.seed + epoch_));
    std::vector<std::int64_t> own;
    for (std::int64_t i = o_.rank; i < total_ && items_ > 0; i += o_.ranks)
      own.push_back(all[static_cast<std::size_t>(i % items_)]);  // the first fill up
    return own;
  }

 private:
  const Options o_;
  const std::int64_t items_;
  std::int64_t own_ = 0, total_ = 0, epoch_ = 0;
};

Value make(const Args& args, bool even, std::int64_t seed, bool drop_last) {
  const Value& data = args["dataset"];
  const auto items = data.is_sequence() ? std::optional(static_cast<std::int64_t>(data.items().size()))
                     : data.is_object() ? data.as_object()->length()
                                        : std::nullopt;
  if (!items) throw Error(ErrorKind::config, "DistributedSampler: dataset has no length");
  return std::make_shared<DistributedSampler>(
      *items, DistributedSampler::Options{even, args.get<bool>("shuffle"), drop_last,
                                          args.get<std::optional<std::int64_t>>("num_replicas").value_or(ranks::size()),
                                          args.get<std::optional<std::int64_t>>("rank").value_or(ranks::rank()), seed});
}

const Param kData = required("dataset", "what the ranks share out"), kReplicas = optional("num_replicas", nullptr, "ranks; default: all there are"),
            kRank = optional("rank", nullptr, "whose items; default: this rank's"),
            kShuffle = optional("shuffle", true, "a new order for each epoch"), kSeed = optional("seed", 0, "of the order; the same on all ranks"),
            kDrop = optional("drop_last", false, "leave out what does not fill all ranks");

const Register monai_sampler(
    {.kind = "dataset",
     .name = "DistributedSampler",
     .summary = "Every rank's own share of a dataset",
     .params = {kData, optional("even_divisible", true, "all ranks get as many: some items come twice"), kReplicas, kRank, kShuffle, kSeed, kDrop},
     .make = [](const Args& a) { return make(a, a.get<bool>("even_divisible"), a.get<std::int64_t>("seed"), a.get<bool>("drop_last")); }});

const Register torch_sampler({.kind = "dataset",
                              .name = "torch.utils.data.DistributedSampler",
                              .aliases = {"torch.utils.data.distributed.DistributedSampler"},
                              .summary = "Every rank's own share of a dataset, as many for all",
                              .params = {kData, kReplicas, kRank, kShuffle, kSeed, kDrop},
                              .make = [](const Args& a) { return make(a, true, a.get<std::int64_t>("seed"), a.get<bool>("drop_last")); }});

class OrderIterator : public bundle::Iterator {
 public:
  explicit OrderIterator(std::vector<std::int64_t> order) : order_(std::move(order)) {}
  std::optional<Value> next() override {
    if (at_ == order_.size()) return std::nullopt;
    return Value(order_[at_++]);
  }

 private:
  std::vector<std::int64_t> order_;
  std::size_t at_ = 0;
};

}  // namespace

bundle::IteratorPtr Sampler::iterate() { return std::make_shared<OrderIterator>(order()); }

std::optional<Value> Sampler::attribute(std::string_view name) {
  if (name != "set_epoch") return std::nullopt;
  return make_function("set_epoch", [self = std::static_pointer_cast<Sampler>(shared_from_this())](const CallArgs& args) -> Value {
    self->set_epoch(bind("set_epoch", {required("epoch", "its number")}, args).get<std::int64_t>("epoch"));
    return {};
  });
}

}  // namespace vesal::infer
