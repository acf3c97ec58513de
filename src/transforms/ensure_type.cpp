// EnsureType, ToTensor, ToNumpy, ToDevice and CastToType (monai.transforms): type of the numbers, with or without metadata.
#include "base/device.h"
#include "transforms/arguments.h"
#include "transforms/elementwise.h"
#include "transforms/slabs.h"
#include "transforms/transform.h"

namespace vesal::transforms {
namespace {

/// The image with voxels of another type; deferred voxels stay deferred.
Image cast_image(const Image& image, DType type) {
  if (image.dtype() == type) return image;
  if (!image.deferred()) return image.with(converted(image.array(), type));
  image::VoxelSourcePtr source;
  if (auto stored = std::dynamic_pointer_cast<const StoredSource>(image.deferred())) source = std::make_shared<StoredSource>(stored->storage(), type);
  else
    source = std::make_shared<MappedSource>(image.deferred(), image.deferred()->channels(), type, [type](const Array& box) { return box.to(type); });
  return image.with(std::move(source));
}

/// What convert_data_type of the peer is told.
struct Conversion {
  std::optional<DType> type;
  bool wrap_sequence = true;
  bool keep_meta = true;  ///< false: images become plain arrays
};

/// Floats become float32 and ints int64, as torch has them.
Array array_of_number(const Value& v) {
  if (v.is_bool()) return Array::full({}, DType::boolean, v.as_bool());
  if (v.is_int()) return Array::from<std::int64_t>({v.as_int()}, {});
  return Array::full({}, DType::f32, v.as_float());
}

Value convert(const Value& v, const Conversion& how) {
  if (auto image = v.object<Image>()) {
    Image out = how.type ? cast_image(*image, *how.type) : *image;
    if (how.keep_meta) return image::to_value(std::move(out));
    return out.array();
  }
  if (v.is_array()) {
    Array out = how.type ? converted(v.as_array(), *how.type) : v.as_array();
    return how.keep_meta ? image::to_value(Image(std::move(out))) : Value(std::move(out));
  }
  if (v.is_number()) {
    const Array out = array_of_number(v);
    return how.type ? out.to(*how.type) : out;
  }
  if (v.is_sequence()) {
    List items;
    std::vector<Array> parts;
    bool arrays = true;
    for (const Value& item : v.items()) {
      items.items.push_back(convert(item, how));
      arrays = arrays && (items.items.back().is_array() || items.items.back().object<Image>());
      if (arrays) parts.push_back(image::array_of(items.items.back()));
    }
    if (how.wrap_sequence && arrays && !parts.empty()) {
      DType widest = parts[0].dtype();
      for (const Array& p : parts) widest = is_floating(p.dtype()) && !is_floating(widest) ? p.dtype() : widest;
      for (Array& p : parts) p = p.to(widest);
      return stack(parts, 0);
    }
    if (v.is_tuple()) return Tuple{std::move(items.items)};
    return items;
  }
  if (v.is_dict()) {
    Dict out;
    for (const auto& [key, value] : v.as_dict()) out[key] = convert(value, how);
    return out;
  }
  return v;
}

class EnsureType : public Transform {
 public:
  EnsureType(std::string name, Conversion how) : name_(std::move(name)), how_(how) {}
  std::string type_name() const override { return name_; }
  Value apply(const Value& data) const override { return convert(data, how_); }

 private:
  std::string name_;
  Conversion how_;
};

class CastToType : public ImageTransform {
 public:
  explicit CastToType(DType type) : type_(type) {}
  std::string type_name() const override { return "CastToType"; }
  Image transform(const Image& image) const override { return cast_image(image, type_); }

 private:
  DType type_;
};

/// Arrays live in host memory; inferers and trainers move what a network needs.
void check_device(const Value& device) {
  if (device.is_string()) (void)Device::parse(device.as_string());
  else if (!device.is_none() && !device.object<Device>()) throw Error(ErrorKind::config, "device " + device.repr() + " is no device");
}

bool keeps_meta(const Value& track_meta) { return track_meta.is_none() || cast<bool>(track_meta); }

const Param kType = optional("dtype", nullptr, "type of the numbers; None: as they are");
const Param kDevice = optional("device", nullptr, "accepted; arrays stay in host memory until a network wants them");
const Param kWrap = optional("wrap_sequence", true, "a list of numbers becomes one array");
const Param kTrack = optional("track_meta", nullptr, "False: drop the metadata");

const RegisterTransform ensure_type({
    .name = "EnsureType",
    .summary = "Numbers and lists as arrays, of a given type",
    .params = {optional("data_type", "tensor", "\"tensor\", or \"numpy\", which drops the metadata"), kType, kDevice, kWrap, kTrack},
    .per_key = {"dtype"},
    .make = [](const Args& args) -> TransformPtr {
      const auto kind = args.get<std::string>("data_type");
      if (kind != "tensor" && kind != "numpy")
        throw Error(ErrorKind::config, args.component() + ": data_type is '" + kind + "', want tensor or numpy");
      check_device(args["device"]);
      return std::make_shared<EnsureType>("EnsureType", Conversion{dtype_argument(args, "dtype"), args.get<bool>("wrap_sequence"),
                                                                   kind == "tensor" && keeps_meta(args["track_meta"])});
    },
});

const RegisterTransform to_tensor({
    .name = "ToTensor",
    .summary = "Numbers and lists as arrays",
    .params = {kType, kDevice, kWrap, kTrack},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      check_device(args["device"]);
      return std::make_shared<EnsureType>("ToTensor",
                                          Conversion{dtype_argument(args, "dtype"), args.get<bool>("wrap_sequence"), keeps_meta(args["track_meta"])});
    },
});

const RegisterTransform to_numpy({
    .name = "ToNumpy",
    .summary = "Plain arrays without metadata",
    .params = {kType, kWrap},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      return std::make_shared<EnsureType>("ToNumpy", Conversion{dtype_argument(args, "dtype"), args.get<bool>("wrap_sequence"), false});
    },
});

const RegisterTransform to_device({
    .name = "ToDevice",
    .summary = "Accepted; arrays stay in host memory until a network wants them",
    .params = {required("device", "\"cpu\", \"cuda:0\""), {.name = "kwargs", .doc = "accepted", .rest = true}},
    .per_key = {},
    .make = [](const Args& args) -> TransformPtr {
      check_device(args["device"]);
      return std::make_shared<EnsureType>("ToDevice", Conversion{});
    },
});

const RegisterTransform cast_to_type({
    .name = "CastToType",
    .summary = "Numbers of another type, as a C cast makes them",
    .params = {optional("dtype", Value(DType::f32), "the type")},
    .per_key = {"dtype"},
    .make = [](const Args& args) -> TransformPtr {
      const auto type = dtype_argument(args, "dtype");
      return std::make_shared<CastToType>(type.value_or(DType::f32));
    },
});

}  // namespace
}  // namespace vesal::transforms
