#include "tune/recipe.h"

#include "base/registry.h"
#include "tune/recipe_steps.h"

namespace vesal::tune {
namespace {

constexpr std::int64_t kMostClassesScoredInTraining = 8;  // the score of a training batch costs a one-hot copy of it
constexpr double kWeightDecay = 1e-5;

template <class T>
List list_of(const std::vector<T>& values) {
  List list;
  for (const T& v : values) list.items.emplace_back(v);
  return list;
}

bool single_channel(const RecipePlan& plan) { return plan.out_channels == 1; }

Dict loss_of(const RecipePlan& plan) {
  Dict loss{{"_target_", "DiceCELoss"}, {"include_background", single_channel(plan)}};
  if (single_channel(plan)) {
    loss["sigmoid"] = true;
  } else {
    loss["to_onehot_y"] = true;
    loss["softmax"] = true;
  }
  loss["batch"] = true;
  loss["smooth_nr"] = 1e-5;
  loss["smooth_dr"] = 1e-5;
  return loss;
}

List scored_steps(const RecipePlan& plan) {
  if (single_channel(plan))
    return List{{Dict{{"_target_", "Activationsd"}, {"keys", "pred"}, {"sigmoid", true}},
                 Dict{{"_target_", "AsDiscreted"}, {"keys", "pred"}, {"threshold", 0.5}}}};
  return List{{Dict{{"_target_", "Activationsd"}, {"keys", "pred"}, {"softmax", true}}, Dict{{"_target_", "AsDiscreted"},
                                                                                             {"keys", list_of<const char*>({"pred", "label"})},
                                                                                             {"argmax", List{{Value(true), Value(false)}}},
                                                                                             {"to_onehot", plan.out_channels}}}};
}

Dict mean_dice(const char* name, const RecipePlan& plan) {
  return Dict{{name, Dict{{"_target_", "MeanDice"},
                          {"include_background", single_channel(plan)},
                          {"output_transform", "$monai.handlers.from_engine(['pred', 'label'])"}}}};
}

Dict compose(Value transforms) { return Dict{{"_target_", "Compose"}, {"transforms", std::move(transforms)}}; }

std::string cases_expression(const RecipePlan& plan) {
  const auto repeated = [](const char* id, std::int64_t n) { return std::string(id) + (n > 1 ? " * " + std::to_string(n) : ""); };
  std::string text = "$" + repeated("@training_cases", plan.case_repeats);
  if (plan.replay_repeats > 0) text += " + " + repeated("@replay_cases", plan.replay_repeats);
  return text;
}

Dict train_part(const BaseBundle& base, const InferenceSteps& steps, const RecipePlan& plan) {
  Dict train;
  train["deterministic_transforms"] = fixed_steps(steps, plan);
  train["random_transforms"] = random_steps(base, steps, plan);
  train["preprocessing"] = compose("$@train#deterministic_transforms + @train#random_transforms");
  train["dataset"] = Dict{{"_target_", "CacheDataset"},
                          {"data", cases_expression(plan)},
                          {"transform", "@train#preprocessing"},
                          {"cache_rate", "@cache_rate"},
                          {"num_workers", 2},
                          {"hash_as_key", true}};
  train["dataloader"] = Dict{
      {"_target_", "DataLoader"}, {"dataset", "@train#dataset"}, {"batch_size", "@batch_size"}, {"shuffle", true}, {"num_workers", "@num_workers"}};
  train["inferer"] = Dict{{"_target_", "SimpleInferer"}};
  List handlers{{Dict{{"_target_", "LrScheduleHandler"}, {"lr_scheduler", "@lr_scheduler"}, {"print_lr", false}},
                 Dict{{"_target_", "ValidationHandler"},
                      {"validator", "@validate#evaluator"},
                      {"epoch_level", true},
                      {"interval", "@val_interval"},
                      {"exec_at_start", plan.start_counts}},
                 Dict{{"_target_", "StatsHandler"},
                      {"tag_name", "train_loss"},
                      {"iteration_log", false},
                      {"output_transform", "$monai.handlers.from_engine(['loss'], first=True)"}}}};
  train["handlers"] = handlers;
  Dict trainer{{"_target_", "SupervisedTrainer"},
               {"max_epochs", "@epochs"},
               {"epoch_length", "@iterations"},
               {"device", "@device"},
               {"train_data_loader", "@train#dataloader"},
               {"network", "@network"},
               {"loss_function", "@loss"},
               {"optimizer", "@optimizer"},
               {"inferer", "@train#inferer"}};
  if (plan.out_channels <= kMostClassesScoredInTraining) {
    train["postprocessing"] = compose(scored_steps(plan));
    train["key_metric"] = mean_dice("train_mean_dice", plan);
    trainer["postprocessing"] = "@train#postprocessing";
    trainer["key_train_metric"] = "@train#key_metric";
  }
  trainer["train_handlers"] = "@train#handlers";
  trainer["amp"] = false;
  train["trainer"] = std::move(trainer);
  return train;
}

Dict validate_part(const InferenceSteps& steps, const RecipePlan& plan) {
  Dict validate;
  validate["preprocessing"] = compose("%train#deterministic_transforms");
  validate["dataset"] =
      Dict{{"_target_", "CacheDataset"}, {"data", "@validation_cases"}, {"transform", "@validate#preprocessing"}, {"cache_rate", "@cache_rate"}};
  validate["dataloader"] =
      Dict{{"_target_", "DataLoader"}, {"dataset", "@validate#dataset"}, {"batch_size", 1}, {"shuffle", false}, {"num_workers", 0}};
  validate["inferer"] = steps.inferer;
  validate["postprocessing"] = compose(scored_steps(plan));
  List handlers{{Dict{{"_target_", "StatsHandler"}, {"iteration_log", false}}, Dict{{"_target_", "CheckpointSaver"},
                                                                                    {"save_dir", "@ckpt_dir"},
                                                                                    {"save_dict", Dict{{"model", "@network"}}},
                                                                                    {"save_key_metric", true},
                                                                                    {"key_metric_filename", "model.pt"}}}};
  if (plan.patience > 0) handlers.items.emplace_back("@early_stop");
  validate["handlers"] = std::move(handlers);
  validate["key_metric"] = mean_dice("val_mean_dice", plan);
  validate["evaluator"] = Dict{{"_target_", "SupervisedEvaluator"},
                               {"device", "@device"},
                               {"val_data_loader", "@validate#dataloader"},
                               {"network", "@network"},
                               {"inferer", "@validate#inferer"},
                               {"postprocessing", "@validate#postprocessing"},
                               {"key_val_metric", "@validate#key_metric"},
                               {"val_handlers", "@validate#handlers"},
                               {"amp", false}};
  return validate;
}

void add_optimizer(Dict& config, const RecipePlan& plan) {
  Dict optimizer{{"_target_", "torch.optim.AdamW"}};
  if (plan.warm_factor == 1) {
    optimizer["params"] = "$@network.parameters()";
    optimizer["lr"] = "@learning_rate";
  } else {
    config["full_rate_parameters"] = list_of(plan.full_rate);
    optimizer["params"] =
        "$monai.optimizers.generate_param_groups(@network, layer_matches=[lambda x: x[0] in @full_rate_parameters], match_types=['filter'], "
        "lr_values=[@learning_rate])";
    optimizer["lr"] = "$@learning_rate * @warm_factor";
  }
  optimizer["weight_decay"] = kWeightDecay;
  config["optimizer"] = std::move(optimizer);
  config["lr_scheduler"] =
      Dict{{"_target_", "torch.optim.lr_scheduler.PolynomialLR"}, {"optimizer", "@optimizer"}, {"total_iters", "@epochs"}, {"power", 0.9}};
}

void add_import(List& imports, const char* text) {
  for (const Value& v : imports.items)
    if (v == Value(text)) return;
  imports.items.emplace_back(text);
}

}  // namespace

Dict make_train_config(const BaseBundle& base, const InferenceSteps& steps, const RecipePlan& plan) {
  if (base.overlapping && plan.out_channels > 1)
    throw Error(ErrorKind::unsupported, base.config_file.string() +
                                            ": the output channels overlap (sigmoid), and the inference does not say how labels become channels; use "
                                            "the bundle's own training configuration instead (--recipe bundle)");
  Dict config;
  List imports = base.imports;
  add_import(imports, "$import numpy");
  config["imports"] = std::move(imports);
  config["bundle_root"] = ".";
  config["ckpt_dir"] = "$@bundle_root + '/models'";
  config["output_dir"] = "$@bundle_root + '/eval'";
  config["datalist"] = "$@bundle_root + '/training/datalist.json'";
  config["training_cases"] = "$monai.data.load_decathlon_datalist(@datalist, data_list_key='training')";
  config["validation_cases"] = "$monai.data.load_decathlon_datalist(@datalist, data_list_key='validation')";
  if (plan.replay_repeats > 0) config["replay_cases"] = "$monai.data.load_decathlon_datalist(@datalist, data_list_key='replay')";
  config["seed"] = plan.seed;
  config["epochs"] = plan.epochs;
  config["iterations"] = plan.iterations;
  config["val_interval"] = plan.validation_interval;
  if (plan.patience > 0) config["patience"] = plan.patience;
  config["learning_rate"] = plan.learning_rate;
  if (plan.warm_factor != 1) config["warm_factor"] = plan.warm_factor;
  config["batch_size"] = plan.batch_size;
  config["samples_per_case"] = plan.samples_per_case;
  config["patch_size"] = list_of(plan.patch_size);
  if (plan.augmentation != "none") config["crop_size"] = list_of(plan.crop_size);
  config["cache_rate"] = 1.0;
  config["num_workers"] = 1;
  if (!plan.freeze.empty()) config["freeze"] = plan.freeze;
  config["device"] = base.device;
  config["network_def"] = plan.network_def;
  config["network"] = "$@network_def.to(@device)";
  config["loss"] = loss_of(plan);
  add_optimizer(config, plan);
  config["train"] = train_part(base, steps, plan);
  config["validate"] = validate_part(steps, plan);
  config["start"] =
      Dict{{"_target_", "CheckpointLoader"}, {"load_path", "$@bundle_root + '/models/start.pt'"}, {"load_dict", Dict{{"model", "@network"}}}};
  List initialize{{Value("$monai.utils.set_determinism(seed=@seed)"), Value("$@start(@train#trainer)")}};
  if (!plan.freeze.empty()) initialize.items.emplace_back("$monai.networks.utils.freeze_layers(@network, freeze_vars=@freeze)");
  if (plan.patience > 0) {
    config["early_stop"] =
        Dict{{"_target_", "EarlyStopHandler"}, {"patience", "@patience"}, {"score_function", "$lambda x: x.state.metrics['val_mean_dice']"}};
    initialize.items.emplace_back("$@early_stop.set_trainer(@train#trainer)");
  }
  config["initialize"] = std::move(initialize);
  config["run"] = List{{Value("$@train#trainer.run()")}};
  return config;
}

Dict make_evaluate_config(const BaseBundle&, const RecipePlan& plan) {
  List steps = scored_steps(plan);
  steps.items.insert(steps.items.begin() + 1, Dict{{"_target_", "Invertd"},
                                                   {"keys", list_of<const char*>({"pred", "label"})},
                                                   {"transform", "@validate#preprocessing"},
                                                   {"orig_keys", "image"},
                                                   {"nearest_interp", List{{Value(false), Value(true)}}},
                                                   {"to_tensor", true}});
  Dict config;
  config["validate#dataset#cache_rate"] = 0.0;
  config["validate#postprocessing"] = compose(std::move(steps));
  config["validate#handlers"] =
      List{{Dict{{"_target_", "CheckpointLoader"}, {"load_path", "$@ckpt_dir + '/model.pt'"}, {"load_dict", Dict{{"model", "@network"}}}},
            Dict{{"_target_", "StatsHandler"}, {"iteration_log", false}},
            Dict{{"_target_", "MetricsSaver"},
                 {"save_dir", "@output_dir"},
                 {"metrics", list_of<const char*>({"val_mean_dice"})},
                 {"metric_details", list_of<const char*>({"val_mean_dice"})},
                 {"batch_transform", "$lambda x: [xx['image'].meta for xx in x]"},
                 {"summary_ops", "*"}}}};
  config["initialize"] = List{{Value("$monai.utils.set_determinism(seed=@seed)")}};
  config["run"] = List{{Value("$@validate#evaluator.run()")}};
  return config;
}

}  // namespace vesal::tune
