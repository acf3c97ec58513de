#include "bundle/expr_lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

namespace vesal::bundle::expr {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }

[[noreturn]] void fail(std::size_t at, const std::string& why) {
  throw Error(ErrorKind::config, "syntax error at column " + std::to_string(at + 1) + ": " + why);
}

constexpr std::array<std::string_view, 45> kOperators{"**", "//", "==", "!=", "<=", ">=", "<<", ">>", ":=", "->", "...", "+",
                                                      "-",  "*",  "/",  "%",  "<",  ">",  "(",  ")",  "[",  "]",  "{",   "}",
                                                      ",",  ":",  ".",  "&",  "|",  "^",  "~",  "=",  ";",  "!",  "`"};

struct Lexer {
  std::string_view s;
  std::size_t i = 0;

  char at(std::size_t k) const { return k < s.size() ? s[k] : '\0'; }

  Token number() {
    const std::size_t begin = i;
    std::string digits;
    auto run = [&](auto&& wanted) {
      while (wanted(at(i)) || (at(i) == '_' && wanted(at(i + 1)))) {
        if (s[i] != '_') digits += s[i];
        ++i;
      }
    };
    Token token{TokenKind::number, "", Value(), false, begin, 0};
    const char marker = static_cast<char>(std::tolower(static_cast<unsigned char>(at(i + 1))));
    if (at(i) == '0' && (marker == 'x' || marker == 'o' || marker == 'b')) {
      const int base = marker == 'x' ? 16 : marker == 'o' ? 8 : 2;
      i += 2;
      if (at(i) == '_') ++i;
      run([base](char c) { return base == 16 ? std::isxdigit(static_cast<unsigned char>(c)) != 0 : is_digit(c) && c - '0' < base; });
      if (digits.empty()) fail(begin, "digits wanted after 0" + std::string(1, marker));
      token.value = integer(digits, base, begin);
    } else {
      run(is_digit);
      bool floating = false;
      if (at(i) == '.' && !(at(i + 1) == '.')) {
        floating = true;
        digits += s[i++];
        run(is_digit);
      }
      const std::size_t sign = at(i + 1) == '+' || at(i + 1) == '-' ? 1 : 0;
      if ((at(i) == 'e' || at(i) == 'E') && is_digit(at(i + 1 + sign))) {
        floating = true;
        digits.append(s.substr(i, 1 + sign));
        i += 1 + sign;
        run(is_digit);
      }
      if (!floating && digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of('0') != std::string::npos)
        fail(begin, "leading zeros in a decimal number");
      token.value = floating ? Value(std::strtod(digits.c_str(), nullptr)) : integer(digits, 10, begin);
    }
    if (at(i) == 'j' || at(i) == 'J') throw Error(ErrorKind::unsupported, "complex numbers are not supported");
    if (is_word(at(i))) {
      // Python takes "1if x" apart; a word that cannot be a keyword is a fault.
      std::string word;
      for (std::size_t k = i; k < s.size() && is_word(s[k]); ++k) word += s[k];
      if (word != "if" && word != "else" && word != "and" && word != "or" && word != "in" && word != "is" && word != "for" && word != "not")
        fail(i, "'" + word + "' after a number");
    }
    return token;
  }

  static Value integer(const std::string& digits, int base, std::size_t at) {
    std::int64_t v = 0;
    const auto [p, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v, base);
    if (error != std::errc{}) fail(at, "integer beyond 64 bits");
    return v;
  }

  /// At the first quote; `prefix` holds lower-case letters before it.
  Token string(const std::string& prefix, std::size_t begin) {
    const bool raw = prefix.find('r') != std::string::npos;
    const bool formatted = prefix.find('f') != std::string::npos;
    if (prefix.find('b') != std::string::npos) throw Error(ErrorKind::unsupported, "bytes are not supported");
    const char quote = s[i];
    const std::size_t width = at(i + 1) == quote && at(i + 2) == quote ? 3 : 1;
    i += width;
    const std::size_t start = i;
    for (;; ++i) {
      if (i >= s.size()) fail(begin, "the string has no end");
      if (s[i] == '\\') {
        ++i;
      } else if (s[i] == quote && (width == 1 || (at(i + 1) == quote && at(i + 2) == quote))) {
        break;
      } else if (s[i] == '\n' && width == 1) {
        fail(begin, "the string has no end on its line");
      } else if (formatted && s[i] == '{') {
        if (at(i + 1) == '{') ++i;
        else i += end_of_field(s.substr(i), 0);
      }
    }
    const std::string_view body = s.substr(start, i - start);
    i += width;
    Token token{formatted ? TokenKind::fstring : TokenKind::string, "", Value(), raw, begin, 0};
    if (formatted) token.text = body;
    else token.value = raw ? std::string(body) : unescape(body);
    return token;
  }

