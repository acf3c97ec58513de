// vesal registry list: the models and their champions.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/registry_command.h"

namespace vesal::cli {
namespace {

int run(const std::filesystem::path& folder) {
  const tune::Registry registry = registry_at(folder);
  List list;
  for (const std::string& name : registry.models()) {
    const tune::Model model = registry.model(name);
    const tune::ModelState state = model.state();
    const double dice = reference_dice(state.version(state.champion()));
    list.items.push_back(Dict{{"model", name},
                              {"champion", state.champion()},
                              {"versions", state.versions.size()},
                              {"reference_dice", std::isnan(dice) ? Value() : Value(dice)},
                              {"time", state.journal.back().text("time")},
                              {"folder", model.folder().string()}});
    if (!globals().json)
      fmt::print("{:<24} champion {:<12} Dice {:.4f}  {:>3} versions  {}\n", name, state.champion(), dice, state.versions.size(),
                 state.journal.back().text("time"));
  }
  if (globals().json) fmt::print("{}\n", to_json(list));
  else if (list.items.empty()) fmt::print("no models in {}; `vesal registry init` makes one\n", registry.folder().string());
  return 0;
}

const RegisterCommand command({
    "registry list",
    "List the models of the registry and their champions",
    "  vesal registry list\n",
    [](CLI::App& app) -> std::function<int()> {
      auto folder = std::make_shared<std::filesystem::path>();
      add_registry_option(app, *folder);
      return [folder] { return run(*folder); };
    },
});

}  // namespace
}  // namespace vesal::cli
