#include "cli/tune_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/plugin.h"
#include "base/progress.h"
#include "base/random.h"
#include "bundle/bundle_folder.h"
#include "cli/findings.h"
#include "cli/judged_data.h"
#include "judge/cases.h"
#include "judge/evaluation.h"
#include "tune/scores.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;
using judge::CaseSet;
using judge::LabelledCase;

constexpr std::uint64_t kSplitStream = 77;
constexpr std::size_t kMostNamed = 12;

judge::CaseSet read(const std::vector<std::string>& sources) {
  std::vector<fs::path> paths(sources.begin(), sources.end());
  return judge::read_cases(paths);
}

bool is_validation(const LabelledCase& c) { return c.split == "validation" || c.split == "val" || c.split == "valid"; }

/// Training and validation: as the options say, else as the list says, else a share drawn by the seed.
void split_cases(const TuneOptions& o, tune::TuningOptions& tuning) {
  const CaseSet all = read(o.data);
  if (!o.validation.empty()) {
    tuning.training = all;
    tuning.validation = read(o.validation);
    return;
  }
  std::vector<LabelledCase> training, validation;
  for (const LabelledCase& c : all.cases) (is_validation(c) ? validation : training).push_back(c);
  if (validation.empty()) {
    if (all.cases.size() < 2)
      throw Error(ErrorKind::usage,
                  fmt::format("{}: {} labelled case; training needs at least two, one of them for validation. Name cases for the validation "
                              "with --validation",
                              fmt::join(o.data, ", "), all.cases.size()));
    if (!(o.validation_share > 0 && o.validation_share < 1))
      throw Error(ErrorKind::usage, fmt::format("--val-fraction {}: want a number between 0 and 1", o.validation_share));
    const auto n = all.cases.size();
    const auto held = std::clamp<std::size_t>(static_cast<std::size_t>(o.validation_share * static_cast<double>(n) + 0.5), 1, n - 1);
    const auto order = Random(mix_seed(tuning.seed, kSplitStream)).permutation(static_cast<std::int64_t>(n));
    std::vector<bool> is_held(n, false);
    for (std::size_t i = 0; i < held; ++i) is_held[static_cast<std::size_t>(order[i])] = true;
    training.clear();
    for (std::size_t i = 0; i < n; ++i) (is_held[i] ? validation : training).push_back(all.cases[i]);
  }
  tuning.training = judge::with_cases(all, std::move(training));
  tuning.validation = judge::with_cases(all, std::move(validation));
}

/// The classes that are trained, without background.
std::map<std::int64_t, std::string> trained_classes(const tune::TuningOptions& tuning) {
  if (tuning.classes.empty()) return bundle_classes(bundle::read_bundle_facts(tuning.bundle));
  std::map<std::int64_t, std::string> labels;
  for (std::size_t i = 1; i < tuning.classes.size(); ++i) labels[static_cast<std::int64_t>(i)] = tuning.classes[i];
  return labels;
}

/// What the gate says of all the data, replayed cases included.
std::vector<judge::Finding> ask_gate(const tune::TuningOptions& tuning) {
  judge::GateOptions gate;
  gate.declared = trained_classes(tuning);
  gate.label_map = tuning.label_map;
  std::vector<judge::Finding> findings = judge::check_dataset(tuning.training, tuning.validation, gate);
  if (tuning.replay.cases.empty()) return findings;
  gate.label_map.clear();
  for (judge::Finding& f : judge::check_dataset(tuning.replay, judge::with_cases(tuning.validation, {}), gate))
    if (f.rule != "classes" && f.rule != "count") findings.push_back(std::move(f));
  return findings;
}

std::string joined(const Value& list, const char* separator) {
  std::string text;
  for (const Value& v : list.items()) text += (text.empty() ? "" : separator) + v.str();
  return text;
}

std::string duration(double seconds) {
  if (seconds < 100) return fmt::format("{:.0f} s", std::max(1.0, seconds));
  return seconds < 100 * 60 ? fmt::format("{:.0f} min", seconds / 60) : fmt::format("{:.1f} h", seconds / 3600);
}

