#!/usr/bin/env bash
# bench/months.sh FOLDER [MODEL_BUNDLE]: a bundle tuned on a pool of phantoms, three months of phantoms whose look drifts, then poisoned months; prints
# the table of docs/increment.md.
# VESAL is the program (default build/release/vesal); CASES (10), REFERENCE (10) and POOL (20: what is replayed) are numbers of phantoms; TUNE (20) for how
# many epochs of 40 iterations the bundle is tuned first (0: not at all); EPOCHS (4) and ITERATIONS (12) how long a month trains, LR (0.0002) at which rate,
# MARGIN (0.01) what the reference set may lose. FOLDER is made; what is there from an earlier call goes on where that ended.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$1
bundle=${2:-spleen_ct_phantom}
vesal=${VESAL:-build/release/vesal}
export VESAL_REGISTRY=$out/registry
mkdir -p "$out"

# phantoms NAME SEED COUNT ORGAN [look]: spleens, or another organ under the spleen's number.
phantoms() {
  local name=$1 seed=$2 count=$3 organ=$4
  shift 4
  [ -f "$out/$name/dataset.json" ] && return
  "$vesal" phantom -q -o "$out/$name" --count "$count" --seed "$seed" --labels "$organ" --spacing 3 3 3 --slab 150 "$@"
  sed -i "s/\"$organ\"/\"spleen\"/" "$out/$name/dataset.json"
}

# month NAME CODE [options]: an increment that has to end with this exit code.
month() {
  local name=$1 code=$2 got=0
  shift 2
  echo "== $name" >&2
  "$vesal" increment model --data "$out/$name" --month "$name" --epochs "${EPOCHS:-4}" --iterations "${ITERATIONS:-12}" --lr "${LR:-0.0002}" --margin "${MARGIN:-0.01}" "$@" || got=$?
  [ "$got" -eq "$code" ] || echo "$name ended with $got, not with $code" >&2
}

first=(--noise 20 --contrast 0.6 --hu-shift -15)
second=(--noise 30 --contrast 0.5 --hu-shift -20)
third=(--noise 35 --contrast 0.45 --hu-shift -25)
phantoms pool 89000 "${POOL:-20}" spleen
phantoms reference 90000 "${REFERENCE:-10}" spleen
phantoms 2026-09 91000 "${CASES:-10}" spleen "${first[@]}"
phantoms 2026-10 92000 "${CASES:-10}" spleen "${second[@]}"
phantoms 2026-11 93000 "${CASES:-10}" spleen "${third[@]}"
phantoms poison-liver 94000 "${CASES:-10}" liver "${third[@]}"
phantoms poison-kidney 95000 "${CASES:-10}" "kidney left" "${third[@]}"

if [ "${TUNE:-20}" -gt 0 ] && [ ! -d "$out/registry/model" ]; then
  phantoms tuning-validation 88000 6 spleen
  "$vesal" finetune --bundle "$bundle" --data "$out/pool" --validation "$out/tuning-validation" -o "$out/tuned" --epochs "${TUNE:-20}" --iterations 40 --no-evaluation
  bundle=$out/tuned
fi
[ -d "$out/registry/model" ] || "$vesal" registry init model --bundle "$bundle" --reference "$out/reference" --pool "$out/pool"
month 2026-09 0
month 2026-10 0
month 2026-11 0
month poison-liver 22                                          # the gate: a spleen on the right side
month poison-kidney 24                                         # the champion does not agree
month poison-kidney 23 --accept-anyway "to see what happens"   # nothing is learned of them, or the reference set suffers
"$vesal" registry verify model --data

python3 - "$out/registry/model/journal.jsonl" <<'PY'
import json, sys
print("| month | outcome | Dice on the reference set: champion, challenger (lower bound of the difference) | on the new cases: champion, challenger |")
print("|---|---|---|---|")
for line in open(sys.argv[1], encoding="utf-8"):
    e = json.loads(line)
    if e["event"] == "init":
        print("| start | | %.4f | |" % e["reference_dice"]["dice"])
    elif e["event"] == "increment":
        cells = [e["month"], e["outcome"]]
        for key in ("on_reference", "on_new"):
            c = e.get(key)
            cells.append("" if c is None else "%.4f, %.4f%s" % (c["champion"], c["challenger"],
                                                              " (%+.4f)" % c["lower_bound"] if key == "on_reference" else ""))
        print("| " + " | ".join(cells) + " |")
PY
