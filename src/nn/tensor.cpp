#include "nn/tensor.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "base/device.h"
#include "base/parallel.h"
#include "image/image.h"

namespace vesal::nn {

torch::ScalarType scalar_type_of(DType type) {
  switch (type) {
    case DType::boolean: return torch::kBool;
    case DType::u8: return torch::kUInt8;
    case DType::i8: return torch::kInt8;
    case DType::i16: return torch::kInt16;
    case DType::i32: return torch::kInt32;
    case DType::i64: return torch::kInt64;
    case DType::f16: return torch::kFloat16;
    case DType::bf16: return torch::kBFloat16;
    case DType::f32: return torch::kFloat32;
    case DType::f64: return torch::kFloat64;
    default: throw Error(ErrorKind::unsupported, "tensors of " + std::string(name_of(type)));
  }
}

DType dtype_of(torch::ScalarType type) {
  switch (type) {
    case torch::kBool: return DType::boolean;
    case torch::kUInt8: return DType::u8;
    case torch::kInt8: return DType::i8;
    case torch::kInt16: return DType::i16;
    case torch::kInt32: return DType::i32;
    case torch::kInt64: return DType::i64;
    case torch::kFloat16: return DType::f16;
    case torch::kBFloat16: return DType::bf16;
    case torch::kFloat32: return DType::f32;
    case torch::kFloat64: return DType::f64;
    default: throw Error(ErrorKind::unsupported, std::string("arrays of torch's type ") + c10::toString(type));
  }
}

Tensor to_tensor(const Array& array) {
  if (!array.defined()) throw Error(ErrorKind::shape, "an array that was never filled");
  if (array.dtype() == DType::u16) return to_tensor(array.to(DType::i32));
  if (array.dtype() == DType::u32 || array.dtype() == DType::u64) return to_tensor(array.to(DType::i64));
  if (std::any_of(array.strides().begin(), array.strides().end(), [](std::int64_t s) { return s < 0; })) return to_tensor(array.contiguous());
  Array keep = array;
  void* data = keep.raw();
  return torch::from_blob(
      data, array.shape(), array.strides(), [keep = std::move(keep)](void*) {}, scalar_type_of(array.dtype()));
}

Array to_array(const Tensor& tensor) {
  if (tensor.layout() != torch::kStrided) throw Error(ErrorKind::unsupported, "arrays of sparse tensors");
  auto host = std::make_shared<Tensor>(tensor.detach().to(torch::kCPU));
  const DType type = dtype_of(host->scalar_type());
  if (host->numel() == 0) return Array::empty(shape_of(*host), type);
  return Array::wrap(host->data_ptr(), shape_of(*host), type, host, host->dim() ? Shape(host->strides().begin(), host->strides().end()) : Shape{});
}

Shape shape_of(const Tensor& tensor) { return Shape(tensor.sizes().begin(), tensor.sizes().end()); }

std::string TensorObject::repr() const {
  return "tensor(" + std::string(name_of(dtype_of(tensor.scalar_type()))) + " " + to_string(shape_of(tensor)) + ")";
}

std::optional<Value> TensorObject::attribute(std::string_view name) {
  const auto method = [&](auto body) {
    return make_function(std::string(name), [t = tensor, body](const CallArgs& args) -> Value { return body(t, args); });
  };
  if (name == "shape") {
    Tuple extents;
    for (std::int64_t n : tensor.sizes()) extents.items.emplace_back(n);
    return Value(std::move(extents));
  }
  if (name == "ndim") return Value(tensor.dim());
  if (name == "dtype") return Value(dtype_of(tensor.scalar_type()));
  if (name == "device") return Value(Device::parse(tensor.device().str()));
  if (name == "requires_grad") return Value(tensor.requires_grad());
  if (name == "detach") return method([](const Tensor& t, const CallArgs&) { return to_value(t.detach()); });
  if (name == "cpu") return method([](const Tensor& t, const CallArgs&) { return to_value(t.cpu()); });
  if (name == "numpy") return method([](const Tensor& t, const CallArgs&) { return Value(to_array(t)); });
  if (name == "item") return method([](const Tensor& t, const CallArgs&) { return Value(to_array(t).item()); });
  if (name == "numel") return method([](const Tensor& t, const CallArgs&) { return Value(t.numel()); });
  if (name == "size")
    return method([](const Tensor& t, const CallArgs& args) {
      if (args.positional.size() != 1) throw Error(ErrorKind::config, "size() takes an axis; the whole shape is .shape");
      return Value(torch_call([&] { return t.size(args.positional[0].as_int()); }));
    });
  return std::nullopt;
}

Value to_value(const Tensor& tensor) { return std::make_shared<TensorObject>(tensor); }

bool is_tensor(const Value& value) { return value.is_array() || value.object<TensorObject>() || value.object<image::Image>(); }

Tensor tensor_of(const Value& value) {
  if (auto object = value.object<TensorObject>()) return object->tensor;
  return to_tensor(image::array_of(value));
}

void use_thread_count() {
  if (at::get_num_threads() != thread_count()) at::set_num_threads(thread_count());
}

}  // namespace vesal::nn
