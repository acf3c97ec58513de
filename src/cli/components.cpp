// vesal components: what this build can construct, from the registry.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/registry.h"
#include "cli/command.h"

namespace vesal::cli {
namespace {

/// "channels" or "strides=[2, 2]"
std::string signature(const Param& p) {
  if (p.rest) return "**" + p.name;
  return p.fallback ? p.name + "=" + p.fallback->repr() : p.name;
}

Value described(const Component& c) {
  List params;
  for (const Param& p : c.params) {
    Dict d{{"name", p.name}, {"required", !p.fallback && !p.rest}, {"doc", p.doc}};
    if (p.fallback) d["default"] = *p.fallback;
    if (p.rest) d["rest"] = true;
    params.items.emplace_back(d);
  }
  return Dict{
      {"name", c.name}, {"kind", c.kind}, {"aliases", List{{c.aliases.begin(), c.aliases.end()}}}, {"summary", c.summary}, {"arguments", params}};
}

void print_one(const Component& c) {
  fmt::print("{} ({}): {}\n", c.name, c.kind, c.summary);
  if (!c.aliases.empty()) fmt::print("also called {}\n", fmt::join(c.aliases, ", "));
  std::size_t width = 0;
  for (const Param& p : c.params) width = std::max(width, std::min<std::size_t>(signature(p).size(), 40));
  for (const Param& p : c.params) fmt::print("  {:<{}}  {}{}\n", signature(p), width, !p.fallback && !p.rest ? "(required) " : "", p.doc);
}

int list(const std::string& name) {
  if (!name.empty()) {
    const Component& c = components::get(name);
    if (globals().json) fmt::print("{}\n", to_json(described(c)));
    else print_one(c);
    return 0;
  }
  List all;
  std::string kind;
  for (const Component* c : components::all()) {
    if (globals().json) {
      all.items.push_back(described(*c));
      continue;
    }
    if (c->kind != kind) fmt::print("{}{}\n", kind.empty() ? "" : "\n", c->kind);
    kind = c->kind;
    fmt::print("  {:<32} {}\n", c->name, c->summary);
  }
  if (globals().json) fmt::print("{}\n", to_json(all));
  return 0;
}

const RegisterCommand command({
    "components",
    "List the networks, transforms, losses, metrics, ... that configurations can name, and their arguments",
    "  vesal components\n"
    "  vesal components Spacingd\n"
    "  vesal --json components UNet\n",
    [](CLI::App& app) -> std::function<int()> {
      auto name = std::make_shared<std::string>();
      app.add_option("NAME", *name, "One of them, with its arguments");
      return [name] { return list(*name); };
    },
});

}  // namespace
}  // namespace vesal::cli
