#include "tune/new_bundle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "bundle/config.h"
#include "bundle/resolver.h"
#include "judge/cases.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;
using bundle::ConfigParser;

/// Where a CheckpointLoader of the configuration names its file, as an id; "" if there is none.
std::string loader_path(const Value& config, const std::string& id = "") {
  if (!config.is_dict()) {
    if (config.is_list())
      for (std::size_t i = 0; i < config.items().size(); ++i)
        if (const std::string found = loader_path(config.items()[i], id + "::" + std::to_string(i)); !found.empty()) return found;
    return "";
  }
  const Value* target = config.as_dict().find("_target_");
  if (target && target->is_string() && target->as_string().ends_with("CheckpointLoader")) return id + "::load_path";
  for (const auto& [key, value] : config.as_dict())
    if (const std::string found = loader_path(value, id.empty() ? key.str() : id + "::" + key.str()); !found.empty()) return found;
  return "";
}

std::string target_of(const Value& step) {
  const Value* target = step.is_dict() ? step.as_dict().find("_target_") : nullptr;
  if (!target || !target->is_string()) return "";
  const Component* known = components::find(target->as_string());
  return known ? known->name : target->as_string();
}

bool same_class(const std::string& a, const std::string& b) { return judge::same_name(a, b); }

/// The labels of `applied` under their new numbers, as far as their classes are still there.
List renumbered(const Value& applied, const BaseBundle& base, const std::vector<std::string>& classes) {
  List out;
  const std::vector<Value> one{applied};
  for (const Value& label : applied.is_sequence() ? applied.items() : one) {
    const std::int64_t old = label.is_number() ? label.as_int() : -1;
    if (old < 0 || old >= static_cast<std::int64_t>(base.classes.size())) continue;
    for (std::size_t c = 0; c < classes.size(); ++c)
      if (same_class(classes[c], base.classes[static_cast<std::size_t>(old)])) out.items.emplace_back(c);
  }
  return out;
}

/// A step of the postprocessing for other classes; nothing if it has no meaning for them.
std::optional<Value> adapted(const Value& step, const BaseBundle& base, const std::vector<std::string>& classes) {
  const std::string name = target_of(step);
  if (!step.is_dict()) return step;
  Dict out;
  for (const auto& [key, value] : step.as_dict()) out[key] = value;
  if (name == "Lambdad" || name == "LabelToContourd")
    throw Error(ErrorKind::unsupported, base.config_file.string() + ": the postprocessing's " + name +
                                            " is written for the old classes; take it out of the "
                                            "bundle before the transfer");
  if (name == "Activationsd" && base.overlapping) {
    out.erase("sigmoid");
    out["softmax"] = true;
  }
  if (name == "AsDiscreted") {
    if (base.overlapping) {
      out.erase("threshold");
      out["argmax"] = true;
    }
    if (out.contains("to_onehot") && !out.at("to_onehot").is_none()) out["to_onehot"] = classes.size();
  }
  for (const char* labels : {"applied_labels"}) {
    if (!out.contains(labels) || out.at(labels).is_none()) continue;
    const List kept = renumbered(out.at(labels), base, classes);
    if (kept.items.empty()) return std::nullopt;
    out[labels] = kept;
  }
  return Value(std::move(out));
}

Value adapted_list(const Value& steps, const BaseBundle& base, const std::vector<std::string>& classes) {
  if (!steps.is_list()) return steps;
  List out;
  for (const Value& step : steps.items())
    if (auto kept = adapted(step, base, classes)) out.items.push_back(std::move(*kept));
  return out;
}

std::vector<std::string> foreground(const std::vector<std::string>& classes) {
  return classes.size() > 1 ? std::vector<std::string>(classes.begin() + 1, classes.end()) : classes;
}

std::string label_text(const std::vector<std::string>& classes) {
  std::string text = "single channel data";
  for (std::size_t c = 1; c < classes.size(); ++c) text += fmt::format(", {} is {}", c, classes[c]);
  return text + ", 0 is everything else";
}

Dict& dict_at(Dict& parent, const char* key) {
  if (!parent.contains(key) || !parent.at(key).is_dict()) parent[key] = Dict{};
  return parent[key].mutable_dict();
}

std::string tuned_from(const BaseBundle& base, const TuningOptions& options) {
  return fmt::format("{} {} {} on {} of the user's own cases", options.classes.empty() ? "fine-tuned from" : "transferred from", base.facts.name,
                     base.facts.version, options.training.cases.size());
}

