"""Iterations of training, vesal and MONAI in turn on the same configuration (train.json), on a phantom.

usage: against_monai.py BUILD_FOLDER; needs BUILD_FOLDER/vesal and bench_training. Prints a table and writes BUILD_FOLDER/training.json.
THREADS (default 2) for both, VESAL_BENCH_RUNS alternations (default 3), VESAL_BENCH_ITERATIONS of each run (default 8; the first does not count).
Without MONAI only vesal's figures are printed.
"""
import json
import os
import resource
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = os.path.join(HERE, "train.json")
WAYS = {"plain": {"augment": "False", "workers": "1"},
        "augmented, made by the trainer's thread": {"augment": "True", "workers": "0"},
        "augmented, made ahead by one worker": {"augment": "True", "workers": "1"}}


def train_with_monai(overrides):
    """What bench_training does, in this process."""
    import torch
    from ignite.engine import Events
    from monai.bundle import ConfigParser

    torch.set_num_threads(int(os.environ["THREADS"]))
    parser = ConfigParser()
    parser.read_config(CONFIG)
    for pair in overrides:
        key, value = pair.split("=", 1)
        parser[key] = {"True": True, "False": False}.get(value, int(value) if value.isdigit() else value)
    parser["imports"] = ["$import torch"]
    trainer = parser.get_parsed_content("trainer")
    seconds, cpu, waited = [], [], []
    mark = {}

    def cpu_seconds():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    def started(engine):
        mark["began"], mark["cpu"] = time.monotonic(), cpu_seconds()
        waited.append(mark["began"] - mark["ended"])

    def completed(engine):
        mark["ended"] = time.monotonic()
        seconds.append(mark["ended"] - mark["began"])
        cpu.append(cpu_seconds() - mark["cpu"])

    trainer.add_event_handler(Events.ITERATION_STARTED, started)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, completed)
    mark["ended"] = time.monotonic()
    trainer.run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "waited": waited, "peak_bytes": peak}))


def output_of(command):
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout.strip().splitlines()[-1])


def main(build):
    folder = os.path.abspath(os.path.join(build, "training"))
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(folder + "/ct.nii.gz"):
        subprocess.check_call([os.path.join(build, "vesal"), "phantom", "-q", "-o", folder, "--seed", "3", "--spacing", "2", "2", "2", "--slab", "260"])
        for kind, name in (("imagesTr", "ct"), ("labelsTr", "labels")):
            (file,) = os.listdir(os.path.join(folder, kind))
            os.replace(os.path.join(folder, kind, file), f"{folder}/{name}.nii.gz")
    os.environ.setdefault("THREADS", "2")
    os.environ["OMP_NUM_THREADS"] = os.environ["THREADS"]
    iterations = os.environ.get("VESAL_BENCH_ITERATIONS", "8")
    programs = {"vesal": [os.path.join(build, "bench_training"), CONFIG, os.environ["THREADS"]]}
    if subprocess.run([sys.executable, "-c", "import monai, ignite, nibabel"], stderr=subprocess.DEVNULL).returncode == 0:
        programs["monai"] = [sys.executable, os.path.abspath(__file__), "--monai"]
    else:
        print(f"{sys.executable} cannot import monai, ignite and nibabel: the comparison is left out.", file=sys.stderr)
    runs = {way: {name: [] for name in programs} for way in WAYS}
    for _ in range(int(os.environ.get("VESAL_BENCH_RUNS", "3"))):
        for way, settings in WAYS.items():
            for name, command in programs.items():
                given = {"folder": folder, "iterations": iterations, **settings}
                runs[way][name].append(output_of(command + [f"{key}={value}" for key, value in given.items()]))
    best = {way: {name: {key: min(min(run[key][1:]) for run in of) for key in ("seconds", "cpu_seconds")} |
                  {"waited": min(sum(run["waited"][1:]) / len(run["waited"][1:]) for run in of), "peak_bytes": min(run["peak_bytes"] for run in of)}
                  for name, of in by_program.items()} for way, by_program in runs.items()}
    with open(os.path.join(build, "training.json"), "w") as f:
        json.dump({"cores": os.cpu_count(), "runs": runs, "best": best}, f, indent=2)
    print(f"{'training, 2 x 96^3, best iteration':<56} {'seconds':>8} {'CPU s':>8} {'waits':>8} {'peak MB':>8}")
    for way, by_program in best.items():
        for name, b in by_program.items():
            print(f"{way + ': ' + name:<56} {b['seconds']:>8.2f} {b['cpu_seconds']:>8.2f} {b['waited']:>8.3f} {b['peak_bytes'] / 1e6:>8.0f}")
    if "monai" in programs:
        for way, b in best.items():
            print(f"{way}: {b['vesal']['seconds'] / b['monai']['seconds']:.2f} of MONAI's time, "
                  f"{b['vesal']['cpu_seconds'] / b['monai']['cpu_seconds']:.2f} of its CPU seconds")


if __name__ == "__main__":
    if sys.argv[1] == "--monai":
        train_with_monai(sys.argv[2:])
    else:
        main(sys.argv[1])
