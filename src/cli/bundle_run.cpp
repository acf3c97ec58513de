// vesal bundle run: what `python -m monai.bundle run` does.
#include <fmt/format.h>

#include "base/log.h"
#include "base/plugin.h"
#include "base/registry.h"
#include "bundle/metadata.h"
#include "bundle/resolver.h"
#include "cli/config_options.h"
#include "infer/training_run.h"

namespace vesal::cli {
namespace {

struct Options {
  std::string run_id = "run", init_id = "initialize", final_id = "finalize";
  std::string logging_file, tracking, workflow_type, resume, training_dir;
};

bool is_true(const std::string& text) {
  if (text.empty() || text == "False" || text == "false") return false;
  if (text == "True" || text == "true") return true;
  throw Error(ErrorKind::usage, "--resume is True or False, not " + text);
}

infer::RunOptions run_options(bundle::ConfigParser& parser, const Options& options) {
  infer::RunOptions o;
  o.resume = is_true(options.resume);
  if (options.training_dir == "None" || options.training_dir == "none") {
    if (o.resume) throw Error(ErrorKind::usage, "--resume needs the folder that --training_dir none does without");
    return o;
  }
  o.folder = options.training_dir.empty() ? infer::training_folder(parser) : std::filesystem::path(options.training_dir);
  return o;
}

/// Ids that could be meant: expressions and lists of expressions at the top.
std::string runnable_ids(const bundle::ConfigParser& parser) {
  std::string ids;
  const Value config = parser.get();
  for (const auto& [key, value] : config.as_dict()) {
    const bool list = value.is_list() && !value.items().empty() && bundle::is_expression(value.items()[0]) && key != Value("imports");
    if (list) ids += (ids.empty() ? "" : ", ") + key.str();
  }
  return ids.empty() ? "no id of it is a list of expressions" : "lists of expressions in it are " + ids;
}

void check_logging_file(const std::string& path) {
  if (path.empty() || path == "False") return;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) throw Error(ErrorKind::not_found, path + ": no such logging file");
  log::debug("{} configures Python's logging and is not used; see --quiet and --verbose", path);
}

int run(ConfigOptions& config, const Options& options) {
  const std::vector<std::string> words = config.words();  // reads the command line, so it comes before the options
  std::string run_id = options.run_id;
  if (words.size() > 1) throw Error(ErrorKind::usage, "unexpected '" + words[1] + "' after RUN_ID '" + words[0] + "'");
  if (!words.empty()) run_id = words[0];
  bundle::ConfigParser parser = config.parser();
  check_logging_file(options.logging_file);
  if (!options.tracking.empty()) log::warning("--tracking {}: experiment tracking is not in this build; running without", options.tracking);
  if (!options.workflow_type.empty())
    if (const auto missing = bundle::missing_properties(parser, options.workflow_type); !missing.empty())
      log::warning("a workflow of type {} is expected to have {}", options.workflow_type, fmt::format("{}", fmt::join(missing, ", ")));
  // Before anything runs: an hour of training must not end in a misspelt id.
  if (!parser.contains(run_id))
    throw Error(ErrorKind::not_found, config.config_files().back().string() + ": there is no id '" + run_id + "' to run; " + runnable_ids(parser));

  const plugin::LoadingAhead networks;
  infer::run_training(parser, {options.init_id, run_id, options.final_id}, run_options(parser, options));
  return 0;
}

const RegisterCommand command({
    "bundle run",
    "Run a bundle's configuration, as `python -m monai.bundle run` does",
    "  vesal bundle run --config_file configs/inference.json\n"
    "  vesal bundle run --config_file configs/inference.json --dataset_dir /data/scans --output_dir /data/masks\n"
    "  vesal bundle run training --config_file \"['configs/train.json','configs/evaluate.json']\" --train::trainer::max_epochs 10\n"
    "  vesal bundle run --config_file configs/inference.json --inferer#overlap=0.25 --+imports \"[$import os]\"\n",
    [](CLI::App& app) -> std::function<int()> {
      auto config = std::make_shared<ConfigOptions>(app);
      auto o = std::make_shared<Options>();
      config->add("run_id", o->run_id, "What to run (default: run); the same as RUN_ID");
      config->add("init_id", o->init_id, "What to run before (default: initialize); it need not be there");
      config->add("final_id", o->final_id, "What to run after (default: finalize); it need not be there");
      config->add("logging_file", o->logging_file, "Accepted and not used; see --quiet and --verbose");
      config->add("tracking", o->tracking, "Accepted with a warning: there is no experiment tracking");
      config->add_switch("resume", o->resume, "Go on with a training after its last whole epoch, to the same numbers as if it had never stopped");
      config->add("training_dir", o->training_dir,
                  "Where a training keeps its state and curves after each epoch (default: BUNDLE_ROOT/training); none: nowhere");
      config->add("workflow_type", o->workflow_type, "train or infer: warn of properties that such a workflow should have");
      return [config, o] { return run(*config, *o); };
    },
});

}  // namespace
}  // namespace vesal::cli
