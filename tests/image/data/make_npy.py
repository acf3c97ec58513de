"""Makes the small .npy files of this folder: np.arange(24).reshape(2, 3, 4) in every type, order and format version, and empty and 0-d arrays.

Run: /usr/bin/python3 make_npy.py
"""
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

here = Path(__file__).parent / "npy"
here.mkdir(exist_ok=True)
base = np.arange(24).reshape(2, 3, 4)


def save(name, array, version=(1, 0)):
    with open(here / name, "wb") as f:
        npy.write_array(f, array, version=version)


for code in ("<f2", "<f4", "<f8", "|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", ">f2", ">f4", ">f8", ">u2", ">i2", ">i4", ">u8"):
    side = {"<": "le", ">": "be", "|": "le"}[code[0]]
    save(f"{side}_{code[1:]}.npy", base.astype(code))
save("fortran.npy", np.asfortranarray(base.astype("<f4")))
save("v2.npy", base.astype("<i4"), (2, 0))
save("v3.npy", base.astype("<i4"), (3, 0))
save("bool.npy", base % 3 == 0)
save("scalar.npy", np.array(7.5))
save("empty.npy", np.zeros((3, 0, 2), "f4"))
save("one_axis.npy", np.arange(24, dtype="i8"))
