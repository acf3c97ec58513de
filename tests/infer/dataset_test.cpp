#include "infer/dataset.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/memory.h"
#include "base/random.h"
#include "engines.h"
#include "infer/data_loader.h"
#include "transforms/transform.h"

namespace vesal::infer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// x -> x + 100, counting.
class Plus : public transforms::Transform {
 public:
  std::string type_name() const override { return "Plus"; }
  Value apply(const Value& v) const override {
    ++calls;
    if (v == Value(7)) throw Error(ErrorKind::format, "seven is bad");
    return v.as_int() + 100;
  }
  mutable std::atomic<int> calls = 0;
};

/// x -> [x, a random number].
class Draw : public transforms::Transform, public transforms::Randomizable {
 public:
  std::string type_name() const override { return "Draw"; }
  Value apply(const Value& v) const override { return Tuple{{v, Value(static_cast<std::int64_t>(next_stream().next() >> 1))}}; }
};

Value numbers(std::int64_t n) {
  List list;
  for (std::int64_t i = 0; i < n; ++i) list.items.emplace_back(i);
  return list;
}
Value list(std::vector<Value> items) { return List{std::move(items)}; }

/// The numbers in the batches of one pass.
std::vector<std::vector<std::int64_t>> pass(Loader& loader) {
  std::vector<std::vector<std::int64_t>> out;
  auto stream = loader.open();
  while (auto batch = stream->next()) {
    out.emplace_back();
    for (const Value& v : *batch) out.back().push_back(v.is_tuple() ? v.items()[1].as_int() : v.as_int());
  }
  return out;
}

std::shared_ptr<DataLoader> loader(const Dict& arguments) { return make("DataLoader", arguments).object<DataLoader>(); }

TEST(Dataset, GivesItemsByNumber) {
  const Value data = make("Dataset", {{"data", numbers(3)}, {"transform", std::make_shared<Plus>()}});
  EXPECT_EQ(data.as_object()->length(), 3);
  EXPECT_EQ(data.as_object()->index(1), Value(101));
  EXPECT_EQ(data.as_object()->index(-1), Value(102));
  EXPECT_THAT(failure([&] { data.as_object()->index(3); }), HasSubstr("item 3 of a dataset of 3"));
  const Value nested = make("Dataset", {{"data", data}, {"transform", std::make_shared<Plus>()}});
  EXPECT_EQ(nested.as_object()->index(2), Value(202));
}

TEST(Dataset, AnItemDependsOnItsSeedAlone) {
  Dataset data(numbers(4), std::make_shared<Draw>());
  const Value first = data.item(2, 5);
  data.item(0, 1);
  EXPECT_EQ(data.item(2, 5), first);
  EXPECT_FALSE(data.item(2, 6) == first);
  EXPECT_FALSE(data.item(2) == data.item(2));
}

TEST(CacheDataset, ComputesWhatIsNotRandomOnce) {
  for (const int workers : {1, 3}) {
    auto plus = std::make_shared<Plus>();
    auto data = make("CacheDataset", {{"data", numbers(6)}, {"transform", list({plus, std::make_shared<Draw>()})}, {"num_workers", workers}})
                    .object<Dataset>();
    EXPECT_EQ(plus->calls, 6);
    const Value a = data->item(4), b = data->item(4);
    EXPECT_EQ(plus->calls, 6);
    EXPECT_EQ(a.items()[0], Value(104));
    EXPECT_FALSE(a == b);
  }
}

TEST(CacheDataset, KeepsAShare) {
  auto plus = std::make_shared<Plus>();
  auto data = make("CacheDataset", {{"data", numbers(6)}, {"transform", plus}, {"cache_rate", 0.5}}).object<Dataset>();
  EXPECT_EQ(plus->calls, 3);
  EXPECT_EQ(data->item(2), Value(102));
  EXPECT_EQ(plus->calls, 3);
  EXPECT_EQ(data->item(3), Value(103));
  EXPECT_EQ(plus->calls, 4);
  make("CacheDataset", {{"data", numbers(6)}, {"transform", plus}, {"cache_num", 2}});
  EXPECT_EQ(plus->calls, 6);
}

TEST(CacheDataset, KeepsEqualItemsOnceByContent) {
  const Value repeated = list({Value(3), Value(5), Value(3), Value(5), Value(4)});
  auto plus = std::make_shared<Plus>();
  auto data = make("CacheDataset", {{"data", repeated}, {"transform", plus}, {"hash_as_key", true}}).object<Dataset>();
  EXPECT_EQ(plus->calls, 3);
  for (const auto& [i, wanted] : {std::pair{0, 103}, {1, 105}, {2, 103}, {3, 105}, {4, 104}}) EXPECT_EQ(data->item(i), Value(wanted));
  EXPECT_EQ(plus->calls, 3);
  auto some = make("CacheDataset", {{"data", repeated}, {"transform", plus}, {"hash_as_key", true}, {"cache_num", 1}}).object<Dataset>();
  EXPECT_EQ(plus->calls, 4);
  EXPECT_EQ(some->item(2), Value(103));
  EXPECT_EQ(plus->calls, 4);
  EXPECT_EQ(some->item(3), Value(105));
  EXPECT_EQ(plus->calls, 5);
}

