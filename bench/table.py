"""How fast and how large, against MONAI and against libtorch alone, with this machine's peaks measured in the same run.

usage: table.py BUILD_FOLDER SMALL_CT; every program runs in turn, VESAL_BENCH_RUNS times (default 3), and the best counts. Prints a table and writes
BUILD_FOLDER/table.json. What cannot be had here (MONAI, bfloat16, the CT) is left out with a word. VESAL_BENCH_FILTERS: the width of the network
of 105 classes (default 32, as in the bundle; 0 leaves it out, it takes minutes).
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "whole"))
import spleen
from measured import measured

HERE = os.path.dirname(os.path.abspath(__file__))
WINDOWS = 60  # of the scan that whole/make_scan.py makes
RUNS = int(os.environ.get("VESAL_BENCH_RUNS", "3"))
FILTERS = int(os.environ.get("VESAL_BENCH_FILTERS", "32"))
LIBTORCH = {"VESAL_ENGINE": "off"}


def left_out(what, why):
    print(f"{what} left out: {why}", file=sys.stderr)


def imports(names):
    return subprocess.run([sys.executable, "-c", "import " + names], stderr=subprocess.DEVNULL).returncode == 0


def says(command, word):
    return word in subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout


def prepare(build, ct):
    """The bundle, and the scan or None."""
    work = os.path.abspath(os.path.join(build, "whole"))
    bundle, scan = work + "/bundle", work + "/data/scan.nii.gz"
    os.makedirs(work + "/data", exist_ok=True)
    spleen.write_configs(bundle)
    subprocess.check_call([build + "/bench_network", bundle + "/configs/inference.json", "--weights", bundle + "/models/model.pt"])
    if not os.path.exists(scan):
        if not os.path.exists(ct) or not imports("nibabel, scipy"):
            left_out("The whole scan is", f"it needs nibabel, scipy and {ct}")
            return bundle, None
        subprocess.check_call([sys.executable, HERE + "/whole/make_scan.py", ct, scan])
    return bundle, scan


def programs(build, bundle, scan):
    """Name -> what runs it once."""
    vesal, config = build + "/vesal", bundle + "/configs/inference.json"
    network = [build + "/bench_network", config, str(WINDOWS)]
    found = {"help": lambda: measured([vesal, "--help"]),
             "network vesal": lambda: measured(network + ["fp32"]),
             "network libtorch": lambda: measured(network + ["fp32"], **LIBTORCH)}
    if measured([build + "/bench_network", config, "4", "fp32"])["said"]["bf16"]:
        found["network bf16"] = lambda: measured(network + ["bf16"])
    else:
        left_out("bfloat16 is", "this processor does not multiply it")
    if scan is None:
        return found
    precise = says([vesal, "segment", "--help"], "--precision")
    segment = [vesal, "--json", "segment", scan, "--bundle", bundle, "-o", bundle + "/../mask.nii.gz"]
    exact = ["--precision", "fp32"] if precise else []
    found["whole vesal"] = lambda: measured(segment + exact, scan)
    found["whole libtorch"] = lambda: measured(segment + exact, scan, **LIBTORCH)
    if precise and "network bf16" in found:
        found["whole bf16"] = lambda: measured(segment[:-1] + [bundle + "/../mask_bf16.nii.gz", "--precision", "bf16"], scan)
    if imports("monai, nibabel, ignite"):
        found["whole monai"] = lambda: measured([sys.executable, HERE + "/whole/monai_stages.py", bundle, os.path.dirname(scan)], scan)
    else:
        left_out("MONAI is", f"{sys.executable} cannot import monai, ignite and nibabel")
    return found


def stages(run):
    """What one run of a whole command tells, as numbers to be compared."""
    told = {"whole": run["seconds"], "cpu": run["cpu_seconds"], "peak_bytes": run["peak_bytes"], "opened": run["opened"]}
    if "cases" not in run["said"]:
        return {**told, **run["said"]}
    seconds = run["said"]["cases"][0]["seconds"]
    return {**told, "before": seconds["read"] + seconds["preprocess"], "after": seconds["postprocess"] + seconds["write"]}


def best_of(runs):
    whole = {name: [stages(r) for r in of] for name, of in runs.items() if name.startswith("whole")}
    best = {name: {key: min(r[key] for r in of) for key in of[0]} for name, of in whole.items()}
    best.update({name: {"seconds": min(r["said"]["seconds"] for r in of)} for name, of in runs.items() if name.startswith("network")})
    best["help"] = min(r["seconds"] for r in runs["help"])
    alone = [r["said"] for name, of in runs.items() if name.startswith("network") for r in of]
    best["machine"] = {key: max(r[key] for r in alone) for key in ("peak_one", "peak_all", "gb_per_second")}
    return best


def layers(build, bundle, seen=()):
    """The network's steps on one window, all cores: what is fused, GFLOP, MB, and the fewest milliseconds of these runs and those `seen`."""
    command = [build + "/vesal", "--json", "bundle", "explain", "network_def", "--config_file", bundle + "/configs/inference.json", "--shape",
               "[1, 96, 96, 96]", "--rounds", "20"]
    steps = json.loads(subprocess.check_output(command, text=True))[0]["steps"]
    for step, before in zip(steps, seen):
        step["ms"] = min(step["ms"], before["ms"])
    return steps


