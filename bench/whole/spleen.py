"""The pipeline of the model zoo's spleen_ct_segmentation as MONAI and vesal both read it; weights by rule: the time does not depend on them."""
import json
import os

INFERENCE = {
    "bundle_root": ".", "dataset_dir": "data", "output_dir": "$@bundle_root + '/eval'",
    "network_def": {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [16, 32, 64, 128, 256],
                    "strides": [2, 2, 2, 2], "num_res_units": 2, "norm": "batch"},
    "network": "$@network_def.to('cpu')",
    "preprocessing": {"_target_": "Compose", "transforms": [
        {"_target_": "LoadImaged", "keys": "image"},
        {"_target_": "EnsureChannelFirstd", "keys": "image"},
        {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
        {"_target_": "Spacingd", "keys": "image", "pixdim": [1.5, 1.5, 2.0], "mode": "bilinear"},
        {"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": True},
        {"_target_": "EnsureTyped", "keys": "image"}]},
    "dataset": {"_target_": "Dataset", "data": "$[{'image': @dataset_dir + '/scan.nii.gz'}]", "transform": "@preprocessing"},
    "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1, "shuffle": False, "num_workers": 0},
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [96, 96, 96], "sw_batch_size": 4, "overlap": 0.5},
    "postprocessing": {"_target_": "Compose", "transforms": [
        {"_target_": "Activationsd", "keys": "pred", "softmax": True},
        {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "image", "nearest_interp": False, "to_tensor": True},
        {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
        {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir", "output_postfix": "seg", "separate_folder": False}]},
    "evaluator": {"_target_": "SupervisedEvaluator", "device": "$torch.device('cpu')", "val_data_loader": "@dataloader", "network": "@network",
                  "inferer": "@inferer", "postprocessing": "@postprocessing"},
    "checkpointloader": {"_target_": "CheckpointLoader", "load_path": "$@bundle_root + '/models/model.pt'", "load_dict": {"model": "@network"}},
    "initialize": ["$@checkpointloader(@evaluator)"],
    "run": ["$@evaluator.run()"],
}
METADATA = {"name": "spleen pipeline", "version": "0", "network_data_format": {
    "outputs": {"pred": {"channel_def": {"0": "background", "1": "spleen"}}}}}


def write_configs(folder):
    os.makedirs(folder + "/configs", exist_ok=True)
    os.makedirs(folder + "/models", exist_ok=True)
    for name, content in (("inference", INFERENCE), ("metadata", METADATA)):
        with open(f"{folder}/configs/{name}.json", "w") as f:
            json.dump(content, f)
