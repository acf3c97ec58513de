// Reading what Python's torch.save wrote (tests/bundle/data/make_checkpoints.py), and refusing what only pretends to be that.
#include "bundle/checkpoint.h"

#include <gmock/gmock.h>

#include <fstream>

#include "paths.h"

namespace vesal::bundle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::filesystem::path file(const std::string& name) { return tests::data("bundle/data/checkpoints/" + name); }

std::vector<double> values(const Array& a) {
  const Array dense = a.to(DType::f64).contiguous();
  return {dense.data<double>(), dense.data<double>() + dense.numel()};
}

/// i * 0.5 - 3, as the files hold it.
std::vector<double> ramp(int n) {
  std::vector<double> v;
  for (int i = 0; i < n; ++i) v.push_back(i * 0.5 - 3);
  return v;
}

Array entry(const StateDict& state, const std::string& name) {
  for (const auto& [key, array] : state)
    if (key == name) return array;
  throw Error(ErrorKind::weights, name);
}

void expect_state(const StateDict& state) {
  ASSERT_EQ(state.size(), 3u);
  EXPECT_EQ(state[0].first, "conv.weight");
  EXPECT_EQ(state[0].second.shape(), (Shape{2, 1, 3, 3, 3}));
  EXPECT_EQ(state[0].second.dtype(), DType::f32);
  EXPECT_EQ(values(state[0].second), ramp(54));
  EXPECT_EQ(values(state[1].second), ramp(2));
  EXPECT_EQ(state[2].first, "bn.num_batches_tracked");
  EXPECT_EQ(state[2].second.dtype(), DType::i64);
  EXPECT_TRUE(state[2].second.shape().empty());
  EXPECT_EQ(state[2].second.item(), 7);
}

/// The kind and message of the error that reading a file ends with.
std::pair<ErrorKind, std::string> failure(const std::string& name) {
  try {
    read_checkpoint(file(name));
  } catch (const Error& e) { return {e.kind(), e.what()}; }
  return {ErrorKind::internal, name + " was read"};
}

TEST(Checkpoint, FindsTheStateDictWhereverItIs) {
  for (const char* name : {"state.pt", "ordered.pt", "wrapped_model.pt", "wrapped_state_dict.pt", "wrapped_network_weights.pt", "parallel.pt",
                           "training.pt", "protocol3.pt", "protocol4.pt", "protocol5.pt"}) {
    SCOPED_TRACE(name);
    expect_state(read_state_dict(file(name)));
  }
  std::string wrapper;
  find_state_dict(read_checkpoint(file("wrapped_network_weights.pt")), "", &wrapper);
  EXPECT_EQ(wrapper, "network_weights");
  expect_state(read_state_dict(file("wrapped_model.pt"), "model"));
  expect_state(read_state_dict(file("state.pt"), "model"));
}

TEST(Checkpoint, SaysWhichKeysThereAre) {
  try {
    read_state_dict(file("wrapped_model.pt"), "network");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::weights);
    EXPECT_THAT(e.what(),
                HasSubstr("wrapped_model.pt: no state_dict 'network' in the checkpoint; there are: epoch (int), model (dict), optimizer (dict)"));
  }
  EXPECT_THROW(read_state_dict(file("wrapped_model.pt"), "optimizer"), Error);
  EXPECT_THROW(read_state_dict(file("list.pt")), Error);
}

TEST(Checkpoint, ReadsEveryElementType) {
  const StateDict state = read_state_dict(file("types.pt"));
  ASSERT_EQ(state.size(), 10u);
  for (const auto& [name, array] : state) {
    SCOPED_TRACE(name);
    EXPECT_EQ(name_of(array.dtype()), name);
    if (name == "uint8") EXPECT_EQ(values(array), (std::vector<double>{0, 1, 2, 3, 4}));
    else if (name == "bool") EXPECT_EQ(values(array), (std::vector<double>{1, 0, 1}));
    else if (is_floating(array.dtype())) EXPECT_EQ(values(array), ramp(5));
    else EXPECT_EQ(values(array), (std::vector<double>{-3, -2, -2, -1, -1}));
  }
}

TEST(Checkpoint, KeepsSharedStoragesShared) {
  const StateDict state = read_state_dict(file("shared.pt"));
  EXPECT_EQ(entry(state, "a").raw(), entry(state, "b").raw());
  EXPECT_EQ(entry(state, "tail").data<float>(), entry(state, "a").data<float>() + 2);
  EXPECT_EQ(entry(state, "matrix").shape(), (Shape{2, 3}));
}

