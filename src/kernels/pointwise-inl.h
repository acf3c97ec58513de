// The pointwise functions on vectors, once per instruction set: include it after highway.h inside a file that foreach_target.h includes.
#if defined(VESAL_KERNELS_POINTWISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VESAL_KERNELS_POINTWISE_INL_H
#undef VESAL_KERNELS_POINTWISE_INL_H
#else
#define VESAL_KERNELS_POINTWISE_INL_H
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "kernels/activations.h"

HWY_BEFORE_NAMESPACE();
namespace vesal::kernels::HWY_NAMESPACE {

/// Zeros for NaN, which the functions of the math library turn into an integer on the way.
template <class V>
HWY_INLINE V WithoutNaN(V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  return hn::IfThenZeroElse(hn::IsNaN(x), x);
}

/// 1 / (1 + exp(-x)); NaN stays NaN.
template <class D, class V>
HWY_INLINE V Sigmoid(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V one = hn::Set(d, 1.0f);
  const V e = hn::Exp(d, hn::Min(hn::Neg(WithoutNaN(x)), hn::Set(d, 88.0f)));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Div(one, hn::Add(one, e)));
}

/// f(x), each lane with its own slope. F is known when this is compiled, so that loops over it hold no branch.
template <Function F, class D, class V>
HWY_INLINE V Apply(D d, V x, [[maybe_unused]] V slope) {
  namespace hn = hwy::HWY_NAMESPACE;
  [[maybe_unused]] const auto negative = hn::Lt(x, hn::Zero(d));
  if constexpr (F == Function::relu) return hn::IfThenZeroElse(negative, x);
  if constexpr (F == Function::leaky_relu || F == Function::prelu) return hn::IfThenElse(negative, hn::Mul(slope, x), x);
  if constexpr (F == Function::silu) return hn::Mul(x, Sigmoid(d, x));
  if constexpr (F == Function::sigmoid) return Sigmoid(d, x);
  if constexpr (F == Function::tanh) return hn::IfThenElse(hn::IsNaN(x), x, hn::Tanh(d, WithoutNaN(x)));
  if constexpr (F == Function::elu) return hn::IfThenElse(negative, hn::Mul(slope, hn::Expm1(d, hn::Min(WithoutNaN(x), hn::Zero(d)))), x);
  return x;
}

/// Calls body with the function as a compile-time constant: WithFunction(f, [&](auto F) { ... Apply<F()>(d, x, slope) ... }).
template <class Body>
HWY_INLINE void WithFunction(Function function, Body&& body) {
  switch (function) {
    case Function::identity: return body(std::integral_constant<Function, Function::identity>());
    case Function::relu: return body(std::integral_constant<Function, Function::relu>());
    case Function::leaky_relu: return body(std::integral_constant<Function, Function::leaky_relu>());
    case Function::prelu: return body(std::integral_constant<Function, Function::prelu>());
    case Function::silu: return body(std::integral_constant<Function, Function::silu>());
    case Function::sigmoid: return body(std::integral_constant<Function, Function::sigmoid>());
    case Function::tanh: return body(std::integral_constant<Function, Function::tanh>());
    case Function::elu: return body(std::integral_constant<Function, Function::elu>());
  }
}

}  // namespace vesal::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // VESAL_KERNELS_POINTWISE_INL_H
