"""Golden surface distances: MONAI's metrics on masks of pseudo-random balls. Writes surface_distance.json beside this script.

The masks come from integers alone, so that the test makes the same ones: see `mask`."""
import json
import os

import numpy as np
import torch
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice


def mask(shape, balls):
    """A union of ellipsoids (centre, radii), all whole numbers."""
    out = np.zeros(shape, bool)
    grid = np.indices(shape)
    for centre, radii in balls:
        inside = sum(((g - c) * int(np.prod(radii) // r)) ** 2 for g, c, r in zip(grid, centre, radii))
        out |= inside <= int(np.prod(radii)) ** 2
    return out


two = ([((9, 8, 7), (5, 4, 3))], [((11, 7, 8), (4, 5, 4)), ((3, 15, 12), (2, 2, 1))])
scenes = [
    {"shape": [22, 18, 15], "a": two[0], "b": two[1], "spacing": [0.7, 1.3, 3.0]},
    {"shape": [22, 18, 15], "a": two[0], "b": two[1], "spacing": [3.0, 0.7421875, 0.7421875]},
    {"shape": [22, 18, 15], "a": two[0], "b": two[1], "spacing": None},
    {"shape": [22, 18, 15], "a": two[0], "b": two[0], "spacing": [1.0, 2.0, 3.0]},
    # touches the border: outside of the array is outside of the mask
    {"shape": [12, 11, 10], "a": [((0, 5, 9), (4, 4, 4))], "b": [((11, 5, 0), (4, 6, 3))], "spacing": [2.0, 1.0, 0.5]},
    {"shape": [40, 31], "a": [((12, 10), (9, 6)), ((30, 25), (2, 3))], "b": [((14, 12), (8, 8))], "spacing": [0.9, 1.7]},
    {"shape": [9, 9, 9], "a": [((4, 4, 4), (2, 2, 2))], "b": [], "spacing": [1.0, 1.0, 2.0]},
    {"shape": [9, 9, 9], "a": [], "b": [((4, 4, 4), (2, 2, 2))], "spacing": [1.0, 1.0, 2.0]},
    {"shape": [9, 9, 9], "a": [], "b": [], "spacing": [1.0, 1.0, 2.0]},
    # far apart and long: 200 mm
    {"shape": [6, 7, 120], "a": [((3, 3, 4), (2, 3, 4))], "b": [((2, 3, 100), (2, 3, 19))], "spacing": [0.9765625, 0.9765625, 2.5]},
]


def plain(t):
    v = float(t)
    return None if np.isnan(v) else "inf" if np.isinf(v) else v


cases = []
for scene in scenes:
    a, b = (torch.tensor(mask(scene["shape"], scene[k]))[None, None] for k in "ab")
    for rule in ["euclidean", "chessboard", "taxicab"]:
        if rule != "euclidean" and scene["spacing"] != scenes[0]["spacing"]:
            continue
        kw = {"include_background": True, "distance_metric": rule, "spacing": scene["spacing"]}
        numbers = {"hausdorff": compute_hausdorff_distance(a, b, **kw)}
        for percent in [95.0, 50.0]:
            numbers[f"hausdorff_{percent:.0f}"] = compute_hausdorff_distance(a, b, percentile=percent, **kw)
        numbers["directed"] = compute_hausdorff_distance(a, b, percentile=95.0, directed=True, **kw)
        numbers["average"] = compute_average_surface_distance(a, b, **kw)
        numbers["average_symmetric"] = compute_average_surface_distance(a, b, symmetric=True, **kw)
        numbers["dice"] = compute_surface_dice(a, b, [1.5], **kw)
        cases.append({**scene, "rule": rule, "numbers": {k: plain(v) for k, v in numbers.items()}})

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "surface_distance.json"), "w") as f:
    f.write("{\"cases\": [\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]}")
    f.write("\n")
print(len(cases), "cases")