TEST(Checkpoint, ReadsStridedTensors) {
  const StateDict state = read_state_dict(file("strided.pt"));
  EXPECT_EQ(entry(state, "transposed").shape(), (Shape{4, 3}));
  EXPECT_EQ(entry(state, "transposed").at({1, 2}), (2 * 4 + 1) * 0.5 - 3);
  EXPECT_THAT(values(entry(state, "column")), ElementsAre(-2.5, -0.5, 1.5));
  EXPECT_THAT(values(entry(state, "every_other")), ElementsAre(-2.5, -1, 0.5));
  EXPECT_EQ(values(entry(state, "expanded")), std::vector<double>(6, 2.5));
  EXPECT_EQ(entry(state, "scalar").item(), 4.5);
  EXPECT_EQ(entry(state, "empty").shape(), (Shape{0, 3}));
}

TEST(Checkpoint, ReadsWhatTrainingLeaves) {
  const Value tree = read_checkpoint(file("training.pt"));
  const Dict& d = tree.as_dict();
  EXPECT_EQ(d.at("epoch"), Value(12));
  EXPECT_EQ(d.at("best_metric"), Value(0.875));
  EXPECT_EQ(d.at("lr").repr(), "[0.001, 0.0005]");
  EXPECT_EQ(d.at("name"), Value("unet"));
  EXPECT_TRUE(d.at("none").is_none());
  EXPECT_TRUE(d.at("flag").is_bool());
  EXPECT_EQ(d.at("big"), Value(std::int64_t{1} << 40));
  EXPECT_EQ(d.at("negative"), Value(-5));
  EXPECT_EQ(d.at("history").as_array().dtype(), DType::f32);
  EXPECT_EQ(d.at("history").as_array().at({1, 2}), 5);
  EXPECT_EQ(d.at("fortran").as_array().at({1, 0}), 3);
  EXPECT_EQ(d.at("count"), Value(-3));
  EXPECT_TRUE(d.at("yes").is_bool());
  EXPECT_EQ(d.at("milestones").as_dict().at(80), Value(1));
  EXPECT_THAT(values(d.at("raw").as_array()), ElementsAre(0, 255));
  EXPECT_EQ(d.at("no_bytes").as_array().numel(), 0);
  EXPECT_EQ(d.at("names").repr(), "['a']");

  const Value parameter = read_checkpoint(file("parameter.pt"));
  EXPECT_EQ(parameter.as_dict().at("weight").as_array().shape(), (Shape{2, 2}));
  EXPECT_EQ(parameter.as_dict().at("size").repr(), "(1, 2)");
  EXPECT_EQ(parameter.as_dict().at("dtype").as_dtype(), DType::f16);
  EXPECT_EQ(parameter.as_dict().at("device"), Value("cuda:1"));

  const Value list = read_checkpoint(file("list.pt"));
  EXPECT_EQ(list.items()[1].repr(), "(1, 2.5, 'x')");
}

TEST(Checkpoint, ReadsArchivesOfOtherTools) {
  for (const char* name : {"deflated.pt", "zip64.pt"}) {
    SCOPED_TRACE(name);
    EXPECT_THAT(values(read_state_dict(file(name))[0].second), ElementsAre(0, 1, 2, 3));
  }
}

TEST(Checkpoint, TellsFormatsApart) {
  EXPECT_EQ(checkpoint_format(file("state.pt")), CheckpointFormat::torch);
  EXPECT_TRUE(is_torchscript(file("script.ts")));
  EXPECT_FALSE(is_torchscript(file("state.pt")));
  EXPECT_EQ(checkpoint_format(file("safetensors_as.pt")), CheckpointFormat::safetensors);
  const StateDict state = read_state_dict(file("safetensors_as.pt"));
  EXPECT_THAT(values(entry(state, "w")), ElementsAre(0, 1, 2, 3));

  const std::pair<const char*, const char*> named[]{{"tar.pt", "legacy tar format"},
                                                    {"legacy.pt", "legacy pickle format of torch before 1.6; save it again"},
                                                    {"script.ts", "TorchScript"},
                                                    {"lfs.pt", "Git LFS pointer"},
                                                    {"bare.pt", "bare pickle"},
                                                    {"empty.pt", "the file is empty"},
                                                    {"wrong_byteorder.pt", "byte order 'big'"}};
  for (const auto& [name, message] : named) {
    const auto [kind, text] = failure(name);
    EXPECT_THAT(text, HasSubstr(message));
    EXPECT_THAT(text, HasSubstr(name)) << "the file is named";
    EXPECT_NE(kind, ErrorKind::internal) << text;
  }
}

