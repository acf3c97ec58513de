#include "tune/plain_config.h"

#include <algorithm>
#include <cctype>

#include "bundle/resolver.h"

namespace vesal::tune {
namespace {

constexpr int kDeepest = 64;

bool is_reference(const std::string& text) {
  return text.size() > 1 && text[0] == '@' &&
         std::all_of(text.begin() + 1, text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == ':'; });
}

/// What an expression gave, as JSON can hold it.
Value as_data(const Value& v, const std::string& id) {
  if (v.is_dtype()) return "$" + v.str();
  if (v.is_sequence()) {
    List list;
    for (const Value& item : v.items()) list.items.push_back(as_data(item, id));
    return list;
  }
  if (v.is_dict()) {
    Dict dict;
    for (const auto& [key, value] : v.as_dict()) dict[key.str()] = as_data(value, id);
    return dict;
  }
  const bool half_done = v.is_string() && v.as_string().starts_with('$') && v.as_string().find('@') != std::string::npos;
  if (v.is_array() || v.is_object() || half_done)
    throw Error(ErrorKind::unsupported, "'" + id + "' cannot be written into another configuration: it is " + v.repr().substr(0, 200));
  return v;
}

Value expand(bundle::ConfigParser& parser, const std::string& id, const Value& written, int depth) {
  if (depth > kDeepest) throw Error(ErrorKind::config, "'" + id + "': references go too deep");
  if (written.is_string()) {
    const std::string& text = written.as_string();
    if (is_reference(text)) {
      const std::string target = bundle::normalize_id(text.substr(1));
      return expand(parser, target, parser.get(target), depth + 1);
    }
    if (text.starts_with('$') && text.find('@') != std::string::npos) return as_data(parser.get_parsed_content(id, {.instantiate = false}), id);
    return written;
  }
  if (written.is_sequence()) {
    List list;
    for (std::size_t i = 0; i < written.items().size(); ++i)
      list.items.push_back(expand(parser, id + "::" + std::to_string(i), written.items()[i], depth + 1));
    return list;
  }
  if (!written.is_dict()) return as_data(written, id);
  Dict dict;
  for (const auto& [key, value] : written.as_dict()) dict[key.str()] = expand(parser, id + "::" + key.str(), value, depth + 1);
  return dict;
}

}  // namespace

Value plain_config(bundle::ConfigParser& parser, const std::string& id) { return expand(parser, id, parser.get(id), 0); }

}  // namespace vesal::tune
