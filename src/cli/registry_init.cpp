// vesal registry init: a model's first version, its frozen reference set and its pool.
#include <fmt/format.h>

#include "base/json.h"
#include "base/progress.h"
#include "bundle/bundle_folder.h"
#include "cli/judged_data.h"
#include "cli/registry_command.h"
#include "tune/new_model.h"

namespace vesal::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kFindings = 22;  // docs/exit-codes.md

struct Options {
  fs::path registry;
  std::string model, bundle, label_map, pool_label_map, device = "auto";
  std::vector<fs::path> reference, pool;
};

int run(const Options& o) {
  const tune::Registry registry = registry_at(o.registry);
  tune::InitOptions init;
  init.name = o.model;
  init.device = o.device;
  init.bundle = bundle::find_bundle(o.bundle, bundle::bundle_roots());
  init.classes = bundle_classes(bundle::read_bundle_facts(init.bundle));
  init.reference = judge::read_cases(o.reference);
  init.reference_map = label_map_for(o.label_map, init.reference, init.classes);
  if (!o.pool.empty()) {
    init.pool = judge::read_cases(o.pool);
    init.pool_map = label_map_for(o.pool_label_map.empty() ? o.label_map : o.pool_label_map, init.pool, init.classes);
  }
  const tune::InitResult result = tune::init_model(registry, init, program());
  if (result.model) {
    show_decision(*result.model, result.model->state().journal.back());
    if (!globals().json) fmt::print("  Dice {:.4f} on {} reference cases\n", result.dice, init.reference.cases.size());
    return 0;
  }
  clear_progress_line();
  if (globals().json) fmt::print("{}\n", to_json(Dict{{"model", o.model}, {"registered", false}, {"findings", judge::to_value(result.findings)}}));
  else show_findings(result.findings);
  if (!globals().json) fmt::print("{} was not registered: the gate found errors; `vesal dataset check --fix` repairs what it can\n", o.model);
  return kFindings;
}

const RegisterCommand command({
    "registry init",
    "Register a bundle as a model, with the reference set that it is always judged on",
    "  vesal registry init spleen --bundle spleen_ct_segmentation --reference reference/\n"
    "  vesal registry init spleen --bundle ours/ --reference reference/ --pool Task09_Spleen --label-map spleen\n"
    "\n"
    "The reference set is frozen: it never trains, and its files must stay as they are. The pool is what the bundle was trained on, for replay.\n"
    "Ends with 22 if the gate finds an error in the cases. See docs/increment.md.",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<Options>();
      app.add_option("MODEL", o->model, "Its name in the registry")->required();
      app.add_option("--bundle", o->bundle, "Name or folder of the bundle")->required();
      app.add_option("--reference", o->reference, "Labelled cases that never train")->required()->allow_extra_args(false);
      app.add_option("--pool", o->pool, "Labelled cases the bundle was trained on")->allow_extra_args(false);
      app.add_option("--label-map,--labels", o->label_map, "Which labels mean which classes: spleen, 5:1, liver:liver (default: by name)");
      app.add_option("--pool-label-map", o->pool_label_map, "The same for the pool, where it differs");
      app.add_option("--device", o->device, "auto, cpu or cuda:N")->capture_default_str();
      add_registry_option(app, o->registry);
      return [o] { return run(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
