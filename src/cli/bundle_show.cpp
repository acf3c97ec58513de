// vesal bundle show: what a configuration comes to, as JSON.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/config_options.h"

namespace vesal::cli {
namespace {

int show(ConfigOptions& config, const std::string& id) {
  if (const auto words = config.words(); !words.empty()) throw Error(ErrorKind::usage, "unexpected '" + words[0] + "'; an id is given by --id");
  bundle::ConfigParser parser = config.parser();
  // Of the whole, what fails is shown in its place, so that the rest can be read; an id that was asked for must do.
  const Value shown = parser.get_parsed_content(id, {.instantiate = false, .keep_going = id.empty()});
  fmt::print("{}\n", to_json(shown));
  return 0;
}

const RegisterCommand command({
    "bundle show",
    "Print a configuration as JSON with references, macros and expressions resolved; nothing is constructed",
    "  vesal bundle show --config_file configs/inference.json\n"
    "  vesal bundle show --config_file configs/train.json,configs/evaluate.json --id validate::postprocessing\n"
    "  vesal bundle show --config_file configs/inference.json --id device --device cuda:1\n",
    [](CLI::App& app) -> std::function<int()> {
      auto config = std::make_shared<ConfigOptions>(app);
      auto id = std::make_shared<std::string>();
      config->add("id", *id, "Only this part, e.g. inferer or preprocessing::transforms::0");
      return [config, id] { return show(*config, *id); };
    },
});

}  // namespace
}  // namespace vesal::cli
