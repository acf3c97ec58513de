"""Weights by rule, so that tests need no committed weights; tests/rule_weights.h computes the same numbers.

Element i of the tensor called `name` comes from a hash of both, r in [-1, 1):
  running_mean, bias                0.1 r
  running_var                       1 + 0.2 r
  weights of one axis               1 + 0.2 r (norms); 0.25 + 0.1 r if there is one element (a PReLU's slope)
  other weights                     r sqrt(6 / fan_in) with fan_in = elements / first extent (He's uniform rule)
  integers (num_batches_tracked)    1
"""
import numpy as np


def numbers(name, count, salt=0):
    """r in [-1, 1) for elements 0..count-1, float64 with 24 bits: FNV-1a of the name, then MurmurHash3's finalizer."""
    seed = 2166136261
    for byte in name.encode():
        seed = ((seed ^ byte) * 16777619) & 0xFFFFFFFF
    x = np.uint32(seed ^ salt) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def value_of(name, shape, integer=False, salt=0):
    """The tensor called `name`, float32 (int64 if integer)."""
    count = int(np.prod(shape))
    if integer:
        return np.ones(shape, np.int64)
    r = numbers(name, count, salt)
    last = name.split(".")[-1]
    if last in ("bias", "running_mean"):
        v = 0.1 * r
    elif last == "running_var":
        v = 1 + 0.2 * r
    elif len(shape) <= 1:
        v = 0.25 + 0.1 * r if count == 1 else 1 + 0.2 * r
    else:
        v = r * np.sqrt(6.0 / (count // shape[0]))
    return v.astype(np.float32).reshape(shape)


def fill(network, salt=0):
    """Sets every parameter and buffer of a torch module (or of a state_dict, in place) by the rule; returns it."""
    import torch

    state = network.state_dict() if hasattr(network, "state_dict") else network
    for name, tensor in state.items():
        tensor.copy_(torch.from_numpy(value_of(name, tuple(tensor.shape), not tensor.is_floating_point(), salt)))
    return network


def input_of(shape, name="input", salt=0):
    """An input in [-1, 1) by the same numbers, float32."""
    return numbers(name, int(np.prod(shape)), salt).astype(np.float32).reshape(shape)
