"""Golden scores: MONAI's metrics on fixed arrays. Writes metrics.json beside this script."""
import json
import os

import numpy as np
import torch
import monai.metrics

rng = np.random.default_rng(1)
dims = (4, 3, 2)
p = rng.integers(0, 3, size=(3, 1, *dims))
y = np.where(rng.random(p.shape) < 0.6, p, rng.integers(0, 3, size=p.shape))
y[1][y[1] == 2] = 0  # item 1 has no class 2
y[2] = 0  # item 2 has only background
hot = lambda a: np.concatenate([a == c for c in range(3)], 1).astype(np.float32)
arrays = {"p": p.astype(np.float32), "y": y.astype(np.float32), "hp": hot(p), "hy": hot(y), "soft": rng.random((3, 3, *dims)).astype(np.float32).round(3)}
arrays |= {"cp": np.eye(3, dtype=np.float32)[[0, 1, 1, 2, 0]], "cy": np.eye(3, dtype=np.float32)[[0, 1, 2, 2, 1]]}  # answers without space


def plain(v):
    if isinstance(v, (tuple, list)):
        return [plain(i) for i in v]
    if isinstance(v, dict):
        return v
    return [None if np.isnan(f) else "inf" if np.isinf(f) else float(f) for f in np.atleast_1d(v.numpy()).ravel()]


cases = []


def case(args, a, b, name="DiceMetric", **call):
    metric = getattr(monai.metrics, name)(**args)
    scores = metric(torch.tensor(arrays[a]), torch.tensor(arrays[b]), **call)
    cases.append({"name": name, "args": args, "call": call, "y_pred": a, "y": b, "scores": plain(scores), "shape": list(scores.shape), "aggregate": plain(metric.aggregate())})


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

REDUCTIONS = ["none", "mean", "sum", "mean_batch", "sum_batch", "mean_channel", "sum_channel"]
for reduction in REDUCTIONS:
    both = {"reduction": reduction, "get_not_nans": True}
    case(both, "hp", "hy", "MeanIoU")
    case({**both, "percentile": 95}, "hp", "hy", "HausdorffDistanceMetric", spacing=[0.7, 1.3, 3.0])
    case({**both, "symmetric": True}, "hp", "hy", "SurfaceDistanceMetric", spacing=[0.7, 1.3, 3.0])
    case({**both, "class_thresholds": [0.5, 1.0]}, "hp", "hy", "SurfaceDiceMetric", spacing=[0.7, 1.3, 3.0])
    for compute_sample in [False, True]:
        case({**both, "metric_name": ["recall", "f1 score"], "compute_sample": compute_sample}, "hp", "hy", "ConfusionMatrixMetric")
case({"ignore_empty": False}, "hp", "hy", "MeanIoU")
case({"include_background": False}, "hp", "hy", "MeanIoU")
case({"include_background": True}, "hp", "hy", "HausdorffDistanceMetric")
case({"directed": True}, "hp", "hy", "HausdorffDistanceMetric", spacing=2.0)
case({"distance_metric": "taxicab"}, "hp", "hy", "HausdorffDistanceMetric")
case({}, "hp", "hy", "SurfaceDistanceMetric", spacing=[[0.7, 1.3, 3.0], [1.0, 1.0, 1.0], [2.0, 1.0, 0.5]])
case({"distance_metric": "chessboard", "include_background": True}, "hp", "hy", "SurfaceDistanceMetric")
NAMES = ["sensitivity", "Specificity", "precision", "negative predictive value", "miss rate", "fall out", "false discovery rate", "false omission rate", "prevalence threshold", "threat score", "accuracy", "balanced accuracy", "f1 score", "matthews correlation coefficient", "fowlkes mallows index", "informedness", "markedness"]
for name in NAMES:
    case({"metric_name": name, "reduction": "none", "compute_sample": True}, "hp", "hy", "ConfusionMatrixMetric")
    case({"metric_name": name, "include_background": False}, "hp", "hy", "ConfusionMatrixMetric")
case({"metric_name": "acc", "compute_sample": True, "reduction": "mean_batch"}, "cp", "cy", "ConfusionMatrixMetric")
for name in ["MSEMetric", "MAEMetric", "RMSEMetric"]:
    case({"reduction": "none"}, "soft", "hy", name)
    case({"get_not_nans": True}, "soft", "hy", name)
case({"max_val": 1.0}, "soft", "hy", "PSNRMetric")

here = os.path.dirname(os.path.abspath(__file__))
out = {k: {"shape": list(v.shape), "values": [float(f"{f:.4g}") for f in v.ravel()]} for k, v in arrays.items()}
with open(os.path.join(here, "metrics.json"), "w") as f:
    json.dump({"arrays": out, "cases": cases}, f, separators=(",", ":"))
print(len(cases), "cases")
