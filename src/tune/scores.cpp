#include "tune/scores.h"

#include <fmt/format.h>

#include <cmath>

#include "base/file.h"
#include "base/json.h"

namespace vesal::tune {
namespace {

const char* const kHeading = "## Scores on the validation cases\n";
const char* const kNextHeading = "## Limits\n";

std::string cell(const judge::Interval& i, const char* format = "{:.3f}") {
  if (i.count == 0) return "";
  const auto number = [&](double v) { return fmt::format(fmt::runtime(format), v); };
  return i.count < 2 ? number(i.mean) : fmt::format("{} ({} to {})", number(i.mean), number(i.low), number(i.high));
}

std::string table(const judge::Evaluation& now, const judge::Evaluation* before) {
  std::string text = fmt::format("{}\nAt the scans' own resolution, {} case{}; in brackets the 95 % bootstrap interval of the mean.\n\n| | ",
                                 kHeading, now.cases.size(), now.cases.size() == 1 ? "" : "s");
  text += before ? "this bundle | the base |\n|---|---|---|\n" : "this bundle |\n|---|---|\n";
  const auto row = [&](const std::string& what, const std::string& a, const std::string& b) {
    text += before ? fmt::format("| {} | {} | {} |\n", what, a, b) : fmt::format("| {} | {} |\n", what, a);
  };
  row("mean Dice", cell(now.dice), before ? cell(before->dice) : "");
  for (std::size_t i = 0; i < now.classes.size(); ++i) {
    const judge::ClassSummary& c = now.classes[i];
    const judge::ClassSummary* old = nullptr;
    for (std::size_t k = 0; before && k < before->classes.size(); ++k)
      if (before->classes[k].label == c.label) old = &before->classes[k];
    row("Dice, " + c.name, cell(c.dice), old ? cell(old->dice) : "");
    row("HD95 in mm, " + c.name, cell(c.hd95_mm, "{:.1f}"), old ? cell(old->hd95_mm, "{:.1f}") : "");
  }
  return text + "\n";
}

}  // namespace

const char* BaseComparison::word() const {
  if (difference.count == 0) return "not comparable";
  if (difference.mean < 0) return "worse";
  return difference.count > 1 && difference.low > 0 ? "better" : difference.mean > 0 ? "better on average" : "no different";
}

BaseComparison compare_with_base(const judge::Evaluation& now, const judge::Evaluation& before) {
  const std::vector<double> a = now.dices(), b = before.dices();
  std::vector<double> differences;
  BaseComparison out;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    differences.push_back(a[i] - b[i]);
    out.improved += a[i] > b[i];
  }
  out.difference = judge::bootstrap_mean(differences);
  return out;
}

void record_scores(const std::filesystem::path& bundle, const judge::Evaluation& now, const judge::Evaluation* before) {
  const std::filesystem::path file = bundle / "configs/metadata.json", page = bundle / "docs/README.md";
  Value metadata = with_context(file.string(), [&] { return parse_json(read_text(file)); });
  Dict scores;
  if (const Value* old = metadata.as_dict().find("eval_metrics"); old && old->is_dict())
    for (const auto& [key, value] : old->as_dict()) scores[key] = value;
  if (now.dice.count > 0) scores["mean_dice"] = now.dice.mean;
  if (before && before->dice.count > 0) scores["mean_dice_of_base"] = before->dice.mean;
  metadata.mutable_dict()["eval_metrics"] = std::move(scores);
  write_file(file, to_json(metadata, 4) + "\n");

  std::string text = read_text(page);
  const auto limits = text.find(kNextHeading);
  auto place = text.find(kHeading);
  if (place != std::string::npos && limits != std::string::npos && place < limits) text.erase(place, limits - place);
  else place = limits;
  if (place == std::string::npos) text += "\n" + table(now, before);
  else text.insert(place, table(now, before));
  write_file(page, text);
}

}  // namespace vesal::tune
