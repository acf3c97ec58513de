#include "infer/training_run.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "base/cancel.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/ranks.h"
#include "base/stopwatch.h"
#include "bundle/checkpoint.h"
#include "infer/curves.h"
#include "infer/handler_tools.h"
#include "infer/workflow.h"

namespace vesal::infer {
namespace {

namespace fs = std::filesystem;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kVersion = 1;  ///< of state.pt

std::map<std::string, double> single_numbers(const Dict& metrics) {
  std::map<std::string, double> out;
  for (const auto& [name, value] : metrics)
    if (is_scalar(value)) out[name.str()] = scalar_of(value);
  return out;
}

/// The loss of the iteration that was just done; NaN if the output has none.
double loss_of(const State& state) {
  const Value& output = state.output;
  const Value& first = output.is_list() && !output.items().empty() ? output.items()[0] : output;
  const Value* loss = first.is_dict() ? first.as_dict().find("loss") : nullptr;
  return loss && is_scalar(*loss) ? scalar_of(*loss) : kNone;
}

double learning_rate_of(Workflow& trainer) {
  const auto optimizer = trainer.attribute("optimizer");
  if (!optimizer) return kNone;
  const Value groups = bundle::expr::attribute(*optimizer, "param_groups");
  return groups.items().empty() ? kNone : groups.items()[0].as_dict().at("lr").as_float();
}

Curves curves_of(const History& history) {
  Curves curves{.title = fmt::format("After epoch {}", history.empty() ? 0 : history.back().epoch)};
  const auto line = [&](std::vector<image::Series>& lines, const std::string& name) -> image::Series& {
    for (image::Series& s : lines)
      if (s.name == name) return s;
    return lines.emplace_back(image::Series{name, {}, {}});
  };
  const auto point = [&](std::vector<image::Series>& lines, const std::string& name, const EpochRecord& r, double value) {
    image::Series& s = line(lines, name);
    s.x.push_back(static_cast<double>(r.epoch));
    s.y.push_back(value);
  };
  for (const EpochRecord& r : history) {
    point(curves.losses, "train loss", r, r.loss);
    if (!std::isnan(r.learning_rate)) point(curves.learning_rates, "learning rate", r, r.learning_rate);
    for (const auto& [name, value] : r.metrics) point(curves.metrics, name, r, value);
    for (const auto& [name, value] : r.validation) point(curves.metrics, name, r, value);
  }
  return curves;
}

/// Watches the first trainer that starts and the evaluators that run inside of it.
class TrainingWatch {
 public:
  explicit TrainingWatch(const RunOptions& options) : o_(options) {}

  void started(Workflow& engine) {
    if (!seen_.insert(&engine).second) return;
    if (!trainer_ && engine.attribute("optimizer")) watch_trainer(engine);
    else if (trainer_) engine.on(Event::epoch_completed, [this](Workflow& w) { note_validation(w); });
  }

  void finish() { draw(true); }
  bool trained() const { return trainer_ != nullptr; }
  const History& history() const { return history_; }
  fs::path state_file() const { return o_.folder.empty() ? fs::path() : o_.folder / "state.pt"; }
  std::int64_t kept_epoch() const { return kept_epoch_; }

 private:
  void watch_trainer(Workflow& engine) {
    trainer_ = &engine;
    engine.on(Event::started, [this](Workflow& w) { resume(w); });
    engine.on(Event::epoch_started, [this](Workflow& w) { begin_epoch(w); });
    engine.on(Event::iteration_completed, [this](Workflow& w) { note_iteration(w); });
    engine.on(Event::epoch_completed, [this](Workflow& w) { end_epoch(w); });
    engine.set_note([this] { return note(); });
  }

  /// After all that happens when a run starts: a checkpoint that is loaded then is where the training began, not where it stands.
  void resume(Workflow& trainer) {
    if (!o_.resume) return;
    const fs::path file = state_file();
    with_context(file.string(), [&] {
      const Value state = bundle::read_checkpoint(file);
      const Value* version = state.is_dict() ? state.as_dict().find("vesal_training") : nullptr;
      if (!version || !version->is_int()) throw Error(ErrorKind::format, "this is no state of a training");
      if (version->as_int() != kVersion) throw Error(ErrorKind::unsupported, "written by another version of vesal");
      const Dict& d = state.as_dict();
      set_global_seed(static_cast<std::uint64_t>(d.at("seed").as_int()));
      history_ = history_of(d.at("history"));
      trainer.recall(d.at("trainer"));
    });
    kept_epoch_ = trainer.state().epoch;
    log::info("going on after epoch {} of {}", kept_epoch_, trainer.state().max_epochs);
  }

