#include "bundle/yaml.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <regex>

#include "base/log.h"

namespace vesal::bundle {
namespace {

constexpr int kMaxDepth = 100;
constexpr int kMaxNodes = 1 << 20;
/// Longer plain scalars are text: no number is that long, and the patterns below need not see them.
constexpr std::size_t kLongestNumber = 128;

std::string digits_of(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (c != '_') out += c;
  return out;
}

Value integer(const std::string& text) {
  std::string s = digits_of(text);
  const bool negative = s.starts_with('-');
  if (s.starts_with('-') || s.starts_with('+')) s.erase(0, 1);
  int base = 10;
  if (s.starts_with("0b")) base = 2, s.erase(0, 2);
  else if (s.starts_with("0x")) base = 16, s.erase(0, 2);
  else if (s.size() > 1 && s[0] == '0') base = 8;
  std::int64_t total = 0;
  std::size_t begin = 0;
  do {  // 1:30 is ninety, in base sixty
    const auto colon = std::min(s.find(':', begin), s.size());
    std::int64_t part = 0;
    const auto [p, error] = std::from_chars(s.data() + begin, s.data() + colon, part, base);
    if (error != std::errc{} || __builtin_mul_overflow(total, std::int64_t{60}, &total) || __builtin_add_overflow(total, part, &total))
      throw Error(ErrorKind::format, "integer " + text + " is beyond 64 bits");
    begin = colon + 1;
  } while (begin < s.size());
  return negative ? -total : total;
}

Value floating(const std::string& text) {
  std::string s = digits_of(text);
  const bool negative = s.starts_with('-');
  if (s.starts_with('-') || s.starts_with('+')) s.erase(0, 1);
  double value = 0;
  if (s.size() == 4 && (s[1] == 'i' || s[1] == 'I')) value = std::numeric_limits<double>::infinity();
  else if (s.size() == 4 && (s[1] == 'n' || s[1] == 'N')) value = std::numeric_limits<double>::quiet_NaN();
  else {
    std::size_t begin = 0;
    for (std::size_t colon; (colon = s.find(':', begin)) != std::string::npos; begin = colon + 1)
      value = (value + std::strtod(s.substr(begin, colon - begin).c_str(), nullptr)) * 60;
    value += std::strtod(s.c_str() + begin, nullptr);
  }
  return negative ? -value : value;
}

class Converter {
 public:
  Value convert(const YAML::Node& node, int depth) {
    if (depth > kMaxDepth) throw Error(ErrorKind::refused, "nested deeper than " + std::to_string(kMaxDepth));
    if (++nodes_ > kMaxNodes) throw Error(ErrorKind::refused, "more than " + std::to_string(kMaxNodes) + " items (aliases count each time)");
    check_tag(node);
    switch (node.Type()) {
      case YAML::NodeType::Scalar: return scalar(node);
      case YAML::NodeType::Sequence: {
        List list;
        for (const YAML::Node& item : node) list.items.push_back(convert(item, depth + 1));
        return list;
      }
      case YAML::NodeType::Map: return mapping(node, depth);
      default: return {};
    }
  }

 private:
  static void check_tag(const YAML::Node& node) {
    const std::string& tag = node.Tag();
    if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:str") || tag.starts_with("tag:yaml.org,2002:int") ||
        tag.starts_with("tag:yaml.org,2002:float") || tag.starts_with("tag:yaml.org,2002:bool") || tag.starts_with("tag:yaml.org,2002:null") ||
        tag == "tag:yaml.org,2002:seq" || tag == "tag:yaml.org,2002:map")
      return;
    throw Error(ErrorKind::refused, "line " + std::to_string(node.Mark().line + 1) + ": the tag " + tag + " is not allowed");
  }
  static Value scalar(const YAML::Node& node) {
    const std::string& tag = node.Tag();
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return node.Scalar();
    if (tag == "tag:yaml.org,2002:float") {
      const Value v = yaml_scalar(node.Scalar());
      return v.is_number() ? Value(v.as_float()) : floating(node.Scalar());
    }
    return yaml_scalar(node.Scalar());
  }
  Value mapping(const YAML::Node& node, int depth) {
    Dict merged, own;
    for (const auto& entry : node) {
      const Value key = convert(entry.first, depth + 1);
      if (key.is_string() && key.as_string() == "<<" && entry.first.Tag() == "?") {
        const Value more = convert(entry.second, depth + 1);
        const std::vector<Value> parents = more.is_list() ? more.items() : std::vector<Value>{more};
        for (const Value& parent : parents)  // an earlier parent wins over a later one
          for (const auto& [k, v] : parent.as_dict())
            if (!merged.contains(k)) merged[k] = v;
        continue;
      }
      if (key.is_list() || key.is_dict())
        throw Error(ErrorKind::format, "line " + std::to_string(entry.first.Mark().line + 1) + ": a list or mapping cannot be a key");
      if (own.contains(key)) log::warning("line {}: key {} stands twice; the last one counts", entry.first.Mark().line + 1, key.repr());
      own[key] = convert(entry.second, depth + 1);
    }
    for (const auto& [k, v] : own) merged[k] = v;
    return merged;
  }
  int nodes_ = 0;
};

}  // namespace

Value yaml_scalar(const std::string& text) {
  static const std::regex kBool("yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF");
  static const std::regex kInt("[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+");
  static const std::regex kFloat(
      "[-+]?(?:[0-9][0-9_]*)\\.[0-9_]*(?:[eE][-+][0-9]+)?|\\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|"
      "[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\\.[0-9_]*|[-+]?\\.(?:inf|Inf|INF)|\\.(?:nan|NaN|NAN)");
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text.size() > kLongestNumber) return text;
  if (std::regex_match(text, kBool)) {
    const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    return c == 'y' || c == 't' || (text.size() == 2 && c == 'o');
  }
  if (std::regex_match(text, kInt)) return integer(text);
  if (std::regex_match(text, kFloat)) return floating(text);
  return text;
}

Value parse_yaml(const std::string& text) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) throw Error(ErrorKind::format, "not YAML: more than one document");
    return documents.empty() ? Value() : Converter().convert(documents[0], 0);
  } catch (const YAML::Exception& e) { throw Error(ErrorKind::format, "not YAML: line " + std::to_string(e.mark.line + 1) + ": " + e.msg); }
}

}  // namespace vesal::bundle
