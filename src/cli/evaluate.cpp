// vesal evaluate --bundle B --data DATA: a bundle on labelled scans, and whether it is good enough there.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/plugin.h"
#include "base/progress.h"
#include "bundle/bundle_folder.h"
#include "cli/command.h"
#include "cli/judged_data.h"
#include "judge/report.h"
#include "judge/report_words.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;
using judge::CaseScore;
using judge::Evaluation;

constexpr std::size_t kPictures = 6;
constexpr const char* kBundle = "spleen_ct_phantom";

struct Options {
  std::string bundle, device = "auto", labels, language = "en", split;
  std::vector<fs::path> data;
  std::vector<std::string> overrides;
  fs::path output, keep_masks, masks;
  std::optional<double> gate;
  std::size_t least = 5;
  std::string command;
};

/// What the report's name asks for: everything in a folder, or one of the files.
enum class Output { none, folder, html, json, csv };
Output output_of(const fs::path& path) {
  if (path.empty()) return Output::none;
  const std::string extension = path.extension().string();
  std::error_code ignored;
  if (fs::is_directory(path, ignored) || extension.empty()) return Output::folder;
  if (extension == ".html" || extension == ".htm") return Output::html;
  if (extension == ".json") return Output::json;
  if (extension == ".csv") return Output::csv;
  throw Error(ErrorKind::usage, "-o " + path.string() + ": want a folder, or a file that ends in .html, .json or .csv");
}

judge::CaseSet chosen_cases(const Options& o) {
  judge::CaseSet set = judge::read_cases(o.data);
  if (o.split.empty()) return set;
  std::vector<judge::LabelledCase> cases;
  std::copy_if(set.cases.begin(), set.cases.end(), std::back_inserter(cases), [&](const judge::LabelledCase& c) { return c.split == o.split; });
  if (cases.empty()) throw Error(ErrorKind::not_found, "no case of the split '" + o.split + "' in " + set.source.string());
  return judge::with_cases(set, cases);
}

std::string interval_text(const judge::Interval& i, int digits) {
  if (i.count == 0) return "-";
  if (std::isnan(i.low)) return fmt::format("{:.{}f}", i.mean, digits);
  return fmt::format("{:.{}f} ({:.{}f} - {:.{}f})", i.mean, digits, i.low, digits, i.high, digits);
}

void show(const Evaluation& e, const Options& o) {
  fmt::print("{} {} on {} ({}, {} cases)\n", e.bundle, e.version, e.data, e.layout, e.cases.size());
  fmt::print("{:<24} {:>5}  {:<24} {:<22} {:<22}\n", "class", "cases", "Dice (95 %)", "HD95 mm", "ASSD mm");
  for (const judge::ClassSummary& c : e.classes)
    fmt::print("{:<24} {:>5}  {:<24} {:<22} {:<22}\n", c.name, c.dice.count, interval_text(c.dice, 3), interval_text(c.hd95_mm, 1),
               interval_text(c.assd_mm, 2));
  if (e.classes.size() > 1) fmt::print("{:<24} {:>5}  {:<24}\n", "mean of the classes", e.dice.count, interval_text(e.dice, 3));
  std::vector<const CaseScore*> judged;
  for (const CaseScore& c : e.cases)
    if (!std::isnan(c.dice())) judged.push_back(&c);
  std::sort(judged.begin(), judged.end(), [](const CaseScore* a, const CaseScore* b) { return a->dice() < b->dice(); });
  if (judged.size() > 1) {
    std::string worst;
    for (std::size_t i = 0; i < std::min<std::size_t>(3, judged.size()); ++i)
      worst += fmt::format("{}{} {:.3f}", i == 0 ? "" : ", ", judged[i]->source.id, judged[i]->dice());
    fmt::print("worst      {}\n", worst);
  }
  for (const CaseScore& c : e.cases)
    if (!c.error.empty()) fmt::print("not judged {}: {}\n", c.source.id, c.error);
  std::string list;
  for (const std::int64_t label : e.ignored) list += (list.empty() ? "" : ", ") + std::to_string(label);
  if (!list.empty() && e.label_map.empty())
    fmt::print("warning    labels {} of the reference are no class of the bundle and were taken as background; --labels says what they mean\n", list);
  list.clear();
  for (const auto& [label, name] : e.set_aside) list += (list.empty() ? "" : ", ") + name;
  if (!list.empty()) fmt::print("warning    not judged, since no reference holds them: {}\n", list);
  if (!e.intended_use.empty()) fmt::print("intended   {}\n", e.intended_use);
  if (!o.gate) return;
  const judge::Verdict verdict = judge::judge(e, *o.gate, o.least);
  std::string why;
  if (verdict == judge::Verdict::too_few && e.dice.count < o.least) why = fmt::format(", {} cases judged, {} wanted", e.dice.count, o.least);
  else if (verdict == judge::Verdict::too_few) why = ", the interval holds the gate";
  if (const auto wanted = judge::cases_wanted(e, *o.gate); wanted && verdict == judge::Verdict::too_few)
    why += fmt::format("; about {} cases like these would tell", std::max(*wanted, o.least));
  fmt::print("verdict    {} (gate {:.2f}{})\n", judge::name_of(verdict), *o.gate, why);
}

void write_reports(const Options& o, const Evaluation& e, const judge::ReportFacts& facts, const judge::WorstCases& worst) {
  const Output what = output_of(o.output);
  const auto html = [&](const fs::path& path) { write_file(path, judge::html_report(e, facts, worst.pictures())); };
  const auto json = [&](const fs::path& path) { write_file(path, to_json(judge::json_report(e, facts)) + "\n"); };
  const auto csv = [&](const fs::path& path) { write_file(path, judge::csv_report(e)); };
  switch (what) {
    case Output::none: return;
    case Output::html: return html(o.output);
    case Output::json: return json(o.output);
    case Output::csv: return csv(o.output);
    case Output::folder: break;
  }
  json(o.output / "report.json");
  csv(o.output / "cases.csv");
  html(o.output / "report.html");
}