  void begin_epoch(Workflow& trainer) {
    if (first_epoch_ == 0) first_epoch_ = trainer.state().epoch;
    epoch_watch_ = Stopwatch();
    iterations_ = 0;
    loss_sum_ = 0;
    current_ = {.epoch = trainer.state().epoch, .loss = kNone, .learning_rate = learning_rate_of(trainer), .metrics = {}, .validation = {}};
  }

  void note_iteration(Workflow& trainer) {
    loss_sum_ += loss_of(trainer.state());
    ++iterations_;
    ++all_iterations_;
  }

  void note_validation(Workflow& evaluator) {
    const State& s = evaluator.state();
    for (const auto& [name, value] : single_numbers(s.metrics)) current_.validation[name] = value;
    if (s.key_metric_name.empty() || !s.best_metric.is_number()) return;
    best_ = fmt::format("best {} {:.4f} (epoch {})", s.key_metric_name, s.best_metric.as_float(), s.best_metric_epoch);
  }

  void end_epoch(Workflow& trainer) {
    current_.loss = iterations_ > 0 ? loss_sum_ / static_cast<double>(iterations_) : kNone;
    current_.metrics = single_numbers(trainer.state().metrics);
    current_.seconds = epoch_watch_.seconds();
    history_.push_back(current_);
    keep(trainer);
    draw(false);
    if (o_.epoch_done) o_.epoch_done(history_);
  }

  /// At most every ten seconds: a page takes a while to draw.
  void draw(bool last) {
    if (o_.folder.empty() || ranks::rank() != 0 || history_.empty()) return;
    if (!last && drawn_ && drawn_->seconds() < 10) return;
    drawn_.emplace();
    write_curves(o_.folder / "curves.png", curves_of(history_));
  }

  void keep(Workflow& trainer) {
    if (o_.folder.empty() || ranks::rank() != 0) return;
    Dict state{{"vesal_training", kVersion},
               {"seed", static_cast<std::int64_t>(global_seed())},
               {"history", to_value(history_)},
               {"trainer", trainer.memory()}};
    with_context("saving the state of the training", [&] {
      write_file(o_.folder / "history.json", to_json(to_value(history_)) + "\n");
      bundle::write_checkpoint(state_file(), std::move(state));
    });
    kept_epoch_ = trainer.state().epoch;
  }

  std::string note() const {
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    if (iterations_ > 0 && !std::isnan(loss_sum_)) add(fmt::format("loss {:.4f}", loss_sum_ / static_cast<double>(iterations_)));
    if (!best_.empty()) add(best_);
    const State& s = trainer_->state();
    if (s.epoch_length && all_iterations_ > 0) {
      const std::int64_t left = (s.max_epochs - first_epoch_ + 1) * *s.epoch_length - all_iterations_;
      add(clock_text(run_watch_.seconds() / static_cast<double>(all_iterations_) * static_cast<double>(std::max<std::int64_t>(left, 0))) +
          " left in all");
    }
    return text;
  }

  const RunOptions& o_;
  std::set<const Workflow*> seen_;
  Workflow* trainer_ = nullptr;
  History history_;
  EpochRecord current_;
  double loss_sum_ = 0;
  std::int64_t iterations_ = 0, all_iterations_ = 0, first_epoch_ = 0, kept_epoch_ = 0;
  std::string best_;
  Stopwatch run_watch_, epoch_watch_;
  std::optional<Stopwatch> drawn_;
};

void check_folder(const RunOptions& options) {
  if (options.folder.empty()) return;
  std::error_code ec;
  const fs::path state = options.folder / "state.pt";
  if (options.resume && !fs::is_regular_file(state, ec))
    throw Error(ErrorKind::not_found, state.string() + ": there is no training to resume; without --resume it starts from the beginning");
}

}  // namespace

RunReport run_training(bundle::ConfigParser& parser, const std::vector<std::string>& ids, const RunOptions& options) {
  check_folder(options);
  TrainingWatch training(options);
  const RunWatch watch([&](Workflow& engine) { training.started(engine); });
  try {
    for (const std::string& id : ids) {
      check_cancelled();
      log::debug("running '{}'", id);
      parser.run_expressions(id);
    }
  } catch (Error& e) {
    if (!training.trained() || training.kept_epoch() == 0 || options.folder.empty()) throw;
    const std::string kept =
        fmt::format("what was trained up to epoch {} is in {}; --resume goes on from there", training.kept_epoch(), training.state_file().string());
    throw Error(e.kind(), std::string(e.what()) + "; " + kept);
  }
  training.finish();
  return {training.trained(), training.history()};
}

fs::path training_folder(bundle::ConfigParser& parser) {
  const Value root = parser.contains("bundle_root") ? parser.get_parsed_content("bundle_root") : Value();
  return (root.is_string() ? fs::path(root.as_string()) : fs::path(".")) / "training";
}

}  // namespace vesal::infer
