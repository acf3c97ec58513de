// Between Array and torch::Tensor, and tensors as values of a configuration.
#pragma once
#include <torch/types.h>

#include <string>
#include <vector>

#include "base/array.h"
#include "base/value.h"

namespace vesal::nn {

using torch::Tensor;
using Tensors = std::vector<Tensor>;

/// Throws Error(unsupported) for types the other side does not have.
torch::ScalarType scalar_type_of(DType type);
DType dtype_of(torch::ScalarType type);

/// The same memory as a CPU tensor, strides kept; a copy only for negative strides, and uint16/32/64 become int32/64/64.
/// The array's memory lives as long as the tensor.
Tensor to_tensor(const Array& array);
/// The same memory as an array, strides kept, without autograd history; a copy if the tensor is on another device.
Array to_array(const Tensor& tensor);

Shape shape_of(const Tensor& tensor);

/// A tensor with its autograd history, or a parameter, as a value. Attributes: shape, ndim, dtype, device, requires_grad,
/// detach(), cpu(), numpy(), item(), numel(), size(axis).
class TensorObject : public Object {
 public:
  explicit TensorObject(Tensor tensor) : tensor(std::move(tensor)) {}
  std::string type_name() const override { return "Tensor"; }
  std::string repr() const override;
  std::optional<Value> attribute(std::string_view name) override;

  Tensor tensor;
};

Value to_value(const Tensor& tensor);
bool is_tensor(const Value& value);  ///< a TensorObject, an array or an image
/// The tensor of a TensorObject; an array or image becomes a tensor over its memory. Throws Error(config) for anything else.
Tensor tensor_of(const Value& value);

/// Runs work; libtorch's own errors leave as one line: Error(memory) when an allocation failed, Error(shape) otherwise.
template <class F>
auto torch_call(F&& work) {
  try {
    return std::forward<F>(work)();
  } catch (const c10::Error& e) {
    std::string text = e.what_without_backtrace();
    text = text.substr(0, text.find('\n'));
    const bool memory = text.find("allocate memory") != std::string::npos || text.find("out of memory") != std::string::npos;
    throw Error(memory ? ErrorKind::memory : ErrorKind::shape, text);
  }
}

/// Lets libtorch use as many threads as parallel_for does.
void use_thread_count();

}  // namespace vesal::nn
