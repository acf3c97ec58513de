// Networks written by the extension of their file.
#include "bundle/network_writer.h"

#include <gmock/gmock.h>

#include "bundle/checkpoint.h"
#include "bundle/safetensors.h"
#include "paths.h"

namespace vesal::bundle {
namespace {

struct Weighted : Object, Stateful {
  std::string type_name() const override { return "Weighted"; }
  StateDict state_dict() const override { return {{"w", Array::full({2, 2}, DType::f32, 1.5)}}; }
  LoadReport load_state_dict(const StateDict&, bool) override { return {}; }
};
struct Bare : Object {
  std::string type_name() const override { return "Bare"; }
};

TEST(NetworkWriter, WritesWeightsByExtension) {
  tests::TempDir dir;
  for (const char* name : {"x.pt", "x.pth", "x.safetensors"}) {
    write_network({.network = std::make_shared<Weighted>(), .path = dir / name, .input_shape = {}, .documents = {{"metadata.json", "{}"}}});
    const StateDict state = read_state_dict(dir / name);
    ASSERT_EQ(state.size(), 1u);
    EXPECT_EQ(state[0].second.at({1, 1}), 1.5);
  }
  SafetensorsMetadata metadata;
  read_safetensors(dir / "x.safetensors", &metadata);
  EXPECT_EQ(metadata.at("metadata.json"), "{}");
  EXPECT_EQ(metadata.at("format"), "pt");
}

TEST(NetworkWriter, SaysWhatItCannotWrite) {
  tests::TempDir dir;
  try {
    write_network({.network = std::make_shared<Weighted>(), .path = dir / "x.onnx", .input_shape = {}, .documents = {}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_THAT(e.what(), testing::HasSubstr("'x.onnx'"));
    EXPECT_THAT(e.what(), testing::HasSubstr(".pt, .pth, .safetensors"));
  }
  EXPECT_THROW(write_network({.network = std::make_shared<Bare>(), .path = dir / "x.pt", .input_shape = {}, .documents = {}}), Error);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

}  // namespace
}  // namespace vesal::bundle
