// vesal audit verify: whether the server's audit log is as it was written.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/command.h"
#include "server/audit.h"

namespace vesal::cli {
namespace {

int run(const std::filesystem::path& folder) {
  const server::AuditState state = server::verify_audit(folder);
  if (globals().json) fmt::print("{}\n", to_json(Dict{{"entries", state.entries}, {"last", state.last}}, -1));
  else fmt::print("{} entries, none changed or missing; the last one is {}\n", state.entries, state.entries ? state.last : "-");
  return 0;
}

const RegisterCommand command({
    "audit verify",
    "Check that no entry of a server's audit log was changed or taken out",
    "  vesal audit verify --data /var/lib/vesal-server\n"
    "\n"
    "Entries cut off at the end leave no trace in the log: compare the hash of the last one with what an earlier run has printed.\n",
    [](CLI::App& app) -> std::function<int()> {
      auto folder = std::make_shared<std::filesystem::path>();
      app.add_option("--data", *folder, "Folder of the server")->required();
      return [folder] { return run(*folder); };
    },
});

}  // namespace
}  // namespace vesal::cli
