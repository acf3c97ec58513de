#!/usr/bin/env python3
"""Reads the manifests of this folder: check.py. Prints what is wrong and ends with 1, or prints nothing and ends with 0.

It knows the fields that these manifests must have; the cluster's own validation knows more (kubectl apply --dry-run=server)."""
import os
import subprocess
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
problems = []


def need(where, thing, *path):
    """The value at a path of keys and indices, noting what is missing."""
    for key in path:
        try:
            thing = thing[key]
        except (KeyError, IndexError, TypeError):
            problems.append(f"{where}: {'.'.join(map(str, path))} is missing at {key}")
            return None
    return thing


def check_pod(where, pod, name):
    container = need(where, pod, "containers", 0) or {}
    if container.get("name") != name:
        problems.append(f"{where}: the container must be called {name}")
    volumes = {v["name"] for v in pod.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        if mount["name"] not in volumes:
            problems.append(f"{where}: no volume {mount['name']}")
    return container


def documents(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return {d["kind"]: d for d in yaml.safe_load_all(f)}


job = documents("pytorchjob.yaml")["PyTorchJob"]
if job["apiVersion"] != "kubeflow.org/v1":
    problems.append("pytorchjob.yaml: apiVersion")
for role in ("Master", "Worker"):
    pod = need("pytorchjob.yaml", job, "spec", "pytorchReplicaSpecs", role, "template", "spec")
    if pod and "bundle" not in check_pod(f"pytorchjob.yaml: {role}", pod, "pytorch").get("args", []):
        problems.append(f"pytorchjob.yaml: {role} runs no bundle")
if job["spec"]["pytorchReplicaSpecs"]["Master"]["replicas"] != 1:
    problems.append("pytorchjob.yaml: there is one Master")

job = documents("segment-job.yaml")["Job"]
container = check_pod("segment-job.yaml", need("segment-job.yaml", job, "spec", "template", "spec"), "segment")
if job["spec"].get("completionMode") != "Indexed":
    problems.append("segment-job.yaml: the Job is not Indexed, pods would not know their shard")
if f'$JOB_COMPLETION_INDEX/{job["spec"]["completions"]}"' not in " ".join(container.get("args", [])):
    problems.append("segment-job.yaml: --shard and completions differ")

kinds = documents("trainjob.yaml")
runtime, job = kinds["TrainingRuntime"], kinds["TrainJob"]
if need("trainjob.yaml", job, "spec", "runtimeRef", "name") != runtime["metadata"]["name"]:
    problems.append("trainjob.yaml: runtimeRef names another runtime")
node = need("trainjob.yaml", runtime, "spec", "template", "spec", "replicatedJobs", 0)
if need("trainjob.yaml", node, "template", "metadata", "labels", "trainer.kubeflow.org/trainjob-ancestor-step") != "trainer":
    problems.append("trainjob.yaml: the job has no label that says it is the trainer")
check_pod("trainjob.yaml", need("trainjob.yaml", node, "template", "spec", "template", "spec"), "node")
if "torch" not in runtime["spec"]["mlPolicy"]:
    problems.append("trainjob.yaml: without the torch policy the pods do not know each other")

for script in ("slurm.sbatch", "two_machines.sh"):
    if subprocess.run(["bash", "-n", os.path.join(HERE, script)]).returncode:
        problems.append(f"{script}: no shell script")

print("\n".join(problems), end="\n" if problems else "")
sys.exit(bool(problems))