TEST(CacheDataset, ACallableThatIsNoTransformMayBeRandom) {
  auto calls = std::make_shared<int>(0);
  const Value callable = function([calls](const Value& v) -> Value { return ++*calls, v; });
  auto plus = std::make_shared<Plus>();
  auto data = make("CacheDataset", {{"data", numbers(2)}, {"transform", list({callable, plus})}}).object<Dataset>();
  EXPECT_EQ(*calls + plus->calls, 0);
  data->item(0);
  data->item(0);
  EXPECT_EQ(*calls, 2);
}

TEST(CacheDataset, NamesTheItemThatFails) {
  EXPECT_THAT(failure([] {
                make("CacheDataset", {{"data", numbers(9)}, {"transform", std::make_shared<Plus>()}, {"num_workers", 2}});
              }),
              HasSubstr("item 7: seven is bad"));
}

/// x -> x MiB of the number x, counting.
class Inflate : public transforms::Transform {
 public:
  std::string type_name() const override { return "Inflate"; }
  Value apply(const Value& v) const override {
    ++calls;
    return Array::full({v.as_int() << 20}, DType::u8, static_cast<double>(v.as_int()));
  }
  mutable std::atomic<int> calls = 0;
};

/// Items of so many MiB in a cache while the process may take 100 MiB more than it has; how many were kept, and what was said.
std::pair<int, std::string> kept_in_100_mib(std::vector<std::int64_t> mib, int workers) {
  List data;
  for (const std::int64_t n : mib) data.items.emplace_back(n);
  auto inflate = std::make_shared<Inflate>();
  setenv("VESAL_MAX_MEMORY", std::to_string(resident_memory() + (100u << 20)).c_str(), 1);
  testing::internal::CaptureStderr();
  auto dataset = make("CacheDataset", {{"data", data}, {"transform", inflate}, {"num_workers", workers}, {"progress", false}}).object<Dataset>();
  const std::string said = testing::internal::GetCapturedStderr();
  unsetenv("VESAL_MAX_MEMORY");
  inflate->calls = 0;
  for (std::size_t i = 0; i < mib.size(); ++i) EXPECT_EQ(dataset->item(static_cast<std::int64_t>(i)).as_array().at({0}), mib[i]);
  return {static_cast<int>(mib.size()) - inflate->calls, said};
}

TEST(CacheDataset, KeepsWhatMemoryThereIsRoomFor) {
  const auto [all, nothing] = kept_in_100_mib(std::vector<std::int64_t>(6, 8), 1);
  EXPECT_EQ(all, 6);
  EXPECT_EQ(nothing, "");
  const auto [some, said] = kept_in_100_mib(std::vector<std::int64_t>(20, 8), 2);
  EXPECT_NEAR(some, 8, 2) << "70 % of 100 MiB";
  EXPECT_THAT(said, HasSubstr("there is memory for " + std::to_string(some) + " of 20 items"));
  EXPECT_THAT(said, HasSubstr("cache: 20 items of about 8 MB, 168 MB of"));
  // The first item is small: the others are counted as they come.
  std::vector<std::int64_t> growing(20, 16);
  growing[0] = 1;
  EXPECT_NEAR(kept_in_100_mib(growing, 1).first, 5, 2);
  EXPECT_EQ(kept_in_100_mib({120, 1, 1}, 1).first, 1) << "one item is always made to see";
}

TEST(CacheDataset, GivesUpWhatItIsAskedForAndGoesOn) {
  auto inflate = std::make_shared<Inflate>();
  auto data = make("CacheDataset", {{"data", list({Value(3), Value(1), Value(1)})}, {"transform", inflate}, {"progress", false}}).object<Dataset>();
  const auto loaded_anew = [&] {
    inflate->calls = 0;
    for (std::int64_t i = 0; i < 3; ++i) EXPECT_EQ(data->item(i).as_array().at({0}), i == 0 ? 3 : 1);
    return inflate->calls.load();
  };
  EXPECT_EQ(loaded_anew(), 0);
  EXPECT_EQ(data->make_room((1 << 20) + 1), 2u << 20) << "whole items, from the end";
  EXPECT_EQ(loaded_anew(), 2);
  EXPECT_EQ(data->make_room(std::uint64_t{1} << 40), 3u << 20);
  EXPECT_EQ(data->make_room(1), 0u);
  EXPECT_EQ(loaded_anew(), 3);
}

TEST(CacheDataset, NamesTheFilesOfAnItem) {
  const Value data = list({Dict{{"image", "/data/ct_1.nii.gz"}, {"label", list({"/data/organs_1.nii.gz"})}, {"age", 40}}});
  EXPECT_EQ(Dataset(data, Value()).described(0), "item 0 (ct_1.nii.gz, organs_1.nii.gz)");
  const Value broken = function([](const Value&) -> Value { throw Error(ErrorKind::shape, "no good"); });
  for (const int workers : {0, 1})
    EXPECT_THAT(failure([&] {
                  loader({{"dataset", std::make_shared<Dataset>(data, broken)}, {"num_workers", workers}})->open()->next();
                }),
                HasSubstr("item 0 (ct_1.nii.gz, organs_1.nii.gz): "));
}

