"""Makes the small NIfTI files of this folder and nifti.json: what nibabel reads from them.

Run: OMP_NUM_THREADS=1 /usr/bin/python3 make_nifti.py (needs python3-nibabel)
"""
import gzip
import json
from pathlib import Path

import nibabel as nib
import numpy as np

here = Path(__file__).parent / "nifti"
here.mkdir(exist_ok=True)
rng = np.random.default_rng(7)
expected = {}


def rotation(a, b, c):
    def turn(i, j, t):
        m = np.eye(3)
        m[i, i] = m[j, j] = np.cos(t)
        m[i, j], m[j, i] = -np.sin(t), np.sin(t)
        return m

    return turn(0, 1, a) @ turn(1, 2, b) @ turn(0, 2, c)


def affine(zooms=(1.5, 0.75, 3), angles=(0, 0, 0), origin=(-10, 20, 30.5), flips=(1, 1, 1)):
    m = np.eye(4)
    m[:3, :3] = rotation(*angles) @ np.diag(np.array(zooms) * flips)
    m[:3, 3] = origin
    return m


def save(name, data, aff=None, version=1, endian="<", edit=None):
    kind = nib.Nifti1Image if version == 1 else nib.Nifti2Image
    header = (nib.Nifti1Header if version == 1 else nib.Nifti2Header)(endianness=endian)
    header.set_data_dtype(data.dtype)
    image = kind(data, affine() if aff is None else aff, header)
    if edit:
        edit(image)
    path = here / name
    nib.save(image, path)
    if name.endswith(".gz"):  # no time stamp inside
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), mtime=0))
    return path


def patch(path, offset, value):
    raw = bytearray(path.read_bytes())
    raw[offset : offset + len(value)] = value
    path.write_bytes(bytes(raw))


def values(dtype, shape=(5, 4, 3)):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (rng.standard_normal(shape) * 1000).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


for dtype in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"):
    save(f"le_{dtype}.nii", values(dtype))
    save(f"be_{dtype}.nii", values(dtype), endian=">")
save("two_i2.nii", values("i2"), version=2)
save("two_be_f4.nii", values("f4"), version=2, endian=">")
save("two_u1.nii.gz", values("u1"), version=2)
save("gz_i2.nii.gz", values("i2"))
save("gz_be_i2.nii.gz", values("i2"), endian=">")
save("four.nii.gz", values("i2", (4, 3, 2, 3)))
save("four_trailing_one.nii", values("u1", (4, 3, 2, 1)))
save("five.nii", values("u1", (3, 2, 2, 1, 3)))
save("plane.nii", values("u1", (6, 5)))
oblique = affine(angles=(0.3, -0.4, 0.2))
save("oblique.nii", values("i2"), oblique)
save("oblique_flipped.nii", values("i2"), affine(angles=(0.3, -0.4, 0.2), flips=(-1, 1, 1)))


def only_qform(image):
    image.set_qform(image.affine, code=1)
    image.set_sform(None, code=0)


save("qform.nii", values("i2"), oblique, edit=only_qform)
save("qform_qfac.nii", values("i2"), affine(angles=(1.3, -0.4, 2.2), flips=(1, 1, -1)), edit=only_qform)
save("qform_half_turn.nii", values("i2"), affine(flips=(-1, -1, 1)), edit=only_qform)
save("qform_two.nii", values("i2"), oblique, version=2, edit=only_qform)


def both(image):
    image.set_qform(affine(angles=(0, 0, 1)), code=1)
    image.set_sform(oblique, code=2)


save("both_forms.nii", values("i2"), oblique, edit=both)


def no_form(image):
    image.set_qform(None, code=0)
    image.set_sform(None, code=0)


save("pixdim_only.nii", values("i2"), affine(), edit=no_form)
path = save("code_unknown.nii", values("i2"), oblique, edit=both)
patch(path, 254, (99).to_bytes(2, "little"))  # sform_code nobody knows: the qform counts
for name, slope, inter in (("scaled.nii", 2.5, -1024.0), ("slope_zero.nii", 0.0, 5.0), ("slope_nan.nii", float("nan"), 5.0)):
    path = save(name, values("i2"))
    patch(path, 112, np.array([slope, inter], "<f4").tobytes())
path = save("scaled_be_f4.nii", values("f4"), endian=">")
patch(path, 112, np.array([0.5, 3.0], ">f4").tobytes())

for path in sorted(here.glob("*.nii*")):
    image = nib.load(path)
    data = np.asanyarray(image.dataobj)
    expected[path.name] = {
        "shape": list(data.shape),
        "dtype": data.dtype.newbyteorder("=").name,
        "affine": image.affine.tolist(),
        # As numbers where a double is exact; the 64-bit integers as text.
        "values": [str(v) if data.dtype.kind in "iu" else float(v) for v in data.ravel(order="C")],
    }
(Path(__file__).parent / "nifti.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
