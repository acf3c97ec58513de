// vesal dataset check DATA...: what is wrong with labelled cases before anyone trains on them or judges with them.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "bundle/bundle_folder.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/judged_data.h"
#include "judge/dataset_repair.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;
using judge::CaseSet;
using judge::Finding;
using judge::Severity;

struct Options {
  std::vector<fs::path> data, validation;
  std::string bundle, labels, modality;
  fs::path fix, report;
};

/// Training and validation: as the lists call them, or as the options say.
std::pair<CaseSet, CaseSet> sets_of(const Options& o) {
  const CaseSet all = judge::read_cases(o.data);
  std::vector<judge::LabelledCase> training, validation;
  for (const judge::LabelledCase& c : all.cases) (c.split == "validation" || c.split == "testing" ? validation : training).push_back(c);
  if (training.empty()) std::swap(training, validation);
  CaseSet other = judge::with_cases(all, validation);
  if (!o.validation.empty()) {
    other = judge::read_cases(o.validation);
    other.cases.insert(other.cases.end(), validation.begin(), validation.end());
  }
  return {judge::with_cases(all, training), other};
}

int run(const Options& o) {
  const auto [training, validation] = sets_of(o);
  judge::GateOptions gate;
  gate.modality = o.modality;
  if (!o.bundle.empty()) gate.declared = bundle_classes(bundle::read_bundle_facts(bundle::find_bundle(o.bundle, bundle::bundle_roots())));
  gate.label_map = label_map_for(o.labels, training, gate.declared);
  const std::vector<Finding> findings = judge::check_dataset(training, validation, gate);

  bool passed = judge::passes(findings);
  Dict report{{"source", training.source.string()},
              {"layout", training.layout},
              {"training", training.cases.size()},
              {"validation", validation.cases.size()},
              {"passes", passed},
              {"errors", count_findings(findings, Severity::error)},
              {"warnings", count_findings(findings, Severity::warning)},
              {"findings", judge::to_value(findings)}};
  std::optional<judge::Repaired> repaired;
  std::vector<Finding> left;
  if (!o.fix.empty()) {
    repaired = judge::repair_dataset(training, validation, gate, findings, o.fix);
    // The copy has the bundle's numbers; whether it is right is for the gate to say again.
    judge::GateOptions again = gate;
    again.label_map.clear();
    Options copy = o;
    copy.data = {o.fix};
    copy.validation.clear();
    if (repaired->training + repaired->validation == 0) throw Error(ErrorKind::format, o.fix.string() + ": no case could be repaired");
    const auto [new_training, new_validation] = sets_of(copy);
    left = judge::check_dataset(new_training, new_validation, again);
    passed = judge::passes(left);
    List done, left_out;
    for (const std::string& t : repaired->done) done.items.emplace_back(t);
    for (const std::string& t : repaired->left_out) left_out.items.emplace_back(t);
    report["fixed"] = Dict{
        {"folder", o.fix.string()}, {"training", repaired->training},   {"validation", repaired->validation}, {"done", done}, {"left_out", left_out},
        {"passes", passed},         {"findings", judge::to_value(left)}};
  }

  clear_progress_line();
  if (!o.report.empty()) write_file(o.report, to_json(report) + "\n");
  if (globals().json) {
    fmt::print("{}\n", to_json(report));
    return passed ? 0 : kFindingsExit;
  }
  print_findings(findings);
  fmt::print("{} training cases, {} validation cases ({}): {} errors, {} warnings\n", training.cases.size(), validation.cases.size(), training.layout,
             count_findings(findings, Severity::error), count_findings(findings, Severity::warning));
  if (repaired) {
    for (const std::string& t : repaired->done) fmt::print("repaired  {}\n", t);
    for (const std::string& t : repaired->left_out) fmt::print("left out  {}\n", t);
    fmt::print("{}: {} training cases, {} validation cases; checked again: {} errors, {} warnings\n", o.fix.string(), repaired->training,
               repaired->validation, count_findings(left, Severity::error), count_findings(left, Severity::warning));
    print_findings(left);
  } else if (std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.fix != judge::Fix::none; })) {
    fmt::print("--fix OUT writes a repaired copy\n");
  }
  return passed ? 0 : kFindingsExit;
}

const RegisterCommand command({
    "dataset check",
    "Check labelled cases before training: grids, labels, orientation, duplicates, anatomy",
    "  vesal dataset check Task09_Spleen\n"
    "  vesal dataset check cases/ --bundle spleen_ct_phantom --labels spleen --modality CT\n"
    "  vesal dataset check train.json --validation valid.json --fix repaired/     (writes a repaired copy, checks it again)\n"
    "\n"
    "DATA is a folder with dataset.json (Decathlon, nnU-Net), a MONAI datalist, a folder whose images and labels match by name, or IMAGE,LABEL.\n"
    "Ends with 22 if there is an error among the findings. docs/datasets.md lists the rules.",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("DATA", o->data, "Labelled cases")->required();
      app.add_option("--validation", o->validation, "Further cases, which training must not see")->allow_extra_args(false);
      app.add_option("--bundle", o->bundle, "Whose classes the labels are to mean");
      app.add_option("--labels,--label-map", o->labels, "Which labels mean which classes: spleen, 5:1, liver:liver; all others are background");
      app.add_option("--modality", o->modality, "CT or MR, where dataset.json does not say");
      app.add_option("--fix", o->fix, "Folder for a repaired copy, in Decathlon layout");
      app.add_option("--report", o->report, "JSON file for the findings");
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
