# Makes spatial.json and spatial.npy: what MONAI 1.5 (torch 1.13.1) gives for small images made by a formula, and its inverses.
# Run with monai importable: python3 make_spatial.py
import itertools

import numpy as np
from monai import transforms as mt

from golden import Writer, image_of


def oblique(angles, sizes, origin):
    r = np.eye(3)
    for k, t in enumerate(angles):
        i, j = [(1, 2), (0, 2), (0, 1)][k]
        m = np.eye(3)
        m[i, i] = m[j, j] = np.cos(t)
        m[i, j], m[j, i] = -np.sin(t), np.sin(t)
        r = r @ m
    a = np.eye(4)
    a[:3, :3] = r @ np.diag(sizes)
    a[:3, 3] = origin
    return a


def diag(sizes, origin=(0, 0, 0)):
    return oblique((0, 0, 0), sizes, origin)


lps = diag((-1.2, -0.9, 2.5), (90.5, 80.25, -300))
ras = diag((1.2, 0.9, 2.5), (-90.5, -80.25, 300))
tilted = oblique((0.2, -0.15, 0.3), (1.1, 0.8, 2.0), (10, -20, 30))
sagittal = np.array([[0, 0, 2.5, -40], [-0.9, 0, 0, 70], [0, -1.2, 0, 55], [0, 0, 0, 1.0]])
sheared = tilted.copy()
sheared[0, 1] += 0.3
S3, S2 = (1, 6, 5, 4), (2, 7, 6)
cases = []


def add(name, args, shape=S3, affine=ras):
    cases.append(dict(transform=name, args=args, shape=list(shape), affine=np.asarray(affine).tolist()))


for a in (ras, lps, tilted, sagittal):
    for codes in ("RAS", "LPS", "SAL"):
        add("Orientation", dict(axcodes=codes), affine=a)
add("Orientation", dict(as_closest_canonical=True), affine=sagittal)
add("Orientation", dict(axcodes="LA"), S2, lps)
for a in (ras, lps, tilted, sagittal, sheared):
    add("Spacing", dict(pixdim=[1.5, 1.5, 2.0]), affine=a)
    add("Spacing", dict(pixdim=[0.8, 1.3, 1.7], mode="nearest"), affine=a)
    add("Spacing", dict(pixdim=[1.0, 1.4, 1.9], diagonal=True), affine=a)
for ac, se in itertools.product((False, True), (False, True)):
    add("Spacing", dict(pixdim=[0.7, 1.6, 3.1], align_corners=ac, scale_extent=se))
    add("Spacing", dict(pixdim=[0.7, 1.6, 3.1], align_corners=ac, scale_extent=se, mode="nearest"), affine=lps)
    add("Spacing", dict(pixdim=[1.4, 0.5], align_corners=ac, scale_extent=se), S2, lps)
for pad in ("zeros", "border", "reflection"):
    add("Spacing", dict(pixdim=[1.0, 1.0, 1.0], diagonal=True, padding_mode=pad), affine=tilted)
    add("Spacing", dict(pixdim=[0.5, 0.7, 0.9], padding_mode=pad, align_corners=pad == "border"))
    add("Spacing", dict(pixdim=[0.5, 0.7, 0.9], padding_mode=pad, mode="nearest"))
# halves: positions midway between voxels, extents of x.5
for s, p in ((1.0, 2.0), (2.0, 1.0), (0.75, 1.5), (1.5, 0.75), (0.9, 1.8), (0.7, 1.4), (3.3, 1.1)):
    add("Spacing", dict(pixdim=[p, p, p], mode="nearest"), (1, 8, 7, 6), diag((s, s, s), (-33.3, 12.1, 0.7)))
    add("Spacing", dict(pixdim=[p, p], mode="nearest"), (1, 12, 11), diag((s, s, s), (-33.3, 12.1, 0.7)))
add("Spacing", dict(pixdim=[1.5, -1, 0]))
add("Spacing", dict(pixdim=2.0))
add("Spacing", dict(pixdim=[1.5, 1.5]))
add("Spacing", dict(pixdim=[1.2004, 0.9, 2.5]))
add("Spacing", dict(pixdim=[1.5, 1.5, 1.5], min_pixdim=[1.0, 1.0, 1.0], max_pixdim=[2.0, 2.0, 2.0]))
add("Spacing", dict(pixdim=[1.5, 1.5, 1.5], recompute_affine=True))
for args in (dict(), dict(spatial_axis=0), dict(spatial_axis=[1, -1])):
    add("Flip", args, affine=tilted)
