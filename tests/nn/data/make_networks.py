"""Golden networks: names and shapes of MONAI's state_dicts, and outputs with weights by rule. Writes networks.json beside this script."""
import json
import os
import sys

import numpy as np
import torch
from monai.networks import nets

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", ".."))
import rule_weights  # noqa: E402

torch.set_num_threads(1)
cases = []


def hash64(text):
    h = 14695981039346656037
    for byte in text.encode():
        h = ((h ^ byte) * 1099511628211) % 2**64
    return f"{h:016x}"


def numbers(values):
    return [float(f"{v:.8g}") for v in np.asarray(values, np.float64).ravel()]


def sample(array, count):
    flat = array.detach().numpy().ravel()
    return numbers(flat[np.linspace(0, len(flat) - 1, min(count, len(flat))).astype(int)])


def case(name, args, shape, full=False, train=False):
    torch.manual_seed(0)
    network = rule_weights.fill(getattr(nets, name)(**args))
    state = {k: list(v.shape) for k, v in network.state_dict().items()}
    lines = "".join(f"{k}{v}\n" for k, v in state.items())
    entry = {"name": name, "args": args, "input": shape, "state_count": len(state), "state_hash": hash64(lines)}
    if full:
        entry["state"] = state
    x = torch.from_numpy(rule_weights.input_of(shape))
    network.train(train)
    y = network(x)
    entry.update(output=list(y.shape), values=sample(y, 16), mean_abs=numbers([y.detach().abs().mean()])[0])
    if train:
        y.square().mean().backward()
        entry["gradients"] = numbers([p.grad.abs().sum() for _, p in network.named_parameters()])
        entry["statistics"] = numbers([b.double().sum() for n, b in network.state_dict().items() if n.split(".")[-1] in ("running_mean", "running_var", "num_batches_tracked")])
    cases.append(entry)


two = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 8, 16], "strides": [2, 2]}
three = {**two, "spatial_dims": 3}
in2, in3 = [1, 1, 16, 12], [1, 1, 8, 12, 8]

case("UNet", {**three, "num_res_units": 2, "norm": "batch"}, in3, full=True)
case("UNet", {**three}, in3, full=True)
case("UNet", {**two}, in2)
case("UNet", {**two, "spatial_dims": 1, "num_res_units": 1}, [2, 1, 24])
for units in [1, 2, 3]:
    case("UNet", {**two, "num_res_units": units}, in2)
case("UNet", {**three, "channels": [4, 8, 8, 16, 16], "strides": [2, 2, 1, 1], "num_res_units": 2, "norm": "batch"}, [2, 1, 8, 8, 8])
case("UNet", {**two, "channels": [4, 8], "strides": [1], "num_res_units": 2}, in2)
case("UNet", {**two, "channels": [4, 8], "strides": [3]}, [1, 1, 15, 9])
case("UNet", {**three, "strides": [[2, 2, 1], [1, 2, 2]], "num_res_units": 2}, in3)
case("UNet", {**two, "in_channels": 3, "out_channels": 5, "num_res_units": 2}, [1, 3, 16, 12])
for norm in [
    "INSTANCE", ["instance", {"affine": True}], ["instance", {"affine": True, "track_running_stats": True}], "batch", ["batch", {"eps": 0.01, "affine": False}],
    ["group", {"num_groups": 2}], ["group", {"num_groups": 2, "affine": False, "eps": 0.1}], ["localresponse", {"size": 3, "alpha": 0.5}], None, "",
]:
    case("UNet", {**two, "num_res_units": 2, "norm": norm}, in2)
case("UNet", {**two, "channels": [4, 8], "strides": [1], "norm": ["layer", {"normalized_shape": [12]}]}, in2)
for act in [
    "PRELU", ["prelu", {"init": 0.2, "num_parameters": 1}], "RELU", "LEAKYRELU", ["leakyrelu", {"negative_slope": 0.2, "inplace": True}], "SWISH",
    ["swish", {"alpha": 2.0}], "relu6", "elu", ["celu", {"alpha": 0.5}], "selu", "gelu", "mish", "memswish", "sigmoid", "tanh", ["softmax", {"dim": 1}],
    ["logsoftmax", {"dim": 1}], None, "",
]:
    case("UNet", {**two, "num_res_units": 1, "act": act}, in2)
for kernel, up in [(5, 3), (3, 5), (1, 3), ([3, 5], [5, 3]), ([1, 3], [3, 1])]:
    for units in [0, 2]:
        case("UNet", {**two, "kernel_size": kernel, "up_kernel_size": up, "num_res_units": units}, in2)
case("UNet", {**three, "kernel_size": [3, 3, 1], "up_kernel_size": [3, 3, 1], "strides": [[2, 2, 1], [2, 2, 1]], "num_res_units": 2}, in3)
for ordering in ["NDA", "AND", "DAN", "NA", "A", "ND", ""]:
    case("UNet", {**two, "num_res_units": 2, "adn_ordering": ordering, "dropout": 0.2}, in2)
