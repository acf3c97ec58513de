// The program: finds the command, runs it, turns errors into one line and an exit code.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/cancel.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/plugin.h"
#include "base/progress.h"
#include "base/ranks.h"
#include "cli/command.h"
#include "cli/command_after_dashes.h"

namespace vesal::cli {
namespace {

std::vector<Command>& commands() {
  static std::vector<Command> list;
  return list;
}

const char* const kEverywhere = "Every command takes -q (quiet), -v (verbose), --json (results as JSON on standard output) and --threads N.";
const std::map<std::string, std::string> kGroups{{"audit", "The audit log of a server"},
                                                 {"bundle", "Run, show and check MONAI bundles"},
                                                 {"dataset", "Labelled cases"},
                                                 {"dicom", "DICOM files and networks"},
                                                 {"registry", "Models, their versions and every decision about them"}};

int report(const Error& e) {
  clear_progress_line();
  ranks::stop(e.kind() == ErrorKind::cancelled ? "stopped by the user" : e.what());
  const ErrorCodes& codes = error_codes(e.kind());
  std::string line = e.what();
  std::replace(line.begin(), line.end(), '\n', ' ');
  if (globals().json) fmt::print("{}\n", to_json(Dict{{"error", line}, {"kind", codes.name}, {"exit_code", codes.exit_code}}, -1));
  fmt::print(stderr, "vesal: {}\n", line);
  return codes.exit_code;
}

/// `vesal launch OPTIONS -- COMMAND`: the parser sees what stands before the dashes.
int keep_command(int argc, char** argv) {
  const auto end = argv + argc;
  const auto first = std::find_if(argv + 1, end, [](const char* word) { return *word != '-'; });
  const auto dashes = std::find_if(argv + 1, end, [](const char* word) { return std::string_view(word) == "--"; });
  if (first == end || dashes == end || std::string_view(*first) != "launch") return argc;
  command_after_dashes().assign(dashes + 1, end);
  return static_cast<int>(dashes - argv);
}

/// A command of the part that is loaded late, for the list of commands. Groups of such commands are in kGroups.
const std::pair<const char*, const char*> kLate{"serve", "Serve the page and the API: scans in, masks out, for doctors and programs"};

/// The commands of `vesal dicom` and of the server are in the part that is loaded late; others do not wait for it.
void load_commands(int argc, char** argv) {
  const auto late = [](const char* word) {
    return std::string_view(word) == "dicom" || std::string_view(word) == "audit" || word == std::string_view(kLate.first);
  };
  if (std::any_of(argv + 1, argv + argc, late)) plugin::dicom().load();
}

int run(int argc, char** argv) {
  load_commands(argc, argv);
  CLI::App app{"vesal: medical-image AI bundles, run natively. Not for diagnosis unless the bundle says so.", "vesal"};
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", "vesal " VESAL_VERSION);
  add_globals(app);

  std::function<int()> chosen;
  std::map<std::string, CLI::App*> top;
  for (const auto& [group, about] : kGroups) {  // of commands that are no command themselves
    top[group] = app.add_subcommand(group, about);
    top[group]->require_subcommand(1);
    top[group]->fallthrough();
  }
  if (plugin::dicom().pending()) commands().push_back({kLate.first, kLate.second, "", [](CLI::App&) { return std::function<int()>(); }});
  std::sort(commands().begin(), commands().end(), [](const Command& a, const Command& b) { return a.name < b.name; });
  for (const Command& command : commands()) {
    CLI::App* parent = &app;
    std::string leaf = command.name;
    if (const auto space = leaf.find(' '); space != std::string::npos) {
      const std::string group = leaf.substr(0, space);
      leaf = leaf.substr(space + 1);
      parent = top.at(group);
    }
    CLI::App* sub = parent->add_subcommand(leaf, command.summary);
    sub->fallthrough();
    if (parent == &app) top[leaf] = sub;
    sub->footer([examples = command.examples, more = command.more] {  // a part that is loaded then adds commands
      return (examples.empty() ? "" : "Examples:\n" + examples + "\n") + (more ? more() + "\n" : "") + kEverywhere;
    });
    auto runner = command.setup(*sub);
    sub->callback([&chosen, &app, sub, runner] {
      if (sub->get_subcommands().empty()) chosen = runner;
    });
  }

  try {
    app.parse(keep_command(argc, argv), argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    fmt::print(stderr, "vesal: {}\n", e.what());
    fmt::print(stderr, "Run with --help for more information.\n");
    return error_codes(ErrorKind::usage).exit_code;
  }
  set_progress_visible(!globals().quiet);
  log::set_level(globals().quiet ? log::Level::warning : globals().verbose ? log::Level::debug : log::Level::info);
  if (globals().threads > 0) set_thread_count(globals().threads);
  const int code = chosen ? chosen() : 0;
  ranks::stop();
  return code;
}

}  // namespace

std::vector<std::string>& command_after_dashes() {
  static std::vector<std::string> words;
  return words;
}

Globals& globals() {
  static Globals instance;
  return instance;
}

void add_globals(CLI::App& app) {
  app.add_flag("-q,--quiet", globals().quiet, "No progress, only warnings and errors");
  app.add_flag("-v,--verbose", globals().verbose, "Say more");
  app.add_flag("--json", globals().json, "Results as JSON on standard output");
  app.add_option("--threads", globals().threads, "Threads to use (default: all cores)")->check(CLI::Range(1, 1024));
}

RegisterCommand::RegisterCommand(Command command) { commands().push_back(std::move(command)); }

}  // namespace vesal::cli

int main(int argc, char** argv) {
#ifdef VESAL_NETWORKS
  vesal::plugin::set_library_defaults();
  vesal::plugin::networks().expect(vesal::plugin::places_of(VESAL_NETWORKS));
#endif
#ifdef VESAL_DICOM
  vesal::plugin::dicom().expect(vesal::plugin::places_of(VESAL_DICOM));
#endif
  vesal::install_cancel_handler();
  try {
    return vesal::cli::run(argc, argv);
  } catch (const vesal::Error& e) { return vesal::cli::report(e); } catch (const std::bad_alloc&) {
    return vesal::cli::report(vesal::Error(vesal::ErrorKind::memory, "out of memory"));
  } catch (const std::exception& e) { return vesal::cli::report(vesal::Error(vesal::ErrorKind::internal, e.what())); }
}
