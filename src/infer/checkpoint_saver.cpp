// CheckpointSaver (monai.handlers.CheckpointSaver on ignite's Checkpoint): the best, the last and every n-th state as files.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/log.h"
#include "base/ranks.h"
#include "bundle/checkpoint.h"
#include "infer/handler_tools.h"
#include "infer/last_checkpoint.h"

namespace vesal::infer {
namespace {

namespace fs = std::filesystem;

/// Files of one kind, the lowest score first.
struct Kept {
  std::string score_name;
  std::optional<std::size_t> limit;
  std::string fixed_name;
  std::vector<std::pair<double, fs::path>> files = {};
};

/// Whether an array in it holds NaN: of a network like that nothing is left to go on from.
bool broken(const Value& state) {
  if (state.is_dict()) {
    for (const auto& entry : state.as_dict())
      if (broken(entry.second)) return true;
  } else if (state.is_sequence()) {
    for (const Value& v : state.items())
      if (broken(v)) return true;
  } else if (state.is_array() && state.as_array().dtype() == DType::f32) {
    const Array dense = state.as_array().contiguous();
    const float* p = dense.data<float>();
    return std::any_of(p, p + dense.numel(), [](float x) { return std::isnan(x); });
  }
  return false;
}

class CheckpointSaver : public Handler {
 public:
  explicit CheckpointSaver(const Args& args)
      : a_(args),
        folder_(args.get<std::string>("save_dir")),
        objects_(args["save_dict"].as_dict()),
        greater_or_equal_(args.get<bool>("key_metric_greater_or_equal")) {
    const auto count = [&](const char* name) -> std::optional<std::size_t> {
      const auto n = args.get<std::optional<std::int64_t>>(name);
      if (n && *n < 1) throw Error(ErrorKind::config, std::string("CheckpointSaver: ") + name + " must be positive");
      return n ? std::optional<std::size_t>(static_cast<std::size_t>(*n)) : std::nullopt;
    };
    const auto text = [&](const char* name) { return args.is_none(name) ? std::string() : args.get<std::string>(name); };
    if (objects_.empty()) throw Error(ErrorKind::config, "CheckpointSaver: save_dict is empty: nothing to save");
    best_ = {"key_metric", count("key_metric_n_saved"), text("key_metric_filename")};
    final_ = {"final_iteration", 1, text("final_filename")};
    interval_ = {args.get<bool>("epoch_level") ? "epoch" : "iteration", count("n_saved"), ""};
    if (!best_.fixed_name.empty() && best_.limit != std::size_t{1})
      throw Error(ErrorKind::config, "CheckpointSaver: key_metric_filename wants key_metric_n_saved = 1");
    for (const std::string& name : {best_.fixed_name, final_.fixed_name})
      if (!name.empty()) inside(folder_, name);
  }
  std::string type_name() const override { return "CheckpointSaver"; }

  void attach(Workflow& engine) override {
    auto self = std::static_pointer_cast<CheckpointSaver>(shared_from_this());
    if (a_.get<bool>("save_final")) {
      engine.on(Event::completed, [self](Workflow& w) { self->save_final(w, "Train completed, saved final checkpoint: "); });
      engine.on(Event::exception_raised, [self](Workflow& w) {
        try {
          self->save_final(w, "Exception raised, saved the last checkpoint: ");
        } catch (const Error& e) { w.logger().warning(std::string("the last checkpoint was not saved: ") + e.what()); }  // the first error matters
      });
    }
    if (a_.get<bool>("save_key_metric")) engine.on(Event::epoch_completed, [self](Workflow& w) { self->save_best(w); });
    const auto every = a_.get<std::int64_t>("save_interval");
    if (every <= 0) return;
    const bool epochs = a_.get<bool>("epoch_level");
    engine.on(epochs ? Event::epoch_completed : Event::iteration_completed,
              [self, epochs](Workflow& w) {
                const std::int64_t at = epochs ? w.state().epoch : w.state().iteration;
                self->save(self->interval_, static_cast<double>(at), std::to_string(at));
                w.logger().info(fmt::format("Saved checkpoint at {}: {}", epochs ? "epoch" : "iteration", at));
              },
              {.every = every});
  }

  Value memory() const override { return List{{remembered(best_), remembered(final_), remembered(interval_)}}; }
  void recall(const Value& memory) override {
    Kept* const kinds[] = {&best_, &final_, &interval_};
    for (std::size_t i = 0; i < 3; ++i) {
      kinds[i]->files.clear();
      for (const Value& file : memory.items().at(i).items())
        kinds[i]->files.emplace_back(file.as_dict().at("score").as_float(), inside(folder_, file.as_dict().at("file").as_string()));
    }
  }

