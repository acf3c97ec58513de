// An evaluation for people: a page that needs nothing but itself, and tables for other programs.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "judge/comparison_picture.h"
#include "judge/evaluation.h"

namespace vesal::judge {

struct ReportFacts {
  std::string program;   ///< "vesal 0.1.0"
  std::string command;   ///< what was typed
  std::string language;  ///< "en", "vi"
  std::optional<double> gate;
  std::size_t least = 5;  ///< cases that a verdict wants
};

/// One HTML file: verdict, tables, plots as inline SVG, pictures as data: URIs, light and dark, printable. No request leaves the page.
/// Throws Error(usage) for an unknown language.
std::string html_report(const Evaluation& evaluation, const ReportFacts& facts, const std::vector<CasePicture>& pictures);

/// A row per case and class (RFC 4180, header first); a failed case is a row with its error.
std::string csv_report(const Evaluation& evaluation);

/// to_value(evaluation) with verdict, gate and program.
Value json_report(const Evaluation& evaluation, const ReportFacts& facts);

/// How many cases like these an interval would want that does not hold the gate; nothing if that cannot be said.
std::optional<std::size_t> cases_wanted(const Evaluation& evaluation, double gate);

}  // namespace vesal::judge