void print_plan(const Dict& plan) {
  const auto row = [](const char* key, const std::string& value) { fmt::print("{:<14}{}\n", key, value); };
  const auto n = [&](const char* key) { return plan.at(key).as_int(); };
  row("from", plan.at("base").str() + " " + plan.at("base_version").str());
  const auto classes = plan.at("classes").items().size();
  row("classes", classes > kMostNamed ? fmt::format("{}", classes) : joined(plan.at("classes"), ", "));
  row("cases", fmt::format("{} to train on, {}{} for validation", n("training_cases"),
                           n("replay_cases") > 0 ? fmt::format("{} replayed, ", n("replay_cases")) : "", n("validation_cases")));
  row("network", fmt::format("{}, {} parameters, {} of them learn", plan.at("network").str(), n("parameters"), n("trained_parameters")));
  if (!plan.at("fresh").items().empty())
    row("output layer", fmt::format("new: {}; copied: {} of {} parameters{}", joined(plan.at("fresh"), ", "), plan.at("copied").items().size(),
                                    plan.at("copied").items().size() + plan.at("fresh").items().size(),
                                    plan.at("kept_classes").items().empty() ? "" : ", and the rows of " + joined(plan.at("kept_classes"), ", ")));
  if (!plan.at("frozen").items().empty()) row("frozen", fmt::format("{} parameters", plan.at("frozen").items().size()));
  if (plan.at("recipe") == Value("bundle")) {
    row("recipe", fmt::format("the bundle's own training configuration, {} epochs", n("epochs")));
    std::fflush(stdout);
    return;
  }
  row("patches", fmt::format("{} voxels, {} of each of {} cases per iteration, augmentation {}", joined(plan.at("patch_size"), " x "),
                             n("samples_per_case"), n("batch_size"), plan.at("augmentation").str()));
  row("training", fmt::format("{} epochs of {} iterations, validation every {} epochs", n("epochs"), n("iterations"), n("validation_interval")));
  const double rate = plan.at("learning_rate").as_float(), warm = plan.at("warm_factor").as_float();
  row("learning rate",
      warm == 1 ? fmt::format("{:g}", rate) : fmt::format("{:g} for {} parameters, {:g} for the rest", rate, n("full_rate_parameters"), rate * warm));
  if (const double seconds = plan.at("estimated_seconds").as_float(); seconds > 0)
    row("needs", fmt::format("about {} here ({:.2g} s an iteration, {} a validation), {:.2g} GB for the cases", duration(seconds),
                             plan.at("estimated_iteration_seconds").as_float(), duration(plan.at("estimated_validation_seconds").as_float()),
                             static_cast<double>(n("estimated_cache_bytes")) / 1e9));
  std::fflush(stdout);
}

judge::Evaluation evaluate(const fs::path& bundle, const tune::TuningOptions& tuning) {
  const infer::Segmenter segmenter({.bundle = bundle, .device = tuning.device, .overrides = {}});
  judge::EvaluateOptions options;
  options.label_map = tuning.label_map;
  return judge::evaluate(segmenter, tuning.validation, options);
}

std::string interval(const judge::Interval& i, const char* sign) {
  if (i.count == 0) return "none";
  const auto number = [&](double v) { return fmt::format(fmt::runtime(sign), v); };
  return i.count == 1 ? number(i.mean) : fmt::format("{} ({} to {})", number(i.mean), number(i.low), number(i.high));
}

/// Old and new bundle on the validation cases: into the new one's pages, onto the screen and into the report.
void judge_both(const tune::TuningOptions& tuning, const fs::path& made, Dict& report) {
  const judge::Evaluation now = evaluate(made, tuning);
  report["dice"] = judge::to_value(now.dice);
  std::string line =
      "mean Dice     " + interval(now.dice, "{:.4f}") + fmt::format(" on {} validation case{}", now.cases.size(), now.cases.size() == 1 ? "" : "s");
  if (!tuning.classes.empty()) {
    tune::record_scores(made, now, nullptr);
  } else {
    const judge::Evaluation before = evaluate(tuning.bundle, tuning);
    tune::record_scores(made, now, &before);
    const tune::BaseComparison c = tune::compare_with_base(now, before);
    report["dice_of_base"] = judge::to_value(before.dice);
    report["difference"] = judge::to_value(c.difference);
    report["verdict"] = c.word();
    line += fmt::format(", the base {}\n{:<14}{}: {}, {} of {} cases higher", interval(before.dice, "{:.4f}"), "verdict", c.word(),
                        interval(c.difference, "{:+.4f}"), c.improved, now.cases.size());
  }
  clear_progress_line();
  if (!globals().json) fmt::print("{}\n", line);
}

}  // namespace

