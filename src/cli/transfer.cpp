// vesal transfer: a bundle's body with a new output layer, trained for other classes.
#include <set>

#include "cli/tune_command.h"

namespace vesal::cli {
namespace {

void check_classes(const std::vector<std::string>& classes) {
  const std::set<std::string> different(classes.begin(), classes.end());
  if (classes.size() < 2 || different.size() != classes.size() || different.contains(""))
    throw Error(ErrorKind::usage, "--classes: want at least two different names, the background first, such as background,liver");
  if (classes.size() > 1000) throw Error(ErrorKind::usage, "--classes: more than 1000");
}

const RegisterCommand command({
    "transfer",
    "Give a bundle a new output layer and train it for other classes; the result is a new bundle",
    "  vesal transfer --bundle spleen_ct_segmentation --classes background,liver --data Task03_Liver --label-map liver:liver -o liver\n"
    "  vesal transfer --bundle B --classes background,spleen,liver --data organs --label-map 1:1,5:2 --freeze encoder -o two_organs\n"
    "\n"
    "Every weight that fits is copied; what is copied learns at a tenth of the learning rate (--warm-factor). See docs/finetune.md.\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<TuneOptions>();
      app.add_option("--classes", o->tuning.classes, "Names of the new output channels, background first")->delimiter(',')->required();
      add_tune_options(app, *o);
      return [o] {
        check_classes(o->tuning.classes);
        return run_tuning(*o);
      };
    },
});

}  // namespace
}  // namespace vesal::cli
