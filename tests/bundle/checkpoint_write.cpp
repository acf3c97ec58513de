// What is written reads back the same, byte for byte again, and in Python where there is one with torch.
#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>

#include "base/file.h"
#include "bundle/checkpoint.h"
#include "bundle/safetensors.h"
#include "paths.h"

namespace vesal::bundle {
namespace {

const DType kTorchTypes[]{DType::boolean, DType::u8, DType::i8, DType::i16, DType::i32, DType::i64, DType::f16, DType::bf16, DType::f32, DType::f64};

/// 0, 1, 2, ... of any type.
Array count(Shape shape, DType type) {
  Array a = Array::empty(std::move(shape), DType::f32);
  for (std::int64_t i = 0; i < a.numel(); ++i) a.data<float>()[i] = static_cast<float>(i);
  return a.to(type);
}

StateDict all_types() {
  StateDict state;
  for (DType type : kTorchTypes) state.emplace_back("layer." + std::string(name_of(type)), count({2, 3}, type));
  state.emplace_back("scalar", count({}, DType::f32));
  state.emplace_back("empty", count({0, 4}, DType::f32));
  state.emplace_back("transposed", count({3, 4}, DType::f32).permute(std::vector<int>{1, 0}));
  return state;
}

void expect_same(const StateDict& got, const StateDict& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    SCOPED_TRACE(want[i].first);
    EXPECT_EQ(got[i].first, want[i].first);
    ASSERT_EQ(got[i].second.shape(), want[i].second.shape());
    ASSERT_EQ(got[i].second.dtype(), want[i].second.dtype());
    const Array a = got[i].second.contiguous(), b = want[i].second.contiguous();
    EXPECT_EQ(std::memcmp(a.raw(), b.raw(), b.nbytes()), 0);
  }
}

Value training_tree() {
  const Array shared = count({4}, DType::f32);
  return Dict{{"model", to_value(all_types())},
              {"epoch", 12},
              {"lr", 1e-4},
              {"infinite", INFINITY},
              {"numbers", List{{0, 255, 256, -1, -(1ll << 31), 1ll << 40, -(1ll << 62)}}},
              {"name", "lá lách 'x'\n"},
              {"none", nullptr},
              {"flag", true},
              {"dtype", DType::f16},
              {"optimizer", Dict{{"state", Dict{{0, Dict{{"exp_avg", shared}, {"again", shared}}}}},
                                 {"param_groups", List{{Dict{{"betas", Tuple{{0.9, 0.999}}}, {"params", List{{0}}}}}}}}}};
}

TEST(CheckpointWrite, StateDictRoundTrip) {
  tests::TempDir dir;
  write_state_dict(dir / "bare.pt", all_types());
  expect_same(read_state_dict(dir / "bare.pt"), all_types());
  write_state_dict(dir / "wrapped.pt", all_types(), "model");
  expect_same(read_state_dict(dir / "wrapped.pt"), all_types());
  EXPECT_EQ(read_checkpoint(dir / "wrapped.pt").as_dict().size(), 1u);
}

TEST(CheckpointWrite, TreeRoundTrip) {
  tests::TempDir dir;
  const Value tree = training_tree();
  write_checkpoint(dir / "t.pt", tree);
  const Value back = read_checkpoint(dir / "t.pt");
  EXPECT_EQ(back.repr(), tree.repr());
  const Dict& moments = back.as_dict().at("optimizer").as_dict().at("state").as_dict().at(0).as_dict();
  EXPECT_EQ(moments.at("exp_avg").as_array().raw(), moments.at("again").as_array().raw()) << "one storage for one memory";
}

TEST(CheckpointWrite, EqualInputEqualBytes) {
  tests::TempDir dir;
  write_checkpoint(dir / "a.pt", training_tree());
  write_checkpoint(dir / "b.pt", training_tree());
  EXPECT_EQ(read_bytes(dir / "a.pt"), read_bytes(dir / "b.pt"));
}

TEST(CheckpointWrite, LeavesNothingBehindOnFailure) {
  tests::TempDir dir;
  EXPECT_THROW(write_state_dict(dir / "x.pt", {{"w", count({2}, DType::u16)}}), Error);
  Value loop = List{};
  loop.mutable_items().push_back(loop);
  EXPECT_THROW(write_checkpoint(dir / "y.pt", loop), Error);
  loop.mutable_items().clear();
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(CheckpointWrite, TorchLoadsIt) {
  if (std::system("/usr/bin/python3 -c 'import torch' >/dev/null 2>&1") != 0) GTEST_SKIP() << "no Python with torch here";
  tests::TempDir dir;
  write_state_dict(dir / "bare.pt", all_types());
  write_state_dict(dir / "wrapped.pt", all_types(), "model");
  write_checkpoint(dir / "training.pt", training_tree());
  write_state_dict(dir / "linear.pt", {{"weight", count({2, 3}, DType::f32)}, {"bias", count({2}, DType::f32)}});
  const std::string command =
      "OMP_NUM_THREADS=1 /usr/bin/python3 " + tests::data("bundle/data/check_written.py").string() + " " + dir.path().string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(Safetensors, RoundTripOfEveryType) {
  tests::TempDir dir;
  StateDict state = all_types();
  for (DType type : {DType::u16, DType::u32, DType::u64}) state.emplace_back("layer." + std::string(name_of(type)), count({5}, type));
  write_safetensors(dir / "s.safetensors", state, {{"format", "pt"}, {"epoch", "3"}});
  SafetensorsMetadata metadata;
  StateDict back = read_safetensors(dir / "s.safetensors", &metadata);
  EXPECT_EQ(metadata.at("epoch"), "3");
  const auto by_name = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::sort(state.begin(), state.end(), by_name);
  std::sort(back.begin(), back.end(), by_name);
  expect_same(back, state);

  const auto bytes = read_bytes(dir / "s.safetensors");
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ(header % 8, 0u);
  write_safetensors(dir / "t.safetensors", state, {{"epoch", "3"}, {"format", "pt"}});
  EXPECT_EQ(read_bytes(dir / "t.safetensors"), bytes) << "the order given does not matter";
}

TEST(Safetensors, ReadsAForeignFile) {
  const StateDict state = read_safetensors(tests::data("bundle/data/checkpoints/good.safetensors"));
  ASSERT_EQ(state.size(), 2u);
  EXPECT_EQ(state[0].second.at({1, 0}), 2);
  EXPECT_EQ(state[1].second.dtype(), DType::bf16);
  EXPECT_EQ(state[1].second.at({1}), -2);
}

TEST(Safetensors, RefusesWhatDoesNotAddUp) {
  const auto failure = [](std::string header, std::size_t data) -> std::string {
    std::uint64_t size = header.size();
    std::string file(reinterpret_cast<const char*>(&size), 8);
    file += header + std::string(data, '\1');
    try {
      read_safetensors(std::as_bytes(std::span(file)));
    } catch (const Error& e) { return e.what(); }
    return "read";
  };
  const auto one = [](const char* dtype, const char* shape, const char* offsets) {
    return std::string("{\"w\":{\"dtype\":\"") + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
  };
  using testing::HasSubstr;
  EXPECT_EQ(failure(one("F32", "[2]", "[0,8]"), 8), "read");
  EXPECT_EQ(failure(one("BOOL", "[2]", "[0,2]"), 2), "read");
  EXPECT_THAT(failure(one("F32", "[3]", "[0,8]"), 8), HasSubstr("shape [3]"));
  EXPECT_THAT(failure(one("F32", "[2]", "[0,8]"), 4), HasSubstr("of 4 bytes"));
  EXPECT_THAT(failure(one("F32", "[2]", "[8,0]"), 8), HasSubstr("offsets 8..0"));
  EXPECT_THAT(failure(one("F32", "[2]", "[-8,0]"), 8), HasSubstr("-8"));
  EXPECT_THAT(failure(one("F32", "[4611686018427387904,4]", "[0,8]"), 8), HasSubstr("too large"));
  EXPECT_THAT(failure(one("F32", "[4611686018427387904]", "[0,0]"), 0), HasSubstr("shape"));
  EXPECT_THAT(failure(one("F8_E4M3", "[8]", "[0,8]"), 8), HasSubstr("F8_E4M3"));
  EXPECT_THAT(failure(one("F32", "[2]", "[0,8]"), 9), HasSubstr("1 bytes after the last tensor"));
  EXPECT_THAT(failure(one("F32", "[1]", "[4,8]"), 8), HasSubstr("belong to none"));
  EXPECT_THAT(failure(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8),
              HasSubstr("overlaps"));
  EXPECT_THAT(failure(R"({"a":{"dtype":"F32","shape":[2]}})", 8), HasSubstr("no data_offsets"));
  EXPECT_THAT(failure(R"({"a":3})", 0), HasSubstr("has no dtype"));
  EXPECT_THAT(failure("[1]", 0), HasSubstr("list"));
  EXPECT_THAT(failure("{", 0), HasSubstr("not JSON"));
  const std::uint64_t huge = ~0ull;
  EXPECT_THROW(read_safetensors(std::as_bytes(std::span(&huge, 1))), Error);
  EXPECT_THROW(read_safetensors(std::span<const std::byte>()), Error);
}

}  // namespace
}  // namespace vesal::bundle