for k in (1, 2, 3, -1):
    add("Rotate90", dict(k=k, spatial_axes=[0, 1]), affine=tilted)
add("Rotate90", dict(k=1, spatial_axes=[2, 0]), affine=lps)
add("Rotate90", dict(k=3, spatial_axes=[0, 1]), S2, lps)
add("SpatialPad", dict(spatial_size=[9, 3, 7]), affine=tilted)
add("SpatialPad", dict(spatial_size=[9, -1, 7], method="end", value=-5))
add("SpatialPad", dict(spatial_size=[9, 8, 7], mode="reflect"))
add("SpatialPad", dict(spatial_size=9, mode="replicate"))
add("SpatialPad", dict(spatial_size=[9, 7, 7], mode="circular"))
add("SpatialPad", dict(spatial_size=[9, 8, 7], mode="edge"))
add("SpatialPad", dict(spatial_size=[9, 8, 7], mode="symmetric"))
add("SpatialPad", dict(spatial_size=[9, 10]), S2, lps)
add("BorderPad", dict(spatial_border=2), affine=tilted)
add("BorderPad", dict(spatial_border=[1, 0, 2]))
add("BorderPad", dict(spatial_border=[1, 0, 2, 3, 0, 1]))
add("DivisiblePad", dict(k=4), affine=tilted)
add("DivisiblePad", dict(k=[4, 1, 3], mode="reflect", method="end"))
add("CenterSpatialCrop", dict(roi_size=[3, 4, -1]), affine=tilted)
add("CenterSpatialCrop", dict(roi_size=[3, 9, 1]))
add("CenterScaleCrop", dict(roi_scale=[0.5, 0.4, 1]))
add("SpatialCrop", dict(roi_center=[3, 2, 2], roi_size=[3, 2, 9]), affine=tilted)
add("SpatialCrop", dict(roi_start=[1, -2, 0], roi_end=[4, 3, 20]))
add("ResizeWithPadOrCrop", dict(spatial_size=[4, 8, 4]), affine=tilted)
add("ResizeWithPadOrCrop", dict(spatial_size=[9, 3, -1], mode="edge", method="end"))
add("ResizeWithPadOrCrop", dict(spatial_size=[3, 9]), S2, lps)
for mode in ("area", "nearest", "nearest-exact", "trilinear"):
    add("Resize", dict(spatial_size=[4, 7, 9], mode=mode), affine=tilted)
    add("Resize", dict(spatial_size=[9, 3, -1], mode=mode))
add("Resize", dict(spatial_size=[9, 3, 6], mode="trilinear", align_corners=True))
add("Resize", dict(spatial_size=[12, 4], mode="bicubic"), S2, lps)
add("Resize", dict(spatial_size=[5, 9], mode="bilinear"), S2, lps)
add("Resize", dict(spatial_size=9, size_mode="longest", mode="bilinear"))
add("Resize", dict(spatial_size=[3, 2, 4], mode="trilinear", anti_aliasing=True))
add("Resize", dict(spatial_size=[3, 2, 6], mode="trilinear", anti_aliasing=True, anti_aliasing_sigma=0.8))
add("Zoom", dict(zoom=1.5, mode="trilinear"), affine=tilted)
add("Zoom", dict(zoom=[0.6, 1.3, 1.0], mode="area"))
add("Zoom", dict(zoom=[0.6, 1.3, 1.0], mode="nearest", keep_size=False))
add("CropForeground", dict(), affine=tilted)
add("CropForeground", dict(margin=1))
add("CropForeground", dict(margin=2, allow_smaller=True))
add("CropForeground", dict(margin=[1, 0, 2], k_divisible=[4, 2, 1], mode="edge"))
add("CropForeground", dict(channel_indices=[1]), (2, 6, 5, 4))
writer = Writer()
for case in cases:
    transform = getattr(mt, case["transform"])(**case["args"])
    out = transform(image_of(case, case["transform"] == "CropForeground"))
    case["out"] = writer.keep(out)
    if "inverse" in dir(transform) and not case["args"].get("recompute_affine"):
        writer.keep_inverses(case, transform, out)
writer.save("spatial", cases)