void add_tune_options(CLI::App& app, TuneOptions& o) {
  tune::TuningOptions& t = o.tuning;
  app.add_option("--bundle", o.bundle, "Name or folder of the bundle to start from")->capture_default_str();
  app.add_option("--data", o.data, "Labelled cases: a folder with dataset.json, a datalist, image and label folders, or IMAGE,LABEL; may be repeated")
      ->required();
  app.add_option("--validation", o.validation, "Cases that are never trained on and choose the epoch; may be repeated");
  app.add_option("--val-fraction", o.validation_share, "Without --validation: the share of the data that is held back")->capture_default_str();
  app.add_option("--replay", o.replay, "Further training cases, labelled as the bundle labels, against forgetting; may be repeated");
  app.add_option("--replay-share", t.replay_share, "Of 100 training samples so many replayed ones; 0: as the numbers of cases are")
      ->capture_default_str();
  app.add_option("-o,--output", t.output, "Folder for the new bundle; it must not exist yet")->required();
  app.add_option("--labels,--label-map", o.label_map,
                 "Which label of the data means which of the bundle: 5:1,3:2 or liver:liver (default: by name, else by number)");
  app.add_option("--freeze", t.freeze, "Parameters that do not learn: encoder, decoder, head or a regular expression; may be repeated");
  app.add_option("--epochs", t.epochs, "Epochs at most (default: 50)");
  app.add_option("--iterations", t.iterations, "Iterations of an epoch (default: 40)");
  app.add_option("--batch-size", t.batch_size, "Cases of an iteration (default: 2)");
  app.add_option("--samples-per-case", t.samples_per_case, "Patches of each of these cases (default: 1)");
  app.add_option("--patch", o.patch, "Extents of a patch: x,y,z (default: the windows of the bundle's inference, no larger than the cases)")
      ->delimiter(',')
      ->expected(1, 3);
  app.add_option("--lr", t.learning_rate, "Learning rate (default: 0.0005, transfer 0.001)");
  app.add_option("--warm-factor", t.warm_factor,
                 "Share of the learning rate for all but the output layer (default: 1) or, in a transfer, for what was copied (default: 0.1)");
  app.add_option("--patience", t.patience, "Stop after so many validations without progress; 0: never")->capture_default_str();
  app.add_option("--augment", t.augmentation, "none, standard or strong")->capture_default_str();
  app.add_option("--name", t.name, "Name of the new bundle");
  app.add_option("--bundle-version", t.version, "Version of the new bundle (default: the next one)");
  app.add_option("--seed", t.seed, "The same seed gives the same weights")->capture_default_str();
  app.add_option("--device", t.device, "auto, cpu or cuda:N")->capture_default_str();
  app.add_option("--recipe", t.recipe, "inference: made from what the bundle's inference does; bundle: its own train configuration")
      ->capture_default_str();
  app.add_option("--set", o.overrides, "ID=VALUE: change an id of the recipe")->allow_extra_args(false);
  app.add_option("--no-gate", o.no_gate, "Train without checking the data; REASON is written into the bundle")->option_text("REASON");
  app.add_flag("--resume", t.resume, "Go on with OUTPUT.unfinished");
  app.add_flag("--no-evaluation", o.no_evaluation, "Do not judge the old and the new bundle on the validation cases at the end");
  app.add_flag("--dry-run", o.dry_run, "Print the plan and end");
}

int run_tuning(TuneOptions o) {
  tune::TuningOptions& tuning = o.tuning;
  tuning.bundle = bundle::find_bundle(o.bundle, bundle::bundle_roots());
  if (!o.patch.empty()) tuning.patch_size = o.patch;
  for (const std::string& text : o.overrides) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) throw Error(ErrorKind::usage, "--set " + text + ": want ID=VALUE");
    tuning.overrides.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  const plugin::LoadingAhead networks;
  split_cases(o, tuning);
  if (!o.replay.empty()) tuning.replay = read(o.replay);
  tuning.label_map = label_map_for(o.label_map, tuning.training, trained_classes(tuning));

  const Dict plan = tune::plan_of(tuning).as_dict();
  if (!globals().json) print_plan(plan);
  Dict report = plan;
  if (o.no_gate.empty()) {
    const std::vector<judge::Finding> findings = ask_gate(tuning);
    const auto errors = count_findings(findings, judge::Severity::error), warnings = count_findings(findings, judge::Severity::warning);
    tuning.data_check = fmt::format("{} errors, {} warnings", errors, warnings);
    report["findings"] = judge::to_value(findings);
    clear_progress_line();
    if (!globals().json) {
      print_findings(findings);
      fmt::print("{:<14}{}\n", "dataset gate", tuning.data_check);
      std::fflush(stdout);
    }
    if (errors > 0) {
      if (globals().json) fmt::print("{}\n", to_json(report));
      fmt::print(stderr,
                 "vesal: nothing was trained; repair the data (vesal dataset check --fix), or say why they are right with --no-gate REASON\n");
      return kFindingsExit;
    }
  } else {
    tuning.data_check = "not asked: " + o.no_gate;
  }
  if (o.dry_run) {
    if (globals().json) fmt::print("{}\n", to_json(report));
    return 0;
  }
  const tune::TuningResult result = tune::tune(tuning);
  clear_progress_line();
  report["bundle"] = result.bundle.string();
  report["epochs_run"] = result.epochs;
  report["best_epoch"] = result.best_epoch;
  report["best_validation_dice"] = result.best_score;
  if (!globals().json)
    fmt::print("best epoch    {} of {}: mean Dice {:.4f} on the validation cases, on the grid that is trained on\n", result.best_epoch, result.epochs,
               result.best_score);
  if (!globals().json && result.best_epoch == 0)
    fmt::print("              no epoch was better than the weights it began with; the new bundle has these\n");
  if (!o.no_evaluation) judge_both(tuning, result.bundle, report);
  if (globals().json) fmt::print("{}\n", to_json(report));
  else fmt::print("new bundle    {}\n", result.bundle.string());
  return 0;
}

}  // namespace vesal::cli
