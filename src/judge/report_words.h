// What the page says, in the languages it can say it in.
#pragma once
#include <string>

namespace vesal::judge {

/// {} stands for values, in the order of the English text; texts may hold HTML.
struct Words {
  const char *code, *title, *on_data;
  const char *verdict_use, *verdict_tune, *verdict_few, *verdict_none;
  const char *why_use, *why_tune, *why_few_cases, *why_straddles, *more_cases, *how_tune;
  const char *mean_dice, *interval, *gate, *cases, *failed_cases, *per_case, *seconds, *hd95, *hd95_long, *assd, *assd_long, *volume_error;
  const char *classes, *class_, *plots, *dice_plot, *dice_plot_note, *lowest, *volume_plot, *volume_plot_note, *bland_plot, *bland_plot_note,
      *size_plot, *size_plot_note;
  const char *reference_ml, *predicted_ml, *mean_ml, *difference_ml, *bias, *limits_of_agreement;
  const char *worst, *worst_note, *both, *missed, *too_much, *other_class, *planes;
  const char *all_cases, *sort_note, *case_, *dice, *reference, *predicted, *error, *not_defined;
  const char *facts, *bundle, *version, *weights, *intended, *data, *layout, *label_map, *label_map_none, *ignored, *set_aside, *command, *program,
      *made;
  const char* caveats_title;
  const char* caveats[6];
};

/// "en" or "vi"; throws Error(usage) for another.
const Words& words_for(const std::string& language);

}  // namespace vesal::judge
