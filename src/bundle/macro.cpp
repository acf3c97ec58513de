// What is done to the text of a config before anything is evaluated.
#include <algorithm>
#include <regex>

#include "bundle/resolver.h"

namespace vesal::bundle {
namespace {

namespace fs = std::filesystem;
constexpr int kMaxDepth = 200;
constexpr std::int64_t kMaxCopies = 1 << 20;

class Macros {
 public:
  Macros(const Value& config, fs::path folder) : config_(config), folder_(std::move(folder)) {}

  Value resolve(const std::string& id, const Value& v, int depth) {
    if (depth > kMaxDepth)
      throw Error(ErrorKind::config, "'" + id + "' is nested deeper than " + std::to_string(kMaxDepth) + " (a macro inside itself?)");
    if (++copies_ > kMaxCopies) throw Error(ErrorKind::refused, "macros make more than " + std::to_string(kMaxCopies) + " items");
    auto below = [&](const std::string& key) { return id.empty() ? key : id + "::" + key; };
    if (v.is_list()) {
      List list;
      for (std::size_t i = 0; i < v.items().size(); ++i) list.items.push_back(resolve(below(std::to_string(i)), v.items()[i], depth + 1));
      return list;
    }
    if (v.is_dict()) {
      Dict dict;
      for (const auto& [key, value] : v.as_dict()) dict[key] = resolve(below(key.str()), value, depth + 1);
      return dict;
    }
    if (!v.is_string()) return v;
    const std::string text = resolve_relative_ids(id, v.as_string());
    if (!text.starts_with('%')) return text;
    return with_context("'" + id + "': macro " + text, [&] { return macro(id, text.substr(1), depth); });
  }

 private:
  Value macro(const std::string& id, const std::string& text, int depth) {
    // The file name ends with the last ".json", ".yaml" or ".yml" that is followed by "::" or nothing.
    static const std::regex kFile("(.*\\.(?:json|yaml|yml))(?:::(.*))?", std::regex::icase);
    std::smatch match;
    if (text.size() > 4096 || !std::regex_match(text, match, kFile)) {
      if (active_.contains(text)) throw Error(ErrorKind::config, "the macro stands for itself");
      const Value* source = navigate(config_, text);
      if (!source) throw Error(ErrorKind::not_found, "no id '" + text + "'");
      active_.insert(text);
      Value copy = resolve(text, *source, depth + 1);
      active_.erase(text);
      return copy;
    }
    const std::string file = match[1], inner = match[2];
    if (active_.contains(text)) throw Error(ErrorKind::config, "the macro stands for itself");
    if (!files_.contains(file)) {
      fs::path path = file;
      std::error_code ec;
      if (path.is_relative() && !fs::exists(path, ec) && fs::exists(folder_ / path, ec)) path = folder_ / path;
      files_[file] = ConfigParser::load_config_file(path);
    }
    const Value* source = navigate(files_[file], inner);
    if (!source) throw Error(ErrorKind::not_found, "no id '" + inner + "' in " + file);
    active_.insert(text);
    Value copy = resolve(id, *source, depth + 1);
    active_.erase(text);
    return copy;
  }

  const Value& config_;
  fs::path folder_;
  std::map<std::string, Value> files_;
  std::set<std::string> active_;
  std::int64_t copies_ = 0;
};

}  // namespace

std::string resolve_relative_ids(const std::string& id, std::string text) {
  // Only references, macros and expressions have ids in them; other text keeps its "#".
  if (text.starts_with('$') || text.starts_with('@') || text.starts_with('%')) text = normalize_id(text);
  else if (text.find("@#") == std::string::npos && text.find("@::") == std::string::npos && text.find("%#") == std::string::npos &&
           text.find("%::") == std::string::npos)
    return text;
  else text = normalize_id(text);
  const std::vector<std::string> levels = id.empty() ? std::vector<std::string>{} : split_id(id);
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    out += text[i++];
    if (c != '@' && c != '%') continue;
    std::size_t up = 0;
    while (text.compare(i, 2, "::") == 0) i += 2, ++up;
    if (up == 0) continue;
    if (up > std::max<std::size_t>(levels.size(), 1))
      throw Error(ErrorKind::config, "'" + id + "': the relative id in '" + text + "' leaves the config");
    for (std::size_t k = 0; k + up < levels.size(); ++k) out += levels[k] + "::";
  }
  return out;
}

Value resolve_macros(const Value& config, const fs::path& folder) { return Macros(config, folder).resolve("", config, 0); }

Value deep_copy(const Value& v, int depth) {
  if (depth > kMaxDepth) throw Error(ErrorKind::config, "nested deeper than " + std::to_string(kMaxDepth));
  if (v.is_sequence()) {
    std::vector<Value> items;
    for (const Value& item : v.items()) items.push_back(deep_copy(item, depth + 1));
    return v.is_list() ? Value(List{std::move(items)}) : Value(Tuple{std::move(items)});
  }
  if (!v.is_dict()) return v;
  Dict dict;
  for (const auto& [key, value] : v.as_dict()) dict[key] = deep_copy(value, depth + 1);
  return dict;
}

}  // namespace vesal::bundle