def many_classes(build):
    """The whole body's 105 channels, once: what `vesal segment --json` says of it."""
    script = HERE + "/many_classes.py"
    subprocess.check_call([sys.executable, script, build, str(FILTERS)])
    with open(build + "/many_classes.json") as f:
        return json.load(f)


def table(best, gflop, classes):
    """Rows: what, unit, MONAI, libtorch, vesal, wanted; None where there is nothing to say."""
    def of(name, key, scale=1.0):
        return best[name][key] * scale if name in best and best[name].get(key) is not None else None

    def row(what, unit, key, wanted, scale=1.0):
        return [what, unit] + [of("whole " + who, key, scale) for who in ("monai", "libtorch", "vesal")] + [wanted]

    def share(name):
        seconds = of(name, "network" if name == "whole monai" else "seconds")
        return seconds and 100 * gflop * WINDOWS / seconds / best["machine"]["peak_all"]

    rows = [row("whole command, fp32", "s", "whole", 4),
            ["whole command, bf16", "s", None, None, of("whole bf16", "whole"), 2],
            ["network, 60 windows, fp32", "s", of("whole monai", "network"), of("network libtorch", "seconds"), of("network vesal", "seconds"), 2.4],
            ["  per cent of the FMA peak", "%", share("whole monai"), share("network libtorch"), share("network vesal"), 75],
            ["network, 60 windows, bf16", "s", None, None, of("network bf16", "seconds"), 0.8],
            ["  per cent of the fp32 FMA peak", "%", None, None, share("network bf16"), None],
            row("load + orient + resample + scale", "s", "before", 0.5),
            row("invert + argmax + save", "s", "after", 0.6),
            row("peak memory", "MB", "peak_bytes", 500, 1e-6),
            ["peak memory, 105 classes", "MB", None, None, classes and classes["peak_memory_bytes"] / 1e6, 1500],
            ["vesal --help", "ms", None, None, best["help"] * 1e3, 20],
            row("start until the scan is opened", "ms", "opened", 150, 1e3)]
    return [r for r in rows if r[4] is not None]


def show(rows, best):
    machine = best["machine"]
    print(f"{os.cpu_count()} cores; FMA peak {machine['peak_one']:.0f} GFLOP/s of one, {machine['peak_all']:.0f} of all; "
          f"copying {machine['gb_per_second']:.1f} GB/s; best of {RUNS}")
    number = lambda v: "-" if v is None else f"{v:.2f}" if v < 100 else f"{v:.0f}"
    ratio = lambda peer, own, unit: "-" if peer is None or unit == "%" else f"{peer / own:.1f}"
    print(f"{'what':<34} {'':>2} {'MONAI':>8} {'libtorch':>8} {'vesal':>8} {'wanted':>8} {'MONAI/vesal':>12} {'libtorch/vesal':>15}")
    for what, unit, monai, libtorch, own, wanted in rows:
        print(f"{what:<34} {unit:>2} {number(monai):>8} {number(libtorch):>8} {number(own):>8} {number(wanted):>8} {ratio(monai, own, unit):>12} "
              f"{ratio(libtorch, own, unit):>15}")


def show_layers(steps, peak):
    print(f"\n{'step':<34} {'out':<16} {'GFLOP':>7} {'MB':>7} {'ms':>7} {'GFLOP/s':>8} {'of peak':>8} {'GB/s':>7}")
    for s in steps:
        gflop, ms = s["gflop"] or 0, s["ms"] or 1e-9
        out = "x".join(str(n) for n in s["out"][0])
        print(f"{s['step'][:34]:<34} {out:<16} {gflop:>7.3f} {s['mb']:>7.2f} {ms:>7.3f} {gflop / ms * 1e3:>8.0f} {gflop / ms * 1e5 / peak:>6.0f} % "
              f"{s['mb'] / ms:>7.1f}")


def main(build, ct):
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads of libtorch that wait awake take the cores from everything else
    build = os.path.abspath(build)
    bundle, scan = prepare(build, ct)
    todo = programs(build, bundle, scan)
    runs, steps = {name: [] for name in todo}, []
    for _ in range(RUNS):
        for name, program in todo.items():
            runs[name].append(program())
        steps = layers(build, bundle, steps)
    best = best_of(runs)
    classes = None
    if FILTERS and imports("monai, nibabel"):
        classes = many_classes(build)
    else:
        left_out("105 classes are", "they need monai and nibabel, and VESAL_BENCH_FILTERS above 0")
    rows = table(best, sum(s["gflop"] or 0 for s in steps), classes)
    with open(build + "/table.json", "w") as f:
        json.dump({"cores": os.cpu_count(), "rows": rows, "best": best, "layers": steps, "classes": classes, "runs": runs}, f, indent=2)
    show(rows, best)
    show_layers(steps, best["machine"]["peak_all"])


if __name__ == "__main__":
    main(*sys.argv[1:3])
