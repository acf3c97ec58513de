#include "infer/segmenter.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/registry.h"
#include "base/stopwatch.h"
#include "engine/predictor.h"
#include "infer/bundle_weights.h"
#include "infer/label_map.h"
#include "infer/label_stream.h"
#include "infer/transform_list.h"
#include "kernels/convolution_bf16.h"
#include "transforms/arguments.h"
#include "transforms/spatial_step.h"

namespace vesal::infer {
namespace {

namespace fs = std::filesystem;
using bundle::ConfigParser;
using transforms::apply;

/// The id that a chain of plain references ("@dataloader") ends at.
std::string follow(const ConfigParser& config, std::string id) {
  for (int hops = 0; hops < 32; ++hops) {
    const Value value = config.get(id, Value());
    if (!value.is_string() || !value.as_string().starts_with("@")) break;
    const std::string target = value.as_string().substr(1);
    if (!config.contains(target)) break;
    id = target;
  }
  return id;
}

/// The id of the component whose target ends with "Evaluator", "" if there is none.
std::string evaluator_of(const ConfigParser& config) {
  const Value whole = config.get();
  for (const auto& [key, value] : whole.as_dict()) {
    const Value* target = value.is_dict() ? value.as_dict().find("_target_") : nullptr;
    if (target && target->is_string() && target->as_string().ends_with("Evaluator")) return key.str();
  }
  return "";
}

/// The first of these ids that is there and not null, "" if none is.
std::string first_of(const ConfigParser& config, const std::vector<std::string>& ids) {
  for (const std::string& id : ids)
    if (!config.get(id, Value()).is_none()) return follow(config, id);
  return "";
}

/// An image at the same place without its voxels: all of them are the same zero.
image::Image without_voxels(const image::Image& image) {
  const Shape shape = image.shape();
  return image.with(Array::zeros(Shape(shape.size(), 1), DType::f32).expand(shape));
}

Value make(const std::string& name, std::vector<std::pair<std::string, Value>> arguments) {
  return construct(components::get(name), {{}, std::move(arguments)});
}

}  // namespace

Segmenter::Segmenter(const Options& options) : facts_(bundle::read_bundle_facts(options.bundle)), first_(options.first) {
  const fs::path file = bundle::config_file(options.bundle, "inference");
  with_context("bundle " + facts_.name, [&] {
    ConfigParser config;
    config.read_config({file});
    config.read_meta({bundle::config_file(options.bundle, "metadata")});
    config.set("bundle_root", fs::absolute(options.bundle).lexically_normal().string());
    if (options.device != "auto" && config.contains("device")) config.set("device", "$torch.device('" + options.device + "')");
    for (const auto& [id, text] : options.overrides) config.override_with(id, text);
    build(config, options);
  });
}

void Segmenter::build(ConfigParser& config, const Options& options) {
  const std::string evaluator = evaluator_of(config);
  const auto argument = [&](const std::string& name) { return evaluator.empty() ? name : evaluator + "::" + name; };

  std::string dataset = first_of(config, {"dataset"});
  if (const std::string loader = first_of(config, {argument("val_data_loader"), "dataloader"}); !loader.empty())
    if (const std::string own = first_of(config, {loader + "::dataset", loader + "::data"}); !own.empty()) dataset = own;
  const std::string before = first_of(config, {dataset.empty() ? "preprocessing" : dataset + "::transform", "preprocessing"});
  if (before.empty())
    throw Error(ErrorKind::config, "no preprocessing: neither the evaluator's dataset has a transform nor is there the id 'preprocessing'");
  const bundle::ParseOptions describe{.instantiate = false};
  if (const auto keys = loaded_keys(config.get_parsed_content(before, describe)); !keys.empty()) image_key_ = keys[0];
  preprocessing_ = flat_transforms(config.get_parsed_content(before));
  if (!first_.empty()) first_scan_ = std::async(std::launch::async, [this] { return prepared(first_); });

  const std::string after = first_of(config, {argument("postprocessing"), "postprocessing"});
  if (!after.empty()) {
    study_postprocessing(config.get_parsed_content(after, describe));
    postprocessing_ = flat_transforms(config.get_parsed_content(after));
    std::erase_if(postprocessing_, is_saver);
  }
  for (const Value& t : postprocessing_) {
    activates_ = activates_ || is_named(t, {"Activations", "Activationsd"});
    inverts_ = inverts_ || is_named(t, {"Invert", "Invertd"});
    discretizes_ = discretizes_ || is_named(t, {"AsDiscrete", "AsDiscreted"});
  }
  find_stream(after.empty() ? Value() : config.get_parsed_content(after, describe));
  if (!inverts_)
    postprocessing_.push_back(
        make("Invertd", {{"keys", pred_key_}, {"transform", Value()}, {"orig_keys", image_key_}, {"nearest_interp", discretizes_}}));
  if (labels_at_ && !discretizes_) labels_at_ = postprocessing_.size();

  const std::string inferer = first_of(config, {argument("inferer"), "inferer"});
  inferer_ = inferer.empty() ? std::make_shared<SimpleInferer>() : config.object<Inferer>(inferer);
  const WeightsPlace place = find_weights(config, facts_.folder);
  weights_ = place.file;
  network_ = load_network(place, [&]() -> Value {
    const std::string id = first_of(config, {argument("network"), "network", "network_def"});
    if (id.empty()) throw Error(ErrorKind::config, "no network: neither an evaluator's nor the ids 'network' and 'network_def'");
    return config.get_parsed_content(id);
  });
  if (options.device != "auto" && network_.is_object())
    if (const auto to = network_.as_object()->attribute("to")) network_ = call_value(*to, {{Value(options.device)}, {}});
  choose_precision(options.precision, config.contains(argument("amp")) ? config.get_parsed_content(argument("amp")) : Value());
}

void Segmenter::choose_precision(const std::string& asked, const Value& amp) {
  if (asked != "auto" && asked != "fp32" && asked != "bf16") throw Error(ErrorKind::usage, "precision " + asked + ": want auto, fp32 or bf16");
  if (asked == "bf16" && !kernels::has_bf16())
    throw Error(ErrorKind::unsupported, "precision bf16: this processor has no bfloat16 instructions; auto and fp32 run everywhere");
  bf16_ = asked == "bf16" || (asked == "auto" && amp == Value(true) && kernels::has_bf16());
  if (const auto predictor = network_.object<engine::Predictor>()) predictor->set_bf16(bf16_);
}

void Segmenter::study_postprocessing(const Value& described) {
  if (!described.is_dict() && !described.is_sequence()) reads_image_ = true;
  for_each_described(described, [&](const std::string& name, const Dict& arguments) {
    const auto keys = keys_of(arguments);
    if (keys.empty() || std::find(keys.begin(), keys.end(), image_key_) != keys.end()) reads_image_ = true;
    if (name == "SaveImaged" && !keys.empty()) {
      pred_key_ = keys[0];
      if (const Value* type = arguments.find("output_dtype")) saved_type_ = transforms::dtype_argument(*type);
    }
  });
}

/// Labels can be made in pieces if nothing but activations and the way back to the scan's grid comes before them, as far as can be seen.
void Segmenter::find_stream(const Value& described) {
  std::vector<std::pair<std::string, Dict>> steps;
  for_each_described(described, [&](const std::string& name, const Dict& arguments) {
    if (name != "SaveImage" && name != "SaveImaged") steps.emplace_back(name, arguments);
  });
  if (steps.size() != postprocessing_.size()) return;
  const auto says = [](const Dict& arguments, const char* name) {
    const Value* v = arguments.find(name);
    return v && !v->is_none() && *v != Value(false);
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& [name, arguments] = steps[i];
    if (name != postprocessing_[i].type_name()) return;
    if (name == "AsDiscreted") {
      const Value* threshold = arguments.find("threshold");
      const bool labels = says(arguments, "argmax") || (threshold && !threshold->is_none());
      if (keys_of(arguments) != std::vector{pred_key_} || !labels || says(arguments, "to_onehot") || says(arguments, "rounding")) return;
      if (arguments.contains("dim") || arguments.contains("keepdim")) return;
      labels_at_ = i;
      return;
    }
    if (name == "Activationsd" ? says(arguments, "other") || arguments.contains("dim") : name != "Invertd" || says(arguments, "post_func")) return;
  }
  labels_at_ = steps.size();
}

std::map<std::int64_t, std::string> Segmenter::label_names(std::int64_t channels) const {
  const auto& names = facts_.output_channels;
  if (facts_.has_background() || channels == static_cast<std::int64_t>(names.size())) {
    if (channels == 1 && !facts_.has_background() && names.size() == 1) return {{1, names.begin()->second}};
    return names;
  }
  return {};
}

PreparedScan Segmenter::prepare(const fs::path& scan) const {
  if (scan == first_ && first_scan_.valid()) return first_scan_.get();
  MemoryWatch memory;
  const std::uint64_t before = memory.most();
  PreparedScan out = prepared(scan);
  out.memory = memory.most() - before;
  if (const auto limit = memory_limit(); limit && memory.most() > *limit)
    throw Error(ErrorKind::memory, "reading and preparing it took " + bytes_text(memory.most()) + ", " + bytes_text(*limit) + " are allowed");
  return out;
}

PreparedScan Segmenter::prepared(const fs::path& scan) const {
  PreparedScan out;
  out.item[image_key_] = scan.string();
  Stopwatch watch;
  for (const Value& t : preprocessing_) {
    const Value next = apply(t, Value(std::move(out.item)));
    if (!next.is_dict()) throw Error(ErrorKind::unsupported, "the preprocessing gives " + next.type_name() + " instead of one item");
    out.item = next.as_dict();
    (is_named(t, {"LoadImage", "LoadImaged"}) ? out.times.read : out.times.preprocess) += watch.lap();
  }
  const auto image = out.item.at(image_key_).object<image::Image>();
  if (!image) throw Error(ErrorKind::unsupported, "the preprocessing leaves no image under '" + image_key_ + "'");
  out.affine = image->trail.empty() ? image->affine : image->trail.front()->input_affine();
  out.shape = image->trail.empty() ? transforms::spatial_shape(*image) : image->trail.front()->input_shape();
  const auto axes = static_cast<int>(image->shape().size()) - 1;
  if (axes < facts_.spatial_axes)
    throw Error(ErrorKind::shape,
                "the network wants images of " + std::to_string(facts_.spatial_axes) + " axes, this one has " + std::to_string(axes));
  const auto wanted = static_cast<std::int64_t>(facts_.input_channels.size());
  if (wanted > 0 && image->shape()[0] != wanted) {
    std::string names;
    for (const auto& [channel, name] : facts_.input_channels) names += (names.empty() ? "" : ", ") + name;
    throw Error(ErrorKind::shape,
                "the network wants " + std::to_string(wanted) + " channels (" + names + "), the scan has " + std::to_string(image->shape()[0]));
  }
  return out;
}

bool Segmenter::streamed(Dict& item, const image::Image& image, Segmentation& out, const PlannedStream::Options& options) const {
  if (!labels_at_) return false;
  Dict rest = item;
  if (!reads_image_) rest[image_key_] = image::to_value(without_voxels(image));
  LabelStream::Steps steps{pred_key_, {postprocessing_.begin(), postprocessing_.begin() + static_cast<std::ptrdiff_t>(*labels_at_)}, {}};
  const bool own = *labels_at_ == postprocessing_.size();
  steps.discretize = [&](std::int64_t channels) { return own ? discretizer(channels) : postprocessing_[*labels_at_]; };
  LabelStream stream(std::move(rest), image, std::move(steps));
  PlannedStream planned(stream, options);
  if (!inferer_->stream(image.array().unsqueeze(0), forward_of(network_), planned)) return false;
  item = stream.result();
  out.forecast = planned.forecast();
  out.times.postprocess = stream.seconds();
  return true;
}

/// Leaves the network's output or the labels made of it in the item; returns the first step of the postprocessing that is left to do.
std::size_t Segmenter::network(Dict& item, Segmentation& out, const PlannedStream::Options& options) const {
  Stopwatch watch;
  std::size_t next = 0;
  {
    const auto image = item.at(image_key_).object<image::Image>();
    if (streamed(item, *image, out, options)) {
      next = *labels_at_ + 1;
    } else {
      if (options.told) options.told({});
      const Outputs outputs = inferer_->infer(image->array().unsqueeze(0), forward_of(network_));
      if (outputs.arrays.empty()) throw Error(ErrorKind::shape, "the network gives nothing");
      item[pred_key_] = image::to_value(image->with(outputs.arrays[0].select(0, 0)));
      if (!reads_image_) item[image_key_] = image::to_value(without_voxels(*image));
    }
  }
  if (const auto predictor = network_.object<engine::Predictor>()) predictor->rest();
  out.times.network = watch.lap() - out.times.postprocess;
  return next;
}

Segmentation Segmenter::finish(PreparedScan scan, const PlannedStream::Options& options) const {
  Segmentation out;
  out.times = scan.times;
  Dict& item = scan.item;
  const std::size_t next = network(item, out, options);
  Stopwatch watch;
  postprocess(item, next);
  const auto result = item.at(pred_key_).object<image::Image>();
  if (!result) throw Error(ErrorKind::config, "the postprocessing leaves no image under '" + pred_key_ + "' but " + item.at(pred_key_).type_name());
  out.mask = result->with(label_array(*result, saved_type_));
  out.times.postprocess += watch.lap();
  if (transforms::spatial_shape(out.mask) != scan.shape || image::max_difference(out.mask.affine, scan.affine) > 1e-3)
    throw Error(ErrorKind::geometry, "the result is on a grid of " + to_string(transforms::spatial_shape(out.mask)) + " voxels, the scan on " +
                                         to_string(scan.shape) + ": the bundle's postprocessing leads nowhere near the scan");
  return out;
}

/// Step `first` and those after it; labels where the bundle makes none. One past the last step: those are there.
void Segmenter::postprocess(Dict& item, std::size_t first) const {
  for (std::size_t i = first; i < postprocessing_.size(); ++i) {
    const Value next = with_context("postprocessing", [&] { return apply(postprocessing_[i], Value(std::move(item))); });
    if (!next.is_dict()) throw Error(ErrorKind::unsupported, "the postprocessing gives " + next.type_name() + " instead of one item");
    item = next.as_dict();
  }
  if (discretizes_ || first > postprocessing_.size()) return;
  const auto pred = image::image_of(item.at(pred_key_));
  if (is_floating(pred.dtype())) item = apply(discretizer(pred.shape()[0]), Value(std::move(item))).as_dict();
}

/// Channels that exclude each other compete; a lone channel and overlapping ones are each asked whether they are likelier than not.
Value Segmenter::discretizer(std::int64_t channels) const {
  std::vector<std::pair<std::string, Value>> how{{"keys", pred_key_}};
  if (channels > 1 && (facts_.has_background() || facts_.output_channels.empty())) how.emplace_back("argmax", true);
  else how.emplace_back("threshold", activates_ ? 0.5 : 0.0);
  return make("AsDiscreted", std::move(how));
}

}  // namespace vesal::infer
