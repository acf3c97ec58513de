// torch as far as it is data: types, devices, random tensors, checkpoints, flags; functions on tensors are in allow_arrays.cpp.
#include "base/device.h"
#include "base/random.h"
#include "bundle/allow.h"
#include "bundle/allow_arrays.h"
#include "bundle/checkpoint.h"
#include "bundle/expr_array.h"
#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle {
namespace {

/// The numbers of torch.rand and the like: one stream for the process, started anew with each seed.
Random& stream() {
  static Random random(mix_seed(global_seed(), 0x746f726368));
  static const OnSeed seeding([](std::uint64_t seed) { random.reseed(mix_seed(seed, 0x746f726368)); });
  return random;
}

template <double (*draw)(Random&)>
Value drawn(const CallArgs& args) {
  Array x = fresh_array(shape_argument(args), DType::f32);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data<float>()[i] = static_cast<float>(draw(stream()));
  return x;
}

template <DType type>
Value tensor_of(const CallArgs& args) {
  if (args.positional.size() != 1) expr::fail("one value is taken");
  return image::array_of(expr::array_from(args.positional[0], false)).to(type);
}

Value nothing(const CallArgs&) { return {}; }

/// None, where a device is set that this build does not have.
Value set_device(const CallArgs& args) {
  if (args.positional.size() != 1) expr::fail("one device is taken");
  return {};
}

const AllowFunctions functions{
    {"torch.device",
     [](const CallArgs& call) {
       const Args a = bind("torch.device", {required("type", "cpu, cuda or cuda:N"), optional("index", nullptr, "which one")}, call);
       if (a["type"].object<Device>()) return a["type"];
       if (a["type"].is_int()) return Value(Device::parse("cuda:" + a["type"].str()));
       return Value(Device::parse(a["type"].as_string() + (a.is_none("index") ? "" : ":" + a["index"].str())));
     }},
    {"torch.cuda.is_available", [](const CallArgs&) { return Value(cuda_device_count() > 0); }},
    {"torch.cuda.device_count", [](const CallArgs&) { return Value(cuda_device_count()); }},
    {"torch.cuda.set_device", set_device},
    {"torch.cuda.empty_cache", nothing},
    {"torch.rand", drawn<[](Random& r) { return r.uniform(); }>},
    {"torch.randn", drawn<[](Random& r) { return r.normal(); }>},
    {"torch.FloatTensor", tensor_of<DType::f32>},
    {"torch.DoubleTensor", tensor_of<DType::f64>},
    {"torch.LongTensor", tensor_of<DType::i64>},
    {"torch.IntTensor", tensor_of<DType::i32>},
    {"torch.ByteTensor", tensor_of<DType::u8>},
    {"torch.BoolTensor", tensor_of<DType::boolean>},
    {"torch.manual_seed",
     [](const CallArgs& a) {
       if (a.positional.size() != 1) expr::fail("one seed is taken");
       set_global_seed(static_cast<std::uint64_t>(a.positional[0].as_int()));
       return Value();
     }},
    {"torch.set_num_threads", nothing},
};
const AllowBound load("torch.load",
                      {required("f", "a checkpoint"), optional("map_location", nullptr, "ignored: tensors are read into memory"),
                       optional("weights_only", true, "ignored: code in a checkpoint is never run")},
                      [](const Args& a) { return read_checkpoint(path_text(a["f"])); });
// Flags are kept so that configurations can set them; the engine chooses by itself.
const Allow flags[]{{"torch.backends.cudnn.benchmark", false},
                    {"torch.backends.cudnn.deterministic", false},
                    {"torch.backends.cudnn.enabled", true},
                    {"torch.backends.cuda.matmul.allow_tf32", false},
                    {"torch.backends.cudnn.allow_tf32", true}};
const Allow infinity[]{{"torch.inf", HUGE_VAL}, {"torch.pi", 3.141592653589793}};

struct Types {
  Types() {
    for (const char* name : {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "float", "double",
                             "half", "int", "long", "short"})
      allowed::add(std::string("torch.") + name, *dtype_from_name(name));
  }
};
const Types types;

}  // namespace
}  // namespace vesal::bundle
