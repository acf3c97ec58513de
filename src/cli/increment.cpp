// vesal increment: a month of new cases for a model of the registry.
#include "tune/increment.h"

#include <fmt/format.h>

#include <ctime>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/plugin.h"
#include "base/progress.h"
#include "bundle/bundle_folder.h"
#include "cli/judged_data.h"
#include "cli/registry_command.h"
#include "tune/increment_report.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path registry, report;
  std::string model, label_map;
  std::vector<fs::path> data;
  std::vector<std::string> overrides, exclude;
  std::vector<std::int64_t> patch;
  tune::IncrementOptions increment;
};

std::string this_month() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m", &parts)};
}

void leave_out(judge::CaseSet& set, const std::vector<std::string>& exclude) {
  for (const std::string& id : exclude)
    if (std::erase_if(set.cases, [&](const judge::LabelledCase& c) { return c.id == id; }) == 0)
      throw Error(ErrorKind::not_found, "--exclude " + id + ": no such case in " + set.source.string());
}

const char* advice(tune::Outcome outcome) {
  switch (outcome) {
    case tune::Outcome::findings: return "Nothing was trained. Repair these cases (`vesal dataset check --fix`), or leave them out with --exclude ID";
    case tune::Outcome::suspects:
      return "Nothing was trained: labels of these cases look wrong, look at them. Correct them, leave them out with --exclude ID, or, if they are "
             "right, say why with --accept-anyway REASON";
    case tune::Outcome::rejected: return "The champion stays. The challenger is kept; `vesal registry show` has its scores";
    case tune::Outcome::accepted: break;
  }
  return "The new cases are in the pool from now on";
}

int run(Options o) {
  const tune::Model model = open_model(o.registry, o.model);
  tune::IncrementOptions& increment = o.increment;
  const plugin::LoadingAhead networks;
  const fs::path champion = model.version_folder(model.state().champion());
  increment.data = judge::read_cases(o.data);
  leave_out(increment.data, o.exclude);
  increment.label_map = label_map_for(o.label_map, increment.data, bundle_classes(bundle::read_bundle_facts(champion)));
  if (increment.month.empty()) increment.month = this_month();
  if (!o.patch.empty()) increment.training.patch_size = o.patch;
  for (const std::string& text : o.overrides) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) throw Error(ErrorKind::usage, "--set " + text + ": want ID=VALUE");
    increment.training.overrides.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }

  const tune::IncrementResult result = tune::increment(model, increment, program());
  clear_progress_line();
  const tune::ModelState state = model.state();
  const std::string page = tune::increment_page(model, state, result.entry);
  const fs::path kept = model.folder() / "reports" / fmt::format("{:04}-{}.html", result.entry.number, increment.month);
  write_file(kept, page);
  if (!o.report.empty()) write_file(o.report, page);
  if (globals().json) {
    Dict out{{"model", model.name()},
             {"report", kept.string()},
             {"outcome", tune::name_of(result.outcome)},
             {"decided_before", result.decided_before},
             {"champion", state.champion()},
             {"folder", model.version_folder(state.champion()).string()},
             {"hash", result.entry.hash}};
    out["findings"] = judge::to_value(result.findings);
    out["entry"] = result.entry.value;
    fmt::print("{}\n", to_json(out));
  } else {
    if (result.decided_before) fmt::print("decided before, entry {} of the journal: nothing was done\n", result.entry.number);
    show_findings(result.findings);
    if (result.findings.empty())
      for (const std::string& reason : result.reasons) fmt::print("{}\n", reason);
    fmt::print("{} {}: {}{}\n", model.name(), increment.month, tune::name_of(result.outcome),
               result.entry.text("version").empty() ? "" : ", version " + result.entry.text("version"));
    fmt::print("{}\nchampion {}  {}\nreport   {}\n", advice(result.outcome), state.champion(), model.version_folder(state.champion()).string(),
               kept.string());
  }
  return tune::exit_code(result.outcome);
}

const RegisterCommand command({
    "increment",
    "Train a registered model on with a month's new cases; it takes over only if it is no worse",
    "  vesal increment spleen --data cases_2026_11\n"
    "  vesal increment spleen --data cases_2026_11 --month 2026-11 --margin 0.005 --epochs 30\n"
    "  vesal increment spleen --data cases_2026_12 --exclude case_17 --accept-anyway \"splenomegaly, checked by Dr. Lan\"\n"
    "\n"
    "The same command goes on after a crash, and does nothing once the month is decided. Ends with 0 if the new version is the champion, 23 if it "
    "was\n"
    "rejected, 22 if the gate found errors, 24 if labels look wrong. See docs/increment.md.",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      tune::IncrementOptions& i = o->increment;
      tune::TuningOptions& t = i.training;
      t.replay_share = 50;
      app.add_option("MODEL", o->model, "Name of the model")->required();
      app.add_option("--data", o->data,
                     "The month's labelled cases: a folder with dataset.json, a datalist, image and label folders; may be repeated")
          ->required()
          ->allow_extra_args(false);
      app.add_option("--month", i.month, "Name of the increment (default: this month, e.g. 2026-11)");
      app.add_option("--label-map,--labels", o->label_map, "Which labels mean which classes: spleen, 5:1, liver:liver (default: by name)");
      app.add_option("--exclude", o->exclude, "Leave this case out; may be repeated")->allow_extra_args(false);
      app.add_option("--margin", i.margin, "Dice that may be lost on the reference set, at most")->capture_default_str();
      app.add_option("--judging-share", i.judging_share, "Share of the new cases that judge instead of training")->capture_default_str();
      app.add_option("--replay-share", t.replay_share, "Of 100 training samples so many from the pool")->capture_default_str();
      app.add_option("--accept-anyway", i.accept_anyway, "Why labels that look wrong are right; goes into the journal");
      app.add_option("--epochs", t.epochs, "Epochs at most (default: 50)");
      app.add_option("--iterations", t.iterations, "Iterations of an epoch (default: 40)");
      app.add_option("--batch-size", t.batch_size, "Cases of an iteration (default: 2)");
      app.add_option("--samples-per-case", t.samples_per_case, "Patches of each of these cases (default: 1)");
      app.add_option("--patch", o->patch, "Extents of a patch: x,y,z")->delimiter(',')->expected(1, 3);
      app.add_option("--lr", t.learning_rate, "Learning rate (default: 0.0005)");
      app.add_option("--freeze", t.freeze, "Parameters that do not learn: encoder, decoder, head or a regular expression; may be repeated")
          ->allow_extra_args(false);
      app.add_option("--patience", t.patience, "Stop after so many validations without progress; 0: never")->capture_default_str();
      app.add_option("--augment", t.augmentation, "none, standard or strong")->capture_default_str();
      app.add_option("--seed", t.seed, "The same seed gives the same weights")->capture_default_str();
      app.add_option("--device", t.device, "auto, cpu or cuda:N")->capture_default_str();
      app.add_option("--set", o->overrides, "ID=VALUE: change an id of the recipe")->allow_extra_args(false);
      app.add_option("--report", o->report, "HTML file for the report, beside the copy in the registry");
      add_registry_option(app, o->registry);
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