  Token next() {
    while (i < s.size()) {
      if (std::isspace(static_cast<unsigned char>(s[i]))) ++i;
      else if (s[i] == '\\' && at(i + 1) == '\n') i += 2;
      else break;
    }
    const std::size_t begin = i;
    if (i >= s.size()) return {TokenKind::end, "", Value(), false, begin, begin};
    const char c = s[i];
    if (is_digit(c) || (c == '.' && is_digit(at(i + 1)))) return number();
    if (c == '"' || c == '\'') return string("", begin);
    if (is_word(c)) {
      while (is_word(at(i)) && i < s.size()) ++i;
      std::string word(s.substr(begin, i - begin));
      if (word.size() <= 2 && (at(i) == '"' || at(i) == '\'')) {
        std::string prefix = word;
        for (char& p : prefix) p = static_cast<char>(std::tolower(static_cast<unsigned char>(p)));
        static const std::vector<std::string> kPrefixes{"r", "u", "b", "f", "br", "rb", "fr", "rf"};
        if (std::find(kPrefixes.begin(), kPrefixes.end(), prefix) != kPrefixes.end()) return string(prefix, begin);
      }
      return {TokenKind::name, std::move(word), Value(), false, begin, i};
    }
    if (c == '@') {
      ++i;
      const std::size_t start = i;
      while (i < s.size()) {
        if (is_word(s[i])) ++i;
        else if (s[i] == ':' && at(i + 1) == ':') i += 2;
        else break;
      }
      if (i == start) fail(begin, "'@' without an id (matrix products are not supported)");
      return {TokenKind::reference, std::string(s.substr(start, i - start)), Value(), false, begin, i};
    }
    for (std::string_view op : kOperators)
      if (!op.empty() && s.substr(i, op.size()) == op) {
        i += op.size();
        return {TokenKind::op, std::string(op), Value(), false, begin, i};
      }
    fail(begin, "unexpected character '" + std::string(1, c) + "'");
  }
};

}  // namespace

std::string utf8(std::uint32_t c) {
  std::string out;
  if (c < 0x80) out += static_cast<char>(c);
  else if (c < 0x800) out += {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 63))};
  else if (c < 0x10000) out += {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 63)), static_cast<char>(0x80 | (c & 63))};
  else
    out += {static_cast<char>(0xF0 | (c >> 18)), static_cast<char>(0x80 | ((c >> 12) & 63)), static_cast<char>(0x80 | ((c >> 6) & 63)),
            static_cast<char>(0x80 | (c & 63))};
  return out;
}

std::string unescape(std::string_view body) {
  static constexpr std::string_view kFrom = "\\'\"abfnrtv", kTo = "\\'\"\a\b\f\n\r\t\v";
  std::string out;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\' || i + 1 >= body.size()) {
      out += body[i];
      continue;
    }
    const char c = body[++i];
    if (const auto k = kFrom.find(c); k != std::string_view::npos) {
      out += kTo[k];
    } else if (c == '\n') {
      continue;
    } else if (c >= '0' && c <= '7') {
      std::uint32_t code = 0;
      std::size_t n = 0;
      for (; n < 3 && i + n < body.size() && body[i + n] >= '0' && body[i + n] <= '7'; ++n)
        code = code * 8 + static_cast<std::uint32_t>(body[i + n] - '0');
      i += n - 1;
      out += utf8(code);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t width = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      std::uint32_t code = 0;
      const std::string_view digits = body.substr(std::min(i + 1, body.size()), width);
      const auto [p, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
      if (digits.size() != width || error != std::errc{} || p != digits.data() + width || code > 0x10FFFF)
        throw Error(ErrorKind::config, "syntax error: bad \\" + std::string(1, c) + " escape in a string");
      out += utf8(code);
      i += width;
    } else if (c == 'N') {
      throw Error(ErrorKind::unsupported, "\\N{...} escapes are not supported");
    } else {
      out += '\\';
      out += c;
    }
  }
  return out;
}

std::size_t end_of_field(std::string_view body, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i < body.size(); ++i) {
    const char c = body[i];
    if (c == '{' || c == '[' || c == '(') {
      if (++depth > 100) throw Error(ErrorKind::refused, "an f-string nested deeper than 100");
    } else if (c == '}' || c == ']' || c == ')') {
      if (--depth == 0) return i;
    } else if (c == '"' || c == '\'') {
      const std::size_t width = body.substr(i, 3) == std::string(3, c) ? 3 : 1;
      std::size_t k = i + width;
      while (k < body.size() && body.substr(k, width) != std::string(width, c)) k += body[k] == '\\' ? 2 : 1;
      i = k + width - 1;
    }
  }
  throw Error(ErrorKind::config, "syntax error: a '{' of an f-string has no '}'");
}

std::vector<Token> tokenize(std::string_view source) {
  if (source.size() > kMaxSource) throw Error(ErrorKind::refused, "the expression is longer than " + std::to_string(kMaxSource) + " bytes");
  Lexer lexer{source};
  std::vector<Token> tokens;
  do {
    tokens.push_back(lexer.next());
    tokens.back().end = lexer.i;
  } while (tokens.back().kind != TokenKind::end);
  return tokens;
}

}  // namespace vesal::bundle::expr
