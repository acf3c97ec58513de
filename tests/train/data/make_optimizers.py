"""Golden numbers for the optimizers and schedules: parameters after some steps down a small quadratic, learning rates per epoch.

    PYTHONPATH=MONAI /usr/bin/python3 make_optimizers.py > optimizers.json
"""

import json

import torch
from monai.optimizers import Novograd, WarmupCosineSchedule
from torch.optim import lr_scheduler

STEPS = 10
START = [1.0, -2.0, 0.5]
TARGET = [0.2, 0.3, -0.4]
SCALE = [1.0, 3.0, 0.5]


def run(make, arguments):
    p = torch.nn.Parameter(torch.tensor(START))
    optimizer = make([p], **arguments)
    path = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        (torch.tensor(SCALE) * (p - torch.tensor(TARGET)) ** 2).sum().backward()
        optimizer.step()
        path.append(p.detach().tolist())
    return path


OPTIMIZERS = [
    ("torch.optim.Adam", torch.optim.Adam, {"lr": 0.1}),
    ("torch.optim.Adam", torch.optim.Adam, {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.05, "amsgrad": True}),
    ("torch.optim.Adam", torch.optim.Adam, {"lr": 0.1, "betas": [0.5, 0.999]}),
    ("torch.optim.Adam", torch.optim.Adam, {"lr": 0.1, "weight_decay": 1e-5, "maximize": True}),
    ("torch.optim.AdamW", torch.optim.AdamW, {"lr": 0.1}),
    ("torch.optim.AdamW", torch.optim.AdamW, {"lr": 0.1, "weight_decay": 1e-5}),
    ("torch.optim.AdamW", torch.optim.AdamW, {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True, "maximize": True}),
    ("torch.optim.SGD", torch.optim.SGD, {"lr": 0.05}),
    ("torch.optim.SGD", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    ("torch.optim.SGD", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("torch.optim.SGD", torch.optim.SGD, {"lr": 0.05, "momentum": 0.5, "dampening": 0.2}),
    ("torch.optim.SGD", torch.optim.SGD, {"lr": 0.025, "momentum": 0.9, "weight_decay": 4e-5, "nesterov": True, "maximize": True}),
    ("Novograd", Novograd, {"lr": 0.1}),
    ("Novograd", Novograd, {"lr": 0.1, "amsgrad": True}),
    ("Novograd", Novograd, {"lr": 0.1, "betas": [0.9, 0.98], "eps": 1e-8, "weight_decay": 0.01, "grad_averaging": False}),
    ("Novograd", Novograd, {"lr": 0.1, "weight_decay": 0.1, "grad_averaging": True, "amsgrad": True}),
]


class PolynomialLR(lr_scheduler.LambdaLR):
    """As torch 2 has it, which stays where the last whole step before total_iters led; torch 1.13 has none."""

    def __init__(self, optimizer, total_iters=5, power=1.0):
        super().__init__(optimizer, lambda e: (1 - min(e, int(total_iters)) / total_iters) ** power)


SCHEDULES = [
    ("torch.optim.lr_scheduler.StepLR", lr_scheduler.StepLR, {"step_size": 3, "gamma": 0.5}),
    ("torch.optim.lr_scheduler.MultiStepLR", lr_scheduler.MultiStepLR, {"milestones": [2, 5, 5], "gamma": 0.3}),
    ("torch.optim.lr_scheduler.ExponentialLR", lr_scheduler.ExponentialLR, {"gamma": 0.9}),
    ("torch.optim.lr_scheduler.PolynomialLR", PolynomialLR, {"total_iters": 8, "power": 0.9}),
    ("torch.optim.lr_scheduler.CosineAnnealingLR", lr_scheduler.CosineAnnealingLR, {"T_max": 6, "eta_min": 0.01}),
    ("torch.optim.lr_scheduler.CosineAnnealingWarmRestarts", lr_scheduler.CosineAnnealingWarmRestarts, {"T_0": 4, "eta_min": 0.01}),
    ("torch.optim.lr_scheduler.CosineAnnealingWarmRestarts", lr_scheduler.CosineAnnealingWarmRestarts, {"T_0": 2, "T_mult": 2}),
    ("WarmupCosineSchedule", WarmupCosineSchedule, {"warmup_steps": 3, "t_total": 10}),
    ("WarmupCosineSchedule", WarmupCosineSchedule, {"warmup_steps": 3, "t_total": 10, "warmup_multiplier": 0.1}),
    ("torch.optim.lr_scheduler.MultiStepLR", lr_scheduler.MultiStepLR, {"milestones": [7], "gamma": 0.1}),
    ("torch.optim.lr_scheduler.PolynomialLR", PolynomialLR, {"total_iters": 7.5, "power": 2.0}),
    ("WarmupCosineSchedule", WarmupCosineSchedule, {"warmup_steps": 2, "t_total": 9, "end_lr": 0.02, "cycles": 1.0, "warmup_multiplier": 0.1}),
]


def rates(make, arguments):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2)
    schedule = make(optimizer, **arguments)
    out = []
    for _ in range(12):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return out


print(
    json.dumps(
        {
            "arrays": {},
            "start": START,
            "target": TARGET,
            "scale": SCALE,
            "cases": [{"name": n, "arguments": a, "path": run(m, a)} for n, m, a in OPTIMIZERS],
            "schedules": [{"name": n, "arguments": a, "rates": rates(m, a)} for n, m, a in SCHEDULES],
        }
    )
)
