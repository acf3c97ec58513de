// vesal bundle verify_metadata: checks what a bundle says about itself.
#include <fmt/format.h>

#include "base/json.h"
#include "bundle/metadata.h"
#include "cli/config_options.h"

namespace vesal::cli {
namespace {

int verify(ConfigOptions& config) {
  const auto files = config.meta_files();
  if (files.empty()) throw Error(ErrorKind::usage, "--meta_file is missing");
  bundle::ConfigParser parser;
  parser.read_meta(files);
  const auto faults = bundle::metadata_faults(parser.get("_meta_"));
  if (globals().json) fmt::print("{}\n", to_json(Dict{{"valid", faults.empty()}, {"faults", List{{faults.begin(), faults.end()}}}}));
  if (faults.empty()) {
    if (!globals().json) fmt::print("{}: the metadata are right\n", files.back().string());
    return 0;
  }
  if (!globals().json)
    for (const std::string& fault : faults) fmt::print("{}\n", fault);
  throw Error(ErrorKind::config, fmt::format("{}: {} {} in the metadata, the first: {}", files.back().string(), faults.size(),
                                             faults.size() == 1 ? "fault" : "faults", faults.front()));
}

const RegisterCommand command({
    "bundle verify_metadata",
    "Check a bundle's metadata.json against the specification; nothing is downloaded",
    "  vesal bundle verify_metadata --meta_file configs/metadata.json\n",
    [](CLI::App& app) -> std::function<int()> {
      auto config = std::make_shared<ConfigOptions>(app);
      auto ignored = std::make_shared<std::string>();
      config->add("filepath", *ignored, "Accepted and not used: where MONAI puts the schema that it downloads");
      return [config] { return verify(*config); };
    },
});

}  // namespace
}  // namespace vesal::cli
