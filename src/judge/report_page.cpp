// The page. Everything it shows is inside it.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "judge/report.h"
#include "judge/report_plots.h"
#include "judge/report_style.h"
#include "judge/report_words.h"

namespace vesal::judge {
namespace {

constexpr std::size_t kMostStrips = 14;  // more would write over each other

template <class... A>
std::string fill(const char* pattern, A&&... a) {
  return fmt::format(fmt::runtime(pattern), std::forward<A>(a)...);
}

std::string number(double v, int digits) { return std::isfinite(v) ? fmt::format("{:.{}f}", v, digits) : "&ndash;"; }

std::string base64(const std::vector<std::byte>& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve(bytes.size() / 3 * 4 + 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) { return i + k < bytes.size() ? std::to_integer<unsigned>(bytes[i + k]) : 0u; };
    const unsigned group = at(0) << 16 | at(1) << 8 | at(2);
    for (int k = 0; k < 4; ++k) out += i + static_cast<std::size_t>(k) > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
  }
  return out;
}

class Page {
 public:
  Page(const Evaluation& e, const ReportFacts& facts, const std::vector<CasePicture>& pictures)
      : e_(e), facts_(facts), pictures_(pictures), w_(words_for(facts.language)) {}

  std::string text() {
    const std::string title = fill(w_.title, escaped(e_.bundle));
    out_ += fmt::format(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width,initial-scale=1\">\n",
        w_.code);
    out_ +=
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src "
        "'unsafe-inline'\">\n";
    out_ += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n", title, kReportStyle);
    out_ += fmt::format("<h1>{}</h1>\n<p class=\"faint\">{}</p>\n", title, fill(w_.on_data, e_.cases.size(), escaped(e_.data)));
    verdict();
    tiles();
    warnings();
    classes();
    plots();
    worst();
    cases();
    what();
    caveats();
    out_ += fmt::format("</main>\n<script>{}</script>\n</body>\n</html>\n", kReportScript);
    return std::move(out_);
  }

 private:
  void verdict() {
    const Interval& d = e_.dice;
    std::string kind, head = w_.verdict_none, why;
    if (facts_.gate) {
      const Verdict v = judge(e_, *facts_.gate, facts_.least);
      const std::string low = number(d.low, 3), high = number(d.high, 3), gate = number(*facts_.gate, 2);
      kind = name_of(v);
      if (v == Verdict::use) head = w_.verdict_use, why = fill(w_.why_use, low, high, gate);
      if (v == Verdict::fine_tune) head = w_.verdict_tune, why = fill(w_.why_tune, low, high, gate) + " " + w_.how_tune;
      if (v == Verdict::too_few) {
        head = w_.verdict_few;
        why = d.count < std::max<std::size_t>(facts_.least, 2) ? fill(w_.why_few_cases, d.count, std::max<std::size_t>(facts_.least, 2))
                                                               : fill(w_.why_straddles, low, high, gate);
        if (const auto wanted = cases_wanted(e_, *facts_.gate)) why += " " + fill(w_.more_cases, std::max(*wanted, facts_.least));
      }
    }
    out_ +=
        fmt::format("<section class=\"card verdict {}\"><div><strong>{}</strong>{}</div><div>", kind, head, why.empty() ? "" : "<p>" + why + "</p>");
    out_ += fmt::format("<div class=\"big\">{}</div><p class=\"faint\">{}, {} {} &ndash; {}</p>", number(d.mean, 3), w_.mean_dice, w_.interval,
                        number(d.low, 3), number(d.high, 3));
    if (std::isfinite(d.mean)) out_ += gauge_svg(d.mean, d.low, d.high, facts_.gate);
    out_ += "</div></section>\n";
  }

  void tile(const std::string& value, const std::string& name) {
    out_ += fmt::format("<div class=\"card\"><b>{}</b><span class=\"note\">{}</span></div>", value, name);
  }

