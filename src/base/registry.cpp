#include "base/registry.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <shared_mutex>

#include "base/plugin.h"

namespace vesal {
namespace {

/// Entries are added while others look: when networks are loaded. They never go, so that what was found stays.
struct Tables {
  std::shared_mutex mutex;
  std::map<std::string, std::shared_ptr<const Component>, std::less<>> components;
  std::map<std::string, Value, std::less<>> allowed;
  std::map<std::string, std::string, std::less<>> monai;  ///< last part of what is allowed under monai, and the first full name of those
};
Tables& tables() {
  static Tables instance;
  return instance;
}

std::string_view last_part(std::string_view dotted) { return dotted.substr(dotted.rfind('.') + 1); }

const Component* component_now(const Tables& t, std::string_view target) {
  if (auto it = t.components.find(target); it != t.components.end()) return it->second.get();
  if (!target.starts_with("monai.")) return nullptr;
  const auto it = t.components.find(last_part(target));
  return it == t.components.end() ? nullptr : it->second.get();
}

const Value* allowed_now(const Tables& t, std::string_view dotted) {
  if (auto it = t.allowed.find(dotted); it != t.allowed.end()) return &it->second;
  if (!dotted.starts_with("monai.")) return nullptr;
  const auto it = t.monai.find(last_part(dotted));
  return it == t.monai.end() ? nullptr : &t.allowed.find(it->second)->second;
}

bool is_prefix_now(const Tables& t, std::string_view dotted) {
  const std::string stem = std::string(dotted) + ".";
  const auto it = t.allowed.lower_bound(stem);
  return it != t.allowed.end() && it->first.starts_with(stem);
}

/// What `find` finds; a name nobody knows, neither as a component nor in expressions, is looked for again with everything loaded.
template <class F>
auto found(std::string_view name, const F& find) {
  Tables& t = tables();
  {
    const std::shared_lock lock(t.mutex);
    const auto result = find(t, name);
    if (result || !plugin::networks().pending() || component_now(t, name) || allowed_now(t, name) || is_prefix_now(t, name)) return result;
  }
  plugin::networks().load();
  const std::shared_lock lock(t.mutex);
  return find(t, name);
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
  const std::unique_lock lock(tables().mutex);
  auto& table = tables().components;
  table[shared->name] = shared;
  for (const std::string& alias : shared->aliases) table[alias] = shared;
}

const Component* find(std::string_view target) { return found(target, component_now); }

const Component& get(std::string_view target) {
  if (const Component* c = find(target)) return *c;
  std::vector<std::string> names;
  const std::shared_lock lock(tables().mutex);
  for (const auto& [name, component] : tables().components) names.push_back(name);
  throw Error(ErrorKind::not_found,
              "no component '" + std::string(target) + "' in this build" + suggestion(target, names) + "; `vesal components` lists them");
}

std::vector<const Component*> all() {
  plugin::networks().load();
  std::vector<const Component*> list;
  const std::shared_lock lock(tables().mutex);
  for (const auto& [name, component] : tables().components)
    if (name == component->name) list.push_back(component.get());
  std::stable_sort(list.begin(), list.end(), [](auto* a, auto* b) { return std::tie(a->kind, a->name) < std::tie(b->kind, b->name); });
  return list;
}

}  // namespace components

namespace allowed {

void add(std::string dotted, Value value) {
  const std::unique_lock lock(tables().mutex);
  if (dotted.starts_with("monai.")) {
    std::string& first = tables().monai[std::string(last_part(dotted))];
    if (first.empty() || dotted < first) first = dotted;
  }
  tables().allowed[std::move(dotted)] = std::move(value);
}

const Value* find(std::string_view dotted) {
  // What expressions may use of the part that is loaded late all lies in packages: a bare name is one of the language's own.
  if (dotted.find('.') != std::string_view::npos) return found(dotted, allowed_now);
  const std::shared_lock lock(tables().mutex);
  return allowed_now(tables(), dotted);
}

bool is_prefix(std::string_view dotted) {
  const std::shared_lock lock(tables().mutex);
  return is_prefix_now(tables(), dotted);
}

std::vector<std::string> known() {
  std::vector<std::string> names;
  const std::shared_lock lock(tables().mutex);
  for (const auto& [name, value] : tables().allowed) names.push_back(name);
  return names;
}

}  // namespace allowed
}  // namespace vesal
