#include "cli/tiny_bundle.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "bundle/network_writer.h"
#include "rule_weights.h"

namespace vesal::tests {
namespace {

Value list_of(std::initializer_list<std::int64_t> numbers) {
  List list;
  for (const std::int64_t n : numbers) list.items.emplace_back(n);
  return list;
}

}  // namespace

void write_tiny_bundle(const std::filesystem::path& folder, const TinyBundle& what) {
  const auto classes = static_cast<std::int64_t>(what.channels.size());
  const Dict network{{"_target_", "UNet"},          {"spatial_dims", 3},       {"in_channels", 1},  {"out_channels", classes},
                     {"channels", list_of({4, 8})}, {"strides", list_of({2})}, {"num_res_units", 1}};
  write_file(folder / "configs/inference.json", fmt::format(R"json({{
  "bundle_root": ".",
  "output_dir": "$@bundle_root + '/eval'",
  "network_def": {},
  "network": "@network_def",
  "preprocessing": {{"_target_": "Compose", "transforms": [{}]}},
  "dataset": {{"_target_": "Dataset", "data": "$[]", "transform": "@preprocessing"}},
  "dataloader": {{"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1}},
  "inferer": {{"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16], "sw_batch_size": 4, "overlap": 0.25}},
  "postprocessing": {{"_target_": "Compose", "transforms": [{}]}},
  "evaluator": {{"_target_": "SupervisedEvaluator", "device": "cpu", "val_data_loader": "@dataloader", "network": "@network",
                "inferer": "@inferer", "postprocessing": "@postprocessing"}},
  "checkpointloader": {{"_target_": "CheckpointLoader", "load_path": "$@bundle_root + '/models/model.pt'", "load_dict": {{"model": "@network"}}}},
  "run": ["$@evaluator.run()"]
}})json",
                                                            to_json(network, -1), what.preprocessing, what.postprocessing));
  Dict channels;
  for (std::size_t i = 0; i < what.channels.size(); ++i) channels[std::to_string(i)] = what.channels[i];
  const Dict output{{"num_channels", classes}, {"channel_def", channels}};
  const Dict input{{"num_channels", 1}, {"spatial_shape", list_of({16, 16, 16})}, {"channel_def", Dict{{"0", "image"}}}};
  const Dict format{{"inputs", Dict{{"image", input}}}, {"outputs", Dict{{"pred", output}}}};
  write_file(folder / "configs/metadata.json",
             to_json(Dict{
                 {"name", "tiny"}, {"version", "1.2.3"}, {"task", "a test"}, {"intended_use", what.intended_use}, {"network_data_format", format}}));
  if (what.weights.empty()) return;
  CallArgs arguments;
  for (const auto& [key, value] : network)
    if (key != Value("_target_")) arguments.named.emplace_back(key.as_string(), value);
  const Value made = construct(components::get("UNet"), arguments);
  auto& stateful = dynamic_cast<bundle::Stateful&>(*made.as_object());
  fill_by_rule(stateful);
  bundle::write_network({made, folder / "models" / what.weights, {1, 1, 16, 16, 16}, {}});
}

}  // namespace vesal::tests