  void tiles() {
    double seconds = 0, hd95 = 0, assd = 0, difference = 0;
    std::size_t timed = 0, measured = 0, volumes = 0;
    for (const CaseScore& c : e_.cases) {
      if (c.error.empty() && c.seconds > 0) seconds += c.seconds, ++timed;
      for (const ClassScore& s : c.classes) {
        if (std::isfinite(s.hd95_mm)) hd95 += s.hd95_mm, assd += s.assd_mm, ++measured;
        if (s.reference_ml > 0) difference += std::fabs(s.predicted_ml - s.reference_ml) / s.reference_ml, ++volumes;
      }
    }
    const auto mean = [](double sum, std::size_t n) { return n == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(n); };
    out_ += "<section class=\"tiles\">";
    tile(fmt::format("{}", e_.cases.size() - e_.failed()),
         e_.failed() == 0 ? w_.cases : fmt::format("{}; {}", w_.cases, fill(w_.failed_cases, e_.failed())));
    if (measured > 0) tile(number(mean(hd95, measured), 1) + " mm", w_.hd95_long), tile(number(mean(assd, measured), 2) + " mm", w_.assd_long);
    if (volumes > 0) tile(number(100 * mean(difference, volumes), 1) + " %", w_.volume_error);
    if (timed > 0) tile(number(mean(seconds, timed), 1) + " " + w_.seconds, w_.per_case);
    out_ += "</section>\n";
  }

  void warnings() {
    if (!e_.intended_use.empty()) out_ += fmt::format("<p class=\"warning\">{}: {}</p>\n", w_.intended, escaped(e_.intended_use));
    std::string list;
    for (const std::int64_t label : e_.ignored) list += (list.empty() ? "" : ", ") + std::to_string(label);
    if (!list.empty()) out_ += fmt::format("<p class=\"warning\">{}: {}</p>\n", w_.ignored, list);
    list.clear();
    for (const auto& [label, name] : e_.set_aside) list += (list.empty() ? "" : ", ") + escaped(name);
    if (!list.empty()) out_ += fmt::format("<p class=\"warning\">{}: {}</p>\n", w_.set_aside, list);
  }

  std::string with_interval(const Interval& i, int digits) const {
    if (i.count == 0) return "&ndash;";
    if (!std::isfinite(i.low)) return number(i.mean, digits);
    return fmt::format("{} <span class=\"faint\">({} &ndash; {})</span>", number(i.mean, digits), number(i.low, digits), number(i.high, digits));
  }

  void classes() {
    if (e_.classes.empty()) return;
    out_ += fmt::format(
        "<h2>{}</h2>\n<div class=\"card scroll\"><table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th>{}, mm</th><th>{}, "
        "mm</th></tr></thead><tbody>\n",
        w_.classes, w_.class_, w_.cases, w_.dice, w_.hd95, w_.assd);
    for (const ClassSummary& c : e_.classes)
      out_ += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", escaped(c.name), c.dice.count,
                          with_interval(c.dice, 3), with_interval(c.hd95_mm, 1), with_interval(c.assd_mm, 2));
    out_ += fmt::format("</tbody></table><p class=\"note\">{}. {}. ({})</p></div>\n", w_.hd95_long, w_.assd_long, w_.interval);
  }

  void plot(const char* title, const char* note, const std::string& svg) {
    out_ += fmt::format("<figure class=\"card\"><h3>{}</h3><p class=\"note\">{}</p>{}</figure>\n", title, note, svg);
  }

