// vesal registry show: a model's versions, or one version with what it was decided on.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/registry_command.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path registry;
  std::string model, version;
  bool path = false, journal = false;
};

void show_version(const tune::Model& model, const tune::VersionInfo& v) {
  const auto row = [](const char* key, const std::string& value) {
    if (!value.empty()) fmt::print("{:<12}{}\n", key, value);
  };
  row("version", v.version + " (" + v.status + ")");
  row("folder", model.version_folder(v.version).string());
  row("parent", v.parent);
  row("month", v.month);
  row("decided", v.entry.text("time") + " by " + v.entry.text("who") + ", entry " + std::to_string(v.entry.number));
  if (const double dice = reference_dice(v); !std::isnan(dice)) row("reference", fmt::format("Dice {:.4f}", dice));
  if (const Value* cases = v.entry.value.as_dict().find("cases"); cases && cases->is_dict())
    for (const auto& [id, part] : cases->as_dict()) row("case", id.str() + " (" + part.str() + ")");
  if (const Value* reasons = v.entry.value.as_dict().find("reasons"); reasons && reasons->is_list())
    for (const Value& reason : reasons->items()) row("because", reason.str());
  row("accepted", v.entry.text("accepted_anyway"));
  row("weights", v.entry.text("weights_sha256"));
}

/// A line for what happened.
std::string describe(const tune::JournalEntry& e) {
  std::string text = e.event();
  for (const char* key : {"month", "outcome", "version", "from", "why"})
    if (const std::string part = e.text(key); !part.empty()) text += std::string(key == std::string("from") ? " from " : " ") + part;
  return text;
}

int run(const Options& o) {
  const tune::Model model = open_model(o.registry, o.model);
  const tune::ModelState state = model.state();
  if (o.path) {
    const std::string folder = model.version_folder(state.version(o.version.empty() ? state.champion() : o.version).version).string();
    if (globals().json) fmt::print("{}\n", to_json(Dict{{"path", folder}}));
    else fmt::print("{}\n", folder);
    return 0;
  }
  if (!o.version.empty()) {
    const tune::VersionInfo& v = state.version(o.version);
    if (!globals().json) {
      show_version(model, v);
      return 0;
    }
    Dict out = version_value(v);
    out["folder"] = model.version_folder(v.version).string();
    out["decision"] = v.entry.value;
    if (!v.scores.empty()) out["scores"] = model.object(v.scores);
    fmt::print("{}\n", to_json(out));
    return 0;
  }
  List versions, journal;
  for (const tune::VersionInfo& v : state.versions) versions.items.push_back(version_value(v));
  for (const tune::JournalEntry& e : state.journal) journal.items.push_back(e.value);
  if (globals().json) {
    Dict out{{"model", model.name()},
             {"folder", model.folder().string()},
             {"champion", state.champion()},
             {"reference_cases", model.cases(state.reference).size()},
             {"pool_cases", model.pool(state).size()},
             {"versions", versions}};
    if (o.journal) out["journal"] = journal;
    fmt::print("{}\n", to_json(out));
    return 0;
  }
  fmt::print("{}: champion {}, {} reference cases, {} cases in the pool\n{}\n", model.name(), state.champion(), model.cases(state.reference).size(),
             model.pool(state).size(), model.folder().string());
  for (const tune::VersionInfo& v : state.versions)
    fmt::print("  {:<12} {:<16} {:<10} Dice {:.4f}  {}  {}\n", v.version, v.status, v.month, reference_dice(v), v.entry.text("time"),
               v.parent.empty() ? "" : "from " + v.parent);
  if (o.journal)
    for (const tune::JournalEntry& e : state.journal) fmt::print("  {:>4}  {}  {:<12} {}\n", e.number, e.text("time"), e.text("who"), describe(e));
  return 0;
}

const RegisterCommand command({
    "registry show",
    "Show a model's versions, or one version with its scores, data and decision",
    "  vesal registry show spleen\n"
    "  vesal registry show spleen 0.1.2 --json\n"
    "  vesal segment ct.nii.gz -o mask.nii.gz --bundle spleen@champion\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("MODEL", o->model, "Name of the model")->required();
      app.add_option("VERSION", o->version, "One version (default: all)");
      app.add_flag("--path", o->path, "Only the folder of the champion, or of VERSION");
      app.add_flag("--journal", o->journal, "Every decision too");
      add_registry_option(app, o->registry);
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