TEST(Checkpoint, RefusesEveryOtherGlobal) {
  const std::pair<const char*, const char*> evil[]{{"evil_system.pt", "wants os.system"},
                                                   {"evil_posix.pt", "wants posix.system"},
                                                   {"evil_eval.pt", "wants builtins.eval"},
                                                   {"evil_getattr.pt", "wants builtins.getattr"},
                                                   {"evil_stack_global.pt", "wants os.system"},
                                                   {"evil_inst.pt", "wants os.system"},
                                                   {"evil_class.pt", "wants monai.networks.nets.UNet"},
                                                   {"evil_load.pt", "wants torch.storage._load_from_bytes"},
                                                   {"evil_class_left.pt", "class torch.FloatStorage, not data"}};
  for (const auto& [name, message] : evil) {
    const auto [kind, text] = failure(name);
    EXPECT_EQ(kind, ErrorKind::refused) << text;
    EXPECT_THAT(text, HasSubstr(message));
    EXPECT_THAT(text, HasSubstr(name));
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/vesal-pickle-owned"));
}

TEST(Checkpoint, RefusesHostilePicklesAndTensors) {
  const std::pair<const char*, const char*> hostile[]{{"evil_cycle.pt", "a list holds itself"},
                                                      {"evil_dict_cycle.pt", "a dict holds itself"},
                                                      {"evil_deep.pt", "nested deeper"},
                                                      {"evil_deep_tuple.pt", "nested deeper"},
                                                      {"evil_laughs.pt", "values when written out"},
                                                      {"evil_strings.pt", "MiB of text"},
                                                      {"evil_long.pt", "truncated"},
                                                      {"evil_text_size.pt", "truncated"},
                                                      {"evil_memo.pt", "memo 7 is empty"},
                                                      {"evil_underflow.pt", "stack underflow"},
                                                      {"evil_mark.pt", "no mark"},
                                                      {"wrong_numel.pt", "1000 elements of FloatStorage wanted, 4 are in the file"},
                                                      {"wrong_numel_huge.pt", "4 are in the file"},
                                                      {"wrong_shape.pt", "too large"},
                                                      {"wrong_shape_broadcast.pt", "in a storage of 4 elements"},
                                                      {"wrong_stride.pt", "in a storage of 4 elements"},
                                                      {"wrong_negative_stride.pt", "strides -1"},
                                                      {"wrong_offset.pt", "offset 1 in a storage of 4 elements"},
                                                      {"wrong_offset_huge.pt", "in a storage of 4 elements"},
                                                      {"wrong_storage.pt", "storage 9 is not in the file"},
                                                      {"wrong_storage_path.pt", "is not in the file"},
                                                      {"wrong_type.pt", "ComplexFloatStorage"},
                                                      {"bomb.pt", "bomb"},
                                                      {"truncated.pt", "no directory at the end"},
                                                      {"truncated_end.pt", "no directory at the end"},
                                                      {"flipped.pt", "checksum differs"}};
  for (const auto& [name, message] : hostile) {
    const auto [kind, text] = failure(name);
    EXPECT_NE(kind, ErrorKind::internal) << text;
    EXPECT_THAT(text, HasSubstr(message));
  }
}

TEST(Checkpoint, EveryTruncationIsAnError) {
  std::ifstream in(file("wrapped_model.pt"), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_THROW(read_checkpoint(std::as_bytes(std::span(whole.data(), n))), Error) << n;
  EXPECT_NO_THROW(read_checkpoint(std::as_bytes(std::span(whole))));
}

TEST(Checkpoint, NoFlippedByteCrashes) {
  std::ifstream in(file("training.pt"), std::ios::binary);
  std::string whole((std::istreambuf_iterator<char>(in)), {});
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const int mask : {1, 0x80, 0xff}) {
      whole[i] = static_cast<char>(whole[i] ^ mask);
      try {
        read_checkpoint(std::as_bytes(std::span(whole)));
      } catch (const Error& e) {
        EXPECT_NE(e.kind(), ErrorKind::internal) << e.what();
        ++refused;
      }
      whole[i] = static_cast<char>(whole[i] ^ mask);
    }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace vesal::bundle