  void plots() {
    std::vector<Strip> strips;
    std::vector<std::pair<double, std::size_t>> means;  // of a class, and its strip
    Plot volumes, bland, size;
    std::vector<double> differences;
    for (std::size_t i = 0; i < e_.classes.size(); ++i) {
      Strip strip;
      strip.name = e_.classes[i].name;
      for (const CaseScore& c : e_.cases)
        for (const ClassScore& s : c.classes) {
          if (s.label != e_.classes[i].label) continue;
          const std::string who = e_.classes.size() > 1 ? c.source.id + ", " + s.name : c.source.id;
          if (s.reference_ml == 0 && s.predicted_ml == 0) continue;  // rightly nothing
          const std::string ml = fmt::format("{}: {:.1f} / {:.1f} ml, Dice {:.3f}", who, s.reference_ml, s.predicted_ml, s.dice);
          strip.points.push_back({0, s.dice, i, fmt::format("{}: Dice {:.3f}", who, s.dice)});
          volumes.points.push_back({s.reference_ml, s.predicted_ml, i, ml});
          bland.points.push_back({(s.reference_ml + s.predicted_ml) / 2, s.predicted_ml - s.reference_ml, i, ml});
          size.points.push_back({s.reference_ml, s.dice, i, ml});
          differences.push_back(s.predicted_ml - s.reference_ml);
        }
      means.emplace_back(e_.classes[i].dice.mean, strips.size());
      strips.push_back(std::move(strip));
    }
    if (differences.empty()) return;
    std::string strips_note = w_.dice_plot_note;
    if (strips.size() > kMostStrips) {
      std::sort(means.begin(), means.end(),
                [](const auto& a, const auto& b) { return std::isnan(b.first) ? !std::isnan(a.first) : a.first < b.first; });
      std::vector<Strip> lowest;
      for (std::size_t i = 0; i < kMostStrips; ++i) lowest.push_back(strips[means[i].second]);
      strips = std::move(lowest);
      strips_note += " " + fill(w_.lowest, kMostStrips);
    }
    double sum = 0, squares = 0;
    for (const double d : differences) sum += d, squares += d * d;
    const auto n = static_cast<double>(differences.size());
    const double mean = sum / n, deviation = n > 1 ? std::sqrt(std::max(0.0, (squares - sum * mean) / (n - 1))) : 0;
    bland.solid = {mean};
    std::string agreement = std::string(w_.bland_plot_note) + " " + fill(w_.bias, fmt::format("{:+.1f}", mean));
    if (n > 2) {
      bland.dashed = {mean - 1.96 * deviation, mean + 1.96 * deviation};
      agreement += "; " + fill(w_.limits_of_agreement, fmt::format("{:+.1f}", bland.dashed[0]), fmt::format("{:+.1f}", bland.dashed[1]));
    }
    volumes.x_title = size.x_title = w_.reference_ml;
    volumes.y_title = w_.predicted_ml;
    volumes.diagonal = true;
    bland.x_title = w_.mean_ml;
    bland.y_title = w_.difference_ml;
    size.y_title = w_.dice;
    double low = 0.9;
    for (const PlotPoint& p : size.points)
      if (std::isfinite(p.y)) low = std::min(low, p.y);
    size.y_range = {std::clamp(std::floor((low - 0.02) * 10) / 10, 0.0, 0.9), 1.0};

    out_ += fmt::format("<h2>{}</h2>\n", w_.plots);
    if (e_.classes.size() > 1 && e_.classes.size() <= 8) {
      out_ += "<p class=\"key\">";
      for (std::size_t i = 0; i < e_.classes.size(); ++i)
        out_ += fmt::format("<span><i style=\"background:var(--c{})\"></i>{}</span>", i + 1, escaped(e_.classes[i].name));
      out_ += "</p>\n";
    }
    out_ += "<div class=\"plots\">\n";
    plot(w_.dice_plot, strips_note.c_str(), strip_svg(strips, w_.dice, facts_.gate));
    plot(w_.volume_plot, w_.volume_plot_note, scatter_svg(volumes));
    plot(w_.bland_plot, agreement.c_str(), scatter_svg(bland));
    plot(w_.size_plot, w_.size_plot_note, scatter_svg(size));
    out_ += "</div>\n";
  }

  void worst() {
    if (pictures_.empty()) return;
    out_ += fmt::format("<h2>{}</h2>\n<p>{}</p>\n<p class=\"key\">", w_.worst, w_.worst_note);
    const std::pair<const char*, const char*> key[] = {
        {"#80de62", w_.both}, {"#78a0ff", w_.missed}, {"#ff6358", w_.too_much}, {"#ffd166", w_.other_class}};
    for (const auto& [colour, name] : key)
      if (name != w_.other_class || e_.classes.size() > 1) out_ += fmt::format("<span><i style=\"background:{}\"></i>{}</span>", colour, name);
    out_ += fmt::format("<span>{}</span></p>\n<div class=\"shots\">\n", w_.planes);
    for (const CasePicture& p : pictures_)
      out_ += fmt::format(
          "<figure class=\"card\"><figcaption><b>{}</b><span>{} {}</span></figcaption><img alt=\"{}\" src=\"data:image/png;base64,{}\"></figure>\n",
          escaped(p.id), w_.dice, number(p.dice, 3), escaped(p.id), base64(p.png));
    out_ += "</div>\n";
  }