int run(const Options& o) {
  judge::words_for(o.language);
  if (o.gate && !(*o.gate > 0 && *o.gate <= 1)) throw Error(ErrorKind::usage, "--gate wants a Dice above 0 and at most 1");
  const Output what = output_of(o.output);
  std::optional<plugin::LoadingAhead> networks;
  if (o.masks.empty()) networks.emplace();
  const judge::CaseSet set = chosen_cases(o);
  judge::WorstCases worst(what == Output::folder || what == Output::html ? kPictures : 0);
  judge::EvaluateOptions how;
  how.keep_masks = o.keep_masks;
  how.seen = [&](const CaseScore& c, const image::Image& prediction, const image::Image& reference) { worst.consider(c, prediction, reference); };

  fs::path folder;
  std::map<std::int64_t, std::string> classes;
  if (o.masks.empty() || !o.bundle.empty()) {
    folder = bundle::find_bundle(o.bundle.empty() ? kBundle : o.bundle, bundle::bundle_roots());
    classes = bundle_classes(bundle::read_bundle_facts(folder));
  } else {
    classes = set.labels;  // masks of any origin: what dataset.json declares, else every label there is
  }
  how.label_map = label_map_for(o.labels, set, classes);
  Evaluation e;
  if (!o.masks.empty()) {
    e = judge::evaluate_masks(o.masks, classes, set, how);
  } else {
    infer::Segmenter::Options options{.bundle = folder, .device = o.device, .overrides = {}};
    for (const std::string& text : o.overrides) {
      const auto equals = text.find('=');
      if (equals == std::string::npos || equals == 0) throw Error(ErrorKind::usage, "--override " + text + ": want ID=VALUE");
      options.overrides.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    const infer::Segmenter segmenter(options);
    log::info("{} {}: {} cases", segmenter.facts().name, segmenter.facts().version, set.cases.size());
    e = judge::evaluate(segmenter, set, how);
  }

  judge::ReportFacts facts{"vesal " VESAL_VERSION, o.command, o.language, o.gate, o.least};
  clear_progress_line();
  write_reports(o, e, facts, worst);
  if (globals().json) {
    fmt::print("{}\n", to_json(judge::json_report(e, facts)));
  } else {
    show(e, o);
    if (what != Output::none) fmt::print("report     {}\n", (what == Output::folder ? o.output / "report.html" : o.output).string());
  }
  for (const CaseScore& c : e.cases)
    if (!c.error.empty())
      for (int kind = 0; kind <= static_cast<int>(ErrorKind::internal); ++kind)
        if (const ErrorCodes& codes = error_codes(static_cast<ErrorKind>(kind)); c.error_kind == codes.name) return codes.exit_code;
  return o.gate ? judge::exit_code(judge::judge(e, *o.gate, o.least)) : 0;
}

/// The command as it was typed, for the report.
std::string typed(const CLI::App& app) {
  std::string text = "vesal evaluate";
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0) continue;
    for (const std::string& value : option->results()) {
      const bool plain =
          !value.empty() && value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=+@%") == std::string::npos;
      text += " " + option->get_name() + " " + (plain ? value : "'" + value + "'");
    }
  }
  return text;
}

const RegisterCommand command({
    "evaluate",
    "Judge a bundle on labelled scans: Dice, distances, volumes, a report, and a verdict",
    "  vesal evaluate --bundle spleen_ct_segmentation --data Task09_Spleen -o report --gate 0.90\n"
    "  vesal evaluate --bundle B --data cases/ --labels spleen -o report.html --lang vi\n"
    "  vesal evaluate --data ct.nii.gz,organs.nii.gz --labels 1 --json\n"
    "  vesal evaluate --masks masks/ --data cases/ -o report      (masks that were made before, by whatever)\n"
    "\n"
    "With --gate the exit code says: 0 use it, 20 fine-tune it, 21 too few cases to tell. If a case fails the others go on, and the exit code is "
    "that\n"
    "of the first failure. docs/evaluate.md describes the report, docs/datasets.md the layouts.",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("--bundle", o->bundle, fmt::format("Name or folder of the bundle (default: {}; with --masks: none)", kBundle));
      app.add_option("--data", o->data, "Labelled cases: a folder, a list, or IMAGE,LABEL; several times for several")
          ->required()
          ->allow_extra_args(false);
      app.add_option("-o,--output", o->output, "Folder for report.html, report.json and cases.csv; or one .html, .json or .csv file");
      app.add_option("--labels,--label-map", o->labels, "Which labels mean which classes: spleen, 5:1, liver:liver; all others are background");
      app.add_option("--gate", o->gate, "Mean Dice from which the bundle is good enough, e.g. 0.90");
      app.add_option("--min-cases", o->least, "Cases that a verdict wants")->capture_default_str();
      app.add_option("--split", o->split, "Only cases of this list: training, validation, testing");
      app.add_option("--keep-masks", o->keep_masks, "Folder for the bundle's masks");
      app.add_option("--masks", o->masks, "Folder of masks to judge, instead of running the bundle");
      app.add_option("--lang", o->language, "Of the HTML report: en or vi")->capture_default_str();
      app.add_option("--device", o->device, "auto, cpu or cuda:N")->capture_default_str();
      app.add_option("--override", o->overrides, "ID=VALUE: change an id of the bundle's configuration")->allow_extra_args(false);
      return [o, &app] {
        o->command = typed(app);
        return run(*o);
      };
    },
});

}  // namespace
}  // namespace vesal::cli
