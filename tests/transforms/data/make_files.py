# Makes the small files in files/ and files.json: what MONAI 1.5 reads from them with LoadImage and writes with SaveImage.
# Run with monai, nibabel and PIL importable: python3 make_files.py
import json
import os
import tempfile
import warnings

import nibabel as nib
import numpy as np
import torch
from monai import transforms as mt
from monai.data import MetaTensor
from PIL import Image

warnings.filterwarnings("ignore")
folder = os.path.dirname(os.path.abspath(__file__))
files = os.path.join(folder, "files")
os.makedirs(files, exist_ok=True)
rng = np.random.RandomState(5)
affine = np.array([[-0.9, 0.1, 0, 40], [0.1, 0.9, 0, -30], [0, 0, 2.5, 11], [0, 0, 0, 1.0]])


def nifti(name, shape, dtype):
    image = nib.Nifti1Image(rng.randint(0, 200, shape).astype(dtype), affine)
    nib.save(image, os.path.join(files, name))


nifti("volume.nii.gz", (5, 4, 3), np.int16)
nifti("channels.nii.gz", (4, 3, 2, 2), np.float32)
nifti("flat.nii.gz", (5, 4), np.uint8)
nifti("thick.nii.gz", (5, 4, 1), np.uint8)
Image.fromarray(rng.randint(0, 255, (3, 5), dtype=np.uint8)).save(os.path.join(files, "grey.png"))
Image.fromarray(rng.randint(0, 255, (3, 5, 3), dtype=np.uint8)).save(os.path.join(files, "colour.png"))
np.save(os.path.join(files, "array.npy"), rng.randint(0, 255, (3, 4, 2)).astype(np.float32))


def describe(t):
    a = t.numpy() if isinstance(t, torch.Tensor) else np.asarray(t)
    out = dict(shape=list(a.shape), dtype=str(a.dtype), values=[round(float(v), 6) for v in a.ravel()])
    if isinstance(t, MetaTensor):
        out["affine"] = t.affine.numpy().tolist()
    return out


loads, saves = [], []
for name in ("volume.nii.gz", "channels.nii.gz", "flat.nii.gz", "thick.nii.gz", "grey.png", "colour.png", "array.npy"):
    for args in (dict(), dict(ensure_channel_first=True), dict(dtype=None)):
        if args.get("ensure_channel_first") and name == "array.npy":
            continue
        loads.append(dict(file=name, args=args, out=describe(mt.LoadImage(**args)(os.path.join(files, name)))))
loads.append(dict(file="volume.nii.gz", args=dict(reader="NibabelReader", image_only=True), out=describe(
    mt.LoadImage(reader="NibabelReader", image_only=True)(os.path.join(files, "volume.nii.gz")))))
loads.append(dict(file=["volume.nii.gz", "volume.nii.gz"], args=dict(ensure_channel_first=True), out=describe(
    mt.LoadImage(ensure_channel_first=True)([os.path.join(files, "volume.nii.gz")] * 2))))

cases = [
    ("volume.nii.gz", [], dict()),
    ("volume.nii.gz", [], dict(output_postfix="seg", separate_folder=False, output_dtype="uint8")),
    ("volume.nii.gz", [], dict(output_postfix="", output_ext=".nii", output_dtype="int16", data_root_dir="@root")),
    ("volume.nii.gz", ["RAS"], dict(output_dtype="float32")),
    ("volume.nii.gz", ["RAS"], dict(output_dtype="float32", resample=True)),
    ("volume.nii.gz", ["RAS", [1.1, 1.3, 2.0]], dict(resample=True, mode="nearest", padding_mode="zeros")),
    ("volume.nii.gz", ["RAS", [1.1, 1.3, 2.0]], dict(resample=True, mode="bilinear", padding_mode="border")),
    ("channels.nii.gz", [], dict(output_postfix="x")),
    ("flat.nii.gz", [], dict()),
    ("thick.nii.gz", [], dict()),
    ("thick.nii.gz", [], dict(squeeze_end_dims=False)),
    ("grey.png", [], dict(output_ext="png", output_postfix="", separate_folder=False)),
    ("colour.png", [], dict(output_ext=".png", output_dtype="uint8")),
    ("grey.png", [], dict()),
]
for name, steps, args in cases:
    image = mt.LoadImage(ensure_channel_first=True)(os.path.join(files, name))
    for step in steps:
        image = mt.Orientation(axcodes=step)(image) if isinstance(step, str) else mt.Spacing(pixdim=step)(image)
    with tempfile.TemporaryDirectory() as out:
        given = {k: (folder if v == "@root" else v) for k, v in args.items()}
        if "output_dtype" in given:
            given["output_dtype"] = getattr(np, given["output_dtype"])
        mt.SaveImage(output_dir=out, print_log=False, **given)(image)
        (path,) = [os.path.join(d, f) for d, _, fs in os.walk(out) for f in fs]
        if path.endswith(".png"):
            # As MONAI reads it: [width, height, c]
            back = describe(np.moveaxis(np.asarray(Image.open(path)), 0, 1))
        else:
            n = nib.load(path)
            back = describe(np.asanyarray(n.dataobj))
            back["affine"] = n.affine.tolist()
        saves.append(dict(file=name, steps=steps, args=args, path=os.path.relpath(path, out), out=back))

with open(os.path.join(folder, "files.json"), "w") as f:
    f.write('{"loads": [\n' + ",\n".join(json.dumps(c) for c in loads) + '\n], "saves": [\n' + ",\n".join(json.dumps(c) for c in saves) + "\n]}\n")
