# Makes values.json and values.npy: what MONAI 1.5 (torch 1.13.1) gives for small arrays, through single transforms and through
# whole lists of dictionary transforms. Run with monai importable: python3 make_values.py
import json
import os

import numpy as np
import torch
from monai import transforms as mt
from monai.apps.vista3d.transforms import Relabeld
from monai.data import MetaTensor

folder = os.path.dirname(os.path.abspath(__file__))
rng = np.random.RandomState(3)
numbers, inputs, cases = [], {}, []
offset = 0

lps = np.diag([-1.2, -0.9, 2.5, 1.0])
lps[:3, 3] = 90.5, 80.25, -300
c, s = np.cos(0.3), np.sin(0.3)
tilted = np.array([[c, -s, 0, 10], [s, c, 0, -20], [0, 0, 1, 30], [0, 0, 0, 1.0]]) @ np.diag([1.1, 0.8, 2.0, 1.0])


def keep(a):
    global offset
    affine = np.asarray(a.affine, dtype=np.float64).tolist() if isinstance(a, MetaTensor) else None
    dtype = str(a.dtype).replace("torch.", "")
    v = np.ascontiguousarray(np.asarray(a.cpu() if isinstance(a, torch.Tensor) else a).astype(np.float32))
    numbers.append(v.ravel())
    entry = dict(shape=list(v.shape), offset=offset, dtype=dtype)
    if affine is not None:
        entry["affine"] = affine
    offset += v.size
    return entry


def add_input(name, a, affine=np.eye(4)):
    inputs[name] = MetaTensor(torch.from_numpy(np.ascontiguousarray(a)), affine=torch.from_numpy(np.asarray(affine)))


noise = rng.normal(0, 40, (1, 7, 6, 5)).astype(np.float32)
add_input("noise", noise, lps)
holes = rng.normal(3, 2, (2, 7, 6, 5)).astype(np.float32)
holes[rng.rand(2, 7, 6, 5) < 0.4] = 0
add_input("holes", holes, tilted)
add_input("flat", np.full((1, 3, 4, 2), 2.5, np.float32))
add_input("empty", np.zeros((2, 3, 4, 2), np.float32))
add_input("slice", rng.normal(100, 30, (3, 8, 7)).astype(np.float32), lps)
add_input("bytes", rng.randint(0, 255, (1, 5, 6, 4)).astype(np.uint8), lps)
add_input("scan", rng.randint(-1000, 1500, (1, 9, 8, 6)).astype(np.int16).astype(np.float32), tilted)
add_input("many", (rng.normal(0, 1, (1, 101, 101, 99)) * 100).astype(np.float32))
add_input("labels", (rng.randint(0, 5, (1, 7, 7, 5)) * (rng.rand(1, 7, 7, 5) < 0.7)).astype(np.float32), lps)
add_input("labels2d", rng.randint(0, 3, (1, 9, 8)).astype(np.float32), lps)
add_input("onehot", (rng.rand(3, 7, 7, 5) < 0.45).astype(np.float32), tilted)
solid = np.zeros((1, 10, 10, 8), np.float32)
solid[0, 1:8, 1:8, 1:7] = 1
solid[0, 2:4, 2:4, 2:4] = 0
solid[0, 5:7, 5:7, 3:5] = 2
solid[0, 6, 6, 4] = 0
solid[0, 7, 3:5, 3] = 0
add_input("solid", solid)
add_input("logits", rng.normal(0, 2, (3, 6, 5, 4)).astype(np.float32), lps)
add_input("thin", rng.normal(0, 1, (1, 6, 1, 5)).astype(np.float32), tilted)
add_input("votes", rng.randint(0, 3, (5, 1, 4, 3)).astype(np.float32))

kept = {name: keep(a) for name, a in inputs.items() if name != "many"}
kept["many"] = dict(rule="many")
# "many" is too long to keep: whole numbers by a rule instead.
i = np.arange(1010000, dtype=np.int64)
add_input("many", ((i * 7919) % 100003).astype(np.float32).reshape(1, 1010, 1000))


