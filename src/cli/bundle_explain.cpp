// vesal bundle explain: how the engine runs a bundle's network.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/random.h"
#include "base/registry.h"
#include "bundle/expr_eval.h"
#include "cli/config_options.h"
#include "cli/network_format.h"
#include "cli/network_table.h"
#include "engine/predictor.h"

namespace vesal::cli {
namespace {

struct Options {
  std::string net_id, shape, rounds = "3";
};

Array random_input(const Shape& shape) {
  Array input = Array::empty(shape, DType::f32);
  Random random(0);
  for (float* p = input.data<float>(); p != input.data<float>() + input.numel(); ++p) *p = static_cast<float>(random.uniform());
  return input;
}

/// The whole numbers of "3" or "[1, 96, 96, 96]".
Shape whole_numbers(const std::string& option, const std::string& text) {
  const auto value = bundle::expr::literal(text);
  Shape out;
  if (value && value->is_int()) out.push_back(value->as_int());
  if (value && value->is_sequence())
    for (const Value& item : value->items())
      if (item.is_int()) out.push_back(item.as_int());
  const std::size_t wanted = value && value->is_sequence() ? value->items().size() : 1;
  if (out.empty() || out.size() != wanted || *std::min_element(out.begin(), out.end()) < 1)
    throw Error(ErrorKind::usage, "--" + option + " " + text + ": positive whole numbers are wanted");
  return out;
}

Shape input_shape(const bundle::ConfigParser& parser, const std::string& text) {
  if (text.empty()) return network_format(parser).input_shape({});
  Shape shape = whole_numbers("shape", text);
  if (shape.size() < 2) throw Error(ErrorKind::usage, "--shape " + text + ": want [C, spatial...]");
  shape.insert(shape.begin(), 1);
  return shape;
}

int explain(ConfigOptions& config, Options o) {
  const auto words = config.words();
  if (words.size() > 1) throw Error(ErrorKind::usage, "unexpected '" + words[1] + "'");
  if (o.net_id.empty()) o.net_id = words.empty() ? "network_def" : words[0];
  const std::int64_t rounds = whole_numbers("rounds", o.rounds)[0];
  bundle::ConfigParser parser = config.parser();
  const Array input = random_input(input_shape(parser, o.shape));
  const Value network = parser.get_parsed_content(o.net_id);
  const auto predictor = network.object<engine::Predictor>();
  if (!predictor) throw Error(ErrorKind::config, o.net_id + " is " + network.type_name() + ", which is no network");
  with_context("running " + o.net_id + " on " + to_string(input.shape()), [&] {
    predictor->predict({input});
    predictor->set_profiling(true);
    for (std::int64_t i = 0; i < rounds; ++i) predictor->predict({input});
  });
  if (globals().json) fmt::print("{}\n", to_json(predictor->runs()));
  else fmt::print("{}", network_table(predictor->runs()));
  return 0;
}

const RegisterCommand command({
    "bundle explain",
    "Show how a network runs: fused steps with GFLOP, MB and milliseconds, and what goes through libtorch and why",
    "  vesal bundle explain --config_file configs/inference.json\n"
    "  vesal bundle explain network_def --config_file configs/inference.json --shape \"[1, 96, 96, 96]\" --rounds 10\n"
    "  vesal --json bundle explain --config_file configs/inference.json\n"
    "\n"
    "Weights are not read: what the steps take does not depend on them. The shape is the metadata's where none is given.\n",
    [](CLI::App& app) -> std::function<int()> {
      auto config = std::make_shared<ConfigOptions>(app);
      auto o = std::make_shared<Options>();
      config->add("net_id", o->net_id, "Id of the network; may stand without --net_id (default: network_def)");
      config->add("shape", o->shape, "The input [C, spatial...] of one sample");
      config->add("rounds", o->rounds, "Runs to measure after a first one (default: 3)");
      return [config, o] { return explain(*config, *o); };
    },
});

}  // namespace
}  // namespace vesal::cli
