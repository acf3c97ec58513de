// A bundle small enough to make and run in a test.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace vesal::tests {

struct TinyBundle {
  std::vector<std::string> channels{"background", "spleen"};
  /// Transforms of the postprocessing, as JSON.
  std::string postprocessing = R"(
    {"_target_": "Activationsd", "keys": "pred", "softmax": true},
    {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "image", "nearest_interp": false},
    {"_target_": "AsDiscreted", "keys": "pred", "argmax": true},
    {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir"})";
  std::string preprocessing = R"(
    {"_target_": "LoadImaged", "keys": "image"},
    {"_target_": "EnsureChannelFirstd", "keys": "image"},
    {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
    {"_target_": "Spacingd", "keys": "image", "pixdim": [3.0, 3.0, 3.0], "mode": "bilinear"},
    {"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": -160, "a_max": 240, "b_min": 0, "b_max": 1, "clip": true})";
  std::string intended_use = "Made for a test, not for diagnosis";
  std::string weights = "model.pt";  ///< in models/; .pt, .safetensors or .ts; empty: none
};

/// Writes the bundle: a UNet of two levels whose weights follow tests/rule_weights.h.
void write_tiny_bundle(const std::filesystem::path& folder, const TinyBundle& what = {});

}  // namespace vesal::tests
