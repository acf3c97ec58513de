// vesal registry report: the page of a decided increment, made again from the journal.
#include <fmt/format.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/registry_command.h"
#include "tune/increment_report.h"

namespace vesal::cli {
namespace {

struct Options {
  std::filesystem::path registry, output;
  std::string model, month;
};

int run(const Options& o) {
  const tune::Model model = open_model(o.registry, o.model);
  const tune::ModelState state = model.state();
  const tune::JournalEntry* last = nullptr;
  for (const tune::JournalEntry& e : state.journal)
    if (e.event() == "increment" && (o.month.empty() || e.text("month") == o.month)) last = &e;
  if (!last)
    throw Error(ErrorKind::not_found,
                o.month.empty() ? "model " + o.model + " has had no increment yet" : "model " + o.model + " has no increment " + o.month);
  write_file(o.output, tune::increment_page(model, state, *last));
  if (globals().json) fmt::print("{}\n", to_json(Dict{{"report", o.output.string()}, {"entry", last->number}, {"month", last->text("month")}}));
  else fmt::print("{}: entry {}, {}\n", o.output.string(), last->number, last->text("month"));
  return 0;
}

const RegisterCommand command({
    "registry report",
    "Write the page of an increment: decision, scores, history",
    "  vesal registry report spleen -o report.html               (the newest)\n"
    "  vesal registry report spleen 2026-11 -o november.html\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("MODEL", o->model, "Name of the model")->required();
      app.add_option("MONTH", o->month, "Name of the increment (default: the newest; of several decisions the last)");
      app.add_option("-o,--output", o->output, "HTML file")->required();
      add_registry_option(app, o->registry);
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
