"""MONAI's `monai.bundle run` of a bundle, and what its stages took.

usage: monai_stages.py BUNDLE_FOLDER DATA_FOLDER; the last line it prints is JSON: seconds of preprocessing, network alone and postprocessing.
"""
import json
import sys
import time

from monai.bundle import run
from monai.networks.nets import UNet
from monai.transforms import Compose

seconds = {"UNet": 0.0, "Compose": []}
inside = False


def network(self, *inputs, forward=UNet.forward):
    start = time.monotonic()
    result = forward(self, *inputs)
    seconds["UNet"] += time.monotonic() - start
    return result


def compose(self, *inputs, call=Compose.__call__, **options):
    """Only the outermost of nested ones counts."""
    global inside
    if inside:
        return call(self, *inputs, **options)
    inside, start = True, time.monotonic()
    result = call(self, *inputs, **options)
    inside = False
    seconds["Compose"].append(time.monotonic() - start)
    return result


UNet.forward, Compose.__call__ = network, compose
run(config_file=sys.argv[1] + "/configs/inference.json", bundle_root=sys.argv[1], dataset_dir=sys.argv[2])
before, after = seconds["Compose"]
print(json.dumps({"before": before, "network": seconds["UNet"], "after": after}))
