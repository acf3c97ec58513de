// format(), "..." % values, and str.format: Python's format mini-language.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bundle/expr_array.h"
#include "bundle/expr_runtime.h"
#include "image/image.h"

namespace vesal::bundle::expr {
namespace {

constexpr int kMaxWidth = 4096;

/// [[fill]align][sign][#][0][width][grouping][.precision][type]
struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', grouping = 0, type = 0;
  bool alternate = false;
  int width = 0, precision = -1;
};

int digits(const std::string& s, std::size_t& i) {
  int n = 0;
  for (; i < s.size() && std::isdigit(static_cast<unsigned char>(s[i])); ++i) {
    n = n * 10 + (s[i] - '0');
    if (n > kMaxWidth) throw Error(ErrorKind::refused, "a format wider than " + std::to_string(kMaxWidth));
  }
  return n;
}

Spec parse_spec(const std::string& s) {
  Spec spec;
  std::size_t i = 0;
  auto is_align = [](char c) { return c == '<' || c == '>' || c == '=' || c == '^'; };
  const std::vector<std::string> letters = characters(s.substr(0, 8));
  if (!letters.empty() && letters[0].size() < s.size() && is_align(s[letters[0].size()])) {
    spec.fill = letters[0];
    spec.align = s[letters[0].size()];
    i = letters[0].size() + 1;
  } else if (!s.empty() && is_align(s[0])) {
    spec.align = s[i++];
  }
  auto accept = [&](const char* any) { return i < s.size() && std::string_view(any).find(s[i]) != std::string_view::npos ? s[i++] : '\0'; };
  if (const char c = accept("+- ")) spec.sign = c;
  if (accept("#")) spec.alternate = true;
  if (i < s.size() && s[i] == '0' && !spec.align) spec.fill = "0", spec.align = '=';
  spec.width = digits(s, i);
  if (const char c = accept(",_")) spec.grouping = c;
  if (accept(".")) spec.precision = digits(s, i);
  if (i < s.size()) spec.type = s[i++];
  if (i != s.size()) fail("format '" + s + "' is not understood");
  return spec;
}

std::string group(const std::string& whole, char separator, std::size_t every) {
  std::string out;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (i && (whole.size() - i) % every == 0) out += separator;
    out += whole[i];
  }
  return out;
}

std::string pad(const Spec& spec, const std::string& sign, const std::string& body, char default_align) {
  const auto shown = static_cast<int>(length(sign + body));
  const int missing = std::max(0, spec.width - shown);
  auto fill = [&](int n) {
    std::string s;
    for (int i = 0; i < n; ++i) s += spec.fill;
    return s;
  };
  switch (spec.align ? spec.align : default_align) {
    case '<': return sign + body + fill(missing);
    case '^': return fill(missing / 2) + sign + body + fill(missing - missing / 2);
    case '=': return sign + fill(missing) + body;
    default: return fill(missing) + sign + body;
  }
}

std::string sign_of(const Spec& spec, bool negative) { return negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign); }

std::string format_integer(const Spec& spec, std::int64_t v) {
  if (spec.precision >= 0) fail("a precision does not go with an integer");
  const std::uint64_t magnitude = v < 0 ? 0 - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
  std::string body, prefix;
  switch (spec.type) {
    case 'x': body = fmt::format("{:x}", magnitude), prefix = "0x"; break;
    case 'X': body = fmt::format("{:X}", magnitude), prefix = "0X"; break;
    case 'o': body = fmt::format("{:o}", magnitude), prefix = "0o"; break;
    case 'b': body = fmt::format("{:b}", magnitude), prefix = "0b"; break;
    default: body = std::to_string(magnitude);
  }
  if (spec.grouping) body = group(body, spec.grouping, prefix.empty() ? 3 : 4);
  return pad(spec, sign_of(spec, v < 0) + (spec.alternate ? prefix : ""), body, '>');
}

