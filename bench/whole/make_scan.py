"""A CT of the size hospitals have, for the end-to-end benchmark: 512x512x134 int16, made from a small one by interpolation and noise.

usage: make_scan.py SMALL.nii.gz OUT.nii.gz
"""
import sys

import nibabel as nib
import numpy as np
from scipy.ndimage import zoom

SHAPE = (512, 512, 134)

small = nib.load(sys.argv[1])
voxels = np.asarray(small.dataobj).astype(np.float32)
factors = [n / m for n, m in zip(SHAPE, voxels.shape)]
large = zoom(voxels, factors, order=1, grid_mode=True, mode="nearest")
large += np.random.default_rng(1).normal(0, 12, large.shape).astype(np.float32)
affine = small.affine @ np.diag([1 / f for f in factors] + [1])
affine[:3, 3] += affine[:3, :3] @ ((np.array(factors) - 1) / 2)
nib.save(nib.Nifti1Image(np.clip(np.rint(large), -1024, 3071).astype(np.int16), affine), sys.argv[2])
