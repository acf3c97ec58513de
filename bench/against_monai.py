"""A 512x512x134 CT through the pipeline of the model zoo's spleen bundle: `vesal segment` and MONAI's `monai.bundle run` in turn.

usage: against_monai.py BUILD_FOLDER SMALL_CT; both get the cores of this machine. Prints a table and writes BUILD_FOLDER/whole.json.
The bundle is made here, with weights by rule (tests/rule_weights.py): the time does not depend on them.
"""
import json
import os
import subprocess
import sys
import time

import nibabel as nib
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
BOTH_SPEAK = {
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


def make_bundle(folder):
    import torch
    from monai.networks.nets import UNet

    sys.path.insert(0, os.path.join(HERE, "..", "tests"))
    import rule_weights

    for name, content in (("inference", BOTH_SPEAK), ("metadata", METADATA)):
        os.makedirs(folder + "/configs", exist_ok=True)
        with open(f"{folder}/configs/{name}.json", "w") as f:
            json.dump(content, f)
    arguments = {k: v for k, v in BOTH_SPEAK["network_def"].items() if k != "_target_"}
    network = rule_weights.fill(UNet(**arguments))
    network.state_dict()["model.2.1.conv.unit0.conv.bias"][1] -= 2.5
    os.makedirs(folder + "/models", exist_ok=True)
    torch.save(network.state_dict(), folder + "/models/model.pt")


def measured(command):
    """Wall-clock and CPU seconds and peak bytes of a command."""
    start = time.time()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed: {status}")
    return {"seconds": time.time() - start, "cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_bytes": usage.ru_maxrss * 1024}


def main(build, ct):
    work = os.path.abspath(os.path.join(build, "whole"))
    bundle, scan = work + "/bundle", work + "/data/scan.nii.gz"
    os.makedirs(work + "/data", exist_ok=True)
    make_bundle(bundle)
    if not os.path.exists(scan):
        subprocess.check_call([sys.executable, HERE + "/make_scan.py", ct, scan])
    peer = ("import sys; from monai.bundle import run; "
            "run(config_file=sys.argv[1] + '/configs/inference.json', bundle_root=sys.argv[1], dataset_dir=sys.argv[2])")
    commands = {"vesal": [os.path.join(build, "vesal"), "segment", scan, "-o", work + "/mask.nii.gz", "--bundle", bundle],
                "monai": [sys.executable, "-c", peer, bundle, work + "/data"]}
    runs = {name: [] for name in commands}
    for _ in range(int(os.environ.get("VESAL_BENCH_RUNS", "3"))):
        for name, command in commands.items():
            runs[name].append(measured(command))
    ours = np.asarray(nib.load(work + "/mask.nii.gz").dataobj)
    theirs = np.asarray(nib.load(bundle + "/eval/scan_seg.nii.gz").dataobj)
    best = {name: {k: min(r[k] for r in of) for k in of[0]} for name, of in runs.items()}
    result = {"cores": os.cpu_count(), "runs": runs, "best": best, "voxels": int(ours.size), "voxels_that_differ": int((ours != theirs).sum())}
    with open(os.path.join(build, "whole.json"), "w") as f:
        json.dump(result, f, indent=2)
    print(f"{'whole scan, best of':<20} {'seconds':>10} {'CPU seconds':>12} {'peak MB':>10}")
    for name, b in best.items():
        print(f"{name:<20} {b['seconds']:>10.2f} {b['cpu_seconds']:>12.2f} {b['peak_bytes'] / 1e6:>10.0f}")
    print(f"{result['voxels_that_differ']} of {result['voxels']} voxels differ")


if __name__ == "__main__":
    main(*sys.argv[1:3])
