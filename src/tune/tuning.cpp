#include "tune/tuning.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "bundle/checkpoint.h"
#include "bundle/config.h"
#include "infer/training_run.h"
#include "infer/workflow.h"
#include "tune/bundle_recipe.h"
#include "tune/forecast.h"
#include "tune/new_bundle.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;

fs::path unfinished(const fs::path& output) {
  fs::path clean = fs::absolute(output).lexically_normal();
  if (!clean.has_filename()) clean = clean.parent_path();
  return clean.string() + ".unfinished";
}

void check_cases(const TuningOptions& options) {
  if (options.training.cases.empty()) throw Error(ErrorKind::usage, "there are no cases to train on");
  if (options.validation.cases.empty())
    throw Error(
        ErrorKind::usage,
        "there are no validation cases: without cases that are never trained on nobody can tell whether the tuning helped. One case cannot be "
        "both; give at least one more");
}

/// The gate tells of all such files at once; this is for those who did not ask it.
void check_files(const TuningOptions& options) {
  for (const judge::CaseSet* set : {&options.training, &options.validation, &options.replay})
    for (const judge::LabelledCase& c : set->cases) {
      std::error_code ignored;
      if (c.image.empty() || c.label.empty())
        throw Error(ErrorKind::not_found,
                    (c.image.empty() ? c.label : c.image).string() + ": its " + (c.image.empty() ? "scan" : "label") + " is missing");
      for (const fs::path& file : {c.image, c.label})
        if (!fs::exists(file, ignored)) throw Error(ErrorKind::not_found, file.string() + ": no such file");
    }
}

void check_output(const TuningOptions& options, const fs::path& work) {
  std::error_code ignored;
  if (fs::exists(options.output, ignored) && !(fs::is_directory(options.output, ignored) && fs::is_empty(options.output, ignored)))
    throw Error(ErrorKind::usage, options.output.string() + " exists already; choose another folder for the new bundle");
  const bool begun = fs::exists(work / "configs/train.json", ignored);
  if (options.resume && !begun) throw Error(ErrorKind::not_found, work.string() + ": there is no unfinished training to resume");
  if (!options.resume && fs::exists(work, ignored))
    throw Error(ErrorKind::usage, work.string() + " holds a training that was not finished; --resume goes on with it, or remove that folder");
}

/// All that is known before the training.
struct Study {
  BaseBundle base;
  InferenceSteps steps;
  StartWeights start;
  RecipePlan plan;
  Value recipe;  ///< configs/train.json
};

Study study(const TuningOptions& options) {
  check_cases(options);
  check_output(options, unfinished(options.output));
  Study s;
  s.base = read_base(options.bundle);
  if (options.recipe != "inference" && options.recipe != "bundle")
    throw Error(ErrorKind::usage, "--recipe " + options.recipe + ": want inference or bundle");
  if (options.recipe == "inference") s.steps = read_inference_steps(s.base);
  s.start = options.classes.empty() ? own_weights(s.base) : transplanted_weights(s.base, options.classes, options.seed);
  s.plan = make_plan(s.base, s.steps, s.start, options);
  bundle::ConfigParser recipe{
      Value(options.recipe == "bundle" ? adapt_train_config(s.base, s.plan, options) : make_train_config(s.base, s.steps, s.plan))};
  for (const auto& [id, text] : options.overrides) recipe.override_with(id, text);
  s.recipe = recipe.get();
  return s;
}

bundle::ConfigParser parser_of(const TuningOptions& options, const fs::path& work) {
  bundle::ConfigParser parser;
  parser.read_config({work / "configs/train.json"});
  parser.set("bundle_root", work.string());
  if (options.device != "auto") parser.set("device", "$torch.device('" + options.device + "')");
  return parser;
}

/// Everything of the new bundle but its weights, metadata and page.
void begin(const Study& s, const TuningOptions& options, const fs::path& work) {
  write_inference_config(s.base, options, work);
  copy_documents(s.base, work);
  write_datalist(options, work);
  if (options.recipe == "inference") write_file(work / "configs/evaluate.json", to_json(make_evaluate_config(s.base, s.plan), 4) + "\n");
  bundle::write_state_dict(work / "models/start.pt", s.start.state);
  write_file(work / "configs/train.json", to_json(s.recipe, 4) + "\n");  // last: with it the training can be resumed
}

