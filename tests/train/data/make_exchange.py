"""A training that changes programs: checkpoints after 3 iterations of MONAI, and the losses of its next 5.

    PYTHONPATH=MONAI:ignite /usr/bin/python3 make_exchange.py               writes exchange_NAME.pt and exchange.json beside this file
    PYTHONPATH=MONAI:ignite /usr/bin/python3 make_exchange.py NAME FILE     goes on from vesal's checkpoint: loads it strictly, prints 5 losses

tests/train/exchange_test.cpp is the other half; with VESAL_EXCHANGE=FOLDER it leaves NAME.pt and NAME.json (its own next losses) there.
"""
import json
import os
import sys

import torch
from monai.losses import DiceCELoss
from monai.networks.nets import UNet
from monai.optimizers import Novograd

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))
import rule_weights  # noqa: E402

OPTIMIZERS = {"adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.01), "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
              "novograd": lambda p: Novograd(p, lr=0.01)}


def parts(name):
    network = rule_weights.fill(UNet(spatial_dims=3, in_channels=1, out_channels=2, channels=(2, 3), strides=(2,), num_res_units=0, norm="batch"))
    network.train()
    return network, OPTIMIZERS[name](network.parameters())


def losses(network, optimizer, steps):
    loss_function = DiceCELoss(to_onehot_y=True, softmax=True)
    out = []
    for step in steps:
        image = torch.from_numpy(rule_weights.input_of((2, 1, 8, 8, 8), salt=step))
        optimizer.zero_grad()
        loss = loss_function(network(image), (image > 0.2).float())
        loss.backward()
        optimizer.step()
        out.append(loss.item())
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) == 3:
        network, optimizer = parts(sys.argv[1])
        checkpoint = torch.load(sys.argv[2])
        network.load_state_dict(checkpoint["model"], strict=True)
        optimizer.load_state_dict(checkpoint["optimizer"])
        print(json.dumps(losses(network, optimizer, range(3, 8))))
        sys.exit()
    golden = {}
    for name in OPTIMIZERS:
        network, optimizer = parts(name)
        losses(network, optimizer, range(3))
        torch.save({"model": network.state_dict(), "optimizer": optimizer.state_dict()}, os.path.join(HERE, f"exchange_{name}.pt"))
        golden[name] = losses(network, optimizer, range(3, 8))
    with open(os.path.join(HERE, "exchange.json"), "w") as f:
        json.dump(golden, f, indent=1)
