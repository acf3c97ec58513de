// The curves of a training as one picture.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "image/plot.h"

namespace vesal::infer {

/// What a training left behind, over epochs. Values that are missing may be NaN.
struct Curves {
  std::string title = "";
  std::vector<image::Series> losses = {};          ///< one or several, e.g. "train loss"
  std::vector<image::Series> learning_rates = {};  ///< one per parameter group
  std::vector<image::Series> metrics = {};         ///< of the validation, e.g. "val_mean_dice"
};

/// A page of two panels: the loss with the learning rate along an axis on the right, and the metrics below.
/// The loss is drawn on a logarithmic axis where it spans more than a factor of 30, the learning rate likewise.
std::vector<image::Plot> curve_panels(const Curves& curves);
/// curve_panels to a PNG file, written to a temporary name and renamed.
void write_curves(const std::filesystem::path& path, const Curves& curves);

}  // namespace vesal::infer
