// Evaluations as plain data: what report.json holds. docs/evaluate.md describes it.
#include <cmath>

#include "judge/evaluation.h"

namespace vesal::judge {
namespace {

Value number(double v) { return std::isfinite(v) ? Value(v) : Value(); }
Value text(const std::string& s) { return s.empty() ? Value() : Value(s); }

Value to_value(const ClassScore& s) {
  return Dict{{"label", s.label},
              {"name", s.name},
              {"dice", number(s.dice)},
              {"hd95_mm", number(s.hd95_mm)},
              {"assd_mm", number(s.assd_mm)},
              {"reference_ml", number(s.reference_ml)},
              {"predicted_ml", number(s.predicted_ml)}};
}

Value to_value(const CaseScore& c) {
  List shape, spacing, classes;
  for (const std::int64_t n : c.shape) shape.items.emplace_back(n);
  if (!c.shape.empty())
    for (const double mm : c.spacing_mm) spacing.items.emplace_back(mm);
  for (const ClassScore& s : c.classes) classes.items.push_back(to_value(s));
  return Dict{{"id", c.source.id},
              {"image", c.source.image.string()},
              {"label", c.source.label.string()},
              {"split", text(c.source.split)},
              {"shape", shape},
              {"spacing_mm", spacing},
              {"seconds", number(c.seconds)},
              {"dice", number(c.dice())},
              {"classes", classes},
              {"mask", text(c.mask.string())},
              {"error", text(c.error)},
              {"error_kind", text(c.error_kind)}};
}

}  // namespace

Value to_value(const Interval& i) { return Dict{{"mean", number(i.mean)}, {"low", number(i.low)}, {"high", number(i.high)}, {"count", i.count}}; }

Value to_value(const Evaluation& e) {
  List cases, classes, set_aside, ignored;
  Dict map;
  for (const CaseScore& c : e.cases) cases.items.push_back(to_value(c));
  for (const ClassSummary& c : e.classes)
    classes.items.push_back(
        Dict{{"label", c.label}, {"name", c.name}, {"dice", to_value(c.dice)}, {"hd95_mm", to_value(c.hd95_mm)}, {"assd_mm", to_value(c.assd_mm)}});
  for (const auto& [label, name] : e.set_aside) set_aside.items.push_back(Dict{{"label", label}, {"name", name}});
  for (const std::int64_t label : e.ignored) ignored.items.emplace_back(label);
  for (const auto& [from, to] : e.label_map) map[std::to_string(from)] = to;
  return Dict{{"format", "vesal evaluation 1"},
              {"bundle", Dict{{"name", e.bundle},
                              {"version", text(e.version)},
                              {"folder", text(e.folder.string())},
                              {"weights", text(e.weights.string())},
                              {"weights_sha256", text(e.weights_sha256)},
                              {"intended_use", text(e.intended_use)}}},
              {"data", Dict{{"source", e.data},
                            {"layout", e.layout},
                            {"cases", e.cases.size()},
                            {"failed", e.failed()},
                            {"label_map", map},
                            {"labels_ignored", ignored},
                            {"classes_set_aside", set_aside}}},
              {"dice", to_value(e.dice)},
              {"classes", classes},
              {"cases", cases},
              {"seconds", number(e.seconds)}};
}

}  // namespace vesal::judge
