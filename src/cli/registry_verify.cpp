// vesal registry verify: whether models are what their journals say.
#include <fmt/format.h>

#include "base/json.h"
#include "base/progress.h"
#include "cli/registry_command.h"

namespace vesal::cli {
namespace {

struct Options {
  std::filesystem::path registry;
  std::string model, head;
  bool data = false;
};

List list_of(const std::vector<std::string>& texts) {
  List list;
  for (const std::string& t : texts) list.items.emplace_back(t);
  return list;
}

int run(const Options& o) {
  if (!o.head.empty() && o.model.empty()) throw Error(ErrorKind::usage, "--head needs a MODEL: each has a journal of its own");
  const tune::Registry registry = registry_at(o.registry);
  List reports;
  bool sound = true;
  for (const std::string& name : o.model.empty() ? registry.models() : std::vector<std::string>{o.model}) {
    const tune::VerifyReport report = tune::verify(registry.model(name), o.data, o.head);
    sound = sound && report.faults.empty();
    clear_progress_line();
    reports.items.push_back(Dict{{"model", name},
                                 {"sound", report.faults.empty()},
                                 {"entries", report.entries},
                                 {"head", report.head},
                                 {"faults", list_of(report.faults)},
                                 {"notes", list_of(report.notes)}});
    if (globals().json) continue;
    for (const std::string& fault : report.faults) fmt::print("fault  {}\n", fault);
    for (const std::string& note : report.notes) fmt::print("note   {}\n", note);
    fmt::print("{}: {}, {} entries, head {}\n", name, report.faults.empty() ? "sound" : "NOT SOUND", report.entries, report.head);
  }
  if (globals().json) fmt::print("{}\n", to_json(reports));
  return sound ? 0 : error_codes(ErrorKind::refused).exit_code;
}

const RegisterCommand command({
    "registry verify",
    "Check journals, versions and objects of the registry against their hashes",
    "  vesal registry verify\n"
    "  vesal registry verify spleen --data --head 5f0c...    (a hash noted earlier)\n"
    "\n"
    "The head is the hash of the newest entry and covers all before it. Noted outside of the registry (on paper, in a mail), it shows later that\n"
    "nothing decided until then was changed. Ends with 7 if something is wrong.",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("MODEL", o->model, "Only this model");
      app.add_flag("--data", o->data, "Also the scans and labels of reference set and pool");
      app.add_option("--head", o->head, "A head noted earlier, which the journal must contain");
      add_registry_option(app, o->registry);
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
