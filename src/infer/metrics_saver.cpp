// MetricsSaver (monai.handlers.MetricsSaver): metrics.csv, NAME_raw.csv and NAME_summary.csv after each epoch.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "base/file.h"
#include "base/ranks.h"
#include "image/image.h"
#include "infer/handler_tools.h"

namespace vesal::infer {
namespace {

namespace fs = std::filesystem;

/// As NumPy prints a float32.
std::string text_of(float v) {
  std::string s = fmt::format("{}", v);
  if (s.find_first_of(".en") == std::string::npos) s += ".0";
  return s;
}

float mean_of(const std::vector<float>& v) {
  return v.empty() ? std::nanf("") : static_cast<float>(std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size()));
}

std::vector<float> without_nan(std::vector<float> v) {
  std::erase_if(v, [](float x) { return std::isnan(x); });
  return v;
}

/// Between the two nearest, as numpy.percentile.
double percentile(std::vector<float> v, double percent) {
  if (v.empty()) return std::nan("");
  std::sort(v.begin(), v.end());
  const double at = percent / 100 * static_cast<double>(v.size() - 1);
  const auto below = static_cast<std::size_t>(at), above = std::min(below + 1, v.size() - 1);
  return v[below] + (at - static_cast<double>(below)) * (v[above] - v[below]);
}

constexpr const char* kAllOps[] = {"mean", "median", "max", "min", "90percentile", "std", "notnans"};

double summary(const std::string& op, const std::vector<float>& column) {
  const std::vector<float> v = without_nan(column);
  if (op == "notnans") return static_cast<double>(v.size());
  if (op == "mean") return mean_of(v);
  if (op == "median") return percentile(v, 50);
  if (op == "max") return percentile(v, 100);
  if (op == "min") return percentile(v, 0);
  if (op == "std") {
    const double mean = mean_of(v);
    const double square = std::accumulate(v.begin(), v.end(), 0.0, [&](double sum, float x) { return sum + (x - mean) * (x - mean); });
    return v.empty() ? std::nan("") : std::sqrt(square / static_cast<double>(v.size()));
  }
  return percentile(v, std::stoi(op.substr(0, op.find("percentile"))));
}

void check_op(const std::string& op) {
  const auto at = op.find("percentile");
  const std::string number = op.substr(0, at);
  const bool is_percentile = at != std::string::npos && at + 10 == op.size() && !number.empty() && number.size() <= 3 &&
                             std::all_of(number.begin(), number.end(), [](unsigned char c) { return std::isdigit(c); }) && std::stoi(number) <= 100;
  if (!is_percentile && std::find(std::begin(kAllOps), std::end(kAllOps), op) == std::end(kAllOps))
    throw Error(ErrorKind::config, "MetricsSaver: summary_ops '" + op + "', want mean, median, max, min, std, notnans or <int>percentile");
}

/// A metric's scores [items, classes], with the mean over the classes of each item as the last column.
std::vector<std::vector<float>> rows_of(const Array& details) {
  Array scores = details.to(DType::f32).contiguous();
  if (scores.dim() != 2) scores = scores.reshape({scores.dim() == 0 ? 1 : scores.size(0), -1});  // several numbers per class stand side by side
  const std::int64_t columns = scores.size(1);
  std::vector<std::vector<float>> rows;
  for (std::int64_t i = 0; i < scores.size(0); ++i) {
    const float* p = scores.data<float>() + i * columns;
    rows.emplace_back(p, p + columns);
    rows.back().push_back(mean_of(without_nan(rows.back())));
  }
  return rows;
}

class MetricsSaver : public Handler {
 public:
  explicit MetricsSaver(const Args& args)
      : folder_(args.get<std::string>("save_dir")), batch_transform_(args["batch_transform"]), delimiter_(args.get<std::string>("delimiter")) {
    const auto names = [&](const char* name) { return args.is_none(name) ? std::vector<std::string>() : args.get<std::vector<std::string>>(name); };
    metrics_ = names("metrics");
    details_ = names("metric_details");
    ops_ = names("summary_ops");
    if (std::find(ops_.begin(), ops_.end(), "*") != ops_.end()) ops_.assign(std::begin(kAllOps), std::end(kAllOps));
    for (const std::string& op : ops_) check_op(op);
    rank_ = args.get<int>("save_rank");
    if (rank_ < 0 || rank_ >= ranks::size())
      throw Error(ErrorKind::config,
                  "MetricsSaver: save_rank " + std::to_string(rank_) + ", but there are " + std::to_string(ranks::size()) + " ranks");
    if (args.get<std::string>("output_type") != "csv") throw Error(ErrorKind::unsupported, "MetricsSaver: output_type must be csv");
  }
  std::string type_name() const override { return "MetricsSaver"; }

