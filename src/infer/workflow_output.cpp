// What an iteration leaves: the output of each item. And the arguments engines share.
#include "image/image.h"
#include "infer/workflow.h"

namespace vesal::infer {
namespace {

/// Part i of a batch of n; arrays as images in the place of `like`, if there is one.
Value part_of(const Value& v, std::int64_t i, std::int64_t n, const image::Image* like) {
  if (v.is_array() && v.as_array().dim() > 0 && v.as_array().size(0) == n) {
    Array voxels = v.as_array().select(0, i);
    return like ? image::to_value(like->with(std::move(voxels))) : Value(std::move(voxels));
  }
  if (v.is_dict()) {
    Dict out;
    for (const auto& [key, value] : v.as_dict()) out[key] = part_of(value, i, n, like);
    return out;
  }
  if (v.is_sequence()) {
    Tuple out;
    for (const Value& value : v.items()) out.items.push_back(part_of(value, i, n, like));
    return out;
  }
  return v;
}

}  // namespace

void Workflow::set_output(const Batch& items, const Columns& columns) {
  if (!options_.decollate) {
    Dict output;
    for (const auto& [key, value] : columns)
      if (!value.is_none()) output[key] = value;
    state_->output = std::move(output);
    return;
  }
  const auto n = static_cast<std::int64_t>(items.size());
  List output;
  for (std::int64_t i = 0; i < n; ++i) {
    const Dict* item = items[static_cast<std::size_t>(i)].is_dict() ? &items[static_cast<std::size_t>(i)].as_dict() : nullptr;
    const Value* image = item ? item->find("image") : nullptr;
    const auto like = image ? image->object<image::Image>() : nullptr;
    Dict own;
    for (const auto& [key, value] : columns) {
      if (value.is_none()) continue;
      // Without prepare_batch the network saw the item's own image and label: they keep their own place and trail.
      const Value* same = options_.prepare_batch.is_none() && item && (key == "image" || key == "label") ? item->find(key) : nullptr;
      own[key] = same ? *same : part_of(value, i, n, like.get());
    }
    output.items.push_back(std::move(own));
  }
  state_->output = std::move(output);
}

std::vector<Param> engine_params(const std::string& key_metric, const std::string& handlers) {
  return {optional("epoch_length", nullptr, "iterations of an epoch; as many as the loader has batches"),
          optional("non_blocking", false, "accepted; copies are made at once"),
          optional("prepare_batch", nullptr, "callable (batch, device, non_blocking) -> (inputs, targets[, args, kwargs])"),
          optional("iteration_update", nullptr, "callable (engine, batch) -> output that stands for the whole iteration"),
          optional("inferer", nullptr, "how the network is applied to a batch; SimpleInferer"),
          optional("postprocessing", nullptr, "transform of each item's batch and output"),
          optional(key_metric, nullptr, "{name: metric}; the first one is compared for the best model"),
          optional("additional_metrics", nullptr, "{name: metric}"),
          optional("metric_cmp_fn", nullptr, "callable (current, best) -> is better; greater is better"),
          optional(handlers, nullptr, "a list of handlers"),
          optional("amp", false, "accepted; computation stays in float32"),
          optional("event_names", nullptr, "accepted; engines have the events of ignite.engine.Events and IterationEvents"),
          optional("event_to_attr", nullptr, "accepted, see event_names"),
          optional("decollate", true, "take batches apart before postprocessing and metrics"),
          optional("to_kwargs", nullptr, "accepted; copies are made at once"),
          optional("amp_kwargs", nullptr, "accepted; computation stays in float32"),
          optional("compile", false, "accepted; networks run as they are"),
          optional("compile_kwargs", nullptr, "accepted, see compile")};
}

}  // namespace vesal::infer