def plain(v):
    if isinstance(v, (torch.Tensor, np.ndarray)):
        return keep(v)
    if isinstance(v, (list, tuple)):
        return dict(list=[plain(x) for x in v])
    if isinstance(v, dict):
        return dict(dict={k: plain(x) for k, x in v.items()})
    return dict(value=v)


def add(name, args, data, exact=False):
    out = getattr(mt, name)(**args)(inputs[data].clone())
    cases.append(dict(transform=name, args=args, input=data, out=plain(out), exact=exact))


def build(spec):
    if isinstance(spec, dict) and "_target_" in spec:
        args = {k: build(v) for k, v in spec.items() if k != "_target_"}
        return Relabeld(**args) if spec["_target_"] == "Relabeld" else getattr(mt, spec["_target_"])(**args)
    return [build(s) for s in spec] if isinstance(spec, list) else spec


def add_list(item, steps, inverse=(), keys=None, tolerance=1e-5):
    """Runs steps, then inverse, whose "@pre" stands for the steps' Compose; keeps the keys, or all."""
    data = {k: inputs[v].clone() if isinstance(v, str) and v in inputs else v for k, v in item.items()}
    pre = mt.Compose([build(s) for s in steps])
    out = pre(data)
    for step in inverse:
        args = {k: build(v) for k, v in step.items() if k != "_target_"}
        if args.get("transform") == "@pre":
            args["transform"] = pre
        out = getattr(mt, step["_target_"])(**args)(out)
    if keys is not None:
        out = {k: out[k] for k in keys}
    elif isinstance(out, dict):
        out = {k: v for k, v in out.items() if not k.endswith("_transforms")}
    cases.append(dict(item=item, steps=steps, inverse=list(inverse), keys=keys, out=plain(out), exact=False, tolerance=tolerance))


# Intensities
add("ScaleIntensity", {}, "noise")
add("ScaleIntensity", dict(minv=-1.0, maxv=1.0, channel_wise=True), "holes")
add("ScaleIntensity", dict(minv=0.5, maxv=2.0), "flat")
add("ScaleIntensity", dict(minv=None, maxv=None, factor=0.3), "noise")
add("ScaleIntensity", {}, "bytes")
add("ScaleIntensityRange", dict(a_min=-57, a_max=164, b_min=0.0, b_max=1.0, clip=True), "scan")
add("ScaleIntensityRange", dict(a_min=0, a_max=255, b_min=-1.0, b_max=1.0), "slice")
add("ScaleIntensityRange", dict(a_min=0, a_max=100), "slice")
add("ScaleIntensityRange", dict(a_min=7.0, a_max=164.0, b_min=0.0, b_max=200.0, clip=True, dtype=None), "bytes")
for args in (dict(lower=0, upper=99.5, b_min=0, b_max=1), dict(lower=1, upper=99, b_min=0.0, b_max=1.0, channel_wise=True, clip=True),
             dict(lower=10, upper=90, b_min=0, b_max=200, relative=True), dict(lower=0, upper=100, b_min=None, b_max=None)):
    for data in ("noise", "holes", "slice", "scan"):
        add("ScaleIntensityRangePercentiles", args, data)
add("ScaleIntensityRangePercentiles", dict(lower=0, upper=100, b_min=2, b_max=3, clip=True), "flat")
add("ClipIntensityPercentiles", dict(lower=5, upper=95), "noise")
add("ClipIntensityPercentiles", dict(lower=None, upper=80, channel_wise=True), "holes")
add("ClipIntensityPercentiles", dict(lower=30, upper=70, sharpness_factor=0.5), "noise")
add("ClipIntensityPercentiles", dict(lower=None, upper=70, sharpness_factor=10.0), "holes")
for args in (dict(), dict(nonzero=True), dict(channel_wise=True), dict(nonzero=True, channel_wise=True)):
    for data in ("noise", "holes", "flat", "empty", "slice", "bytes"):
        add("NormalizeIntensity", args, data)
