// The pipeline of the model zoo's spleen_ct_segmentation 0.5.9 on a real CT, against MONAI's own run (data/make_spleen_golden.py): the same
// transforms and arguments, the full-size network with weights by rule.
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "base/registry.h"
#include "bundle/checkpoint.h"
#include "bundle/config.h"
#include "cli/program.h"
#include "engine/predictor.h"
#include "image/formats.h"
#include "paths.h"
#include "rule_weights.h"
#include "transforms/transform.h"

namespace vesal::tests {
namespace {

namespace fs = std::filesystem;

const char* const kConfig = R"json({
  "image_key": "image",
  "bundle_root": ".",
  "network_def": {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [16, 32, 64, 128, 256],
                  "strides": [2, 2, 2, 2], "num_res_units": 2, "norm": "batch"},
  "network": "$@network_def.to('cpu')",
  "preprocessing": {"_target_": "Compose", "transforms": [
    {"_target_": "LoadImaged", "keys": "@image_key"},
    {"_target_": "EnsureChannelFirstd", "keys": "@image_key"},
    {"_target_": "Orientationd", "keys": "@image_key", "axcodes": "RAS"},
    {"_target_": "Spacingd", "keys": "@image_key", "pixdim": [1.5, 1.5, 2.0], "mode": "bilinear"},
    {"_target_": "ScaleIntensityRanged", "keys": "@image_key", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": true},
    {"_target_": "EnsureTyped", "keys": "@image_key"}]},
  "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [96, 96, 96], "sw_batch_size": 4, "overlap": 0.5},
  "postprocessing": {"_target_": "Compose", "transforms": [
    {"_target_": "Activationsd", "keys": "pred", "softmax": true},
    {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "@image_key", "nearest_interp": false, "to_tensor": true},
    {"_target_": "AsDiscreted", "keys": "pred", "argmax": true}]}
})json";
const char* const kMetadata = R"json({"name": "golden", "version": "1", "network_data_format": {"outputs": {"pred": {
  "channel_def": {"0": "background", "1": "spleen"}}}}})json";

/// The largest difference between `array` and the samples.
double deviation(const Array& array, const Dict& samples) {
  const auto& shape = samples.at("shape").items();
  EXPECT_EQ(static_cast<std::size_t>(array.dim()), shape.size());
  for (int i = 0; i < array.dim(); ++i) EXPECT_EQ(array.size(i), shape[static_cast<std::size_t>(i)].as_int());
  const Array flat = array.to(DType::f32).contiguous();
  double worst = 0;
  const auto &at = samples.at("at").items(), &value = samples.at("value").items();
  for (std::size_t i = 0; i < at.size(); ++i) worst = std::max(worst, std::fabs(flat.data<float>()[at[i].as_int()] - value[i].as_float()));
  return worst;
}

TEST(SpleenGolden, AgreesWithMonai) {
  SKIP_WITHOUT_SHARED("ct_3mm/ct.nii.gz");
  const fs::path scan = shared("ct_3mm/ct.nii.gz");
  const Value golden = parse_json(read_text(data("cli/data/spleen_golden.json")));
  const TempDir dir;
  const fs::path folder = dir / "bundle";
  write_file(folder / "configs/inference.json", kConfig);
  write_file(folder / "configs/metadata.json", kMetadata);

  bundle::ConfigParser config;
  config.read_config({folder / "configs/inference.json"});
  const Value network = config.get_parsed_content("network");
  auto& stateful = dynamic_cast<bundle::Stateful&>(*network.as_object());
  fill_by_rule(stateful);
  bundle::StateDict state = stateful.state_dict();
  for (auto& [name, array] : state)
    if (name == "model.2.1.conv.unit0.conv.bias") array.data<float>()[1] -= 2.5f;
  stateful.load_state_dict(state, true);
  bundle::write_state_dict(folder / "models/model.pt", state);

  const Value item = transforms::apply(config.get_parsed_content("preprocessing"), Value(Dict{{"image", scan.string()}}));
  const image::Image image = image::image_of(item.as_dict().at("image"));
  EXPECT_LT(deviation(image.array(), golden.as_dict().at("image").as_dict()), 1e-4);
  const auto& rows = golden.as_dict().at("affine").items();
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) EXPECT_NEAR(image.affine(r, c), rows[r].items()[c].as_float(), 1e-6) << r << ", " << c;

  Array window = image.array();
  for (int i = 0; i < 3; ++i) {
    const std::int64_t start = golden.as_dict().at("start").items()[i].as_int();
    window = window.slice(i + 1, start, start + 96);
  }
  const Array logits = network.object<engine::Predictor>()->predict({window.contiguous().unsqueeze(0)}).at(0).select(0, 0);
  EXPECT_LT(deviation(logits, golden.as_dict().at("logits").as_dict()), 1e-4);

  const fs::path mask_file = dir / "mask.nii.gz";
  const ProgramResult r = run_program({"segment", scan.string(), "-o", mask_file.string(), "--bundle", folder.string()});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const image::Image mask = image::read_image(mask_file), original = image::read_image(scan);
  ASSERT_EQ(mask.shape(), original.shape());
  EXPECT_LT(image::max_difference(mask.affine, original.affine), 1e-5);
  const Array expected = image::read_image(data("cli/data/spleen_golden.nii.gz")).array().contiguous();
  const Array found =
      mask.array().slice(0, 0, mask.array().size(0), 2).slice(1, 0, mask.array().size(1), 2).slice(2, 0, mask.array().size(2), 2).contiguous();
  ASSERT_EQ(found.shape(), expected.shape());
  std::int64_t differ = 0, foreground = 0;
  for (std::int64_t i = 0; i < found.numel(); ++i) {
    differ += found.data<std::uint8_t>()[i] != expected.data<std::uint8_t>()[i];
    foreground += expected.data<std::uint8_t>()[i];
  }
  EXPECT_GT(foreground, found.numel() / 20);
  EXPECT_LT(foreground, found.numel() * 2 / 5);
  EXPECT_LE(differ, found.numel() / 10000);
  RecordProperty("voxels_that_differ", static_cast<int>(differ));
}

}  // namespace
}  // namespace vesal::tests
