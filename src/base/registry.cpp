#include "base/registry.h"

#include <algorithm>
#include <numeric>

namespace vesal {
namespace {

struct ComponentTable {
  std::map<std::string, std::shared_ptr<const Component>, std::less<>> by_name;
};
ComponentTable& component_table() {
  static ComponentTable table;
  return table;
}
std::map<std::string, Value, std::less<>>& allowed_table() {
  static std::map<std::string, Value, std::less<>> table;
  return table;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t up = row[j];
      const bool same = std::tolower(static_cast<unsigned char>(a[i - 1])) == std::tolower(static_cast<unsigned char>(b[j - 1]));
      row[j] = std::min({up + 1, row[j - 1] + 1, diagonal + (same ? 0 : 1)});
      diagonal = up;
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& k : known) {
    const std::size_t d = edit_distance(name, k);
    if (d <= std::max<std::size_t>(2, name.size() / 4)) near.emplace_back(d, k);
  }
  std::sort(near.begin(), near.end());
  std::string s;
  for (std::size_t i = 0; i < near.size() && i < 3; ++i) s += (i ? ", " : "") + near[i].second;
  return s.empty() ? s : " (did you mean " + s + "?)";
}

Args bind(const std::string& function, const std::vector<Param>& params, const CallArgs& args) {
  Dict values;
  std::vector<std::string> names;
  const Param* rest = nullptr;
  for (const Param& p : params) {
    if (p.rest) rest = &p;
    else names.push_back(p.name);
  }
  if (args.positional.size() > names.size())
    throw Error(ErrorKind::config,
                function + " takes at most " + std::to_string(names.size()) + " arguments, got " + std::to_string(args.positional.size()));
  for (std::size_t i = 0; i < args.positional.size(); ++i) values[names[i]] = args.positional[i];
  Dict more;
  for (const auto& [name, value] : args.named) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      if (!rest) throw Error(ErrorKind::config, function + " has no argument '" + name + "'" + suggestion(name, names));
      more[name] = value;
    } else if (values.contains(name)) {
      throw Error(ErrorKind::config, function + " got argument '" + name + "' twice");
    } else {
      values[name] = value;
    }
  }
  for (const Param& p : params) {
    if (p.rest) {
      values[p.name] = more;
    } else if (!values.contains(p.name)) {
      if (!p.fallback) throw Error(ErrorKind::config, function + " needs the argument '" + p.name + "'");
      values[p.name] = *p.fallback;
    }
  }
  return Args(function, std::move(values));
}

Args bind(const Component& component, const CallArgs& args) { return bind(component.name, component.params, args); }

Value construct(const Component& component, const CallArgs& args) {
  const Args bound = bind(component, args);
  return component.make(bound);
}

namespace components {

void add(Component component) {
  auto shared = std::make_shared<const Component>(std::move(component));
  auto& table = component_table().by_name;
  table[shared->name] = shared;
  for (const std::string& alias : shared->aliases) table[alias] = shared;
}

const Component* find(std::string_view target) {
  const auto& table = component_table().by_name;
  if (auto it = table.find(target); it != table.end()) return it->second.get();
  if (target.starts_with("monai.")) {
    const auto dot = target.rfind('.');
    if (auto it = table.find(target.substr(dot + 1)); it != table.end()) return it->second.get();
  }
  return nullptr;
}

const Component& get(std::string_view target) {
  if (const Component* c = find(target)) return *c;
  std::vector<std::string> names;
  for (const auto& [name, component] : component_table().by_name) names.push_back(name);
  throw Error(ErrorKind::not_found,
              "no component '" + std::string(target) + "' in this build" + suggestion(target, names) + "; `vesal components` lists them");
}

std::vector<const Component*> all() {
  std::vector<const Component*> list;
  for (const auto& [name, component] : component_table().by_name)
    if (name == component->name) list.push_back(component.get());
  std::stable_sort(list.begin(), list.end(), [](auto* a, auto* b) { return std::tie(a->kind, a->name) < std::tie(b->kind, b->name); });
  return list;
}

}  // namespace components

namespace allowed {

void add(std::string dotted, Value value) { allowed_table()[std::move(dotted)] = std::move(value); }

const Value* find(std::string_view dotted) {
  const auto it = allowed_table().find(dotted);
  return it == allowed_table().end() ? nullptr : &it->second;
}

bool is_prefix(std::string_view dotted) {
  const std::string stem = std::string(dotted) + ".";
  const auto it = allowed_table().lower_bound(stem);
  return it != allowed_table().end() && it->first.starts_with(stem);
}

std::vector<std::string> all() {
  std::vector<std::string> names;
  for (const auto& [name, value] : allowed_table()) names.push_back(name);
  return names;
}

}  // namespace allowed
}  // namespace vesal
