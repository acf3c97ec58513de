// vesal bundle ckpt_export: a checkpoint as a TorchScript archive, or as another kind of checkpoint.
#include <fmt/format.h>

#include <filesystem>

#include "base/json.h"
#include "bundle/expr_eval.h"
#include "bundle/network_writer.h"
#include "cli/config_options.h"
#include "cli/network_format.h"
#include "infer/bundle_weights.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string net_id, filepath, ckpt_file, key_in_ckpt, input_shape, use_trace;
};

Shape shape_of(const std::string& text) {
  const auto value = bundle::expr::literal(text);
  if (!value || !value->is_sequence()) throw Error(ErrorKind::usage, "--input_shape " + text + ": a list such as [1,1,96,96,96] is wanted");
  Shape shape;
  for (const Value& extent : value->items()) shape.push_back(extent.as_int());
  for (std::int64_t extent : shape)
    if (extent < 1) throw Error(ErrorKind::usage, "--input_shape " + text + ": extents start at 1");
  return shape;
}

int ckpt_export(ConfigOptions& config, Options o) {
  const auto words = config.words();
  if (words.size() > 1) throw Error(ErrorKind::usage, "unexpected '" + words[1] + "'");
  if (o.net_id.empty()) o.net_id = words.empty() ? "network_def" : words[0];
  bundle::ConfigParser parser = config.parser();
  const fs::path root = parser.get_parsed_content("bundle_root", {.fallback = Value(".")}).str();
  const fs::path checkpoint = o.ckpt_file.empty() ? root / "models" / "model.pt" : fs::path(o.ckpt_file);
  fs::path target = o.filepath.empty() ? root / "models" / "model.ts" : fs::path(o.filepath);
  if (!target.has_extension()) target += ".ts";

  bundle::NetworkExport what;
  what.path = target;
  what.documents = export_documents(config.config_files(), parser);
  if (!o.input_shape.empty()) what.input_shape = shape_of(o.input_shape);
  else if (target.extension() == ".ts") what.input_shape = network_format(parser).input_shape({});
  what.network = infer::load_network({checkpoint, o.key_in_ckpt}, [&] { return parser.get_parsed_content(o.net_id); });
  with_context("writing " + target.string(), [&] { bundle::write_network(what); });

  if (globals().json)
    fmt::print("{}\n", to_json(Dict{{"file", target.string()}, {"bytes", fs::file_size(target)}, {"checkpoint", checkpoint.string()}}));
  else if (!globals().quiet)
    fmt::print("{}: {:.1f} MB from {}\n", target.string(), static_cast<double>(fs::file_size(target)) / 1e6, checkpoint.string());
  return 0;
}

const RegisterCommand command({
    "bundle ckpt_export",
    "Write a network with its weights as TorchScript (.ts), with the configuration and metadata inside, or as .pt or .safetensors",
    "  vesal bundle ckpt_export --config_file configs/inference.json --ckpt_file models/model.pt --filepath models/model.ts\n"
    "  vesal bundle ckpt_export network_def --config_file configs/inference.json --ckpt_file best.pt --key_in_ckpt model --filepath "
    "model.safetensors\n",
    [](CLI::App& app) -> std::function<int()> {
      auto config = std::make_shared<ConfigOptions>(app);
      auto o = std::make_shared<Options>();
      config->add("net_id", o->net_id, "Id of the network; may stand without --net_id (default: network_def)");
      config->add("filepath", o->filepath, "File to write; its extension chooses the format (default: BUNDLE_ROOT/models/model.ts)");
      config->add("ckpt_file", o->ckpt_file, "Checkpoint to read (default: BUNDLE_ROOT/models/model.pt)");
      config->add("key_in_ckpt", o->key_in_ckpt, "Entry of the checkpoint that holds the weights (default: found by itself)");
      config->add("input_shape", o->input_shape, "Shape of the trial input for .ts, [N,C,x,y,z] (default: from the metadata)");
      config->add("use_trace", o->use_trace, "Accepted for the peer's sake: a .ts is always traced");
      return [config, o] { return ckpt_export(*config, *o); };
    },
});

}  // namespace
}  // namespace vesal::cli