std::string bumped(const std::string& version) {
  const auto first = version.find('.'), second = first == std::string::npos ? first : version.find('.', first + 1);
  if (second == std::string::npos) return "0.1.0";
  const std::string minor = version.substr(first + 1, second - first - 1);
  if (minor.empty() || minor.size() > 6 || minor.find_first_not_of("0123456789") != std::string::npos) return "0.1.0";
  return fmt::format("{}.{}.0", version.substr(0, first), std::stol(minor) + 1);
}

}  // namespace

std::string new_name(const BaseBundle& base, const TuningOptions& options) {
  if (!options.name.empty()) return options.name;
  if (options.classes.empty()) return base.facts.name;
  return fmt::format("{} ({} from {})", "Segmentation", fmt::join(foreground(options.classes), ", "), base.facts.name);
}

std::string new_version(const BaseBundle& base, const TuningOptions& options) {
  if (!options.version.empty()) return options.version;
  return options.classes.empty() ? bumped(base.facts.version) : "0.1.0";
}

void write_inference_config(const BaseBundle& base, const TuningOptions& options, const fs::path& folder) {
  const fs::path file = folder / "configs/inference.json";
  ConfigParser parser{ConfigParser::load_config_file(base.config_file)};
  if (const std::string id = loader_path(parser.get()); !id.empty()) parser.set(id, "$@bundle_root + '/models/model.pt'");
  if (!options.classes.empty()) {
    parser.set(base.out_id, options.classes.size());
    if (const Value post = parser.get("postprocessing", Value()); post.is_list())
      parser.set("postprocessing", adapted_list(post, base, options.classes));
    else if (post.is_dict() && post.as_dict().contains("transforms"))
      parser.set("postprocessing::transforms", adapted_list(post.as_dict().at("transforms"), base, options.classes));
  }
  write_file(file, to_json(parser.get(), 4) + "\n");
}

void write_datalist(const TuningOptions& options, const fs::path& folder) {
  const auto list = [](const judge::CaseSet& set, const char* origin) {
    List out;
    for (const judge::LabelledCase& c : set.cases) {
      Dict item{{"image", fs::absolute(c.image).lexically_normal().string()}, {"label", fs::absolute(c.label).lexically_normal().string()}};
      if (origin) item["origin"] = origin;
      out.items.emplace_back(std::move(item));
    }
    return out;
  };
  const bool replay = !options.replay.cases.empty();
  const char* own = replay ? "new" : nullptr;  // MONAI stacks a batch only if its items have the same keys
  Dict all{{"training", list(options.training, own)}, {"validation", list(options.validation, own)}};
  if (replay) all["replay"] = list(options.replay, "replay");
  write_file(folder / "training/datalist.json", to_json(all) + "\n");
}

void copy_documents(const BaseBundle& base, const fs::path& folder) {
  for (const char* name : {"LICENSE", "LICENSE.txt", "LICENSE.md", "docs/LICENSE", "docs/data_license.txt", "configs/logging.conf"}) {
    std::error_code ignored;
    if (fs::is_regular_file(base.facts.folder / name, ignored)) write_file(folder / name, read_text(base.facts.folder / name));
  }
}

void write_metadata(const BaseBundle& base, const TuningOptions& options, const TuningResult& result, const fs::path& folder) {
  Dict meta = bundle::deep_copy(base.facts.metadata).as_dict();
  const std::string version = new_version(base, options), made = tuned_from(base, options);
  const bool transfer = !options.classes.empty();
  meta["name"] = new_name(base, options);
  meta["version"] = version;
  Dict changes{{version, made}};
  if (const Value* before = meta.find("changelog"); before && before->is_dict() && !transfer)
    for (const auto& [key, value] : before->as_dict())
      if (!changes.contains(key)) changes[key] = value;
  meta["changelog"] = std::move(changes);
  const Value* source = meta.find("data_source");
  meta["data_source"] = (source && source->is_string() ? source->as_string() + "; then " : "") +
                        fmt::format("{} labelled cases of the user's own for training, {} for choosing the epoch", options.training.cases.size(),
                                    options.validation.cases.size());
  meta["eval_metrics"] = Dict{{"val_mean_dice", result.best_score}};
  if (transfer) {
    const std::string organs = fmt::format("{}", fmt::join(foreground(options.classes), ", "));
    meta["task"] = "Segmentation of " + organs;
    meta["description"] = fmt::format("Finds {}; {}.", organs, made);
    meta["label_classes"] = label_text(options.classes);
    std::string channels = fmt::format("{} channels OneHot data", options.classes.size());
    for (std::size_t c = 0; c < options.classes.size(); ++c) channels += fmt::format(", channel {} is {}", c, options.classes[c]);
    meta["pred_classes"] = channels;
    Dict& pred = dict_at(dict_at(dict_at(meta, "network_data_format"), "outputs"), "pred");
    pred["num_channels"] = options.classes.size();
    Dict names;
    for (std::size_t c = 0; c < options.classes.size(); ++c) names[std::to_string(c)] = options.classes[c];
    pred["channel_def"] = std::move(names);
  }
  write_file(folder / "configs/metadata.json", to_json(meta, 4) + "\n");
}

