"""Golden numbers of MONAI 1.5's sliding windows for tests/infer/sliding_window_test.cpp, every 7th value of each output.

Run with MONAI importable: python3 make_sliding_window.py > sliding_window.json
"""
import json

import torch
from monai.inferers import SliceInferer, SlidingWindowInferer

# The image is (7919 i mod 1000) / 1000 - 0.3 for the flat index i; the network adds a ramp over the window, so that blending shows.
CASES = [
    {"shape": [1, 1, 11, 9, 7], "args": {"roi_size": [5, 4, 3], "sw_batch_size": 4, "overlap": 0.5}},
    {"shape": [1, 1, 11, 9, 7], "args": {"roi_size": [5, 4, 3], "sw_batch_size": 3, "overlap": [0.25, 0.6, 0.0], "mode": "gaussian"}},
    {"shape": [2, 2, 11, 9, 7], "args": {"roi_size": 4, "sw_batch_size": 5, "mode": "gaussian", "sigma_scale": [0.125, 0.3, 0.05]}},
    {"shape": [1, 1, 11, 5, 4], "args": {"roi_size": [6, 8, 7], "overlap": 0.3, "cval": -2.5}},
    {"shape": [1, 1, 11, 5, 4], "args": {"roi_size": [6, 8, 7], "padding_mode": "replicate", "mode": "gaussian"}},
    {"shape": [1, 1, 11, 5, 4], "args": {"roi_size": [6, 8, 7], "padding_mode": "reflect"}},
    {"shape": [1, 1, 11, 5, 4], "args": {"roi_size": [6, 8, 7], "padding_mode": "circular"}},
    {"shape": [1, 1, 11, 9, 7], "args": {"roi_size": [5, -1, None], "overlap": 0.9}},
    {"shape": [1, 3, 13, 10], "args": {"roi_size": [6, 4], "sw_batch_size": 2, "mode": "gaussian", "cache_roi_weight_map": True}},
    {"shape": [1, 1, 12, 10, 8], "network": "half", "args": {"roi_size": [4, 4, 4], "overlap": 0.5, "mode": "gaussian"}},
    {"shape": [1, 1, 3, 10, 8], "network": "half", "args": {"roi_size": [4, 4, 4], "overlap": 0.5}},
    {"shape": [1, 1, 12, 10, 8], "network": "dict", "args": {"roi_size": [4, 6, 4], "overlap": 0.25}},
    {"shape": [1, 1, 11, 9, 7], "slice": 1, "args": {"roi_size": [5, 4], "sw_batch_size": 2, "overlap": 0.5}},
    {"shape": [1, 1, 11, 9, 7], "slice": 2, "args": {"roi_size": [5, 16], "mode": "gaussian"}},
]


def image(shape):
    n = 1
    for s in shape:
        n *= s
    return (((torch.arange(n) * 7919) % 1000).to(torch.float32) / 1000 - 0.3).reshape(shape)


def ramp(x):
    spatial = x.shape[2:]
    r = torch.zeros(spatial)
    for axis, n in enumerate(spatial):
        view = [1] * len(spatial)
        view[axis] = n
        r = r + (axis + 1) * torch.arange(n, dtype=torch.float32).reshape(view) / 10
    return r[None, None]


def network(kind):
    def full(x):
        s = x.sum(dim=1, keepdim=True)
        return torch.cat([2 * s + ramp(x), s * s - ramp(x)], dim=1)

    def half(x):
        return full(x)[(slice(None), slice(None)) + (slice(None, None, 2),) * (x.dim() - 2)]

    return {"full": full, "half": half, "dict": lambda x: {"b": half(x), "a": full(x)}}[kind]


for case in CASES:
    if "slice" in case:
        inferer = SliceInferer(spatial_dim=case["slice"], **case["args"])
    else:
        inferer = SlidingWindowInferer(**case["args"])
    out = inferer(image(case["shape"]), network(case.get("network", "full")))
    if isinstance(out, dict):
        out = [out[k] for k in sorted(out)]
    elif torch.is_tensor(out):
        out = [out]
    case["outputs"] = [{"shape": list(o.shape), "values": [float(f"{v:.7g}") for v in o.flatten()[::7].tolist()]} for o in out]
print("[" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES) + "]")
