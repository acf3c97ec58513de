"""Golden losses: MONAI's and torch's on fixed arrays. Writes losses.json beside this script."""
import json
import os

import numpy as np
import torch
from monai import losses

rng = np.random.default_rng(0)


def logits(channels, dims):
    return rng.normal(size=(2, channels, *dims)).astype(np.float32).round(3)


dims = (3, 4, 2)
x3, x1 = logits(3, dims), logits(1, dims)
labels3 = rng.integers(0, 3, size=(2, 1, *dims)).astype(np.float32)
labels2 = rng.integers(0, 2, size=(2, 1, *dims)).astype(np.float32)
few = np.minimum(labels3, 1)  # class 2 is absent
hot3 = np.concatenate([labels3 == c for c in range(3)], 1).astype(np.float32)
soft3 = rng.random(size=(2, 3, *dims)).astype(np.float32).round(3)
indices3 = labels3[:, 0]
arrays = {"x3": x3, "x1": x1, "labels3": labels3, "labels2": labels2, "few": few, "hot3": hot3, "soft3": soft3, "indices3": indices3}

cases = []


def case(name, args, x, y):
    if name.startswith("torch.nn."):
        module = getattr(torch.nn, name.split(".")[-1])
    else:
        module = getattr(losses, name)
    tensors = {k: torch.tensor(v) if k in ("weight", "pos_weight") and isinstance(v, list) else v for k, v in args.items()}
    xt = torch.tensor(arrays[x], requires_grad=True)
    yt = torch.tensor(arrays[y])
    if y == "indices3":
        yt = yt.long()
    out = module(**tensors)(xt, yt)
    out.sum().backward()
    cases.append({
        "name": name, "args": args, "input": x, "target": y, "shape": list(out.shape),
        "value": [float(v) for v in out.detach().flatten()], "gradient": float(xt.grad.abs().sum()),
        "first": [float(v) for v in xt.grad.flatten()[:4]],
    })


hot = {"to_onehot_y": True, "softmax": True}
for extra in [
    {}, {"include_background": False}, {"squared_pred": True}, {"jaccard": True}, {"jaccard": True, "squared_pred": True}, {"batch": True},
    {"reduction": "sum"}, {"reduction": "none"}, {"reduction": "none", "batch": True}, {"smooth_nr": 0.1, "smooth_dr": 0.5},
    {"weight": [0.2, 1.0, 3.0]}, {"weight": 2.0}, {"weight": [1.0, 3.0], "include_background": False, "batch": True},
]:
    case("DiceLoss", {**hot, **extra}, "x3", "labels3")
case("DiceLoss", {"sigmoid": True}, "x3", "hot3")
case("DiceLoss", {"sigmoid": True, "squared_pred": True, "smooth_nr": 0, "smooth_dr": 1e-5}, "x3", "hot3")
case("DiceLoss", {"sigmoid": True, "squared_pred": True}, "x1", "labels2")
case("DiceLoss", {"softmax": True, "soft_label": True}, "x3", "soft3")
case("DiceLoss", {"softmax": True, "soft_label": True, "jaccard": True}, "x3", "soft3")
case("DiceLoss", {"sigmoid": True, "include_background": False, "to_onehot_y": True}, "x1", "labels2")

for extra in [
    {}, {"include_background": False, "batch": True}, {"reduction": "sum"}, {"weight": [0.2, 1.0, 3.0]}, {"weight": [0.2, 1.0, 3.0], "include_background": False},
    {"lambda_dice": 0.5, "lambda_ce": 0.5, "squared_pred": True, "batch": True, "smooth_nr": 1e-5, "smooth_dr": 1e-5}, {"label_smoothing": 0.1},
    {"include_background": False, "squared_pred": True, "smooth_nr": 0, "smooth_dr": 1e-6}, {"batch": True, "smooth_nr": 1e-6, "smooth_dr": 1e-6},
]:
    case("DiceCELoss", {**hot, **extra}, "x3", "labels3")
case("DiceCELoss", {"softmax": True}, "x3", "hot3")
case("DiceCELoss", {"sigmoid": True, "weight": [2.0]}, "x1", "labels2")
case("DiceCELoss", {"sigmoid": True, "reduction": "sum"}, "x1", "labels2")

for extra in [
    {}, {"gamma": 1.0}, {"alpha": 0.3}, {"weight": [0.2, 1.0, 3.0]}, {"reduction": "sum"}, {"reduction": "none"}, {"use_softmax": True},
    {"use_softmax": True, "alpha": 0.3}, {"use_softmax": True, "alpha": 0.3, "include_background": False}, {"include_background": False, "weight": 2.0},
]:
    case("FocalLoss", {"to_onehot_y": True, **extra}, "x3", "labels3")
case("FocalLoss", {"gamma": 0.0}, "x1", "labels2")

for extra in [
    {}, {"lambda_dice": 0.7, "lambda_focal": 2.0, "gamma": 3.0, "squared_pred": True}, {"include_background": False, "weight": [1.0, 3.0]},
    {"alpha": 0.25, "batch": True}, {"reduction": "sum"}, {"include_background": False, "jaccard": True},
]:
    case("DiceFocalLoss", {**hot, **extra}, "x3", "labels3")

for target in ["labels3", "few"]:
    for extra in [{}, {"w_type": "simple"}, {"w_type": "uniform"}, {"batch": True}, {"reduction": "none"}, {"reduction": "sum"}, {"include_background": False}]:
        case("GeneralizedDiceLoss", {**hot, **extra}, "x3", target)
case("GeneralizedDiceLoss", {"softmax": True, "soft_label": True, "reduction": "none", "batch": True}, "x3", "soft3")

for extra in [{}, {"weight": [0.2, 1.0, 3.0]}, {"ignore_index": 1}, {"reduction": "sum"}, {"reduction": "none"}, {"label_smoothing": 0.2}]:
    case("torch.nn.CrossEntropyLoss", extra, "x3", "indices3")
case("torch.nn.CrossEntropyLoss", {}, "x3", "soft3")
case("torch.nn.BCEWithLogitsLoss", {}, "x3", "hot3")
case("torch.nn.BCEWithLogitsLoss", {"pos_weight": [3.0]}, "x1", "labels2")
case("torch.nn.BCEWithLogitsLoss", {"reduction": "sum", "weight": [0.5]}, "x1", "labels2")
for name in ["torch.nn.MSELoss", "torch.nn.L1Loss"]:
    for extra in [{}, {"reduction": "sum"}, {"reduction": "none"}, {"size_average": False}]:
        case(name, extra, "x3", "soft3")

here = os.path.dirname(os.path.abspath(__file__))
plain = {k: {"shape": list(v.shape), "values": [float(f"{f:.4g}") for f in v.flatten()]} for k, v in arrays.items()}
with open(os.path.join(here, "losses.json"), "w") as f:
    json.dump({"arrays": plain, "cases": cases}, f, separators=(",", ":"))
print(len(cases), "cases")