 private:
  static Value remembered(const Kept& kept) {
    List files;
    for (const auto& [score, path] : kept.files) files.items.emplace_back(Dict{{"score", score}, {"file", path.filename().string()}});
    return files;
  }

  void save_final(Workflow& engine, const std::string& message) {
    final_.files.clear();  // the one of an earlier run is replaced, whatever its score
    const std::int64_t at = engine.state().iteration;
    const fs::path path = save(final_, static_cast<double>(at), std::to_string(at));
    if (!path.empty()) engine.logger().info(message + path.string());
  }

  void save_best(Workflow& engine) {
    const State& s = engine.state();
    const std::string name = a_.is_none("key_metric_name") ? s.key_metric_name : a_.get<std::string>("key_metric_name");
    if (name.empty()) throw Error(ErrorKind::config, "CheckpointSaver: save_key_metric wants an engine with a key metric, or key_metric_name");
    const Value& metric = s.metrics.at(name);
    if (!is_scalar(metric)) {
      engine.logger().warning("key metric " + name + " is no single number: no model is saved");
      return;
    }
    const double score = (a_.get<bool>("key_metric_negative_sign") ? -1 : 1) * scalar_of(metric);
    save(best_, score, metric.is_int() ? std::to_string(std::llround(score)) : fmt::format("{:.4f}", score));
  }

  /// Saves unless all that are kept are better or there is NaN in the state; returns the file, or nothing.
  fs::path save(Kept& kept, double score, const std::string& score_text) {
    const bool full = kept.limit && kept.files.size() >= *kept.limit;
    if (full && !(greater_or_equal_ ? score >= kept.files[0].first : score > kept.files[0].first)) return kept.files.back().second;
    Dict checkpoint;
    for (const auto& [key, object] : objects_) checkpoint[key] = call_method(unwrapped(object), "state_dict");
    if (broken(checkpoint)) {
      log::warning("{}: the weights hold NaN and are not saved; what was saved before stays", folder_.string());
      return {};
    }
    const bool single = checkpoint.size() == 1;
    const std::string name = single ? checkpoint.begin()->first.as_string() : "checkpoint";
    const std::string prefix = a_.get<std::string>("file_prefix");
    const fs::path path =
        folder_ /
        (!kept.fixed_name.empty() ? kept.fixed_name : (prefix.empty() ? "" : prefix + "_") + name + "_" + kept.score_name + "=" + score_text + ".pt");
    // All ranks hold the same; one writes.
    if (ranks::rank() == 0) bundle::write_checkpoint(path, single ? checkpoint.begin()->second : Value(std::move(checkpoint)));
    note_checkpoint(path);

    const auto same = std::find_if(kept.files.begin(), kept.files.end(), [&](const auto& file) { return file.second == path; });
    if (same != kept.files.end()) {
      kept.files.erase(same);
    } else if (full) {
      std::error_code ignored;
      if (ranks::rank() == 0) fs::remove(kept.files[0].second, ignored);
      kept.files.erase(kept.files.begin());
    }
    kept.files.emplace_back(score, path);
    std::stable_sort(kept.files.begin(), kept.files.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return path;
  }

  Args a_;
  fs::path folder_;
  Dict objects_;
  bool greater_or_equal_;
  Kept best_, final_, interval_;
};

const Register saver({
    .kind = "handler",
    .name = "CheckpointSaver",
    .summary = "Save networks, optimizers and engines: the best by metric, the last, every n-th",
    .params = {required("save_dir", "folder"), required("save_dict", "{name in the file: object}; a single one is saved bare"),
               optional("name", nullptr, "accepted; lines go to the engine's log"), optional("file_prefix", "", "put in front of file names"),
               optional("save_final", false, "save when the run ends or breaks off"), optional("final_filename", nullptr, "fixed name of that file"),
               optional("save_key_metric", false, "save when the key metric is better than before"),
               optional("key_metric_name", nullptr, "another metric than the engine's key metric"),
               optional("key_metric_n_saved", 1, "keep so many of the best"), optional("key_metric_filename", nullptr, "fixed name of the best one"),
               optional("key_metric_save_state", false,
                        "accepted; the list of the best is kept with the training's state in any case, and --resume goes on from it"),
               optional("key_metric_greater_or_equal", false, "an equal metric counts as better"),
               optional("key_metric_negative_sign", false, "smaller is better"),
               optional("epoch_level", true, "save_interval counts epochs, not iterations"),
               optional("save_interval", 0, "save every n-th; 0: never"), optional("n_saved", nullptr, "keep so many of those")},
    .make = [](const Args& args) -> Value { return std::make_shared<CheckpointSaver>(args); },
});

}  // namespace
}  // namespace vesal::infer