std::string format_float(const Spec& spec, double v) {
  const bool percent = spec.type == '%';
  const double magnitude = std::fabs(percent ? v * 100 : v);
  std::string body;
  if (!std::isfinite(v)) body = std::isnan(v) ? "nan" : "inf";
  else if (spec.type == 0 && spec.precision < 0) body = Value(magnitude).repr();
  else if (spec.type == 0) {
    body = fmt::format("{:.{}g}", magnitude, std::max(spec.precision, 1));
    if (body.find_first_of(".e") == std::string::npos) body += ".0";
  } else {
    const int precision = spec.precision < 0 ? 6 : spec.precision;
    switch (spec.type) {
      case 'e': body = fmt::format("{:.{}e}", magnitude, precision); break;
      case 'E': body = fmt::format("{:.{}E}", magnitude, precision); break;
      case 'g':
      case 'n': body = fmt::format("{:.{}g}", magnitude, std::max(precision, 1)); break;
      case 'G': body = fmt::format("{:.{}G}", magnitude, std::max(precision, 1)); break;
      case 'f':
      case 'F':
      case '%': body = fmt::format("{:.{}f}", magnitude, precision); break;
      default: fail(std::string("format '") + spec.type + "' does not go with a float");
    }
  }
  if (percent) body += "%";
  if (spec.grouping) {
    const auto point = body.find_first_of(".e%");
    body = group(body.substr(0, point), spec.grouping, 3) + (point == std::string::npos ? "" : body.substr(point));
  }
  return pad(spec, sign_of(spec, std::signbit(v) && !std::isnan(v)), body, '>');
}

}  // namespace

std::string format_value(const Value& v, const std::string& text) {
  if (is_arrayish(v) && array_shape(v).empty()) return format_value(array_to_list(image::array_of(v)), text);
  if (text.empty()) return v.str();
  const Spec spec = parse_spec(text);
  if (v.is_string() && (spec.type == 0 || spec.type == 's')) {
    if (spec.align == '=') fail("'=' does not go with a string");
    const std::vector<std::string> letters = characters(v.as_string());
    std::string shown;
    for (std::size_t i = 0; i < letters.size() && (spec.precision < 0 || i < static_cast<std::size_t>(spec.precision)); ++i) shown += letters[i];
    return pad(spec, "", shown, '<');
  }
  if (v.is_number()) {
    const bool floating = spec.type && std::string_view("eEfFgGn%").find(spec.type) != std::string_view::npos;
    if (v.is_float() || (floating && spec.type != 'n')) return format_float(spec, v.as_float());
    if (v.is_bool() && spec.type == 0) return pad(spec, "", v.repr(), '<');
    if (spec.type == 'c') return pad(spec, "", std::string(1, static_cast<char>(v.as_int() & 127)), '<');
    if (spec.type == 0 || std::string_view("dxXobn").find(spec.type) != std::string_view::npos) return format_integer(spec, v.as_int());
  }
  fail("format '" + text + "' does not go with " + v.type_name());
}

