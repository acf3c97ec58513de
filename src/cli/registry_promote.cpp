// vesal registry promote and rollback: another champion, by a person's decision.
#include "cli/registry_command.h"

namespace vesal::cli {
namespace {

struct Options {
  std::filesystem::path registry;
  std::string model, version, why;
};

const RegisterCommand promote({
    "registry promote",
    "Make a version the champion",
    "  vesal registry promote spleen 0.1.3 --why \"checked by Dr. Lan\"\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("MODEL", o->model, "Name of the model")->required();
      app.add_option("VERSION", o->version, "Its new champion")->required();
      app.add_option("--why", o->why, "Reason, for the journal");
      add_registry_option(app, o->registry);
      return [o] {
        const tune::Model model = open_model(o->registry, o->model);
        show_decision(model, model.promote(o->version, o->why, program()));
        return 0;
      };
    },
});

const RegisterCommand rollback({
    "registry rollback",
    "Make the champion before the present one the champion again",
    "  vesal registry rollback spleen --why \"misses small spleens\"\n"
    "\n"
    "Cases that only the present champion was trained on leave the pool with it.",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("MODEL", o->model, "Name of the model")->required();
      app.add_option("--why", o->why, "Reason, for the journal");
      add_registry_option(app, o->registry);
      return [o] {
        const tune::Model model = open_model(o->registry, o->model);
        show_decision(model, model.rollback(o->why, program()));
        return 0;
      };
    },
});

}  // namespace
}  // namespace vesal::cli