void write_readme(const BaseBundle& base, const TuningOptions& options, const RecipePlan& plan, const StartWeights& start, const TuningResult& result,
                  const fs::path& folder) {
  const bool transfer = !options.classes.empty();
  std::string text = fmt::format("# {}\n\n", new_name(base, options));
  if (!base.facts.intended_use.empty()) text += fmt::format("**{}**\n\n", base.facts.intended_use);
  text += fmt::format("Version {}, {} by vesal.\n\n## What it was made from\n\n", new_version(base, options), tuned_from(base, options));
  text += "| | |\n|---|---|\n";
  const auto row = [&](const std::string& key, const std::string& value) { text += fmt::format("| {} | {} |\n", key, value); };
  row("base", fmt::format("{} {}", base.facts.name, base.facts.version));
  row("network", fmt::format("{}, {} parameters", base.network, start.weights(start.parameters)));
  row("training cases", std::to_string(options.training.cases.size()));
  if (!options.replay.cases.empty())
    row("replayed cases", fmt::format("{} (labels of the base; a pass shows each new case {} times and each of these {} times)",
                                      options.replay.cases.size(), plan.case_repeats, plan.replay_repeats));
  row("validation cases", fmt::format("{}, never trained on; they chose the epoch", options.validation.cases.size()));
  if (!options.data_check.empty()) row("dataset gate", options.data_check);
  if (transfer) {
    row("classes", fmt::format("{}", fmt::join(options.classes, ", ")));
    row("weights copied",
        fmt::format("{} of {} parameters' ({} numbers)", start.copied.size(), start.parameters.size(), start.weights(start.copied)));
    row("new weights", fmt::format("{}", fmt::join(start.fresh, ", ")));
    if (!start.kept_classes.empty()) row("rows of the old output layer kept", fmt::format("{}", fmt::join(start.kept_classes, ", ")));
  }
  if (!result.frozen.empty()) row("frozen", fmt::format("{} parameters ({})", result.frozen.size(), fmt::join(options.freeze, ", ")));
  const bool own_recipe = options.recipe == "bundle";
  if (own_recipe) row("recipe", "the base's own configs/train.json, at a tenth of its learning rate unless another was given");
  else row("patches", fmt::format("{} voxels", fmt::join(plan.patch_size, " x ")));
  row("epochs", fmt::format("{} of {}{}", result.epochs, plan.epochs, own_recipe ? "" : fmt::format(", {} iterations each", plan.iterations)));
  if (!own_recipe) {
    row("learning rate", plan.warm_factor == 1 ? fmt::format("{:g}", plan.learning_rate)
                                               : fmt::format("{:g} for {} parameters, {:g} for the rest", plan.learning_rate, plan.full_rate.size(),
                                                             plan.learning_rate * plan.warm_factor));
    row("augmentation", plan.augmentation);
  }
  row("seed", std::to_string(plan.seed));
  row("best epoch", fmt::format("{}{}: mean Dice {:.4f} on the validation cases, on the grid that is trained on", result.best_epoch,
                                result.best_epoch == 0 ? " (the weights it began with: none was better)" : "", result.best_score));
  fs::create_directories(folder / "docs");
  text += fmt::format(
      "\n`configs/train.json` is the whole recipe; `vesal bundle run --config_file configs/train.json --datalist FILE` and MONAI run it again.\n"
      "`training/` lists the files that were trained on. Take it out before you give the bundle away.\n"
      "\n## Limits\n\n"
      "{} validation cases chose the best epoch, so the score above is a little too good. Judge the bundle on cases that had no part in this:\n"
      "`vesal evaluate --bundle . --data FOLDER`. It knows scanners and patients like those it was trained on; on others it may fail without a "
      "sign.\n",
      options.validation.cases.size());
  std::error_code ignored;
  if (const fs::path curves = folder / "training/curves.png"; fs::is_regular_file(curves, ignored)) {
    fs::copy_file(curves, folder / "docs/curves.png", fs::copy_options::overwrite_existing, ignored);
    if (!ignored) text += "\n![Loss, learning rate and Dice over the epochs](curves.png)\n";
  }
  if (const fs::path page = base.facts.folder / "docs/README.md"; fs::is_regular_file(page, ignored))
    text += fmt::format("\n## The page of {} {}, which this was made from\n\n{}", base.facts.name, base.facts.version, read_text(page, 1 << 20));
  write_file(folder / "docs/README.md", text);
}

}  // namespace vesal::tune
