"""Golden numbers of SciPy for tests/judge/statistics_test.cpp: python3 make_statistics.py > statistics.json"""
import json

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(3)
samples = {
    "good": [0.93, 0.95, 0.91, 0.96, 0.94, 0.88, 0.97, 0.92, 0.95, 0.93],
    "one bad": [0.95, 0.94, 0.96, 0.95, 0.93, 0.97, 0.12, 0.95, 0.94, 0.96, 0.92, 0.95],
    "seven": [0.8123, 0.9071, 0.9514, 0.8832, 0.9218, 0.7461, 0.9377],
    "fifty": list(np.round(1 - rng.gamma(1.2, 0.06, 50), 4)),
}
out = {"scipy": scipy.__version__, "bootstrap": [], "wilcoxon": []}
for name, values in samples.items():
    for confidence in (0.9, 0.95):
        r = stats.bootstrap((values,), np.mean, confidence_level=confidence, n_resamples=200000, method="BCa", random_state=1, batch=20000)
        out["bootstrap"].append({"name": name, "values": values, "confidence": confidence, "mean": float(np.mean(values)),
                                 "low": float(r.confidence_interval.low), "high": float(r.confidence_interval.high),
                                 "standard_error": float(r.standard_error)})
for n in (1, 2, 5, 8, 12, 20, 25):
    d = np.round(rng.normal(0.02, 0.05, n), 6)
    out["wilcoxon"].append({"differences": list(d), "p": float(stats.wilcoxon(d, mode="exact").pvalue)})
d = np.array([0.1, 0.0, -0.2, 0.3, 0.0, 0.5, -0.6])  # zeros are dropped
out["wilcoxon"].append({"differences": list(d), "p": float(stats.wilcoxon(d[d != 0], mode="exact").pvalue)})
d = np.round(rng.normal(0.01, 0.05, 80), 2)  # ties, many: the normal approximation
out["wilcoxon"].append({"differences": list(d), "p": float(stats.wilcoxon(d, mode="approx", correction=False).pvalue)})
print(json.dumps(out, indent=1))
