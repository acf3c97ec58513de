#include "judge/dataset_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <tuple>

#include "base/cancel.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/text.h"
#include "image/voxels.h"
#include "judge/file_names.h"
#include "judge/gate_case.h"

namespace vesal::judge {
namespace {

GateContext context_of(const CaseSet& training, const GateOptions& options) {
  GateContext context;
  context.map = options.label_map;
  context.declared = options.declared;
  if (context.declared.empty()) {
    if (context.map.empty()) context.declared = training.labels;
    for (const auto& [from, to] : context.map) {  // the set's own names, where the map leads from them
      const auto name = training.labels.find(from);
      context.declared.emplace(to, name == training.labels.end() ? "label " + std::to_string(to) : name->second);
    }
  }
  context.declared.erase(0);
  const std::string modality = lower(options.modality.empty() ? training.modality : options.modality);
  if (!modality.empty()) context.ct = modality == "ct" || modality.starts_with("ct ") || modality.find("computed tomo") != std::string::npos;
  return context;
}

/// A few at a time: each holds a scan and its label.
std::vector<CaseFacts> look_at_all(const std::vector<std::pair<LabelledCase, bool>>& cases, const GateContext& context) {
  std::vector<CaseFacts> facts(cases.size());
  Progress progress("checking cases", static_cast<std::int64_t>(cases.size()));
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i; (i = next++) < cases.size();) {
      check_cancelled();
      facts[i] = look_at(cases[i].first, context);
      facts[i].validation = cases[i].second;
      progress.advance();
    }
  };
  const bool roomy = image::available_memory() > (8ull << 30);
  std::vector<std::future<void>> workers;
  for (int i = 1; i < std::min(thread_count(), roomy ? 4 : 1); ++i) workers.push_back(std::async(std::launch::async, work));
  std::exception_ptr problem;
  try {
    work();
  } catch (...) {
    problem = std::current_exception();
    next = cases.size();
  }
  for (std::future<void>& w : workers) try {
      w.get();
    } catch (...) { problem = std::current_exception(); }
  if (problem) std::rethrow_exception(problem);
  return facts;
}

/// Equal scans: the same file content under two names, and turned copies.
void find_duplicates(const std::vector<CaseFacts>& all, std::vector<Finding>& findings) {
  std::map<std::uint64_t, const CaseFacts*> by_order, by_values;
  for (const CaseFacts& f : all) {
    if (!f.hashed) continue;
    const bool constant = std::any_of(f.findings.begin(), f.findings.end(), [](const Finding& x) { return x.rule == "values"; });
    if (constant) continue;
    const auto [same, fresh] = by_order.emplace(f.in_order, &f);
    const auto [turned, unknown] = by_values.emplace(f.unordered, &f);
    if (fresh && unknown) continue;
    const CaseFacts& first = fresh ? *turned->second : *same->second;
    const bool leak = f.validation != first.validation;
    findings.push_back({leak || fresh == false ? Severity::error : Severity::warning, leak ? "leak" : "duplicate", f.source.id, f.source.image,
                        fmt::format("{} voxels as {}{}", fresh ? "the same, otherwise ordered," : "the same", first.source.id,
                                    leak ? fmt::format(", which is in the {} set: what is learned by heart would look like skill",
                                                       first.validation ? "validation" : "training")
                                         : ""),
                        leak ? "keep it in one of the sets" : "keep one of them", Fix::drop});
  }
}

void find_unseen(const std::vector<CaseFacts>& all, bool validation, const GateContext& context, std::vector<Finding>& findings) {
  std::set<std::int64_t> seen;
  std::size_t count = 0;
  for (const CaseFacts& f : all)
    if (f.validation == validation) seen.insert(f.classes.begin(), f.classes.end()), ++count;
  if (count == 0) return;
  for (const auto& [number, name] : context.declared)
    if (!seen.contains(number))
      findings.push_back({validation ? Severity::warning : Severity::error,
                          "classes",
                          "",
                          {},
                          fmt::format("class {} {} is declared and occurs in no {} case: it {}", number, name, validation ? "validation" : "training",
                                      validation ? "will not be measured" : "cannot be learned"),
                          validation ? "bring a case with it" : "bring cases with it, or say with --label-map which label means it"});
}

Value to_value(const Finding& f) {
  return Dict{{"severity", name_of(f.severity)},
              {"rule", f.rule},
              {"case", f.case_id.empty() ? Value() : Value(f.case_id)},
              {"file", f.file.empty() ? Value() : Value(f.file.string())},
              {"message", f.message},
              {"repair", f.repair.empty() ? Value() : Value(f.repair)},
              {"fixable", f.fix != Fix::none}};
}

}  // namespace

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warning";
    case Severity::error: break;
  }
  return "error";
}

std::vector<Finding> check_dataset(const CaseSet& training, const CaseSet& validation, const GateOptions& options) {
  const GateContext context = context_of(training, options);
  std::vector<std::pair<LabelledCase, bool>> cases;
  for (const LabelledCase& c : training.cases) cases.emplace_back(c, false);
  for (const LabelledCase& c : validation.cases) cases.emplace_back(c, true);
  const std::vector<CaseFacts> facts = look_at_all(cases, context);

  std::vector<Finding> findings;
  for (const CaseFacts& f : facts) findings.insert(findings.end(), f.findings.begin(), f.findings.end());
  find_duplicates(facts, findings);
  find_unseen(facts, false, context, findings);
  find_unseen(facts, true, context, findings);
  if (training.cases.empty())
    findings.push_back({Severity::error, "count", "", training.source, "there is no training case", "bring labelled cases"});
  else if (training.cases.size() == 1)
    findings.push_back({Severity::warning, "count", "", training.source, "there is one training case: a network learns it by heart",
                        "bring more; from ten or twenty on it begins to be useful"});
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tuple(-static_cast<int>(a.severity), a.rule, a.case_id) < std::tuple(-static_cast<int>(b.severity), b.rule, b.case_id);
  });
  return findings;
}

bool passes(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(), [](const Finding& f) { return f.severity == Severity::error; });
}

Value to_value(const std::vector<Finding>& findings) {
  List list;
  for (const Finding& f : findings) list.items.push_back(to_value(f));
  return list;
}

}  // namespace vesal::judge