add("NormalizeIntensity", dict(subtrahend=3.0, divisor=0.0), "holes")
add("NormalizeIntensity", dict(subtrahend=[1.5, 2.5], divisor=[2.0, 0.0], channel_wise=True, nonzero=True), "holes")
add("NormalizeIntensity", dict(divisor=[2.0, 3.0], channel_wise=True), "holes")
add("ThresholdIntensity", dict(threshold=10), "noise", True)
add("ThresholdIntensity", dict(threshold=2.0, above=False, cval=-7.0), "holes", True)
add("ThresholdIntensity", dict(threshold=100), "bytes", True)
for sigma in (0.4, 1.0, 3.0, [0.5, 1.5, 0.0]):
    add("GaussianSmooth", dict(sigma=sigma), "holes")
add("GaussianSmooth", dict(sigma=1.2, approx="sampled"), "noise")
add("GaussianSmooth", dict(sigma=1.2, approx="scalespace"), "noise")
add("GaussianSmooth", dict(sigma=[2.0, 0.7]), "slice")
add("MedianSmooth", dict(radius=1), "holes", True)
add("MedianSmooth", dict(radius=[1, 2, 0]), "noise", True)
add("MedianSmooth", dict(radius=2), "slice", True)
for mode in ("minimum", "maximum", "mean"):
    add("SpatialPad", dict(spatial_size=[9, 6, 8], mode=mode), "holes")
    add("BorderPad", dict(spatial_border=[0, 2, 1, 1], mode=mode), "slice")
# Network outputs and labels
add("Activations", dict(sigmoid=True), "logits")
add("Activations", dict(softmax=True), "logits")
add("Activations", dict(softmax=True, dim=1), "logits")
for args in (dict(argmax=True), dict(argmax=True, to_onehot=3), dict(threshold=0.5), dict(rounding="torchrounding"), dict(argmax=True, keepdim=False),
             dict(argmax=True, dim=1), dict(argmax=True, threshold=1.0), dict(rounding="torchrounding", dtype="int32")):
    if args.get("dtype"):
        args = dict(args, dtype=args["dtype"])
    add("AsDiscrete", args, "logits", True)
add("AsDiscrete", dict(to_onehot=5), "labels", True)
add("AsDiscrete", dict(to_onehot=4), "labels2d", True)
for args in (dict(), dict(applied_labels=[1, 2]), dict(applied_labels=[1, 2], independent=False), dict(applied_labels=3, connectivity=1),
             dict(connectivity=2), dict(independent=False, connectivity=1), dict(applied_labels=[2], num_components=3)):
    add("KeepLargestConnectedComponent", args, "labels", True)
    if args.get("connectivity", 1) <= 2:
        add("KeepLargestConnectedComponent", args, "labels2d", True)
for args in (dict(), dict(connectivity=1), dict(applied_labels=[0, 2], connectivity=2), dict(applied_labels=[1, 2], independent=False, connectivity=1),
             dict(is_onehot=True, num_components=2, connectivity=1)):
    add("KeepLargestConnectedComponent", args, "onehot", True)
add("RemoveSmallObjects", dict(min_size=4), "onehot", True)
add("RemoveSmallObjects", dict(min_size=12, connectivity=3), "onehot", True)
add("RemoveSmallObjects", dict(min_size=90), "labels", True)
add("RemoveSmallObjects", dict(min_size=30, independent_channels=False), "labels2d", True)
add("RemoveSmallObjects", dict(min_size=20, by_measure=True), "onehot", True)
add("LabelFilter", dict(applied_labels=[1, 3]), "labels", True)
add("LabelFilter", dict(applied_labels=2), "labels2d", True)
for data in ("solid", "labels", "labels2d", "onehot"):
    add("FillHoles", dict(), data, True)
    add("FillHoles", dict(connectivity=1, applied_labels=[1]), data, True)
