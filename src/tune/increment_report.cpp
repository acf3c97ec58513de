#include "tune/increment_report.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "judge/report_plots.h"
#include "judge/report_style.h"
#include "tune/acceptance.h"

namespace vesal::tune {
namespace {

using judge::escaped;

std::string number(double v) { return std::isfinite(v) ? fmt::format("{:.4f}", v) : "&ndash;"; }

const Value* at(const Value& dict, const char* key) { return dict.is_dict() ? dict.as_dict().find(key) : nullptr; }

class Page {
 public:
  Page(const Model& model, const ModelState& state, const JournalEntry& entry) : model_(model), state_(state), entry_(entry) {}

  std::string text() {
    const std::string title = fmt::format("{}: {}", escaped(model_.name()), escaped(entry_.text("month")));
    out_ +=
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\">\n";
    out_ += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n";
    out_ += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n", title, judge::kReportStyle, title);
    verdict();
    out_ += fmt::format(
        "<h2>Dice on the reference set</h2>\n<div class=\"card\"><p class=\"key\"><span><i class=\"s1\" style=\"background:var(--c1)\"></i>"
        "champions, with 95 % interval</span><span><i style=\"border:2px solid var(--bad)\"></i>rejected</span><span>&#215; refused before "
        "training</span></p>{}</div>\n",
        history_svg(state_, entry_.number));
    comparison();
    months();
    facts();
    out_ += "</main>\n</body>\n</html>\n";
    return std::move(out_);
  }

 private:
  void verdict() {
    const std::string outcome = entry_.text("outcome");
    const bool accepted = outcome == "accepted", rejected = outcome == "rejected";
    const std::string kind = accepted ? "use" : rejected ? "fine-tune" : "too-few";
    const std::string head = accepted                ? fmt::format("Accepted: {} is the champion", escaped(entry_.text("version")))
                             : rejected              ? fmt::format("Rejected: {} stays the champion", escaped(entry_.text("parent")))
                             : outcome == "findings" ? "Refused before training: the gate found errors"
                                                     : "Refused before training: labels look wrong";
    out_ += fmt::format("<section class=\"card verdict {}\" style=\"display:block\"><strong>{}</strong><ul>", kind, head);
    if (const Value* reasons = at(entry_.value, "reasons"); reasons && reasons->is_list())
      for (const Value& reason : reasons->items()) out_ += "<li>" + escaped(reason.str()) + "</li>";
    out_ += "</ul>";
    if (const std::string why = entry_.text("accepted_anyway"); !why.empty())
      out_ += fmt::format("<p class=\"warning\">Labels looked wrong and were accepted because: {}</p>", escaped(why));
    out_ += "</section>\n";
  }

  /// Case by case, where both were judged.
  void table(const char* title, const SetScores& champion, const SetScores& challenger) {
    out_ += fmt::format(
        "<h2>{}</h2>\n<div class=\"card scroll\"><table><thead><tr><th>case</th><th class=\"text\">part</th><th>champion</th><th>challenger</th>"
        "<th>difference</th></tr></thead><tbody>\n",
        title);
    const std::vector<double> before = champion.of_cases(), after = challenger.of_cases();
    const Value* parts = at(entry_.value, "cases");
    for (std::size_t i = 0; i < champion.cases.size(); ++i) {
      double now = std::nan("");
      for (std::size_t k = 0; k < challenger.cases.size(); ++k)
        if (challenger.cases[k] == champion.cases[i]) now = after[k];
      const Value* part = &champion == &reference_ || !parts ? nullptr : at(*parts, champion.cases[i].c_str());
      const double change = now - before[i];
      out_ += fmt::format("<tr><td>{}</td><td class=\"text\">{}</td><td>{}</td><td>{}</td><td{}>{}</td></tr>\n", escaped(champion.cases[i]),
                          part ? escaped(part->str()) : "reference", number(before[i]), number(now), change < 0 ? " class=\"low\"" : "",
                          std::isfinite(change) ? fmt::format("{:+.4f}", change) : "&ndash;");
    }
    out_ += "</tbody></table></div>\n";
  }

  void comparison() {
    const std::string hash = entry_.text("comparison");
    if (hash.empty()) return;
    const Value all = model_.object(hash);
    const auto scores = [&](const char* key) { return set_scores_of(all.as_dict().at(key)); };
    reference_ = scores("champion_reference");
    table("Reference set, case by case", reference_, scores("challenger_reference"));
    const SetScores fresh = scores("champion_new");
    table("New cases", fresh, scores("challenger_new"));
    out_ += "<p class=\"note\">Only the cases that judge were held out from the training; the challenger is judged on these alone.</p>\n";
  }

  void months() {
    out_ +=
        "<h2>Decisions</h2>\n<div class=\"card scroll\"><table><thead><tr><th>entry</th><th class=\"text\">time</th><th class=\"text\">who</th>"
        "<th class=\"text\">what</th><th>version</th><th>Dice on the reference set</th></tr></thead><tbody>\n";
    for (const JournalEntry& e : state_.journal) {
      if (e.number > entry_.number) break;
      const Value* scores = at(e.value, "reference_dice");
      const Value* dice = scores ? at(*scores, "dice") : nullptr;
      out_ +=
          fmt::format("<tr><td>{}</td><td class=\"text\">{}</td><td class=\"text\">{}</td><td class=\"text\">{}</td><td>{}</td><td>{}</td></tr>\n",
                      e.number, escaped(e.text("time")), escaped(e.text("who")),
                      escaped(e.event() + (e.text("month").empty() ? "" : " " + e.text("month") + ": " + e.text("outcome"))),
                      escaped(e.text("version")), dice && dice->is_number() ? number(dice->as_float()) : "");
    }
    out_ += "</tbody></table></div>\n";
  }

  void row(const char* key, const std::string& value) {
    if (!value.empty()) out_ += fmt::format("<dt>{}</dt><dd>{}</dd>", key, value);
  }

  void facts() {
    out_ += "<h2>What it was decided with</h2>\n<dl class=\"card\">";
    row("decided", escaped(entry_.text("time") + " by " + entry_.text("who")));
    if (const Value* program = at(entry_.value, "program"))
      row("program", fmt::format("vesal {} <code>{}</code>", escaped(at(*program, "version")->str()), escaped(at(*program, "sha256")->str())));
    row("trained from", escaped(entry_.text("parent")));
    const auto hashed = [&](const char* name, const char* key) {
      if (const std::string hash = entry_.text(key); !hash.empty()) row(name, "<code>" + escaped(hash) + "</code>");
    };
    hashed("weights", "weights_sha256");
    hashed("new cases", "data");
    row("reference set", "<code>" + escaped(state_.reference) + "</code>");
    if (const Value* options = at(entry_.value, "options"); options && options->is_dict())
      for (const auto& [key, value] : options->as_dict())
        if (!value.is_none() && value.str() != "[]" && value.str() != "{}") row(escaped(key.str()).c_str(), escaped(value.str()));
    row("journal", fmt::format("entry {} <code>{}</code>", entry_.number, escaped(entry_.hash)));
    out_ += "</dl>\n";
  }

  const Model& model_;
  const ModelState& state_;
  const JournalEntry& entry_;
  SetScores reference_;
  std::string out_;
};

}  // namespace

std::string increment_page(const Model& model, const ModelState& state, const JournalEntry& entry) {
  if (entry.event() != "increment") throw Error(ErrorKind::usage, fmt::format("entry {} of {} is no increment", entry.number, model.name()));
  return Page(model, state, entry).text();
}

}  // namespace vesal::tune
