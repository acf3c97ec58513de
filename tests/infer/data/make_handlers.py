"""Golden texts of handlers: the files that MONAI's MetricsSaver writes, the names its CheckpointSaver gives, the lines of its StatsHandler.

    PYTHONPATH=MONAI:ignite /usr/bin/python3 make_handlers.py > handlers.json
"""

import json
import logging
import os
import tempfile

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.handlers import CheckpointSaver, MetricsSaver, StatsHandler

SCORES = [[0.9, 0.25], [0.5, float("nan")], [0.125, 1.0]]
METRICS = [0.3, 0.9, 0.6, 0.9, 0.95]  # per epoch


def folder(path):
    return {name: open(os.path.join(path, name)).read() for name in sorted(os.listdir(path))}


def metrics_saver(**arguments):
    with tempfile.TemporaryDirectory() as tmp:
        engine = Engine(lambda e, b: None)

        @engine.on(Events.EPOCH_COMPLETED)
        def _(e):
            e.state.metrics = {"dice": 0.8999999761581421, "hd95": 3.5}
            e.state.metric_details = {"dice": torch.tensor(SCORES)}

        MetricsSaver(save_dir=tmp, batch_transform=lambda b: [{"filename_or_obj": f"scan{b}.nii"}], **arguments).attach(engine)
        engine.run([0, 1, 2], max_epochs=1)
        return folder(tmp)


def checkpoint_saver(names=("model",), **arguments):
    with tempfile.TemporaryDirectory() as tmp:
        engine = Engine(lambda e, b: None)
        engine.state.key_metric_name = "dice"

        @engine.on(Events.EPOCH_COMPLETED)
        def _(e):
            e.state.metrics = {"dice": METRICS[e.state.epoch - 1]}
            e.state.key_metric_name = "dice"

        nets = {n: torch.nn.Linear(1, 1) for n in names}
        CheckpointSaver(save_dir=tmp, save_dict=nets, **arguments).attach(engine)
        engine.run([0, 1], max_epochs=len(METRICS))
        return sorted(os.listdir(tmp))


def stats(**arguments):
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    logger = logging.getLogger("golden")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [Keep()]
    engine = Engine(lambda e, b: [{"loss": 1.0 / (b + 1), "pred": np.zeros(3)}])

    @engine.on(Events.EPOCH_COMPLETED)
    def _(e):
        e.state.metrics = {"dice": 0.25 * e.state.epoch, "by": {"b": 2.0, "a": 1.0}}
        e.state.key_metric_name, e.state.best_metric, e.state.best_metric_epoch = "dice", 0.25 * e.state.epoch, e.state.epoch

    if "tag_name" in arguments:
        arguments = {**arguments, "output_transform": lambda output: output[0]["loss"]}
    StatsHandler(name="golden", **arguments).attach(engine)
    engine.run([0, 2], max_epochs=2)
    return lines


print(
    json.dumps(
        {
            "metrics_saver": [
                {"arguments": a, "files": metrics_saver(**a)}
                for a in [
                    {"metrics": "*", "metric_details": "*", "summary_ops": "*"},
                    {"metrics": ["hd95"], "metric_details": ["dice"], "summary_ops": ["mean", "15percentile"], "delimiter": "\t"},
                    {"metrics": None, "metric_details": ["dice"]},
                ]
            ],
            "checkpoint_saver": [
                {"names": n, "arguments": a, "files": checkpoint_saver(n, **a)}
                for n, a in [
                    (["model"], {"save_key_metric": True}),
                    (["model"], {"save_key_metric": True, "key_metric_n_saved": 2, "file_prefix": "run"}),
                    (["model"], {"save_key_metric": True, "key_metric_negative_sign": True}),
                    (["model"], {"save_key_metric": True, "key_metric_filename": "model.pt"}),
                    (["model", "other"], {"save_interval": 2, "n_saved": 1}),
                    (["model"], {"save_interval": 3, "epoch_level": False}),
                    (["model", "other"], {"save_final": True}),
                    (["model"], {"save_final": True, "final_filename": "last.pt"}),
                ]
            ],
            "stats": [
                {"arguments": a, "lines": stats(**a)}
                for a in [{}, {"iteration_log": False}, {"epoch_log": False, "tag_name": "train_loss", "key_var_format": "{}={:.2f};"}]
            ],
        }
    )
)