add("FillHoles", dict(connectivity=2, applied_labels=[1, 2]), "solid", True)
add("MapLabelValue", dict(orig_labels=[0, 1, 2, 3], target_labels=[9, 3, 2, 0]), "labels", True)
add("MapLabelValue", dict(orig_labels=[1, 2], target_labels=[0.5, -2], dtype="float64"), "labels", True)
add("ConvertToMultiChannelBasedOnBratsClasses", dict(), "labels", True)
add("ConvertToMultiChannelBasedOnBratsClasses", dict(), "labels2d", True)
# Axes and types
for data in ("holes", "slice"):
    # MONAI does not shift the affine without keepdim, and shifts along z in 2D: affines are not compared then.
    for args in (dict(dim=0), dict(), dict(dim=1, keepdim=False), dict(dim=-1, update_meta=False)):
        add("SplitDim", args, data, True)
        if "keepdim" in args or (data == "slice" and not args):
            for part in cases[-1]["out"]["list"]:
                del part["affine"]
add("SqueezeDim", dict(), "noise", True)
add("SqueezeDim", dict(dim=2), "thin", True)
add("SqueezeDim", dict(dim=-2, update_meta=False), "thin", True)
add("SqueezeDim", dict(dim=None), "thin", True)
add("Transpose", dict(indices=[2, 0, 1, 3]), "holes", True)
add("Transpose", dict(indices=None), "slice", True)
add("AsChannelLast", dict(), "holes", True)
add("AsChannelLast", dict(channel_dim=1), "slice", True)
add("RepeatChannel", dict(repeats=3), "holes", True)
add("RemoveRepeatedChannel", dict(repeats=2), "slice", True)
add("Identity", dict(), "slice", True)
add("DataStats", dict(), "slice", True)
add("CastToType", dict(dtype="uint8"), "slice", True)
add("EnsureType", dict(dtype="float64"), "bytes", True)
add("EnsureType", dict(data_type="numpy", dtype="int32"), "noise", True)
add("ToTensor", dict(dtype="int16"), "noise", True)
add("MeanEnsemble", dict(), "votes")
add("MeanEnsemble", dict(weights=[1.0, 2.0, 3.0, 4.0, 0.5]), "votes")
add("VoteEnsemble", dict(num_classes=3), "votes", True)
add("VoteEnsemble", dict(), "onehot", True)
# Items
two = dict(image="noise", label="holes", id="case 7")
add_list(two, [dict(_target_="SelectItemsd", keys=["label", "id"])])
add_list(two, [dict(_target_="CopyItemsd", keys="image", times=1, names="pred")])
add_list(two, [dict(_target_="CopyItemsd", keys=["image", "label"], times=2)], keys=["image_1", "label_0", "label_1"])
add_list(two, [dict(_target_="DeleteItemsd", keys="image")])
add_list(two, [dict(_target_="DeleteItemsd", keys="im.ge|id", sep="|", use_re=False)], keys=["image"]) if False else None
add_list(two, [dict(_target_="DeleteItemsd", keys=["^i"], use_re=True)])
add_list(two, [dict(_target_="ConcatItemsd", keys=["image", "label"], name="both")])
add_list(dict(pred=dict(a=1, b="x"), id=3), [dict(_target_="FlattenSubKeysd", keys="pred", sub_keys=["a"], delete_keys=True, prefix="p")])
add_list(two, [dict(_target_="SplitDimd", keys="label", output_postfixes=["tc", "et"])])
add_list(two, [dict(_target_="SplitDimd", keys="label", list_output=True)])
add_list(dict(label="labels"), [dict(_target_="Relabeld", keys="label", label_mappings=dict(default=[[1, 3], [2, 1]]), dtype="uint8")])
add_list(dict(label="labels", dataset_name="b"), [dict(_target_="Relabeld", keys="label", label_mappings=dict(default=[[1, 3]], b=[[4, 7], [0, 2]]))])
add_list(dict(a="noise", b="noise"), [dict(_target_="MeanEnsembled", keys=["a", "b"], output_key="m")], keys=["m"])
# As the zoo does it
add_list(dict(image="scan", label="labels"), [
    dict(_target_="Orientationd", keys=["image", "label"], axcodes="RAS"),
    dict(_target_="Spacingd", keys=["image", "label"], pixdim=[1.0, 1.0, 2.2], mode=["bilinear", "nearest"]),
    dict(_target_="ScaleIntensityRanged", keys="image", a_min=-57, a_max=164, b_min=0.0, b_max=1.0, clip=True),
    dict(_target_="CropForegroundd", keys="image", source_key="image", margin=1, k_divisible=4),
    dict(_target_="EnsureTyped", keys=["image", "label"])], keys=["image", "label"])
