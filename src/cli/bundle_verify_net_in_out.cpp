// vesal bundle verify_net_in_out: does the network take and give what the metadata says.
#include <fmt/format.h>

#include "base/json.h"
#include "base/random.h"
#include "base/registry.h"
#include "bundle/expr_eval.h"
#include "cli/config_options.h"
#include "cli/network_format.h"
#include "engine/predictor.h"

namespace vesal::cli {
namespace {

struct Options {
  std::string net_id, device = "cpu", p = "1", n = "1", any = "1";
};

std::int64_t number(const std::string& option, const std::string& text) {
  const auto value = bundle::expr::literal(text);
  if (!value || !value->is_int()) throw Error(ErrorKind::usage, "--" + option + " " + text + ": a whole number is wanted");
  return value->as_int();
}

Array random_input(const Shape& shape, DType type) {
  Array input = Array::empty(shape, DType::f32);
  Random random(0);
  for (float* p = input.data<float>(); p != input.data<float>() + input.numel(); ++p) *p = static_cast<float>(random.uniform());
  return input.to(type);
}

int verify(ConfigOptions& config, Options o) {
  const auto words = config.words();
  if (words.size() > 1) throw Error(ErrorKind::usage, "unexpected '" + words[1] + "'");
  if (o.net_id.empty()) o.net_id = words.empty() ? "network_def" : words[0];
  bundle::ConfigParser parser = config.parser();
  const NetworkFormat format = network_format(parser);
  const Shape shape = format.input_shape({number("p", o.p), number("n", o.n), number("any", o.any)});

  const Value network = parser.get_parsed_content(o.net_id);
  const auto predictor = network.object<engine::Predictor>();
  if (!predictor) throw Error(ErrorKind::config, o.net_id + " is " + network.type_name() + ", which is no network");
  if (o.device != "cpu") call_value(*network.as_object()->attribute("to"), {{Value(o.device)}, {}});
  const std::string what = "verifying " + o.net_id + " on " + to_string(shape);
  const Array output = with_context(what, [&] {
    const std::vector<Array> outputs = predictor->predict({random_input(shape, format.input_dtype)});
    if (outputs.empty()) throw Error(ErrorKind::shape, "the network gives nothing");
    return outputs[0];
  });
  if (output.dim() < 2 || output.size(1) != format.output_channels)
    throw Error(ErrorKind::shape, what + ": the output is " + to_string(output.shape()) + ", the metadata says " +
                                      std::to_string(format.output_channels) + " channels (" + format.output + ")");
  // Networks compute in float32; half precision in the metadata is about a GPU.
  const bool half = format.output_dtype == DType::f16 || format.output_dtype == DType::bf16;
  if (output.dtype() != format.output_dtype && !(half && output.dtype() == DType::f32))
    throw Error(ErrorKind::shape, what + ": the output is " + std::string(name_of(output.dtype())) + ", the metadata says " +
                                      std::string(name_of(format.output_dtype)) + " (" + format.output + ")");

  const Dict facts{{"network", o.net_id},
                   {"input", to_string(shape)},
                   {"input_dtype", name_of(format.input_dtype)},
                   {"output", to_string(output.shape())},
                   {"output_dtype", name_of(output.dtype())},
                   {"verified", true}};
  if (globals().json) fmt::print("{}\n", to_json(facts));
  else if (!globals().quiet)
    fmt::print("{}: {} {} becomes {} {}, as the metadata says\n", o.net_id, format.input, to_string(shape), format.output, to_string(output.shape()));
  return 0;
}

const RegisterCommand command({
    "bundle verify_net_in_out",
    "Run a network on random input of the metadata's shape and compare channels and type of its output",
    "  vesal bundle verify_net_in_out --config_file configs/inference.json --meta_file configs/metadata.json\n"
    "  vesal bundle verify_net_in_out network_def --config_file configs/inference.json --p 4 --n 2\n",
    [](CLI::App& app) -> std::function<int()> {
      auto config = std::make_shared<ConfigOptions>(app);
      auto o = std::make_shared<Options>();
      config->add("net_id", o->net_id, "Id of the network; may stand without --net_id (default: network_def)");
      config->add("device", o->device, "cpu or cuda:N (default: cpu)");
      config->add("p", o->p, "The letter p in spatial shapes (default: 1)");
      config->add("n", o->n, "The letter n in spatial shapes (default: 1)");
      config->add("any", o->any, "The extent of \"*\" in spatial shapes (default: 1)");
      return [config, o] { return verify(*config, *o); };
    },
});

}  // namespace
}  // namespace vesal::cli
