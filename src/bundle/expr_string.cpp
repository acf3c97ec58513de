// Methods of strings.
#include <algorithm>
#include <map>

#include "bundle/expr_runtime.h"

namespace vesal::bundle::expr {
namespace {

using Args = CallArgs;
using Method = Value (*)(const std::string& s, const Args& args);

const Value& arg(const Args& args, std::size_t i) {
  if (i >= args.positional.size()) fail("a method of str got too few arguments");
  return args.positional[i];
}
std::string text(const Args& args, std::size_t i) { return arg(args, i).as_string(); }
bool given(const Args& args, std::size_t i) { return i < args.positional.size() && !args.positional[i].is_none(); }
std::optional<Value> named(const Args& args, std::string_view name, std::size_t i) {
  for (const auto& [n, v] : args.named)
    if (n == name) return v;
  if (i < args.positional.size()) return args.positional[i];
  return std::nullopt;
}

std::string map_ascii(std::string s, int (*f)(int)) {
  for (char& c : s)
    if (static_cast<unsigned char>(c) < 0x80) c = static_cast<char>(f(static_cast<unsigned char>(c)));
  return s;
}
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string strip(const std::string& s, const Args& args, bool left, bool right) {
  const std::string what = given(args, 0) ? text(args, 0) : " \t\n\r\v\f";
  std::size_t begin = 0, end = s.size();
  while (left && begin < end && what.find(s[begin]) != std::string::npos) ++begin;
  while (right && end > begin && what.find(s[end - 1]) != std::string::npos) --end;
  return s.substr(begin, end - begin);
}

Value split(const std::string& s, const Args& args, bool from_right) {
  const auto separator = named(args, "sep", 0), limit = named(args, "maxsplit", 1);
  std::int64_t left = limit ? limit->as_int() : -1;
  std::vector<Value> parts;
  if (!separator || separator->is_none()) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < s.size();) {
      while (i < s.size() && is_space(s[i])) ++i;
      std::size_t end = i;
      if (left == 0 && !from_right) {
        end = s.size();
        while (end > i && is_space(s[end - 1])) --end;
      } else {
        while (end < s.size() && !is_space(s[end])) ++end;
      }
      if (end > i) words.push_back(s.substr(i, end - i)), --left;
      i = end > i ? end : s.size();
      if (left < 0 && limit && limit->as_int() >= 0) break;
    }
    for (std::string& w : words) parts.emplace_back(std::move(w));
    if (from_right && limit && limit->as_int() >= 0) throw Error(ErrorKind::unsupported, "rsplit(None, n) is not supported");
    return List{std::move(parts)};
  }
  const std::string by = separator->as_string();
  if (by.empty()) fail("an empty separator");
  if (from_right) {
    std::size_t end = s.size();
    while (left != 0) {
      if (end < by.size()) break;
      const auto at = s.rfind(by, end - by.size());
      if (at == std::string::npos) break;
      parts.insert(parts.begin(), s.substr(at + by.size(), end - at - by.size()));
      spend(static_cast<std::int64_t>(parts.size() / 16) + 1);
      end = at;
      --left;
    }
    parts.insert(parts.begin(), s.substr(0, end));
    return List{std::move(parts)};
  }
  std::size_t begin = 0;
  for (std::size_t at; left != 0 && (at = s.find(by, begin)) != std::string::npos; begin = at + by.size(), --left) {
    spend();
    parts.emplace_back(s.substr(begin, at - begin));
  }
  parts.emplace_back(s.substr(begin));
  return List{std::move(parts)};
}

Value replace(const std::string& s, const Args& args) {
  const std::string from = text(args, 0), to = text(args, 1);
  std::int64_t left = args.positional.size() > 2 ? args.positional[2].as_int() : -1;
  std::string out;
  std::size_t at = 0;
  while (left != 0) {
    const auto found = from.empty() ? (at <= s.size() ? at : std::string::npos) : s.find(from, at);
    if (found == std::string::npos) break;
    out.append(s, at, found - at).append(to);
    if (from.empty() && found < s.size()) out += s[found];
    at = found + std::max<std::size_t>(from.size(), 1);
    if (static_cast<std::int64_t>(out.size()) > kMaxString) throw Error(ErrorKind::refused, "a string longer than " + std::to_string(kMaxString));
    spend();
    --left;
  }
  if (at < s.size()) out.append(s, at);
  return out;
}

Value join(const std::string& s, const Args& args) {
  std::string out;
  bool first = true;
  for (const Value& v : drain(arg(args, 0))) {
    out += (first ? "" : s) + v.as_string();
    first = false;
    if (static_cast<std::int64_t>(out.size()) > kMaxString) throw Error(ErrorKind::refused, "a string longer than " + std::to_string(kMaxString));
    spend(static_cast<std::int64_t>((s.size() + v.as_string().size()) / 64));
  }
  return out;
}

/// Any of a tuple, or one.
bool affix(const std::string& s, const Value& v, bool start) {
  const std::vector<Value> candidates = v.is_tuple() ? v.items() : std::vector<Value>{v};
  return std::any_of(candidates.begin(), candidates.end(),
                     [&](const Value& c) { return start ? s.starts_with(c.as_string()) : s.ends_with(c.as_string()); });
}

Value find(const std::string& s, const Args& args, bool last) {
  const auto at = last ? s.rfind(text(args, 0)) : s.find(text(args, 0));
  return at == std::string::npos ? Value(-1) : Value(length(s.substr(0, at)));
}

Value partition(const std::string& s, const Args& args, bool last) {
  const std::string by = text(args, 0);
  const auto at = last ? s.rfind(by) : s.find(by);
  if (at == std::string::npos) return last ? Tuple{{"", "", s}} : Tuple{{s, "", ""}};
  return Tuple{{s.substr(0, at), by, s.substr(at + by.size())}};
}

