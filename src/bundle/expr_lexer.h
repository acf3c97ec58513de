// Words of Python's expression language, with MONAI's "@id" references as words of their own.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"

namespace vesal::bundle::expr {

enum class TokenKind { name, number, string, fstring, op, reference, end };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;                ///< a name, an operator, a reference's id, or the raw inside of an f-string
  Value value;                     ///< of a number or plain string
  bool raw = false;                ///< an f-string with the prefix r
  std::size_t begin = 0, end = 0;  ///< bytes of the source
};

/// Sources longer than this are refused.
inline constexpr std::size_t kMaxSource = 1 << 16;

/// Throws Error(config) with the column of the fault, Error(refused) on what is too long, Error(unsupported) on bytes and
/// imaginary literals.
std::vector<Token> tokenize(std::string_view source);

/// Backslash escapes of a string literal resolved; code points above 127 become UTF-8.
std::string unescape(std::string_view body);
/// A code point as UTF-8.
std::string utf8(std::uint32_t code_point);
/// Where the f-string field that starts at body[at] == '{' ends: the position of its '}'.
std::size_t end_of_field(std::string_view body, std::size_t at);

}  // namespace vesal::bundle::expr
