// vesal dicom serve: a node that a PACS sends studies to.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/cancel.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "dicom/bundle_worker.h"
#include "dicom/node.h"

namespace vesal::cli {
namespace {

struct Options {
  std::filesystem::path rules, store;
  std::string aet = "VESAL", address = "127.0.0.1";
  int port = 11112;
};

/// One line an event: words for people, or a JSON object for machines.
void tell(const std::string& event, const Dict& facts) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (globals().json) {
    Dict line{{"time", dicom::now() / 1000.0}, {"event", event}};
    for (const auto& [key, value] : facts) line[key] = value;
    fmt::print("{}\n", to_json(line, -1));
    std::fflush(stdout);
    return;
  }
  std::string text = event;
  for (const auto& [key, value] : facts) text += fmt::format("  {}: {}", key.str(), value.str());
  if (facts.contains("error")) log::warning("{}", text);
  else log::info("{}", text);
}

int run(const Options& o) {
  const dicom::NodeConfig config = dicom::read_node_config(o.rules);
  if (config.rules.empty()) log::warning("{} has no rules: studies are kept, and nothing is made of them", o.rules.string());
  dicom::BundleWorker worker(config.rules);
  dicom::Node node({config, o.store, o.aet, o.address, o.port, tell}, worker);
  tell("serving", Dict{{"aet", o.aet}, {"address", o.address}, {"port", node.port()}, {"rules", config.rules.size()}, {"tls", config.tls.on}});
  while (!cancel_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  tell("stopping", Dict{});
  return 0;
}

const RegisterCommand command({
    "dicom serve",
    "Be a DICOM node: receive studies, segment them by rule, send the results",
    "  vesal dicom serve --aet VESAL --port 11112 --rules rules.yaml --store /var/lib/vesal\n"
    "  vesal dicom serve --bind 0.0.0.0 --rules rules.yaml --store /var/lib/vesal --json\n"
    "\n"
    "Listens on 127.0.0.1 unless --bind says otherwise. Ctrl-C or SIGTERM ends it; what is under way goes on at the next start.\n"
    "docs/dicom-node.md tells what stands in the rules file.\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("--rules", o->rules, "YAML file with nodes, rules and limits")->required();
      app.add_option("--store", o->store, "Folder for what is received and made")->required();
      app.add_option("--aet", o->aet, "AE title of this node")->capture_default_str();
      app.add_option("--port", o->port, "Port to listen on; 0 for a free one")->check(CLI::Range(0, 65535))->capture_default_str();
      app.add_option("--bind", o->address, "Address to listen on; 0.0.0.0 for all")->capture_default_str();
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
