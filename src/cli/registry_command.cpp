#include "cli/registry_command.h"

#include <fmt/format.h>

#include <limits>

#include "base/json.h"
#include "base/progress.h"

namespace vesal::cli {

void add_registry_option(CLI::App& app, std::filesystem::path& folder) {
  app.add_option("--registry", folder, "Folder of the registry (default: $VESAL_REGISTRY, else ~/.local/share/vesal/registry)");
}

tune::Registry registry_at(const std::filesystem::path& folder) { return tune::Registry(folder.empty() ? tune::default_registry() : folder); }

tune::Model open_model(const std::filesystem::path& folder, const std::string& name) {
  tune::Model model = registry_at(folder).model(name);
  model.heal();
  return model;
}

tune::Program program() { return tune::this_program(VESAL_VERSION); }

double reference_dice(const tune::VersionInfo& version) {
  const Value* scores = version.entry.value.as_dict().find("reference_dice");
  if (!scores || !scores->is_dict()) return std::numeric_limits<double>::quiet_NaN();
  const Value* dice = scores->as_dict().find("dice");
  return dice && dice->is_number() ? dice->as_float() : std::numeric_limits<double>::quiet_NaN();
}

Dict version_value(const tune::VersionInfo& version) {
  const double dice = reference_dice(version);
  return Dict{{"version", version.version},
              {"status", version.status},
              {"parent", version.parent.empty() ? Value() : Value(version.parent)},
              {"month", version.month.empty() ? Value() : Value(version.month)},
              {"reference_dice", std::isnan(dice) ? Value() : Value(dice)},
              {"time", version.entry.text("time")},
              {"who", version.entry.text("who")},
              {"weights_sha256", version.entry.text("weights_sha256")},
              {"entry", version.entry.number}};
}

void show_decision(const tune::Model& model, const tune::JournalEntry& entry) {
  clear_progress_line();
  const tune::ModelState state = model.state();
  if (globals().json) {
    Dict out{
        {"model", model.name()}, {"champion", state.champion()}, {"folder", model.version_folder(state.champion()).string()}, {"hash", entry.hash}};
    out["entry"] = entry.value;
    fmt::print("{}\n", to_json(out));
    return;
  }
  fmt::print("{}: champion {}\n  {}\n  entry {} of the journal, {}\n", model.name(), state.champion(),
             model.version_folder(state.champion()).string(), entry.number, entry.hash);
}

void show_findings(const std::vector<judge::Finding>& findings) {
  for (const judge::Finding& f : findings) {
    fmt::print("{:<8} {:<12} {}{}\n", judge::name_of(f.severity), f.rule, f.file.empty() ? "" : f.file.string() + ": ", f.message);
    if (!f.repair.empty()) fmt::print("{:<21} -> {}\n", "", f.repair);
  }
}

}  // namespace vesal::cli
