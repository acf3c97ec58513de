// Element types of arrays, named as NumPy names them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace vesal {

enum class DType : std::uint8_t { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f16, bf16, f32, f64 };

/// IEEE binary16, storage only: convert to float to compute.
struct Half {
  std::uint16_t bits = 0;
  Half() = default;
  explicit Half(float value);
  explicit operator float() const;
};

/// The upper half of a binary32, storage only: convert to float to compute.
struct BFloat16 {
  std::uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float value);
  explicit operator float() const;
};

std::size_t size_of(DType type);       ///< bytes of one element
std::string_view name_of(DType type);  ///< "float32", "uint8", "bool", ...
bool is_floating(DType type);
/// "float32", "numpy.float32", "torch.float", "np.uint8", "int", ... ; nothing if unknown.
std::optional<DType> dtype_from_name(std::string_view name);

template <class T>
struct TypeTag {
  using type = T;
};
template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<bool>() {
  return DType::boolean;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::i8;
}
template <>
constexpr DType dtype_of<std::uint16_t>() {
  return DType::u16;
}
template <>
constexpr DType dtype_of<std::int16_t>() {
  return DType::i16;
}
template <>
constexpr DType dtype_of<std::uint32_t>() {
  return DType::u32;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<std::uint64_t>() {
  return DType::u64;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::i64;
}
template <>
constexpr DType dtype_of<Half>() {
  return DType::f16;
}
template <>
constexpr DType dtype_of<BFloat16>() {
  return DType::bf16;
}
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}

/// Calls f(TypeTag<T>{}) with the C++ type of `type`.
template <class F>
decltype(auto) visit_dtype(DType type, F&& f) {
  switch (type) {
    case DType::boolean: return f(TypeTag<bool>{});
    case DType::u8: return f(TypeTag<std::uint8_t>{});
    case DType::i8: return f(TypeTag<std::int8_t>{});
    case DType::u16: return f(TypeTag<std::uint16_t>{});
    case DType::i16: return f(TypeTag<std::int16_t>{});
    case DType::u32: return f(TypeTag<std::uint32_t>{});
    case DType::i32: return f(TypeTag<std::int32_t>{});
    case DType::u64: return f(TypeTag<std::uint64_t>{});
    case DType::i64: return f(TypeTag<std::int64_t>{});
    case DType::f16: return f(TypeTag<Half>{});
    case DType::bf16: return f(TypeTag<BFloat16>{});
    case DType::f32: return f(TypeTag<float>{});
    case DType::f64: break;
  }
  return f(TypeTag<double>{});
}

/// One element of one type as another, as a C cast does it (half types through float, bool as != 0).
template <class To, class From>
To convert(From v) {
  constexpr bool from_half = std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>;
  constexpr bool to_half = std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>;
  if constexpr (from_half) return convert<To>(static_cast<float>(v));
  else if constexpr (to_half) return To(static_cast<float>(v));
  else if constexpr (std::is_same_v<To, bool>) return v != From{};
  else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // Out of range and NaN are undefined in C++; go through int64 as x86 compilers do for NumPy.
    if (!(v > -9.2e18 && v < 9.2e18)) return v > 0 && std::is_same_v<To, std::uint64_t> ? static_cast<To>(~To{}) : To{};
    return static_cast<To>(static_cast<std::int64_t>(v));
  } else return static_cast<To>(v);
}

}  // namespace vesal
