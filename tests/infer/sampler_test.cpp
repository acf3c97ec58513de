// DistributedSampler in torch's and MONAI's order, and loaders that take their items from a sampler.
#include "infer/sampler.h"

#include <gmock/gmock.h>

#include "infer/data_loader.h"
#include "infer/engines.h"

namespace vesal::infer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Value numbers(std::int64_t n) {
  List list;
  for (std::int64_t i = 0; i < n; ++i) list.items.emplace_back(i);
  return list;
}

std::vector<std::int64_t> order(const std::string& name, Dict arguments, std::int64_t epoch = 0) {
  const auto sampler = make(name, arguments).object<Sampler>();
  sampler->set_epoch(epoch);
  const auto o = sampler->order();
  EXPECT_EQ(sampler->length(), static_cast<std::int64_t>(o.size()));
  return o;
}
Dict share(std::int64_t items, std::int64_t ranks, std::int64_t rank, bool shuffle = false) {
  return {{"dataset", numbers(items)}, {"num_replicas", ranks}, {"rank", rank}, {"shuffle", shuffle}};
}

// torch 1.13.1: list(DistributedSampler(range(n), num_replicas=, rank=, shuffle=, seed=, drop_last=)) after set_epoch().
TEST(DistributedSampler, SharesOutAsTorchDoes) {
  EXPECT_THAT(order("torch.utils.data.DistributedSampler", share(5, 2, 0)), ElementsAre(0, 2, 4));
  EXPECT_THAT(order("torch.utils.data.DistributedSampler", share(5, 2, 1)), ElementsAre(1, 3, 0));
  EXPECT_THAT(order("torch.utils.data.DistributedSampler", share(1, 3, 2)), ElementsAre(0));
  Dict dropping = share(5, 2, 1);
  dropping["drop_last"] = true;
  EXPECT_THAT(order("torch.utils.data.DistributedSampler", dropping), ElementsAre(1, 3));
}

TEST(DistributedSampler, ShufflesAsTorchDoes) {
  Dict a = share(10, 3, 1, true);
  EXPECT_THAT(order("torch.utils.data.DistributedSampler", a), ElementsAre(1, 3, 8, 4));
  EXPECT_THAT(order("torch.utils.data.DistributedSampler", a, 4), ElementsAre(4, 7, 8, 0));
  a["seed"] = 123;
  EXPECT_THAT(order("torch.utils.data.distributed.DistributedSampler", a, 4), ElementsAre(3, 8, 2, 5));
}

TEST(DistributedSampler, NeedNotBeEvenInMonai) {
  Dict uneven[3];
  for (std::int64_t r = 0; r < 3; ++r) {
    uneven[r] = share(7, 3, r);
    uneven[r]["even_divisible"] = false;
  }
  EXPECT_THAT(order("DistributedSampler", uneven[0]), ElementsAre(0, 3, 6));
  EXPECT_THAT(order("DistributedSampler", uneven[1]), ElementsAre(1, 4));
  EXPECT_THAT(order("DistributedSampler", uneven[2]), ElementsAre(2, 5));
  uneven[0]["dataset"] = numbers(2);
  EXPECT_THAT(failure([&] { make("DistributedSampler", uneven[0]); }), HasSubstr("one would have none"));
  EXPECT_THAT(failure([&] { make("DistributedSampler", share(7, 3, 3)); }), HasSubstr("rank 3 of 3"));
}

std::vector<std::vector<std::int64_t>> batches(const Value& loader) {
  std::vector<std::vector<std::int64_t>> out;
  const auto stream = loader.object<Loader>()->open();
  while (const auto batch = stream->next()) {
    out.emplace_back();
    for (const Value& v : *batch) out.back().push_back(v.as_int());
  }
  return out;
}

TEST(LoaderWithSampler, TakesItsItemsInItsOrder) {
  const Value sampler = make("DistributedSampler", share(7, 2, 1));
  const Value loader = make("DataLoader", {{"dataset", numbers(7)}, {"batch_size", 3}, {"sampler", sampler}, {"num_workers", 1}});
  EXPECT_THAT(batches(loader), ElementsAre(ElementsAre(1, 3, 5), ElementsAre(0)));
  EXPECT_EQ(loader.as_object()->length(), 2);
  List own{{Value(4), Value(4), Value(2)}};
  EXPECT_THAT(batches(make("DataLoader", {{"dataset", numbers(7)}, {"batch_size", 2}, {"sampler", own}, {"drop_last", true}})),
              ElementsAre(ElementsAre(4, 4)));
}

TEST(LoaderWithSampler, RefusesWhatMakesNoSense) {
  const List own{{Value(9)}};
  EXPECT_THAT(failure([&] { batches(make("DataLoader", {{"dataset", numbers(7)}, {"sampler", own}})); }), HasSubstr("item 9 of 7"));
  EXPECT_THAT(failure([&] { make("DataLoader", {{"dataset", numbers(7)}, {"sampler", own}, {"shuffle", true}}); }), HasSubstr("exclude each other"));
  EXPECT_THAT(failure([&] { make("DataLoader", {{"dataset", numbers(7)}, {"sampler", 3}}); }), HasSubstr("no length"));
}

/// As MONAI's Workflow: each epoch another order, the same for whoever asks for that epoch.
TEST(LoaderWithSampler, EnginesTellItTheEpoch) {
  const Value sampler = make("DistributedSampler", share(10, 3, 1, true));
  const Value loader = make("DataLoader", {{"dataset", numbers(10)}, {"batch_size", 4}, {"sampler", sampler}});
  Dict arguments{{"device", "cpu"},
                 {"val_data_loader", loader},
                 {"network", function([](const Value& x) { return x; })},
                 {"decollate", false},
                 {"iteration_update", make_function("f", [](const CallArgs& args) { return args.positional.at(1); })}};
  const auto engine = make("SupervisedEvaluator", arguments).object<Workflow>();
  engine->run();
  EXPECT_EQ(sampler.object<Sampler>()->order(), order("DistributedSampler", share(10, 3, 1, true), 1));
}

}  // namespace
}  // namespace vesal::infer
