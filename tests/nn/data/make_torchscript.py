"""Small TorchScript archives as Python's torch.jit.save leaves them. Writes torchscript/*.ts beside this script."""
import json
import os
from typing import Dict, List, Tuple

import torch
from torch import Tensor, nn

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torchscript")
os.makedirs(here, exist_ok=True)


class Named(nn.Module):
    def forward(self, x: Tensor, t: Tensor) -> Dict[str, Tensor]:
        return {"pred": x + t, "area": x.sum().reshape(1)}


class Pair(nn.Module):
    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        return 2 * x, x.amax((1, 2, 3))


class Several(nn.Module):
    def forward(self, x: Tensor) -> List[Tensor]:
        return [x, -x, x * x]


class Nested(nn.Module):
    def forward(self, x: Tensor) -> List[List[Tensor]]:
        return [[x]]


class Weighted(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.Dropout(0.5))
        with torch.no_grad():
            self.body[0].weight.fill_(0.5)
            self.body[0].bias.copy_(torch.tensor([1.0, -1.0]))

    def forward(self, x: Tensor) -> Tensor:
        print("inside")
        return self.body(x)


class Brain16(nn.Module):
    """A convolution in bfloat16 behind a cast."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(16, 16, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.conv2d(x.to(torch.bfloat16), self.w.to(torch.bfloat16)).to(torch.float32)


class Saver(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        torch.save(x, "stolen.pt")
        return x


class Mapper(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.from_file("stolen.bin", True, 4)


for module in [Named(), Pair(), Several(), Nested(), Weighted(), Brain16(), Saver(), Mapper()]:
    name = type(module).__name__.lower()
    extra = {"metadata.json": json.dumps({"name": "a name", "version": "1.2.3"})} if name == "weighted" else {}
    torch.jit.save(torch.jit.script(module.eval()), os.path.join(here, name + ".ts"), _extra_files=extra)
