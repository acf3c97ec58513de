#include "cli/starter_bundle.h"

#include <fmt/format.h>

#include "base/json.h"

namespace vesal::cli {
namespace {

const char* const kInference = R"json({
    "imports": ["$import glob", "$import os"],
    "bundle_root": ".",
    "dataset_dir": "$@bundle_root + '/data'",
    "output_dir": "$@bundle_root + '/eval'",
    "ckpt_path": "$@bundle_root + '/models/model.pt'",
    "datalist": "$sorted(glob.glob(@dataset_dir + '/imagesTs/*.nii.gz'))",
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "network_def": NETWORK,
    "network": "$@network_def.to(@device)",
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "EnsureChannelFirstd", "keys": "image"},
            {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
            {"_target_": "ScaleIntensityd", "keys": "image"},
            {"_target_": "EnsureTyped", "keys": "image"}
        ]
    },
    "dataset": {"_target_": "Dataset", "data": "$[{'image': i} for i in @datalist]", "transform": "@preprocessing"},
    "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1, "shuffle": false, "num_workers": 0},
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": PATCH, "sw_batch_size": 2, "overlap": 0.5},
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "Activationsd", "keys": "pred", "softmax": true},
            {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "image", "nearest_interp": false, "to_tensor": true},
            {"_target_": "AsDiscreted", "keys": "pred", "argmax": true},
            {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir", "output_postfix": "seg"}
        ]
    },
    "handlers": [
        {
            "_target_": "CheckpointLoader",
            "_disabled_": "$not os.path.exists(@ckpt_path)",
            "load_path": "@ckpt_path",
            "load_dict": {"model": "@network"}
        },
        {"_target_": "StatsHandler", "iteration_log": false}
    ],
    "evaluator": {
        "_target_": "SupervisedEvaluator",
        "device": "@device",
        "val_data_loader": "@dataloader",
        "network": "@network",
        "inferer": "@inferer",
        "postprocessing": "@postprocessing",
        "val_handlers": "@handlers"
    },
    "initialize": ["$monai.utils.set_determinism(seed=123)"],
    "run": ["$@evaluator.run()"]
}
)json";

const char* const kTrain = R"json({
    "imports": ["$import glob", "$import os"],
    "bundle_root": ".",
    "dataset_dir": "$@bundle_root + '/data'",
    "output_dir": "$@bundle_root + '/eval'",
    "ckpt_dir": "$@bundle_root + '/models'",
    "images": "$sorted(glob.glob(@dataset_dir + '/imagesTr/*.nii.gz'))",
    "labels": "$sorted(glob.glob(@dataset_dir + '/labelsTr/*.nii.gz'))",
    "pairs": "$[{'image': i, 'label': l} for i, l in zip(@images, @labels)]",
    "validation_cases": 2,
    "epochs": 100,
    "learning_rate": 0.001,
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "network_def": NETWORK,
    "network": "$@network_def.to(@device)",
    "loss": {"_target_": "DiceCELoss", "to_onehot_y": true, "softmax": true},
    "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": "@learning_rate"},
    "train": {
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "LoadImaged", "keys": ["image", "label"]},
                {"_target_": "EnsureChannelFirstd", "keys": ["image", "label"]},
                {"_target_": "Orientationd", "keys": ["image", "label"], "axcodes": "RAS"},
                {"_target_": "ScaleIntensityd", "keys": "image"},
                {"_target_": "EnsureTyped", "keys": ["image", "label"]},
                {"_target_": "SpatialPadd", "keys": ["image", "label"], "spatial_size": PATCH},
                {"_target_": "RandCropByPosNegLabeld", "keys": ["image", "label"], "label_key": "label", "spatial_size": PATCH, "num_samples": 2}
            ]
        },
        "dataset": {"_target_": "Dataset", "data": "$@pairs[:-@validation_cases]", "transform": "@train::preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@train::dataset", "batch_size": 1, "shuffle": true, "num_workers": 0},
        "inferer": {"_target_": "SimpleInferer"},
        "handlers": [
            {"_target_": "ValidationHandler", "validator": "@validate::evaluator", "interval": 5, "epoch_level": true},
            {"_target_": "StatsHandler", "tag_name": "train_loss", "output_transform": "$monai.handlers.from_engine(['loss'], first=True)"}
        ],
        "trainer": {
            "_target_": "SupervisedTrainer",
            "max_epochs": "@epochs",
            "device": "@device",
            "train_data_loader": "@train::dataloader",
            "network": "@network",
            "loss_function": "@loss",
            "optimizer": "@optimizer",
            "inferer": "@train::inferer",
            "train_handlers": "@train::handlers"
        }
    },
    "validate": {
        "preprocessing": {"_target_": "Compose", "transforms": "$@train::preprocessing::transforms[:5]"},
        "dataset": {"_target_": "Dataset", "data": "$@pairs[-@validation_cases:]", "transform": "@validate::preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@validate::dataset", "batch_size": 1, "shuffle": false, "num_workers": 0},
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": PATCH, "sw_batch_size": 2, "overlap": 0.25},
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "Activationsd", "keys": "pred", "softmax": true},
                {"_target_": "AsDiscreted", "keys": ["pred", "label"], "argmax": [true, false], "to_onehot": CLASSES}
            ]
        },
        "handlers": [
            {"_target_": "StatsHandler", "iteration_log": false},
            {"_target_": "CheckpointSaver", "save_dir": "@ckpt_dir", "save_dict": {"model": "@network"}, "save_key_metric": true, "key_metric_filename": "model.pt"}
        ],
        "key_metric": {
            "val_mean_dice": {
                "_target_": "MeanDice",
                "include_background": false,
                "output_transform": "$monai.handlers.from_engine(['pred', 'label'])"
            }
        },
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@validate::dataloader",
            "network": "@network",
            "inferer": "@validate::inferer",
            "postprocessing": "@validate::postprocessing",
            "key_val_metric": "@validate::key_metric",
            "val_handlers": "@validate::handlers"
        }
    },
    "initialize": ["$monai.utils.set_determinism(seed=123)"],
    "run": ["$@train::trainer.run()"]
}
)json";

