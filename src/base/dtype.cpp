#include "base/dtype.h"

#include <array>
#include <bit>
#include <utility>

namespace vesal {
namespace {

struct Row {
  DType type;
  std::size_t size;
  std::string_view name;
};
constexpr std::array<Row, 13> kRows{{{DType::boolean, 1, "bool"},
                                     {DType::u8, 1, "uint8"},
                                     {DType::i8, 1, "int8"},
                                     {DType::u16, 2, "uint16"},
                                     {DType::i16, 2, "int16"},
                                     {DType::u32, 4, "uint32"},
                                     {DType::i32, 4, "int32"},
                                     {DType::u64, 8, "uint64"},
                                     {DType::i64, 8, "int64"},
                                     {DType::f16, 2, "float16"},
                                     {DType::bf16, 2, "bfloat16"},
                                     {DType::f32, 4, "float32"},
                                     {DType::f64, 8, "float64"}}};

constexpr std::array<std::pair<std::string_view, DType>, 9> kTorchNames{{{"float", DType::f32},
                                                                         {"double", DType::f64},
                                                                         {"half", DType::f16},
                                                                         {"int", DType::i32},
                                                                         {"long", DType::i64},
                                                                         {"short", DType::i16},
                                                                         {"bool_", DType::boolean},
                                                                         {"single", DType::f32},
                                                                         {"byte", DType::u8}}};

}  // namespace

std::size_t size_of(DType type) { return kRows[static_cast<std::size_t>(type)].size; }
std::string_view name_of(DType type) { return kRows[static_cast<std::size_t>(type)].name; }
bool is_floating(DType type) { return type >= DType::f16; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (std::string_view prefix : {"torch.", "numpy.", "np."})
    if (name.starts_with(prefix)) {
      name.remove_prefix(prefix.size());
      break;
    }
  for (const Row& row : kRows)
    if (row.name == name) return row.type;
  for (const auto& [alias, type] : kTorchNames)
    if (alias == name) return type;
  return std::nullopt;
}

Half::Half(float value) {
  const std::uint32_t f = std::bit_cast<std::uint32_t>(value);
  const std::uint16_t sign = static_cast<std::uint16_t>((f >> 16) & 0x8000u);
  const std::uint32_t magnitude = f & 0x7fffffffu;
  if (magnitude >= 0x7f800000u) {  // infinity and NaN
    bits = static_cast<std::uint16_t>(sign | 0x7c00u | (magnitude > 0x7f800000u ? 0x200u : 0u));
  } else if (magnitude >= 0x477ff000u) {  // rounds to infinity
    bits = static_cast<std::uint16_t>(sign | 0x7c00u);
  } else if (magnitude < 0x38800000u) {  // subnormal: let the float adder round
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    bits = static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  } else {
    const std::uint32_t rounded = magnitude + 0xc8000fffu + ((magnitude >> 13) & 1u);
    bits = static_cast<std::uint16_t>(sign | (rounded >> 13));
  }
}

Half::operator float() const {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fu;
  const std::uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

BFloat16::BFloat16(float value) {
  const std::uint32_t f = std::bit_cast<std::uint32_t>(value);
  if ((f & 0x7fffffffu) > 0x7f800000u) bits = static_cast<std::uint16_t>((f >> 16) | 0x40u);
  else bits = static_cast<std::uint16_t>((f + 0x7fffu + ((f >> 16) & 1u)) >> 16);
}

BFloat16::operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

}  // namespace vesal
