// vesal bundle forward: a network with its weights on arrays from files.
#include <fmt/format.h>

#include <filesystem>

#include "base/json.h"
#include "base/registry.h"
#include "bundle/checkpoint.h"
#include "cli/config_options.h"
#include "cli/paths.h"
#include "engine/predictor.h"
#include "image/npy.h"
#include "infer/bundle_weights.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string net_id = "network_def", weights, key, device = "cpu", output;
  std::vector<std::string> inputs;
};

int forward(ConfigOptions& config, const Options& o) {
  if (const auto words = config.words(); !words.empty()) throw Error(ErrorKind::usage, "unexpected '" + words[0] + "'");
  for (const auto& [option, value] : {std::pair{"--weights", o.weights}, {"--output", o.output}})
    if (value.empty()) throw Error(ErrorKind::usage, std::string(option) + " is missing");
  if (o.inputs.empty()) throw Error(ErrorKind::usage, "--input is missing");
  if (fs::path(o.output).extension() != ".npy") throw Error(ErrorKind::usage, o.output + ": outputs are written as .npy");
  std::vector<Array> inputs;
  for (const std::string& file : o.inputs) inputs.push_back(image::read_npy(file));

  const Value network = infer::load_network({o.weights, o.key}, [&] { return config.parser().get_parsed_content(o.net_id); });
  if (o.device != "cpu") call_value(*network.as_object()->attribute("to"), {{Value(o.device)}, {}});
  const auto predictor = network.object<engine::Predictor>();
  if (!predictor) throw Error(ErrorKind::config, o.net_id + " is " + network.type_name() + ", which is no network");
  const std::vector<Array> outputs = with_context(o.net_id, [&] { return predictor->predict(inputs); });

  const std::vector<std::string> keys = predictor->output_keys();
  List written;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const fs::path file = numbered(o.output, i);
    image::write_npy(file, outputs[i]);
    Dict facts{{"file", file.string()}, {"shape", to_string(outputs[i].shape())}, {"dtype", name_of(outputs[i].dtype())}};
    if (i < keys.size()) facts["key"] = keys[i];
    written.items.emplace_back(facts);
    if (globals().json || globals().quiet) continue;
    fmt::print("{}: {}{} {}\n", file.string(), i < keys.size() ? keys[i] + " " : "", facts.at("dtype").str(), facts.at("shape").str());
  }
  if (globals().json) fmt::print("{}\n", to_json(written));
  return 0;
}

const RegisterCommand command({
    "bundle forward",
    "Run a network with its weights on .npy arrays [N, C, spatial...]",
    "  vesal bundle forward --config_file configs/inference.json --weights models/model.pt --input x.npy -o y.npy\n"
    "  vesal bundle forward --weights models/model.ts --input x.npy --input t.npy -o y.npy    several outputs: y.npy, y.1.npy, ...\n",
    [](CLI::App& app) -> std::function<int()> {
      auto config = std::make_shared<ConfigOptions>(app);
      auto o = std::make_shared<Options>();
      config->add("net_id", o->net_id, "Id of the network in the configuration (default: network_def)");
      config->add("weights", o->weights, "Checkpoint (.pt, .safetensors), loaded strictly, or a whole network (.ts), which needs no config file");
      config->add("key", o->key, "Entry of the checkpoint that holds the weights (default: found by itself)");
      config->add("device", o->device, "cpu or cuda:N (default: cpu)");
      app.add_option("--input", o->inputs, "Input array, once per input of the network")->allow_extra_args(false);
      app.add_option("-o,--output", o->output, "Output array");
      return [config, o] { return forward(*config, *o); };
    },
});

}  // namespace
}  // namespace vesal::cli
