# Makes random.json and random.npy: what MONAI 1.5 (torch 1.13.1) gives where nothing is left to chance: the fixed forms of random
# transforms, and random ones whose ranges have no width. Run with monai importable: python3 make_random.py
import numpy as np
import torch
from monai import transforms as mt

from golden import Writer, image_of

lps = np.diag((-1.2, -0.9, 2.5, 1))
tilted = np.array([[1.0, -0.24, 0.3, 10], [0.3, 0.75, -0.4, -20], [-0.1, 0.2, 1.9, 30], [0, 0, 0, 1]])
S3, S2 = (1, 6, 5, 4), (2, 7, 6)
cases = []


def add(name, args, shape=S3, affine=tilted):
    cases.append(dict(transform=name, args=args, shape=list(shape), affine=np.asarray(affine).tolist()))


def fixed(*values):
    return [[v, v] for v in values]


for pad in ("zeros", "border", "reflection"):
    for mode in ("bilinear", "nearest"):
        add("Affine", dict(rotate_params=[0.31, -0.22, 0.43], scale_params=[1.13, 0.87, 0.95], padding_mode=pad, mode=mode))
        add("Affine", dict(rotate_params=[0.31], shear_params=[0.11, -0.07], translate_params=[0.63, -0.41], padding_mode=pad, mode=mode), S2, lps)
        add("RandAffine", dict(prob=1.0, rotate_range=fixed(0.31, 0.12), translate_range=fixed(0.63, -0.4, 0.21), scale_range=fixed(0.13, -0.2, 0.05), padding_mode=pad, mode=mode))
add("Affine", dict(shear_params=[0.1, 0.2, 0.05, -0.1, 0.15, -0.2], translate_params=[0.4, -1.3, 0.7], spatial_size=[7, 4, 5]))
add("Affine", dict(affine=[[0.9, 0.1, 0.3], [-0.2, 1.1, 0.4], [0, 0, 1]]), S2, lps)
add("Affine", dict(rotate_params=[0.31, -0.22], align_corners=True, padding_mode="border"))
add("Affine", dict(rotate_params=[0.31], align_corners=True, padding_mode="reflection"), S2, lps)
add("RandAffine", dict(prob=1.0, rotate_range=fixed(0.31), shear_range=fixed(0.11, -0.07), scale_range=fixed(0.13), spatial_size=[9, 5]), S2, lps)
add("RandAffine", dict(prob=1.0, rotate_range=fixed(0.1, 0.2, 0.3), shear_range=fixed(0.1, 0.2, 0.05, -0.1, 0.15, -0.2), spatial_size=[5, -1, 6], padding_mode="border"))
add("RandAffine", dict(prob=0.0, rotate_range=[0.5], spatial_size=[4, 7, 3], padding_mode="zeros"))
add("RandAffine", dict(prob=0.0, rotate_range=[0.5]))
add("ShiftIntensity", dict(offset=2.5))
add("RandShiftIntensity", dict(offsets=[2.5, 2.5], prob=1.0))
add("RandShiftIntensity", dict(offsets=[2.5, 2.5], prob=1.0, channel_wise=True), S2)
add("RandScaleIntensity", dict(factors=[0.3, 0.3], prob=1.0))
add("RandScaleIntensity", dict(factors=[-0.3, -0.3], prob=1.0, channel_wise=True), S2)
for args in (dict(), dict(invert_image=True), dict(retain_stats=True), dict(invert_image=True, retain_stats=True)):
    add("AdjustContrast", dict(gamma=1.7, **args))
    add("RandAdjustContrast", dict(gamma=[0.6, 0.6], prob=1.0, **args), S2)
add("RandGaussianNoise", dict(prob=1.0, mean=3.0, std=0.0))

for args in (dict(), dict(nonzero=True), dict(channel_wise=True)):
    add("StdShiftIntensity", dict(factor=0.7, **args), S2)
    add("RandStdShiftIntensity", dict(factors=[-0.4, -0.4], prob=1.0, **args))
for args in (dict(), dict(preserve_range=True), dict(fixed_mean=False), dict(fixed_mean=False, preserve_range=True)):
    add("ScaleIntensityFixedMean", dict(factor=0.7, **args))
    add("ScaleIntensityFixedMean", dict(factor=0.7, channel_wise=True, **args), S2)
add("RandBiasField", dict(prob=1.0, coeff_range=[0.05, 0.05]))
add("RandBiasField", dict(prob=1.0, degree=2, coeff_range=[-0.1, -0.1]), S2)
add("RandGaussianSmooth", dict(prob=1.0, sigma_x=[0.5, 0.5], sigma_y=[0.9, 0.9], sigma_z=[1.4, 1.4]))
add("RandGaussianSmooth", dict(prob=1.0, sigma_x=[0.5, 0.5], sigma_y=[0.9, 0.9], approx="sampled"), S2)
add("RandFlip", dict(prob=1.0, spatial_axis=[0, 2]))
add("RandFlip", dict(prob=1.0), S2, lps)
add("RandRotate90", dict(prob=1.0, max_k=1, spatial_axes=[1, 2]))
add("RandRotate90", dict(prob=1.0, max_k=1), S2, lps)
for keep in (True, False):
    for pad in ("border", "zeros", "reflection"):
        add("Rotate", dict(angle=[0.31, -0.22, 0.43], keep_size=keep, padding_mode=pad))
        add("Rotate", dict(angle=0.53, keep_size=keep, padding_mode=pad, align_corners=keep), S2, lps)
    add("Rotate", dict(angle=0.31, keep_size=keep, mode="nearest"))
    add("RandRotate", dict(range_x=[0.31, 0.31], range_y=[-0.22, -0.22], range_z=[0.43, 0.43], prob=1.0, keep_size=keep))
    add("RandRotate", dict(range_x=[0.53, 0.53], range_y=9.0, prob=1.0, keep_size=keep, mode="nearest"), S2, lps)
    add("RandZoom", dict(prob=1.0, min_zoom=1.3, max_zoom=1.3, mode="trilinear", keep_size=keep))
    add("RandZoom", dict(prob=1.0, min_zoom=[0.6, 1.3], max_zoom=[0.6, 1.3], mode="area", keep_size=keep))
    add("RandZoom", dict(prob=1.0, min_zoom=[0.6, 1.3], max_zoom=[0.6, 1.3], mode="nearest", padding_mode="constant", keep_size=keep), S2, lps)
add("RandRotate", dict(range_x=1.0, prob=0.0))
add("RandZoom", dict(prob=0.0))
add("RandSpatialCrop", dict(roi_size=[3, 4, -1], random_center=False))
add("RandSpatialCrop", dict(roi_size=[4, 9], random_center=False), S2, lps)
add("RandScaleCrop", dict(roi_scale=[0.5, 0.4, 1.0], random_center=False))
add("RandScaleCrop", dict(roi_scale=0.6, max_roi_scale=0.6, random_size=True, random_center=False), S2, lps)

writer = Writer()
for case in cases:
    args = dict(case["args"])
    if "Rotate" in case["transform"] and "90" not in case["transform"]:
        args["dtype"] = torch.float64  # as Resample has it
    if case["transform"] == "Affine":
        args["image_only"] = True
        if "affine" in args:
            args["affine"] = torch.tensor(args["affine"])
    transform = getattr(mt, case["transform"])(**args)
    out = transform(image_of(case))
    case["out"] = writer.keep(out)
    if "inverse" in dir(transform) and out.applied_operations:
        writer.keep_inverses(case, transform, out)
writer.save("random", cases)
