#!/usr/bin/env bash
# bench/run.sh BUILD_FOLDER [arguments of Google Benchmark]: what the parts cost, and, where MONAI can be imported, a whole scan and iterations of
# training against it.
# PYTHON names the interpreter (default /usr/bin/python3), PYTHONPATH where MONAI is, VESAL_BENCH_CT a small CT to make the scan from
# (default ../shared/data/ct_3mm/ct.nii.gz), VESAL_BENCH_RUNS how often each program runs (default 3). Results: BUILD_FOLDER/parts.json, whole.json,
# training.json.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
export OMP_WAIT_POLICY=passive  # as the program has it; bench_parts and bench_training load libtorch before they could say so
"$build/bench_parts" --benchmark_out="$build/parts.json" --benchmark_out_format=json "$@"

python=${PYTHON:-/usr/bin/python3}
ct=${VESAL_BENCH_CT:-../shared/data/ct_3mm/ct.nii.gz}
if [ ! -f "$ct" ]; then
  echo "No CT at $ct: the comparison with MONAI is left out." >&2
elif ! "$python" -c 'import monai, nibabel, scipy, ignite' 2>/dev/null; then
  echo "$python cannot import monai, ignite, nibabel and scipy: the comparison with MONAI is left out." >&2
else
  "$python" bench/against_monai.py "$build" "$ct"
fi
"$python" bench/training/against_monai.py "$build"