  std::string heading(const std::string& name, bool text = false) const {
    return fmt::format("<th{}><button type=\"button\">{}</button></th>", text ? " data-kind=\"text\" class=\"text\"" : "", name);
  }
  static std::string cell(double v, int digits, bool low = false) {
    return fmt::format("<td{}{}>{}</td>", low ? " class=\"low\"" : "", std::isfinite(v) ? fmt::format(" data-v=\"{}\"", v) : "", number(v, digits));
  }

  void cases() {
    const bool several = e_.classes.size() > 1, failed = e_.failed() > 0;
    out_ += fmt::format("<h2>{}</h2>\n<p class=\"note\">{}</p>\n<div class=\"card scroll\"><table class=\"sortable\"><thead><tr>", w_.all_cases,
                        w_.sort_note);
    out_ += heading(w_.case_, true) + (several ? heading(w_.class_, true) : "") + heading(w_.dice) + heading(fmt::format("{}, mm", w_.hd95)) +
            heading(fmt::format("{}, mm", w_.assd)) + heading(w_.reference) + heading(w_.predicted) + heading(w_.seconds) +
            (failed ? heading(w_.error, true) : "") + "</tr></thead><tbody>\n";
    for (const CaseScore& c : e_.cases) {
      const std::string first = fmt::format("<tr><td class=\"text\">{}</td>", escaped(c.source.id));
      if (!c.error.empty()) {
        out_ += first + (several ? "<td></td>" : "");
        for (int i = 0; i < 6; ++i) out_ += "<td>&ndash;</td>";
        out_ += fmt::format("<td class=\"text\">{}</td></tr>\n", escaped(c.error));
        continue;
      }
      for (const ClassScore& s : c.classes) {
        out_ += first + (several ? fmt::format("<td class=\"text\">{}</td>", escaped(s.name)) : "");
        out_ += cell(s.dice, 3, facts_.gate && s.dice < *facts_.gate) + cell(s.hd95_mm, 1) + cell(s.assd_mm, 2) + cell(s.reference_ml, 1) +
                cell(s.predicted_ml, 1) + cell(c.seconds > 0 ? c.seconds : std::numeric_limits<double>::quiet_NaN(), 1) +
                (failed ? "<td></td>" : "") + "</tr>\n";
      }
    }
    out_ += "</tbody></table></div>\n";
  }

  void fact(const char* name, const std::string& value) {
    if (!value.empty()) out_ += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, value);
  }

  void what() {
    std::string map;
    for (const auto& [from, to] : e_.label_map) map += fmt::format("{}{} &rarr; {}", map.empty() ? "" : ", ", from, to);
    out_ += fmt::format("<h2>{}</h2>\n<dl class=\"card\">\n", w_.facts);
    fact(w_.bundle, escaped(e_.bundle));
    fact(w_.version, escaped(e_.version));
    fact(w_.intended, escaped(e_.intended_use));
    fact(w_.weights, e_.weights_sha256.empty() ? "" : "<code>" + e_.weights_sha256 + "</code>");
    fact(w_.data, escaped(e_.data));
    fact(w_.layout, escaped(e_.layout));
    fact(w_.label_map, map.empty() ? w_.label_map_none : map);
    fact(w_.program, escaped(facts_.program));
    fact(w_.command, facts_.command.empty() ? "" : "<code>" + escaped(facts_.command) + "</code>");
    fact(w_.made, fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr))));
    out_ += "</dl>\n";
  }

  void caveats() {
    out_ += fmt::format("<h2>{}</h2>\n<ul>\n", w_.caveats_title);
    for (const char* c : w_.caveats) out_ += fmt::format("<li>{}</li>\n", c);
    out_ += "</ul>\n";
  }

  const Evaluation& e_;
  const ReportFacts& facts_;
  const std::vector<CasePicture>& pictures_;
  const Words& w_;
  std::string out_;
};

}  // namespace

std::string html_report(const Evaluation& evaluation, const ReportFacts& facts, const std::vector<CasePicture>& pictures) {
  return Page(evaluation, facts, pictures).text();
}

}  // namespace vesal::judge