void train(bundle::ConfigParser& parser, const fs::path& work, TuningResult& result) {
  const fs::path folder = work / "training";
  const bool begun = fs::exists(folder / "state.pt");  // else it was broken off in its first epoch
  infer::run_training(parser, {"initialize", "run"}, {.folder = folder, .resume = begun, .epoch_done = {}});
  const auto trainer = parser.object<infer::Workflow>("train::trainer"), validator = parser.object<infer::Workflow>("validate::evaluator");
  result.epochs = trainer->state().epoch;
  const infer::State& scored = validator->state();
  if (scored.best_metric_epoch < 0 || !scored.best_metric.is_number())
    throw Error(ErrorKind::config, "the training ended without a validation, so that no weights were kept");
  result.best_score = scored.best_metric.as_float();
  result.best_epoch = scored.best_metric_epoch;
  fs::remove(folder / "state.pt");  // of use to nobody any more; the history and the curves stay
}

/// A training that ended before it kept anything leaves nothing.
void forget_if_useless(const fs::path& work) {
  std::error_code ignored;
  if (!fs::exists(work / "models/model.pt", ignored) && !fs::exists(work / "training/state.pt", ignored)) fs::remove_all(work, ignored);
}

/// The new weights are those of the network that the new inference.json builds.
void check_weights(const fs::path& work) {
  const BaseBundle made = read_base(work);
  own_weights(made);
}

template <class T>
List list_of(const std::vector<T>& values) {
  List list;
  for (const T& v : values) list.items.emplace_back(v);
  return list;
}

}  // namespace

Value plan_of(const TuningOptions& options) {
  const auto [base, steps, start, plan, recipe] = study(options);
  const auto frozen = matching(plan.freeze, start.parameters);
  const std::int64_t all = start.weights(start.parameters);
  const Forecast time = forecast(base, steps, plan, options);
  return Dict{{"base", base.facts.name},
              {"base_version", base.facts.version},
              {"name", new_name(base, options)},
              {"version", new_version(base, options)},
              {"network", base.network},
              {"classes", list_of(options.classes.empty() ? base.classes : options.classes)},
              {"training_cases", options.training.cases.size()},
              {"replay_cases", options.replay.cases.size()},
              {"validation_cases", options.validation.cases.size()},
              {"parameters", all},
              {"trained_parameters", all - start.weights(frozen)},
              {"copied", list_of(start.copied)},
              {"fresh", list_of(start.fresh)},
              {"kept_classes", list_of(start.kept_classes)},
              {"frozen", list_of(frozen)},
              {"recipe", options.recipe},
              {"patch_size", list_of(plan.patch_size)},
              {"batch_size", plan.batch_size},
              {"samples_per_case", plan.samples_per_case},
              {"epochs", plan.epochs},
              {"iterations", plan.iterations},
              {"validation_interval", plan.validation_interval},
              {"learning_rate", plan.learning_rate},
              {"warm_factor", plan.warm_factor},
              {"full_rate_parameters", plan.full_rate.size()},
              {"augmentation", plan.augmentation},
              {"estimated_seconds", time.seconds},
              {"estimated_iteration_seconds", time.iteration_seconds},
              {"estimated_validation_seconds", time.validation_seconds},
              {"estimated_cache_bytes", time.cache_bytes}};
}

TuningResult tune(const TuningOptions& options) {
  const fs::path work = unfinished(options.output);
  check_files(options);
  const Study all = study(options);
  const auto& [base, steps, start, plan, recipe] = all;
  TuningResult result;
  result.bundle = options.output;
  result.copied = start.copied;
  result.fresh = start.fresh;
  result.kept_classes = start.kept_classes;
  result.frozen = matching(plan.freeze, start.parameters);

  try {
    if (!options.resume) begin(all, options, work);
    bundle::ConfigParser parser = parser_of(options, work);
    train(parser, work, result);
  } catch (...) {
    forget_if_useless(work);
    throw;
  }
  write_metadata(base, options, result, work);
  write_readme(base, options, plan, start, result, work);
  check_weights(work);
  std::error_code ec;
  fs::remove(options.output, ec);  // an empty folder
  fs::rename(work, options.output, ec);
  if (ec) throw Error(ErrorKind::io, options.output.string() + ": " + ec.message() + "; the finished bundle is in " + work.string());
  return result;
}

}  // namespace vesal::tune