  void attach(Workflow& engine) override {
    const auto self = std::static_pointer_cast<MetricsSaver>(shared_from_this());
    engine.on(Event::epoch_started, [self](Workflow&) { self->names_.clear(); });
    if (!details_.empty()) engine.on(Event::iteration_completed, [self](Workflow& w) { self->keep_names(w.state().batch); });
    engine.on(Event::epoch_completed, [self](Workflow& w) {
      self->gather_names();
      if (ranks::rank() == self->rank_) self->write(w.state());
    });
  }

 private:
  static bool wanted(const std::vector<std::string>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return n == "*" || n == name; });
  }

  /// Files are named by what batch_transform makes of the batch: a list of metadata dicts, or a dict of columns.
  void keep_names(const Value& batch) {
    const Value meta = batch_transform_.is_none() ? batch : call_value(batch_transform_, {{batch}, {}});
    for (const Value& m : meta.is_dict() ? decollate(meta) : meta.items()) {
      const Value* name = m.is_dict() ? m.as_dict().find("filename_or_obj") : nullptr;
      names_.push_back(name ? name->str() : "None");
    }
  }

  /// The names of all ranks, in the order in which metrics gather their scores.
  void gather_names() {
    if (ranks::size() == 1) return;
    std::string own;
    for (const std::string& name : names_) own += name + '\n';
    names_.clear();
    for (const std::string& part : ranks::gather("MetricsSaver", own)) {
      std::istringstream lines(part);
      for (std::string line; std::getline(lines, line);) names_.push_back(line);
    }
  }

  void write(const State& s) const {
    std::string lines;
    for (const auto& [name, value] : s.metrics)
      if (wanted(metrics_, name.str())) lines += name.str() + delimiter_ + value.str() + "\n";
    if (!lines.empty()) write_file(folder_ / "metrics.csv", lines);
    for (const auto& [name, value] : s.metric_details)
      if (wanted(details_, name.str())) write_details(name.str(), rows_of(image::array_of(value)));
  }

  void write_details(const std::string& metric, const std::vector<std::vector<float>>& rows) const {
    const std::size_t columns = rows.empty() ? 0 : rows[0].size();
    const auto label = [&](std::size_t c) { return c + 1 == columns ? std::string("mean") : "class" + std::to_string(c); };
    std::string raw = "filename";
    for (std::size_t c = 0; c < columns; ++c) raw += delimiter_ + label(c);
    raw += "\n";
    for (std::size_t i = 0; i < rows.size(); ++i) {
      raw += i < names_.size() ? names_[i] : std::to_string(i);
      for (float v : rows[i]) raw += delimiter_ + text_of(v);
      raw += "\n";
    }
    write_file(folder_ / (metric + "_raw.csv"), raw);
    if (ops_.empty()) return;
    std::string table = "class";
    for (const std::string& op : ops_) table += delimiter_ + op;
    table += "\n";
    for (std::size_t c = 0; c < columns; ++c) {
      std::vector<float> column;
      for (const auto& row : rows) column.push_back(row[c]);
      table += label(c);
      for (const std::string& op : ops_) table += delimiter_ + fmt::format("{:.4f}", summary(op, column));
      table += "\n";
    }
    write_file(folder_ / (metric + "_summary.csv"), table);
  }

  fs::path folder_;
  Value batch_transform_;
  std::string delimiter_;
  int rank_ = 0;
  std::vector<std::string> metrics_, details_, ops_;
  std::vector<std::string> names_;  ///< of the items of this epoch
};

const Register saver({
    .kind = "handler",
    .name = "MetricsSaver",
    .summary = "Write metrics, the scores of each item and their summary as CSV files",
    .params = {required("save_dir", "folder"), optional("metrics", "*", "names for metrics.csv, * for all"),
               optional("metric_details", nullptr, "names of metrics whose scores per item are written, * for all"),
               optional("batch_transform", nullptr, "callable: batch -> metadata of the items, for their file names"),
               optional("summary_ops", nullptr, "mean, median, max, min, <int>percentile, std, notnans; * for all"),
               optional("save_rank", 0, "the rank that writes"), optional("delimiter", ",", "between the columns"),
               optional("output_type", "csv", "csv")},
    .make = [](const Args& args) -> Value { return std::make_shared<MetricsSaver>(args); },
});

}  // namespace
}  // namespace vesal::infer
