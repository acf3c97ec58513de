#include "tune/base_bundle.h"

#include <algorithm>

#include "base/registry.h"
#include "bundle/checkpoint.h"
#include "bundle/resolver.h"
#include "infer/bundle_weights.h"
#include "infer/transform_list.h"
#include "tune/plain_config.h"

namespace vesal::tune {
namespace {

namespace fs = std::filesystem;
using bundle::ConfigParser;

constexpr const char* kDevice = "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')";
const char* const kWayOut = "; use the bundle's own training configuration instead (--recipe bundle)";

ConfigParser parser_of(const BaseBundle& base) {
  ConfigParser parser{bundle::deep_copy(base.config)};
  parser.set_folder(base.config_file.parent_path());
  parser.set("bundle_root", fs::absolute(base.facts.folder).lexically_normal().string());
  return parser;
}

/// The argument of the network as written, else the component's default.
Value argument(const BaseBundle& base, const std::string& name) {
  if (const Value* given = base.network_def.find(name)) return *given;
  for (const Param& p : components::get(base.network).params)
    if (p.name == name && p.fallback) return *p.fallback;
  throw Error(ErrorKind::unsupported, base.config_file.string() + ": the network " + base.network + " has no '" + name + "'");
}

/// Follows "network_def": "@other" to where the component itself stands.
std::string network_place(const ConfigParser& parser, const fs::path& file) {
  for (std::string id : {"network_def", "network"}) {
    for (int hops = 0; hops < 32 && parser.contains(id); ++hops) {
      const Value v = parser.get(id);
      if (bundle::is_component(v)) return id;
      if (!v.is_string() || !v.as_string().starts_with('@')) break;
      id = bundle::normalize_id(v.as_string().substr(1));
    }
  }
  throw Error(ErrorKind::unsupported, file.string() + ": neither 'network_def' nor 'network' is a component that could be trained");
}

/// Whether channels are asked one by one: what the postprocessing does with them, else what the metadata say.
bool channels_overlap(ConfigParser& parser, const bundle::BundleFacts& facts) {
  std::optional<bool> overlap;
  if (parser.contains("postprocessing")) {
    infer::for_each_described(parser.get_parsed_content("postprocessing", {.instantiate = false}),
                              [&](const std::string& name, const Dict& arguments) {
                                const auto on = [&](const char* flag) {
                                  const Value* v = arguments.find(flag);
                                  return v && v->is_bool() && v->as_bool();
                                };
                                if (name == "Activationsd" && on("softmax")) overlap = false;
                                if (name == "Activationsd" && on("sigmoid")) overlap = true;
                                if (name == "AsDiscreted" && on("argmax") && !overlap) overlap = false;
                              });
  }
  return overlap.value_or(!facts.output_channels.empty() && !facts.has_background());
}

void study_network(BaseBundle& base, ConfigParser& parser) {
  const std::string place = network_place(parser, base.config_file);
  base.network_def = plain_config(parser, place).as_dict();
  base.network = components::get(base.network_def.at("_target_").as_string()).name;
  base.out_id = place + "::out_channels";
  base.spatial_dims = cast<int>(argument(base, "spatial_dims"));
  base.in_channels = cast<std::int64_t>(argument(base, "in_channels"));
  base.out_channels = cast<std::int64_t>(argument(base, "out_channels"));
  if (base.out_channels < 1 || base.out_channels > 4096)
    throw Error(ErrorKind::config, base.config_file.string() + ": " + std::to_string(base.out_channels) + " output channels");
}

}  // namespace

BaseBundle read_base(const fs::path& folder) {
  BaseBundle base;
  base.facts = bundle::read_bundle_facts(folder);
  base.config_file = bundle::config_file(folder, "inference");
  with_context("bundle " + base.facts.name, [&] {
    base.config = bundle::resolve_macros(ConfigParser::load_config_file(base.config_file), base.config_file.parent_path());
    ConfigParser parser = parser_of(base);
    if (const Value imports = parser.get("imports", Value()); imports.is_list()) base.imports = List{imports.items()};
    const Value device = parser.get("device", Value());
    base.device = device.is_string() && device.as_string().find('@') == std::string::npos ? device.as_string() : kDevice;
    study_network(base, parser);
    base.overlapping = base.out_channels == 1 || channels_overlap(parser, base.facts);
    for (std::int64_t c = 0; c < base.out_channels; ++c) {
      const auto named = base.facts.output_channels.find(c);
      base.classes.push_back(named != base.facts.output_channels.end() ? named->second
                             : c == 0 && !base.overlapping             ? "background"
                                                                       : "class " + std::to_string(c));
    }
    const infer::WeightsPlace place = infer::find_weights(parser, folder);
    base.weights = place.file;
    base.weights_key = place.key;
  });
  return base;
}

bundle::StateDict read_weights(const BaseBundle& base) {
  return with_context("weights " + base.weights.string(), [&] {
    if (bundle::is_torchscript(base.weights))
      throw Error(ErrorKind::unsupported, "a TorchScript archive cannot be trained; the bundle needs models/model.pt or models/model.safetensors");
    return bundle::read_state_dict(base.weights, base.weights_key);
  });
}

InferenceSteps read_inference_steps(const BaseBundle& base) {
  ConfigParser parser = parser_of(base);
  InferenceSteps steps;
  const auto fail = [&](const std::string& why) { throw Error(ErrorKind::unsupported, base.config_file.string() + ": " + why + kWayOut); };
  const auto written = [&](const std::string& id) {
    if (!parser.contains(id)) fail("there is no id '" + id + "'");
    try {
      return plain_config(parser, id);
    } catch (const Error& e) { fail(e.what()); }
    return Value();
  };
  std::vector<std::string> scans;
  infer::for_each_described(written("preprocessing"), [&](const std::string& name, const Dict& arguments) {
    if (name == "LoadImaged") scans = infer::keys_of(arguments);
    if (scans.size() != 1)
      fail(scans.empty() ? "the preprocessing does not begin with LoadImaged" : "the preprocessing reads several files of a case");
    Dict step{{"_target_", name}, {"keys", "image"}};
    for (const auto& [key, value] : arguments) {
      if (key == Value("_target_")) continue;
      if (key == Value("keys")) {
        for (const std::string& k : infer::keys_of(arguments))
          if (k != scans[0]) fail("the preprocessing's " + name + " is about '" + k + "'; only '" + scans[0] + "' is read");
        continue;
      }
      const bool names_scan = value.is_string() && value.as_string() == scans[0] && key.str().ends_with("_key");
      step[key] = names_scan ? Value("image") : value;
    }
    steps.preprocessing.push_back(std::move(step));
  });
  if (steps.preprocessing.empty()) fail("'preprocessing' is no list of transforms");
  steps.inferer = parser.contains("inferer") ? written("inferer").as_dict() : Dict{{"_target_", "SimpleInferer"}};
  if (const Value* roi = steps.inferer.find("roi_size"); roi && (roi->is_number() || roi->is_sequence())) {
    steps.roi_size = cast<std::vector<std::int64_t>>(*roi);
    if (!roi->is_sequence()) steps.roi_size.assign(static_cast<std::size_t>(base.spatial_dims), steps.roi_size[0]);
  }
  return steps;
}

}  // namespace vesal::tune
