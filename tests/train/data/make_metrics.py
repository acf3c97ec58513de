"""Golden Dice scores: MONAI's DiceMetric on fixed arrays. Writes metrics.json beside this script."""
import json
import os

import numpy as np
import torch
from monai.metrics import DiceMetric

rng = np.random.default_rng(1)
dims = (4, 3, 2)
p = rng.integers(0, 3, size=(3, 1, *dims))
y = np.where(rng.random(p.shape) < 0.6, p, rng.integers(0, 3, size=p.shape))
y[1][y[1] == 2] = 0  # item 1 has no class 2
y[2] = 0  # item 2 has only background
hot = lambda a: np.concatenate([a == c for c in range(3)], 1).astype(np.float32)
arrays = {"p": p.astype(np.float32), "y": y.astype(np.float32), "hp": hot(p), "hy": hot(y), "soft": rng.random((3, 3, *dims)).astype(np.float32).round(3)}


def plain(v):
    if isinstance(v, (tuple, list)):
        return [plain(i) for i in v]
    if isinstance(v, dict):
        return v
    return [None if np.isnan(f) else float(f) for f in np.atleast_1d(v.numpy()).ravel()]


cases = []


def case(args, a, b):
    metric = DiceMetric(**args)
    scores = metric(torch.tensor(arrays[a]), torch.tensor(arrays[b]))
    cases.append({"args": args, "y_pred": a, "y": b, "scores": plain(scores), "shape": list(scores.shape), "aggregate": plain(metric.aggregate())})


for reduction in ["none", "mean", "sum", "mean_batch", "sum_batch", "mean_channel", "sum_channel"]:
    case({"reduction": reduction, "include_background": False}, "hp", "hy")
    case({"reduction": reduction, "get_not_nans": True}, "hp", "hy")
case({"ignore_empty": False}, "hp", "hy")
case({"num_classes": 3}, "p", "y")
case({"num_classes": 3, "include_background": False}, "p", "hy")
case({}, "hp", "y")
case({}, "hp", "soft")
case({}, "p", "y")
case({"reduction": "mean_batch", "return_with_label": True}, "hp", "hy")
case({"reduction": "mean_batch", "return_with_label": True, "include_background": False}, "hp", "hy")
case({"reduction": "mean_batch", "return_with_label": ["a", "b", "c"]}, "hp", "hy")

here = os.path.dirname(os.path.abspath(__file__))
out = {k: {"shape": list(v.shape), "values": [float(f"{f:.4g}") for f in v.ravel()]} for k, v in arrays.items()}
with open(os.path.join(here, "metrics.json"), "w") as f:
    json.dump({"arrays": out, "cases": cases}, f, separators=(",", ":"))
print(len(cases), "cases")
