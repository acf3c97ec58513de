# Makes elastic.json and elastic.npy: what MONAI 1.5 (torch 1.13.1) makes of an image with Rand2DElastic and Rand3DElastic whose offsets are
# formula() / 50.5 - 1 and whose other draws have no width. Run with monai importable: python3 make_elastic.py
import numpy as np
import torch
from monai import transforms as mt
from monai.transforms.utils import create_control_grid

from golden import Writer, formula, image_of


def offsets(shape):
    return (formula(shape) / 50.5 - 1).astype(np.float32)


def fixed(values):
    return [[v, v] for v in values] if values else None


S3, S2 = (1, 9, 8, 7), (2, 11, 10)
A3 = dict(rotate=[0.21, -0.12, 0.3], shear=[0.1, 0.2, 0.05, -0.1, 0.15, -0.2], translate=[0.63, -0.4, 0.21], scale=[1.13, 0.8, 1.05])
A2 = dict(rotate=[0.31], shear=[0.11, -0.07], translate=[0.63, -0.41], scale=[1.13, 0.87])
cases = []


def add(shape, magnitude, affine={}, mode="bilinear", padding="reflection", size=None, **own):
    cases.append(dict(shape=list(shape), magnitude=magnitude, mode=mode, padding_mode=padding, spatial_size=list(size or shape[1:]), affine=np.eye(4).tolist(), **own, **affine))


for padding in ("zeros", "border", "reflection"):
    for mode in ("bilinear", "nearest"):
        add(S3, 5.3, A3, mode, padding, sigma=1.3)
        add(S2, 1.7, A2, mode, padding, spacing=[3, 4])
add(S3, 20.0, sigma=3.4)
add(S3, 0.7, sigma=0.1)
add(S3, 4.0, dict(rotate=[0.2]), size=(6, 10, 7), sigma=0.9)
add((1, 5, 1, 6), 4.0, sigma=0.9)
add(S2, 2.0, spacing=[1, 1])
add(S2, 1.0, spacing=[2.5, 1.5])
add(S2, 3.0, dict(rotate=[0.2]), size=(16, 7), padding="border", spacing=[20, 30])

writer = Writer()
for case in cases:
    flat = len(case["shape"]) == 3
    size = case["spatial_size"]
    common = dict(magnitude_range=[case["magnitude"]] * 2, prob=1.0, spatial_size=size, mode=case["mode"], padding_mode=case["padding_mode"], translate_range=fixed(case.get("translate")), rotate_range=fixed(case.get("rotate")), shear_range=fixed(case.get("shear")), scale_range=fixed([s - 1 for s in case.get("scale", [])]))
    if flat:
        transform = mt.Rand2DElastic(spacing=case["spacing"], **common)
        grid = create_control_grid(size, case["spacing"])
        field = transform.deform_grid
        field.random_offset, field.rand_mag = offsets((2,) + grid.shape[1:]), case["magnitude"]
        field.randomize = lambda grid_size: None
        case["control"] = list(grid.shape[1:])
    else:
        transform = mt.Rand3DElastic(sigma_range=[case["sigma"]] * 2, **common)
        transform.rand_offset = offsets([3] + size)
        transform.magnitude, transform.sigma = case["magnitude"], case["sigma"]
    case["out"] = writer.keep(transform(image_of(case), randomize=False))
writer.save("elastic", cases)