TEST(DataLoader, BatchesInOrder) {
  EXPECT_THAT(pass(*loader({{"dataset", numbers(5)}, {"batch_size", 2}})), ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3), ElementsAre(4)));
  auto dropping = loader({{"dataset", numbers(5)}, {"batch_size", 2}, {"drop_last", true}});
  EXPECT_THAT(pass(*dropping), ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
  EXPECT_EQ(dropping->length(), 2);
  EXPECT_EQ(loader({{"dataset", numbers(5)}, {"batch_size", 2}})->length(), 3);
}

TEST(DataLoader, ThreadsGiveTheSameBatches) {
  set_global_seed(9);
  const Value data = std::make_shared<Dataset>(numbers(23), std::make_shared<Draw>());
  const auto plain = pass(*loader({{"dataset", data}, {"batch_size", 3}, {"shuffle", true}}));
  EXPECT_EQ(pass(*loader({{"dataset", data}, {"batch_size", 3}, {"shuffle", true}, {"num_workers", 2}})), plain);
  EXPECT_EQ(pass(*loader({{"dataset", data}, {"batch_size", 3}, {"shuffle", true}, {"num_workers", 1}})), plain);
}

TEST(DataLoader, ShufflesAnewEachPassAndRepeatsUnderTheSeed) {
  set_global_seed(1);
  auto shuffled = loader({{"dataset", numbers(50)}, {"batch_size", 50}, {"shuffle", true}});
  const auto first = pass(*shuffled), second = pass(*shuffled);
  EXPECT_NE(first, second);
  EXPECT_THAT(first[0], testing::UnorderedElementsAreArray(second[0]));
  set_global_seed(2);
  EXPECT_NE(pass(*shuffled), first);
  set_global_seed(1);
  EXPECT_EQ(pass(*shuffled), first);
  EXPECT_EQ(pass(*shuffled), second);
}

TEST(DataLoader, AddsEachSampleOfAnItem) {
  const Value twice = function([](const Value& v) -> Value { return List{{v, v.as_int() + 50}}; });
  EXPECT_THAT(pass(*loader({{"dataset", make("Dataset", {{"data", numbers(2)}, {"transform", twice}})}, {"batch_size", 2}})),
              ElementsAre(ElementsAre(0, 50, 1, 51)));
}

TEST(DataLoader, RethrowsWhatAWorkerThrows) {
  const Value data = std::make_shared<Dataset>(numbers(9), std::make_shared<Plus>());
  for (const int workers : {0, 2}) {
    auto stream = loader({{"dataset", data}, {"batch_size", 2}, {"num_workers", workers}})->open();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(stream->next()->size(), 2u);
    EXPECT_THAT(failure([&] { stream->next(); }), HasSubstr("item 7: seven is bad"));
  }
}

TEST(DataLoader, MakesTheNextBatchWhileThisOneIsUsed) {
  std::atomic<int> made = 0;
  const Value count = function([&made](const Value& v) -> Value { return ++made, v; });
  auto stream = loader({{"dataset", make("Dataset", {{"data", numbers(9)}, {"transform", count}})}, {"num_workers", 1}})->open();
  stream->next();
  for (int i = 0; made < 2 && i < 5000; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(made, 2);  // one ahead, not more
}

TEST(DataLoader, IsGoneThroughCollated) {
  auto it = loader({{"dataset", numbers(3)}, {"batch_size", 2}})->iterate();
  EXPECT_EQ(it->next()->as_array().shape(), Shape({2}));
  EXPECT_DOUBLE_EQ(it->next()->as_array().at({0}), 2);
  EXPECT_FALSE(it->next());
  auto raw = loader({{"dataset", numbers(2)}, {"batch_size", 2}, {"collate_fn", *allowed::find("monai.data.utils.no_collation")}})->iterate();
  EXPECT_EQ(raw->next()->items()[1], Value(1));
}

TEST(DataLoader, RefusesWhatItCannotDo) {
  EXPECT_THAT(failure([] { loader({{"dataset", numbers(2)}, {"batch_sampler", numbers(2)}}); }), HasSubstr("batch_sampler is not available"));
  EXPECT_THAT(failure([] {
                loader({{"dataset", numbers(2)}, {"collate_fn", function([](const Value& v) { return v; })}});
              }),
              HasSubstr("collate_fn"));
  EXPECT_THAT(failure([] { loader({{"dataset", numbers(2)}, {"batch_size", 0}}); }), HasSubstr("batch_size must be positive"));
}

TEST(ThreadDataLoader, RepeatsBatches) {
  auto repeated = make("ThreadDataLoader", {{"dataset", numbers(2)}, {"repeats", 2}}).object<Loader>();
  EXPECT_THAT(pass(*repeated), ElementsAre(ElementsAre(0), ElementsAre(0), ElementsAre(1), ElementsAre(1)));
  EXPECT_EQ(repeated->length(), 4);
}

}  // namespace
}  // namespace vesal::infer
