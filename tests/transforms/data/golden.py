# What the scripts beside it share: the small images, and the writing of NAME.json and NAME.npy.
import json
import os

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms.utils import convert_applied_interp_mode


def formula(shape, background=False):
    c, *g = np.indices(shape)
    g = g + [np.zeros_like(c)] * (3 - len(g))
    x, y, z = g
    v = ((x * 7 + y * 13 + z * 29 + c * 31) * (x + 2 * y + 3 * z + 1) % 101).astype(np.float32)
    if background:  # nothing but a block in the middle
        v[(x < 1 + c) | (x > 3) | (y < 2) | (y > 3) | (z > 2)] = -1
    return v


def image_of(case, background=False):
    return MetaTensor(torch.from_numpy(formula(case["shape"], background)), affine=torch.tensor(case["affine"], dtype=torch.float64))


class Writer:
    def __init__(self):
        self.values, self.offset = [], 0

    def keep(self, t):
        a = np.ascontiguousarray(t.cpu().numpy().astype(np.float32))
        self.values.append(a.ravel())
        entry = dict(shape=list(a.shape), offset=self.offset, affine=np.asarray(t.affine, dtype=np.float64).tolist())
        self.offset += a.size
        return entry

    def keep_inverses(self, case, transform, out):
        case["back"] = self.keep(transform.inverse(out.clone()))
        nearest = out.clone()
        nearest.applied_operations = convert_applied_interp_mode(nearest.applied_operations)
        case["back_nearest"] = self.keep(transform.inverse(nearest))

    def save(self, name, cases):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
        np.save(path + ".npy", np.concatenate(self.values))
        with open(path + ".json", "w") as f:
            f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
