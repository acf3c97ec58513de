#include "cli/network_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace vesal::cli {
namespace {

std::string shape_text(const Value& shape) {
  std::string text;
  for (const Value& extent : shape.items()) text += (text.empty() ? "" : "x") + extent.str();
  return text;
}

/// At most `width` letters: the end of a place says more than its beginning.
std::string shortened(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : ".." + text.substr(text.size() - width + 2);
}

double number(const Value& value) { return value.is_none() ? 0 : value.as_float(); }

std::string rate(double gflop, double ms) { return ms > 0 && gflop > 0 ? fmt::format("{:.1f}", gflop / ms * 1e3) : ""; }

std::string steps_table(const std::vector<Value>& steps) {
  constexpr std::size_t kWidest = 44;
  std::size_t what = 4, label = 5;
  for (const Value& step : steps) {
    what = std::max(what, std::min(kWidest, step.as_dict().at("step").as_string().size()));
    label = std::max(label, std::min(kWidest, step.as_dict().at("label").as_string().size()));
  }
  const auto line = [&](const std::string& a, const std::string& b, const std::string& shape, const std::string& gflop, const std::string& mb,
                        const std::string& ms, const std::string& speed) {
    return fmt::format("  {:<{}}  {:<{}}  {:<18} {:>9} {:>8} {:>9} {:>9}", shortened(a, kWidest), what, shortened(b, kWidest), label, shape, gflop,
                       mb, ms, speed);
  };
  std::string text = line("step", "place", "gives", "GFLOP", "MB", "ms", "GFLOP/s") + "\n";
  double gflop = 0, mb = 0, ms = 0, outside = 0;
  for (const Value& value : steps) {
    const Dict& step = value.as_dict();
    const double g = number(step.at("gflop")), m = number(step.at("mb")), t = number(step.at("ms"));
    gflop += g, mb += m, ms += t;
    const auto& out = step.at("out").items();
    const bool external = !step.at("external").is_none();
    if (external) outside += t;
    text +=
        line(step.at("step").as_string(), step.at("label").as_string(), out.empty() ? "" : shape_text(out[0]), g > 0 ? fmt::format("{:.4f}", g) : "",
             fmt::format("{:.2f}", m), step.at("ms").is_none() ? "" : fmt::format("{:.3f}", t), rate(g, t));
    text += external ? "  libtorch: " + step.at("external").as_string() + "\n" : "\n";
  }
  text += line("all", "", "", fmt::format("{:.4f}", gflop), fmt::format("{:.2f}", mb), ms > 0 ? fmt::format("{:.3f}", ms) : "", rate(gflop, ms));
  return text + (outside > 0 ? fmt::format("  libtorch: {:.0f} % of the time\n", 100 * outside / ms) : "\n");
}

}  // namespace

std::string network_table(const Value& runs) {
  if (runs.items().empty()) return "  the whole network ran through libtorch: no input suited the engine, or VESAL_ENGINE=off\n";
  std::string text;
  for (const Value& value : runs.items()) {
    const Dict& run = value.as_dict();
    text += fmt::format("network on {}, one sample\n", shape_text(run.at("shape")));
    if (!run.at("libtorch").is_none()) {
      text += "  the whole network runs through libtorch: " + run.at("libtorch").as_string() + "\n";
      continue;
    }
    text += steps_table(run.at("steps").items());
    text += fmt::format("  memory: activations {:.1f} MB, weights {:.1f} MB, scratch {:.1f} MB\n", number(run.at("arena_bytes")) / 1e6,
                        number(run.at("weight_bytes")) / 1e6, number(run.at("scratch_bytes")) / 1e6);
    if (!run.at("batches_split").as_bool()) text += "  batches of several samples run through libtorch: an operator may mix them\n";
  }
  return text;
}

}  // namespace vesal::cli
