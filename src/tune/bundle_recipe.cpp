#include "tune/bundle_recipe.h"

#include "bundle/resolver.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;
using bundle::ConfigParser;

constexpr double kShareOfItsRate = 0.1;  // the bundle's own rate is one for fresh weights

void refuse(const TuningOptions& options) {
  const auto no = [](bool given, const char* option) {
    if (given) throw Error(ErrorKind::usage, std::string(option) + " goes with the recipe that vesal makes, not with the bundle's own; see --set");
  };
  no(!options.classes.empty(), "--classes");
  no(!options.label_map.empty(), "--label-map");
  no(options.patch_size.has_value(), "--patch");
  no(options.samples_per_case.has_value(), "--samples-per-case");
  no(options.warm_factor.has_value(), "--warm-factor");
  no(options.augmentation != "standard", "--augment");
  no(options.patience > 0, "--patience");
}

class Adapter {
 public:
  Adapter(const BaseBundle& base, const RecipePlan& plan, const TuningOptions& options)
      : plan_(plan), options_(options), file_(bundle::config_file(base.facts.folder, "train")) {
    parser_ = ConfigParser(bundle::resolve_macros(ConfigParser::load_config_file(file_), file_.parent_path()));
    parser_.set_folder(file_.parent_path());
  }

  Dict make() {
    for (const char* id :
         {"train::trainer", "train::dataset::data", "validate::evaluator", "validate::dataset::data", "validate::handlers", "network"})
      if (!parser_.contains(id))
        throw Error(ErrorKind::unsupported, file_.string() + ": there is no id '" + id + "', so that vesal cannot put your cases in");
    data();
    numbers();
    keep_best();
    begin();
    return parser_.get().as_dict();
  }

 private:
  void data() {
    parser_.set("bundle_root", ".");
    parser_.set("ckpt_dir", "$@bundle_root + '/models'");
    parser_.set("datalist", "$@bundle_root + '/training/datalist.json'");
    parser_.set("training_cases", "$monai.data.load_decathlon_datalist(@datalist, data_list_key='training')");
    parser_.set("validation_cases", "$monai.data.load_decathlon_datalist(@datalist, data_list_key='validation')");
    std::string cases = "$@training_cases";
    if (plan_.case_repeats > 1) cases += " * " + std::to_string(plan_.case_repeats);
    if (plan_.replay_repeats > 0) {
      parser_.set("replay_cases", "$monai.data.load_decathlon_datalist(@datalist, data_list_key='replay')");
      cases += " + @replay_cases * " + std::to_string(plan_.replay_repeats);
    }
    parser_.set("train::dataset::data", cases);
    parser_.set("validate::dataset::data", "@validation_cases");
  }

  /// An id at the top that the given one refers to is changed there.
  void set_number(const std::string& id, const Value& value) {
    const Value now = parser_.get(id, Value());
    if (now.is_string() && now.as_string().starts_with('@') && parser_.contains(now.as_string().substr(1)))
      parser_.set(now.as_string().substr(1), value);
    else parser_.set(id, value);
  }

  void numbers() {
    set_number("train::trainer::max_epochs", plan_.epochs);
    if (options_.iterations) set_number("train::trainer::epoch_length", plan_.iterations);
    if (options_.batch_size && parser_.contains("train::dataloader")) set_number("train::dataloader::batch_size", plan_.batch_size);
    if (parser_.contains("val_interval")) parser_.set("val_interval", plan_.validation_interval);
    if (!parser_.contains("optimizer")) return;
    if (options_.learning_rate) {
      set_number("optimizer::lr", *options_.learning_rate);
    } else if (parser_.contains("optimizer::lr")) {
      const Value own = parser_.get_parsed_content("optimizer::lr", {.instantiate = false});
      if (own.is_number()) set_number("optimizer::lr", own.as_float() * kShareOfItsRate);
    }
  }

  void keep_best() {
    const Value handlers = parser_.get("validate::handlers");
    if (!handlers.is_list()) throw Error(ErrorKind::unsupported, file_.string() + ": 'validate::handlers' is no list");
    List kept;
    for (const Value& handler : handlers.items()) {
      const Value* target = handler.is_dict() ? handler.as_dict().find("_target_") : nullptr;
      const bool saves = target && target->is_string() && target->as_string().ends_with("CheckpointSaver");
      if (!saves) kept.items.push_back(handler);
    }
    kept.items.push_back(Dict{{"_target_", "CheckpointSaver"},
                              {"save_dir", "@ckpt_dir"},
                              {"save_dict", Dict{{"model", "@network"}}},
                              {"save_key_metric", true},
                              {"key_metric_filename", "model.pt"}});
    parser_.set("validate::handlers", kept);
  }

  void begin() {
    parser_.set(
        "start",
        Dict{{"_target_", "CheckpointLoader"}, {"load_path", "$@bundle_root + '/models/start.pt'"}, {"load_dict", Dict{{"model", "@network"}}}});
    List initialize;
    if (const Value own = parser_.get("initialize", Value()); own.is_list())
      for (const Value& step : own.items())
        if (!step.is_string() || step.as_string().find("set_determinism") == std::string::npos) initialize.items.push_back(step);
    initialize.items.insert(initialize.items.begin(), Value("$monai.utils.set_determinism(seed=" + std::to_string(plan_.seed) + ")"));
    initialize.items.emplace_back("$@start(@train::trainer)");
    if (!plan_.freeze.empty()) {
      parser_.set("freeze", plan_.freeze);
      initialize.items.emplace_back("$monai.networks.utils.freeze_layers(@network, freeze_vars=@freeze)");
    }
    parser_.set("initialize", initialize);
    parser_.set("run", List{{Value("$@train::trainer.run()")}});
  }

  const RecipePlan& plan_;
  const TuningOptions& options_;
  fs::path file_;
  ConfigParser parser_;
};

}  // namespace

Dict adapt_train_config(const BaseBundle& base, const RecipePlan& plan, const TuningOptions& options) {
  refuse(options);
  return Adapter(base, plan, options).make();
}

}  // namespace vesal::tune