std::string percent_format(const std::string& pattern, const Value& values) {
  std::string out;
  std::size_t next = 0;
  const std::vector<Value> items = values.is_tuple() ? values.items() : std::vector<Value>{values};
  auto take = [&]() -> const Value& {
    if (next >= items.size()) fail("not enough values for '" + pattern + "'");
    return items[next++];
  };
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out += pattern[i];
      continue;
    }
    if (++i >= pattern.size()) fail("'%' at the end of a format");
    if (pattern[i] == '%') {
      out += '%';
      continue;
    }
    std::optional<Value> named;
    if (pattern[i] == '(') {
      const auto close = pattern.find(')', i);
      if (close == std::string::npos) fail("'(' without ')' in a format");
      named = values.as_dict().at(pattern.substr(i + 1, close - i - 1));
      next = items.size();
      i = close + 1;
    }
    std::string flags, spec;
    bool left = false;
    for (; i < pattern.size() && std::string_view("-+ #0").find(pattern[i]) != std::string_view::npos; ++i) {
      if (pattern[i] == '-') left = true;
      else flags += pattern[i];
    }
    for (; i < pattern.size() && (std::isdigit(static_cast<unsigned char>(pattern[i])) || pattern[i] == '.'); ++i) spec += pattern[i];
    const char type = i < pattern.size() ? pattern[i] : '\0';
    const Value v = named ? *named : take();
    if (type == 's' || type == 'r') {
      out += format_value(type == 'r' ? v.repr() : v.str(), (left || spec.empty() ? "" : ">") + spec);
    } else if (type == 'd' || type == 'i') {
      out += format_value(static_cast<std::int64_t>(v.is_float() ? static_cast<std::int64_t>(v.as_float()) : v.as_int()),
                          (left ? "<" : "") + flags + spec + "d");
    } else if (type && std::string_view("eEfFgGxXo").find(type) != std::string_view::npos) {
      out += format_value(v, (left ? "<" : "") + flags + spec + type);
    } else {
      fail("'%" + std::string(1, type) + "' is not understood");
    }
    if (static_cast<std::int64_t>(out.size()) > kMaxString) throw Error(ErrorKind::refused, "a string longer than " + std::to_string(kMaxString));
  }
  if (next < items.size() && !values.is_dict() && values.is_tuple()) fail("too many values for '" + pattern + "'");
  return out;
}

namespace {

/// `next` is the number of the next "{}"; a field takes its own before those inside its specification.
std::string fields(const std::string& pattern, const CallArgs& args, std::size_t& next) {
  const Deeper level;
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if ((c == '{' || c == '}') && i + 1 < pattern.size() && pattern[i + 1] == c) {
      out += c;
      ++i;
      continue;
    }
    if (c != '{') {
      if (c == '}') fail("a single '}' in a format");
      out += c;
      continue;
    }
    std::size_t end = i + 1;
    for (int depth = 1; end < pattern.size(); ++end) {
      if (pattern[end] == '{') ++depth;
      if (pattern[end] == '}' && --depth == 0) break;
    }
    if (end >= pattern.size()) fail("'{' without '}' in a format");
    std::string field = pattern.substr(i + 1, end - i - 1), spec, conversion;
    i = end;
    if (const auto colon = field.find(':'); colon != std::string::npos) spec = field.substr(colon + 1), field.resize(colon);
    if (const auto mark = field.find('!'); mark != std::string::npos) conversion = field.substr(mark + 1), field.resize(mark);
    const auto tail = field.find_first_of(".[");
    if (tail != std::string::npos) throw Error(ErrorKind::refused, "attributes inside str.format are not allowed");
    Value v;
    if (field.empty() || std::isdigit(static_cast<unsigned char>(field[0]))) {
      std::size_t at = 0;
      const auto index = field.empty() ? next++ : static_cast<std::size_t>(digits(field, at));
      if (index >= args.positional.size()) fail("not enough values for '" + pattern + "'");
      v = args.positional[index];
    } else {
      const auto named = std::find_if(args.named.begin(), args.named.end(), [&](const auto& a) { return a.first == field; });
      if (named == args.named.end()) fail("no value '" + field + "' for '" + pattern + "'");
      v = named->second;
    }
    if (spec.find('{') != std::string::npos) spec = fields(spec, args, next);
    if (conversion == "r" || conversion == "a") v = v.repr();
    else if (conversion == "s") v = v.str();
    out += format_value(v, spec);
    if (static_cast<std::int64_t>(out.size()) > kMaxString) throw Error(ErrorKind::refused, "a string longer than " + std::to_string(kMaxString));
  }
  return out;
}

}  // namespace

std::string format_fields(const std::string& pattern, const CallArgs& args) {
  std::size_t next = 0;
  return fields(pattern, args, next);
}

}  // namespace vesal::bundle::expr