add_list(dict(image="scan"), [
    dict(_target_="CropForegroundd", keys="image", source_key="image", margin=2, mode="minimum"),
    dict(_target_="NormalizeIntensityd", keys="image", nonzero=True, channel_wise=True),
    dict(_target_="DivisiblePadd", keys="image", k=4),
    dict(_target_="EnsureTyped", keys="image", dtype="float32", track_meta=False)])
for nearest in (False, True):
    add_list(dict(image="scan"), [
        dict(_target_="Orientationd", keys="image", axcodes="RAS"),
        dict(_target_="Spacingd", keys="image", pixdim=[1.4, 1.3, 1.5], mode="bilinear"),
        dict(_target_="SpatialPadd", keys="image", spatial_size=[12, 8, 8]),
        dict(_target_="CenterSpatialCropd", keys="image", roi_size=[8, 6, 7]),
        dict(_target_="CopyItemsd", keys="image", names="pred")],
        [dict(_target_="Invertd", keys="pred", transform="@pre", orig_keys="image", nearest_interp=nearest, to_tensor=True),
         dict(_target_="AsDiscreted", keys="pred", threshold=200.0)] if nearest else
        [dict(_target_="Invertd", keys="pred", transform="@pre", orig_keys="image", meta_keys="pred_meta_dict", nearest_interp=nearest)],
        keys=["pred"], tolerance=1e-3)
add_list(dict(pred="logits", label="logits"), [
    dict(_target_="Activationsd", keys="pred", softmax=True),
    dict(_target_="AsDiscreted", keys=["pred", "label"], argmax=[True, False], threshold=[None, 0.25]),
    dict(_target_="KeepLargestConnectedComponentd", keys="pred", applied_labels=[1, 2])], keys=["pred", "label"])
add_list(dict(pred="logits"), [
    dict(_target_="Activationsd", keys="pred", sigmoid=True), dict(_target_="AsDiscreted", keys="pred", threshold=0.5),
    dict(_target_="SplitDimd", keys="pred", output_postfixes=["tc", "wt", "et"])])
add_list(dict(pred="logits"), [
    dict(_target_="AsDiscreted", keys="pred", argmax=True, to_onehot=3), dict(_target_="KeepLargestConnectedComponentd", keys="pred")])
add_list(dict(label="labels", image="scan"), [dict(_target_="ResampleToMatchd", keys="label", key_dst="image", mode="nearest")], keys=["label"])
# Percentiles of more than a million values take another road in MONAI.
add("ScaleIntensityRangePercentiles", dict(lower=0.7, upper=99.3, b_min=0, b_max=1), "many")
many = cases.pop()
flat = np.concatenate(numbers)[-1010000:]
numbers[-1] = flat[::9973].copy()
offset += numbers[-1].size - flat.size
many["out"]["every"] = 9973
cases.append(many)

np.save(os.path.join(folder, "values.npy"), np.concatenate(numbers))
with open(os.path.join(folder, "values.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in [kept] + cases) + "\n]\n")
