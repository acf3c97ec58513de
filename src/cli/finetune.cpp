// vesal finetune: a bundle's weights trained on with one's own cases.
#include "cli/tune_command.h"

namespace vesal::cli {
namespace {

const RegisterCommand command({
    "finetune",
    "Train a bundle on with your own labelled cases; the result is a new bundle",
    "  vesal finetune --bundle spleen_ct_segmentation --data Task09_Spleen -o spleen_ours\n"
    "  vesal finetune --bundle spleen_ct_segmentation --data ours --label-map spleen:spleen --freeze encoder --patience 3 -o spleen_ours\n"
    "  vesal finetune --bundle B --data new --replay old --replay-share 50 --validation held -o B2 --epochs 30 --augment strong\n"
    "\n"
    "Needs at least two cases, one of them for validation. `--dry-run` shows the plan. See docs/finetune.md.\n",
    [](CLI::App& app) -> std::function<int()> {
      auto o = std::make_shared<TuneOptions>();
      add_tune_options(app, *o);
      return [o] { return run_tuning(*o); };
    },
});

}  // namespace
}  // namespace vesal::cli
