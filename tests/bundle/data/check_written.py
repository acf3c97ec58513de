"""Opens what tests/bundle/checkpoint_write.cpp wrote, as a Python user would: check_written.py FOLDER."""
import math, os, sys
import torch

folder = sys.argv[1]


def load(name, weights_only=True):
    """Loads twice: whole, and with weights_only, which torch 1.13 has but does not know floats with."""
    path = os.path.join(folder, name)
    if weights_only:
        torch.load(path, map_location="cpu", weights_only=True)
    return torch.load(path, map_location="cpu", weights_only=False)


def check(state):
    for name in "uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64".split():
        t = state["layer." + name]
        assert t.dtype == getattr(torch, name) and t.shape == (2, 3), name
        assert t.double().tolist() == [[0, 1, 2], [3, 4, 5]], name
    assert state["layer.bool"].tolist() == [[False, True, True], [True, True, True]]
    assert state["scalar"].shape == () and state["empty"].shape == (0, 4)
    assert torch.equal(state["transposed"], torch.arange(12.0).reshape(3, 4).t())


check(load("bare.pt"))
check(load("wrapped.pt")["model"])
tree = load("training.pt", weights_only=int(torch.__version__.split(".")[0]) >= 2)
check(tree["model"])
assert tree["epoch"] == 12 and tree["lr"] == 1e-4 and tree["infinite"] == math.inf and tree["none"] is None and tree["flag"] is True
assert tree["numbers"] == [0, 255, 256, -1, -(1 << 31), 1 << 40, -(1 << 62)] and tree["name"] == "lá lách 'x'\n" and tree["dtype"] is torch.float16
moments = tree["optimizer"]["state"][0]
assert moments["exp_avg"].data_ptr() == moments["again"].data_ptr()
assert tree["optimizer"]["param_groups"][0]["betas"] == (0.9, 0.999)
torch.nn.Linear(3, 2).load_state_dict(load("linear.pt"), strict=True)
