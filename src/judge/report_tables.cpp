// CSV and JSON.
#include <fmt/format.h>

#include <cmath>

#include "judge/report.h"

namespace vesal::judge {
namespace {

/// Quoted where it must be; a cell that a spreadsheet would take for a formula gets a quote in front.
std::string cell(std::string text) {
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) text.insert(0, "'");
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string number(double v, int digits) { return std::isfinite(v) ? fmt::format("{:.{}f}", v, digits) : ""; }

}  // namespace

std::string csv_report(const Evaluation& e) {
  std::string out = "case,split,label,class,dice,hd95_mm,assd_mm,reference_ml,predicted_ml,seconds,image,reference,mask,error\r\n";
  for (const CaseScore& c : e.cases) {
    const std::string files =
        fmt::format("{},{},{},{}", cell(c.source.image.string()), cell(c.source.label.string()), cell(c.mask.string()), cell(c.error));
    const std::string head = cell(c.source.id) + "," + cell(c.source.split);
    if (c.classes.empty()) out += fmt::format("{},,,,,,,,{},{}\r\n", head, number(c.seconds, 2), files);
    for (const ClassScore& s : c.classes)
      out += fmt::format("{},{},{},{},{},{},{},{},{},{}\r\n", head, s.label, cell(s.name), number(s.dice, 5), number(s.hd95_mm, 4),
                         number(s.assd_mm, 4), number(s.reference_ml, 3), number(s.predicted_ml, 3), number(c.seconds, 2), files);
  }
  return out;
}

Value json_report(const Evaluation& e, const ReportFacts& facts) {
  Value value = to_value(e);
  Dict& report = value.mutable_dict();
  report["program"] = facts.program;
  report["command"] = facts.command;
  if (facts.gate) {
    const auto wanted = cases_wanted(e, *facts.gate);
    report["gate"] = Dict{{"dice", *facts.gate},
                          {"min_cases", facts.least},
                          {"verdict", name_of(judge(e, *facts.gate, facts.least))},
                          {"cases_wanted", wanted ? Value(*wanted) : Value()}};
  }
  return value;
}

std::optional<std::size_t> cases_wanted(const Evaluation& e, double gate) {
  double sum = 0, squares = 0, n = 0;
  for (const double d : e.dices())
    if (!std::isnan(d)) sum += d, squares += d * d, ++n;
  if (n < 3) return std::nullopt;
  const double mean = sum / n, variance = (squares - sum * mean) / (n - 1), away = mean - gate;
  if (!(variance > 0) || std::fabs(away) < 1e-4) return std::nullopt;
  const double wanted = std::ceil(1.96 * 1.96 * variance / (away * away));
  return wanted < 1e6 ? std::optional(static_cast<std::size_t>(std::max(wanted, n + 1))) : std::nullopt;
}

}  // namespace vesal::judge
