#!/usr/bin/env bash
# bench/run.sh BUILD_FOLDER [arguments of Google Benchmark]: the table of docs/performance.md (bench/table.py), what the parts cost, and iterations
# of training, against MONAI where that can be imported.
# PYTHON names the interpreter (default /usr/bin/python3), PYTHONPATH where MONAI is, VESAL_BENCH_CT a small CT to make the scan from
# (default ../shared/data/ct_3mm/ct.nii.gz), VESAL_BENCH_RUNS how often each program runs (default 3). Results: BUILD_FOLDER/table.json,
# parts.json, training.json.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
export OMP_WAIT_POLICY=passive  # bench_network, bench_parts and bench_training load libtorch before they could say so
python=${PYTHON:-/usr/bin/python3}
"$python" bench/table.py "$build" "${VESAL_BENCH_CT:-../shared/data/ct_3mm/ct.nii.gz}"
"$build/bench_parts" --benchmark_out="$build/parts.json" --benchmark_out_format=json "$@"
"$python" bench/training/against_monai.py "$build"