for dropout in [0.0, None, 0.5, ["alphadropout", {"p": 0.25}], ["dropout", {"p": 0.1, "inplace": True}]]:
    case("UNet", {**two, "num_res_units": 2, "dropout": dropout}, in2)
for units in [0, 2]:
    case("UNet", {**two, "num_res_units": units, "bias": False}, in2)
case("UNet", {**two, "num_res_units": 2, "norm": "batch"}, [3, 1, 16, 12], train=True)
case("UNet", {**two, "num_res_units": 2, "act": ["relu", {"inplace": True}], "norm": ["batch", {"momentum": None}]}, [3, 1, 16, 12], train=True)
case("UNet", {**two, "norm": ["instance", {"affine": True, "track_running_stats": True}]}, [3, 1, 16, 12], train=True)

small = {"init_filters": 8, "blocks_down": [1, 2], "blocks_up": [1]}
case("SegResNet", {"spatial_dims": 2}, in2[:2] + [16, 24], full=True)
case("SegResNet", {"spatial_dims": 3, **small}, in3)
for extra in [
    {"upsample_mode": "deconv"}, {"upsample_mode": "pixelshuffle"}, {"upsample_mode": "deconvgroup"}, {"use_conv_final": False}, {"dropout_prob": 0.2}, {"act": "PRELU"}, {"norm": "batch"},
    {"norm": "INSTANCE"}, {"norm_name": "group", "num_groups": 4}, {"in_channels": 2, "out_channels": 3, "blocks_down": [1, 1, 1], "blocks_up": [2, 1]},
    {"norm": ["group", {"num_groups": 2}], "act": ["leakyrelu", {"negative_slope": 0.1}], "init_filters": 6},
]:
    case("SegResNet", {"spatial_dims": 2, **small, **extra}, [1, extra.get("in_channels", 1), 16, 12])
case("SegResNet", {"spatial_dims": 3, **small, "upsample_mode": "pixelshuffle"}, [1, 1, 8, 8, 4])
case("SegResNet", {"spatial_dims": 2, **small}, [2, 1, 16, 12], train=True)

narrow = {"features": [4, 4, 8, 8, 16, 4]}
case("BasicUNet", {"spatial_dims": 2, **narrow}, [1, 1, 32, 32], full=True)
case("BasicUNet", {"spatial_dims": 3, **narrow}, [1, 1, 32, 32, 16])
case("BasicUNet", {"spatial_dims": 1, **narrow}, [1, 1, 48])
case("BasicUNet", {"spatial_dims": 2, **narrow}, [1, 1, 35, 39])
case("BasicUNet", {"spatial_dims": 3, **narrow}, [1, 1, 35, 33, 32])
for extra in [{"upsample": "nontrainable"}, {"upsample": "pixelshuffle"}, {"norm": "batch", "bias": False}, {"act": "PRELU", "dropout": 0.1, "in_channels": 2, "out_channels": 4}]:
    case("BasicUnet", {"spatial_dims": 2, **narrow, **extra}, [1, extra.get("in_channels", 1), 32, 32])

dyn = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "kernel_size": [3, 3, 3, 3], "strides": [1, 2, 2, 2], "upsample_kernel_size": [2, 2, 2], "filters": [4, 6, 8, 10]}
case("DynUNet", {**dyn, "deep_supervision": True, "deep_supr_num": 2, "res_block": True}, [1, 1, 16, 24], full=True)
case("DynUNet", dyn, [1, 1, 16, 24])
case("DynUNet", {**dyn, "filters": None, "kernel_size": [3, 3, 3], "strides": [1, 2, 2], "upsample_kernel_size": [2, 2]}, [1, 1, 8, 8])
case("DynUNet", {**dyn, "spatial_dims": 3, "kernel_size": [[3, 3, 1], 3, [3, 5, 3], 3], "strides": [1, [2, 2, 1], 2, 2], "upsample_kernel_size": [[2, 2, 1], 2, 2]}, [1, 1, 16, 16, 8])
for extra in [
    {"res_block": True}, {"trans_bias": True}, {"dropout": 0.2}, {"dropout": ["dropout", {"p": 0.1}], "res_block": True}, {"norm_name": "batch"}, {"norm_name": ["group", {"num_groups": 2}], "act_name": "PRELU"},
    {"strides": [2, 2, 2, 2], "kernel_size": [3, 1, 5, 3]}, {"filters": [4, 6, 8, 10, 12]}, {"in_channels": 2, "out_channels": 3},
]:
    case("DynUNet", {**dyn, **extra}, [1, extra.get("in_channels", 1), 16, 32])
for number in [1, 2]:
    case("DynUNet", {**dyn, "deep_supervision": True, "deep_supr_num": number, "norm_name": "batch"}, [2, 1, 16, 24], train=True)

# What bundles use: the state alone would be enough, but a small input costs little.
case("UNet", {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [16, 32, 64, 128, 256], "strides": [2, 2, 2, 2], "num_res_units": 2, "norm": "batch"}, [1, 1, 16, 16, 16], full=True)

with open(os.path.join(here, "networks.json"), "w") as f:
    f.write("[" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "]\n")
print(len(cases), "cases,", os.path.getsize(f.name), "bytes")
