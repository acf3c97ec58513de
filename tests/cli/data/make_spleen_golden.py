"""Golden numbers of MONAI for tests/cli/spleen_golden_test.cpp.

usage: make_spleen_golden.py BUNDLE CT OUT, with MONAI importable; BUNDLE is the model zoo's spleen_ct_segmentation, whose configs/inference.json is run
as it is (amp off, weights by rule with the last bias moved by -2.5 for the spleen), CT the 3 mm scan. Writes OUT/spleen_golden.json (samples
of the preprocessed scan and of the network's output for one window) and OUT/spleen_golden.nii.gz (the mask's every second voxel along each axis).
"""
import json
import os
import shutil
import sys
import tempfile

import nibabel as nib
import numpy as np
import torch
from monai.bundle import ConfigParser, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
import rule_weights  # noqa: E402

bundle, ct, out = sys.argv[1:4]
START, EXTENT, SAMPLES = (70, 50, 36), 96, 300


def samples(array):
    """Values at places spread over the array by a fixed rule."""
    flat = np.ascontiguousarray(array).ravel()
    at = (np.arange(SAMPLES, dtype=np.int64) * 2654435761 + 12345) % flat.size
    return {"shape": list(array.shape), "at": at.tolist(), "value": [float(v) for v in flat[at]]}


parser = ConfigParser()
parser.read_config(os.path.join(bundle, "configs", "inference.json"))
network = rule_weights.fill(parser.get_parsed_content("network_def"))
network.state_dict()["model.2.1.conv.unit0.conv.bias"][1] -= 2.5
network.eval()
image = parser.get_parsed_content("preprocessing")({"image": ct})["image"]
x, y, z = START
with torch.no_grad():
    logits = network(image[None, :, x : x + EXTENT, y : y + EXTENT, z : z + EXTENT].as_tensor())[0]
with open(os.path.join(out, "spleen_golden.json"), "w") as f:
    json.dump({"image": samples(image.numpy()), "affine": image.affine.tolist(), "start": START, "logits": samples(logits.numpy())}, f)

with tempfile.TemporaryDirectory() as scratch:
    shutil.copytree(bundle, scratch + "/bundle")
    os.makedirs(scratch + "/bundle/models", exist_ok=True)
    torch.save(network.state_dict(), scratch + "/bundle/models/model.pt")
    os.makedirs(scratch + "/data/imagesTs")
    shutil.copy(ct, scratch + "/data/imagesTs/ct.nii.gz")
    run(config_file=bundle + "/configs/inference.json", bundle_root=scratch + "/bundle", dataset_dir=scratch + "/data", output_dir=scratch + "/out",
        **{"evaluator#amp": False, "dataloader#num_workers": 0})
    mask = nib.load(scratch + "/out/ct/ct_trans.nii.gz")
    voxels = np.asarray(mask.dataobj).astype(np.uint8)
print("foreground", voxels.mean(), "shape", voxels.shape)
nib.save(nib.Nifti1Image(voxels[::2, ::2, ::2], mask.affine), os.path.join(out, "spleen_golden.nii.gz"))
