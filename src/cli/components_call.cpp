// vesal components call: tries one network, loss, metric or array transform on arrays, from the shell.
#include <fmt/format.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/registry.h"
#include "bundle/checkpoint.h"
#include "bundle/config.h"
#include "bundle/expr_array.h"
#include "bundle/expr_runtime.h"
#include "cli/command.h"
#include "cli/component_spec.h"
#include "cli/paths.h"
#include "image/image.h"
#include "image/npy.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string component;
  std::vector<std::string> inputs;
  std::string weights, output;
};

bool holds_array(const Value& v) { return bundle::expr::is_arrayish(v); }

/// Arrays as nested lists where they are small, else as their shape.
Value printable(const Value& v) {
  if (v.is_sequence()) {
    List list;
    for (const Value& item : v.items()) list.items.push_back(printable(item));
    return list;
  }
  if (v.is_dict()) {
    Dict dict;
    for (const auto& [key, value] : v.as_dict()) dict[key] = printable(value);
    return dict;
  }
  if (!holds_array(v)) return v;
  const Array a = image::array_of(v);
  if (a.numel() <= 64) return bundle::expr::array_to_list(a);
  return fmt::format("{} {}; give -o FILE.npy to keep it", name_of(a.dtype()), to_string(a.shape()));
}

void write(const Value& result, const fs::path& path) {
  const std::vector<Value> results = result.is_sequence() ? result.items() : std::vector<Value>{result};
  for (std::size_t i = 0; i < results.size(); ++i) {
    Value v = results[i];
    if (v.is_number()) v = bundle::expr::array_from(v, false);
    if (!holds_array(v)) throw Error(ErrorKind::usage, "the result is a " + v.type_name() + ", not an array; leave -o out to see it");
    const fs::path file = numbered(path, i);
    image::write_npy(file, image::array_of(v).contiguous());
    log::info("{}: {} {}", file.string(), name_of(image::array_of(v).dtype()), to_string(image::array_of(v).shape()));
  }
}

int call(const Options& o) {
  bundle::ConfigParser parser(Dict{{"component", component_spec(o.component)}});
  const Value object = parser.get_parsed_content("component");
  if (!object.is_object()) throw Error(ErrorKind::usage, "that is a " + object.type_name() + ", not a component; it needs a \"_target_\"");
  if (!o.weights.empty()) {
    const auto stateful = object.object<bundle::Stateful>();
    if (!stateful) throw Error(ErrorKind::usage, "--weights: a " + object.type_name() + " has no weights");
    with_context(o.weights, [&] { stateful->load_state_dict(bundle::read_state_dict(o.weights), true); });
  } else if (object.object<bundle::Stateful>()) {
    log::warning("the weights are random; --weights FILE loads some");
  }
  CallArgs args;
  for (const std::string& input : o.inputs) args.positional.emplace_back(image::read_npy(input));
  Value result = with_context(object.type_name(), [&] { return call_value(object, args); });
  if (const auto aggregate = object.as_object()->attribute("aggregate")) result = call_value(*aggregate, {});
  if (!o.output.empty()) write(result, o.output);
  else fmt::print("{}\n", to_json(printable(result), -1));
  return 0;
}

const RegisterCommand command({
    "components call",
    "Call one network, loss, metric or array transform on .npy arrays",
    "  vesal components call '{\"_target_\": \"DiceCELoss\", \"softmax\": true, \"to_onehot_y\": true}' --input logits.npy --input labels.npy\n"
    "  vesal components call '{\"_target_\": \"ScaleIntensity\"}' --input image.npy -o scaled.npy\n"
    "  vesal components call network.json --weights model.pt --input x.npy -o y.npy\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("COMPONENT", o->component, "A component as a configuration has it, its bare name, or a .json or .yaml file of it")->required();
      app.add_option("-i,--input", o->inputs, "An array, .npy; once for each argument of the call")->allow_extra_args(false);
      app.add_option("--weights", o->weights, "Checkpoint for a network (default: random weights)");
      app.add_option("-o,--output", o->output, "Write the result here as .npy (further ones as FILE.1.npy, ...) instead of printing it");
      return [o] { return call(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