const char* const kReadme = R"md(# NAME

What the network finds, in which scans, and how well.

Put scans into `data/imagesTs`, then from this folder:

```
vesal bundle run --config_file configs/inference.json
```

Masks are left in `eval/`. To train on `data/imagesTr` and `data/labelsTr`:

```
vesal bundle run --config_file configs/train.json
```

The configurations are MONAI's: `python -m monai.bundle run` runs them too. Not for diagnosis.
)md";

std::string filled(std::string text, const std::string& mark, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += by.size()) text.replace(at, mark.size(), by);
  return text;
}

std::int64_t number(const Dict& network, const char* name, std::int64_t fallback) {
  const Value* v = network.find(name);
  return v && v->is_int() && v->as_int() > 0 ? v->as_int() : fallback;
}

Value tensor(const char* format, std::int64_t channels, const List& shape, const Dict& meaning) {
  return Dict{{"type", "image"},        {"format", format},      {"num_channels", channels},
              {"spatial_shape", shape}, {"dtype", "float32"},    {"value_range", List{{0, 1}}},
              {"is_patch_data", true},  {"channel_def", meaning}};
}

Value metadata(const std::string& name, const Dict& network, const List& shape) {
  const std::int64_t inputs = number(network, "in_channels", 1), outputs = number(network, "out_channels", 2);
  Dict meaning_in, meaning_out;
  for (std::int64_t i = 0; i < inputs; ++i) meaning_in[std::to_string(i)] = inputs == 1 ? "image" : "image " + std::to_string(i);
  for (std::int64_t i = 0; i < outputs; ++i) meaning_out[std::to_string(i)] = i == 0 && outputs > 1 ? "background" : "class " + std::to_string(i);
  return Dict{{"version", "0.0.1"},
              {"changelog", Dict{{"0.0.1", "first version"}}},
              {"monai_version", "1.5.0"},
              {"pytorch_version", "1.13.1"},
              {"numpy_version", "1.24.2"},
              {"required_packages_version", Dict{}},
              {"name", name},
              {"task", "What the network predicts"},
              {"description", "What the network does, on which scans, and how it was trained"},
              {"authors", "Your name"},
              {"copyright", "Copyright (c) your name"},
              {"intended_use", "Not for diagnosis"},
              {"network_data_format", Dict{{"inputs", Dict{{"image", tensor("magnitude", inputs, shape, meaning_in)}}},
                                           {"outputs", Dict{{"pred", tensor("segmentation", outputs, shape, meaning_out)}}}}}};
}

}  // namespace

std::map<std::string, std::string> starter_bundle(const std::string& name, const Value& network) {
  const Dict& dict = network.as_dict();
  const bool flat = number(dict, "spatial_dims", 3) == 2;
  const List shape = flat ? List{{256, 256}} : List{{96, 96, 96}};
  auto config = [&](const char* text) {
    const std::string classes = std::to_string(number(dict, "out_channels", 2));
    return filled(filled(filled(text, "PATCH", to_json(shape, -1)), "CLASSES", classes), "NETWORK", to_json(network, -1));
  };
  return {{"configs/metadata.json", to_json(metadata(name, dict, shape), 4) + "\n"},
          {"configs/inference.json", config(kInference)},
          {"configs/train.json", config(kTrain)},
          {"docs/README.md", filled(kReadme, "NAME", name)},
          {"LICENSE", "Choose a license for the bundle and put its terms here.\n"}};
}

}  // namespace vesal::cli
