// vesal dicom jobs, vesal dicom retry: what a node has made, owes, and could not do.
#include <fmt/format.h>

#include <ctime>

#include "base/json.h"
#include "cli/command.h"
#include "dicom/object_store.h"

namespace vesal::cli {
namespace {

std::string text_of(dicom::Time time) {
  const std::time_t seconds = time / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

int list_jobs(const std::filesystem::path& store, const std::string& state) {
  dicom::Journal journal(dicom::journal_file(store));
  List list;
  for (const dicom::JobRow& job : journal.jobs()) {
    if (!state.empty() && job.state != state) continue;
    const auto sendings = journal.sendings(job.id);
    const auto sent = std::count_if(sendings.begin(), sendings.end(), [](const dicom::SendingRow& s) { return s.state == "sent"; });
    List parts;
    for (const dicom::SendingRow& s : sendings)
      parts.items.push_back(Dict{{"object", s.result.sop}, {"to", s.peer}, {"state", s.state}, {"attempts", s.attempts}, {"error", s.error}});
    list.items.push_back(Dict{{"job", job.id},
                              {"rule", job.rule},
                              {"study", job.study},
                              {"series", job.series},
                              {"state", job.state},
                              {"error", job.error},
                              {"attempts", job.attempts},
                              {"interruptions", job.interruptions},
                              {"created", text_of(job.created)},
                              {"changed", text_of(job.changed)},
                              {"next_attempt", job.next_at ? Value(text_of(job.next_at)) : Value()},
                              {"sendings", parts}});
    if (!globals().json)
      fmt::print("{:>5}  {:<10} {:<16} study {}  {}  {} of {} sent{}\n", job.id, job.state, job.rule, dicom::name_of_uid(job.study),
                 text_of(job.changed), sent, sendings.size(), job.error.empty() ? "" : "  " + job.error);
  }
  if (globals().json) fmt::print("{}\n", to_json(list));
  else if (list.items.empty()) fmt::print("no jobs{}\n", state.empty() ? "" : " that are " + state);
  return 0;
}

const RegisterCommand jobs_command({
    "dicom jobs",
    "List the jobs of a DICOM node, their results and what was sent",
    "  vesal dicom jobs --store /var/lib/vesal\n"
    "  vesal dicom jobs --store /var/lib/vesal --state failed --json\n",
    [](CLI::App& app) -> std::function<int()> {
      auto store = std::make_shared<std::filesystem::path>();
      auto state = std::make_shared<std::string>();
      app.add_option("--store", *store, "Folder of the node")->required();
      app.add_option("--state", *state, "Only these")->check(CLI::IsMember({"queued", "running", "sending", "done", "failed", "superseded"}));
      return [=] { return list_jobs(*store, *state); };
    },
});

const RegisterCommand retry_command({
    "dicom retry",
    "Try jobs of a DICOM node again that failed or wait; the node may be running",
    "  vesal dicom retry 12 13 --store /var/lib/vesal\n",
    [](CLI::App& app) -> std::function<int()> {
      auto store = std::make_shared<std::filesystem::path>();
      auto jobs = std::make_shared<std::vector<std::int64_t>>();
      app.add_option("JOBS", *jobs, "Numbers that `vesal dicom jobs` shows")->required();
      app.add_option("--store", *store, "Folder of the node")->required();
      return [=] {
        dicom::Journal journal(dicom::journal_file(*store));
        for (const std::int64_t job : *jobs) journal.retry(job);
        return 0;
      };
    },
});

}  // namespace
}  // namespace vesal::cli
