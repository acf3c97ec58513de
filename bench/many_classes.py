"""A whole body of 105 channels: the pipeline and the network of the model zoo's wholeBody_ct_segmentation on a scan of 280x280x300 voxels of
1.5 mm, with weights and voxels by rule. Memory is what it is about: the network's output alone would be 9.9 GB.

usage: many_classes.py BUILD_FOLDER [INITIAL_FILTERS]; prints what was forecast and what it took, and writes BUILD_FOLDER/many_classes.json.
With the bundle's own 32 filters it computes for minutes; 8 take a fraction of the time and the same sums.
"""
import json
import os
import subprocess
import sys

import nibabel as nib
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
CHANNELS = 105


def bundle_files(filters):
    network = {"_target_": "SegResNet", "spatial_dims": 3, "in_channels": 1, "out_channels": CHANNELS, "init_filters": filters,
               "blocks_down": [1, 2, 2, 4], "blocks_up": [1, 1, 1], "dropout_prob": 0.2}
    inference = {
        "bundle_root": ".", "network_def": network, "network": "@network_def",
        "preprocessing": {"_target_": "Compose", "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "EnsureTyped", "keys": "image"},
            {"_target_": "EnsureChannelFirstd", "keys": "image"},
            {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
            {"_target_": "Spacingd", "keys": "image", "pixdim": [1.5, 1.5, 1.5], "mode": "bilinear"},
            {"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": True},
            {"_target_": "ScaleIntensityd", "keys": "image", "minv": -1.0, "maxv": 1.0}]},
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [96, 96, 96], "sw_batch_size": 1, "overlap": 0.25, "padding_mode": "replicate",
                    "mode": "gaussian"},
        "postprocessing": {"_target_": "Compose", "transforms": [
            {"_target_": "Activationsd", "keys": "pred", "softmax": True},
            {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
            {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "image", "nearest_interp": True}]}}
    channels = {str(i): f"structure {i}" if i else "background" for i in range(CHANNELS)}
    return network, {"inference": inference, "metadata": {"name": "whole body", "version": "0", "network_data_format": {
        "outputs": {"pred": {"channel_def": channels}}}}}


def make_bundle(folder, filters):
    import torch
    from monai.networks.nets import SegResNet

    network, files = bundle_files(filters)
    for name, content in files.items():
        os.makedirs(folder + "/configs", exist_ok=True)
        with open(f"{folder}/configs/{name}.json", "w") as f:
            json.dump(content, f)
    torch.manual_seed(0)
    os.makedirs(folder + "/models", exist_ok=True)
    torch.save(SegResNet(**{k: v for k, v in network.items() if k != "_target_"}).state_dict(), folder + "/models/model.pt")


def make_scan(path):
    x, y, z = np.meshgrid(np.arange(280), np.arange(280), np.arange(300), indexing="ij", sparse=True)
    voxels = 400 * np.sin(x / 17) * np.cos(y / 23) + 300 * np.sin(z / 11)
    voxels += np.random.default_rng(1).normal(0, 20, voxels.shape).astype(np.float32)
    nib.save(nib.Nifti1Image(voxels.astype(np.int16), np.diag([1.5, 1.5, 1.5, 1])), path)


def main(build, filters=32):
    work = os.path.abspath(os.path.join(build, f"many_classes_{filters}"))
    os.makedirs(work, exist_ok=True)
    make_bundle(work + "/bundle", filters)
    if not os.path.exists(work + "/scan.nii.gz"):
        make_scan(work + "/scan.nii.gz")
    run = subprocess.run([os.path.join(build, "vesal"), "segment", work + "/scan.nii.gz", "-o", work + "/mask.nii.gz", "--bundle", work + "/bundle",
                          "--json"], stdout=subprocess.PIPE, check=True, text=True)
    case = json.loads(run.stdout)["cases"][0]
    with open(os.path.join(build, "many_classes.json"), "w") as f:
        json.dump(case, f, indent=2)
    forecast, seconds = case["forecast"], case["seconds"]["network"] + case["seconds"]["postprocess"]
    print(f"{filters} filters: forecast {forecast['peak_memory_bytes'] / 1e9:.2f} GB, took {case['peak_memory_bytes'] / 1e9:.2f} GB; "
          f"forecast {forecast['seconds']:.0f} s, took {seconds:.0f} s")
    print({k: f"{v / 1e6:.0f} MB" for k, v in forecast["bytes"].items()})


if __name__ == "__main__":
    main(sys.argv[1], *[int(v) for v in sys.argv[2:3]])