Value pad(const std::string& s, const Args& args, const char* align) {
  const std::string fill = given(args, 1) ? text(args, 1) : " ";
  return format_value(s, fill + align + std::to_string(std::max<std::int64_t>(arg(args, 0).as_int(), 0)));
}

Value zfill(const std::string& s, const Args& args) {
  const bool sign = s.starts_with('-') || s.starts_with('+');
  const std::int64_t width = arg(args, 0).as_int(), missing = std::clamp<std::int64_t>(width - length(s), 0, 4096);
  return (sign ? s.substr(0, 1) : "") + std::string(static_cast<std::size_t>(missing), '0') + s.substr(sign ? 1 : 0);
}

bool every(const std::string& s, int (*test)(int)) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [&](char c) { return test(static_cast<unsigned char>(c)) != 0; });
}

std::string title(const std::string& s, bool words) {
  std::string out = map_ascii(s, std::tolower);
  bool start = true;
  for (char& c : out) {
    if (start) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    start = words && !std::isalpha(static_cast<unsigned char>(c));
  }
  return out;
}

const std::map<std::string, Method, std::less<>> kMethods{
    {"split", [](const std::string& s, const Args& a) { return split(s, a, false); }},
    {"rsplit", [](const std::string& s, const Args& a) { return split(s, a, true); }},
    {"splitlines",
     [](const std::string& s, const Args&) {
       List lines;
       for (std::size_t begin = 0; begin < s.size();) {
         const auto end = std::min(s.find('\n', begin), s.size());
         lines.items.emplace_back(s.substr(begin, end - begin));
         begin = end + 1;
         spend();
       }
       return Value(std::move(lines));
     }},
    {"replace", replace},
    {"join", join},
    {"strip", [](const std::string& s, const Args& a) { return Value(strip(s, a, true, true)); }},
    {"lstrip", [](const std::string& s, const Args& a) { return Value(strip(s, a, true, false)); }},
    {"rstrip", [](const std::string& s, const Args& a) { return Value(strip(s, a, false, true)); }},
    {"startswith", [](const std::string& s, const Args& a) { return Value(affix(s, arg(a, 0), true)); }},
    {"endswith", [](const std::string& s, const Args& a) { return Value(affix(s, arg(a, 0), false)); }},
    {"upper", [](const std::string& s, const Args&) { return Value(map_ascii(s, std::toupper)); }},
    {"lower", [](const std::string& s, const Args&) { return Value(map_ascii(s, std::tolower)); }},
    {"casefold", [](const std::string& s, const Args&) { return Value(map_ascii(s, std::tolower)); }},
    {"capitalize", [](const std::string& s, const Args&) { return Value(title(s, false)); }},
    {"title", [](const std::string& s, const Args&) { return Value(title(s, true)); }},
    {"find", [](const std::string& s, const Args& a) { return find(s, a, false); }},
    {"rfind", [](const std::string& s, const Args& a) { return find(s, a, true); }},
    {"index",
     [](const std::string& s, const Args& a) {
       const Value at = find(s, a, false);
       if (at.as_int() < 0) fail("substring not found");
       return at;
     }},
    {"count",
     [](const std::string& s, const Args& a) {
       const std::string what = text(a, 0);
       if (what.empty()) return Value(length(s) + 1);
       std::int64_t n = 0;
       for (std::size_t at = 0; (at = s.find(what, at)) != std::string::npos; at += what.size()) ++n;
       return Value(n);
     }},
    {"partition", [](const std::string& s, const Args& a) { return partition(s, a, false); }},
    {"rpartition", [](const std::string& s, const Args& a) { return partition(s, a, true); }},
    {"removeprefix", [](const std::string& s, const Args& a) { return Value(s.starts_with(text(a, 0)) ? s.substr(text(a, 0).size()) : s); }},
    {"removesuffix",
     [](const std::string& s, const Args& a) { return Value(s.ends_with(text(a, 0)) ? s.substr(0, s.size() - text(a, 0).size()) : s); }},
    {"format", [](const std::string& s, const Args& a) { return Value(format_fields(s, a)); }},
    {"ljust", [](const std::string& s, const Args& a) { return pad(s, a, "<"); }},
    {"rjust", [](const std::string& s, const Args& a) { return pad(s, a, ">"); }},
    {"center", [](const std::string& s, const Args& a) { return pad(s, a, "^"); }},
    {"zfill", zfill},
    {"isdigit", [](const std::string& s, const Args&) { return Value(every(s, std::isdigit)); }},
    {"isnumeric", [](const std::string& s, const Args&) { return Value(every(s, std::isdigit)); }},
    {"isalpha", [](const std::string& s, const Args&) { return Value(every(s, std::isalpha)); }},
    {"isalnum", [](const std::string& s, const Args&) { return Value(every(s, std::isalnum)); }},
    {"isspace", [](const std::string& s, const Args&) { return Value(every(s, std::isspace)); }},
    {"islower", [](const std::string& s, const Args&) { return Value(map_ascii(s, std::tolower) == s && map_ascii(s, std::toupper) != s); }},
    {"isupper", [](const std::string& s, const Args&) { return Value(map_ascii(s, std::toupper) == s && map_ascii(s, std::tolower) != s); }},
};

}  // namespace

std::optional<Value> string_method(const std::string& s, const std::string& name) {
  const auto it = kMethods.find(name);
  if (it == kMethods.end()) return std::nullopt;
  return make_function("str." + name, [s, method = it->second](const CallArgs& args) { return method(s, args); });
}

}  // namespace vesal::bundle::expr
