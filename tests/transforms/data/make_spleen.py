# Makes spleen.json: what MONAI 1.5 (torch 1.13.1) makes of ../shared/data/ct_3mm with the preprocessing of the model zoo's
# spleen_ct_segmentation 0.5.9, and of its mask on the way back. Run with monai importable: python3 make_spleen.py
import json
import os

import numpy as np
from monai import transforms as mt

folder = os.path.dirname(os.path.abspath(__file__))
shared = os.path.join(folder, "../../../../shared/data/ct_3mm")
pre = mt.Compose([
    mt.LoadImaged(keys=["image", "label"]), mt.EnsureChannelFirstd(keys=["image", "label"]), mt.Orientationd(keys=["image", "label"], axcodes="RAS"),
    mt.Spacingd(keys=["image", "label"], pixdim=[1.5, 1.5, 2.0], mode=["bilinear", "nearest"]),
    mt.ScaleIntensityRanged(keys="image", a_min=-57, a_max=164, b_min=0, b_max=1, clip=True), mt.EnsureTyped(keys=["image", "label"])])
post = mt.Compose([mt.CopyItemsd(keys="image", names="pred"),
                   mt.Invertd(keys="pred", transform=pre, orig_keys="image", nearest_interp=False, to_tensor=True)])
out = post(pre(dict(image=os.path.join(shared, "ct.nii.gz"), label=os.path.join(shared, "organs.nii.gz"))))


def describe(t, every):
    a = t.numpy().astype(np.float64)
    return dict(shape=list(a.shape), affine=t.affine.numpy().tolist(), sum=a.sum(), squares=(a * a).sum(), every=every,
                values=[round(float(v), 6) for v in a.ravel()[::every]])


with open(os.path.join(folder, "spleen.json"), "w") as f:
    json.dump(dict(image=describe(out["image"], 9973), label=describe(out["label"], 9973), pred=describe(out["pred"], 1999)), f)
