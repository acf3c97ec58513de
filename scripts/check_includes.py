#!/usr/bin/env python3
"""Checks the order of the house: check_includes.py [ROOT]. Prints what is wrong and ends with 1, or prints nothing and ends with 0.

  - a file of src/FOLDER includes only FOLDER and the folders before it in CMakeLists.txt (vesal_folders), with cli last;
  - libtorch's headers are included in nn and train only, directly or through another header of ours;
  - no file of the project's code is over 600 lines.
"""
import os
import re
import sys

MAX_LINES = 600
TORCH_FOLDERS = ("nn", "train")
CODE = (".cpp", ".h", ".cc", ".hpp", ".py", ".sh", ".cmake", ".ts", ".js")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)
TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")


def folder_order(root):
    with open(os.path.join(root, "CMakeLists.txt"), encoding="utf-8") as f:
        found = re.search(r"^\s*vesal_folders\(([^)]*)\)", f.read(), re.M)
    if not found:
        sys.exit("CMakeLists.txt: no vesal_folders(...)")
    return found.group(1).split() + ["cli"]


def files_below(folder):
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in ("build", "dist", "node_modules", "third_party", "data"))
        for name in sorted(names):
            yield os.path.join(path, name)


def includes(path):
    """(line, name) of every #include."""
    with open(path, encoding="utf-8", errors="replace") as f:
        text = f.read()
    return [(text.count("\n", 0, m.start(1 if m.group(1) else 2)) + 1, m.group(1) or m.group(2)) for m in INCLUDE.finditer(text)]


def check_order(root, order):
    rank = {name: i for i, name in enumerate(order)}
    src = os.path.join(root, "src")
    graph, problems = {}, []
    for path in files_below(src):
        if not path.endswith((".cpp", ".h")):
            continue
        inside = os.path.relpath(path, src).replace(os.sep, "/")
        folder = inside.split("/")[0]
        if folder not in rank:
            problems.append(f"src/{inside}: folder '{folder}' is not in vesal_folders of CMakeLists.txt")
            continue
        graph[inside] = []
        for line, name in includes(path):
            if TORCH.match(name):
                graph[inside].append(("torch", line, name))
            target = name.split("/")[0]
            if "/" in name and target in rank and os.path.exists(os.path.join(src, name)):
                graph[inside].append((name, line, name))
                if rank[target] > rank[folder]:
                    problems.append(f"src/{inside}:{line}: {folder} includes {name}, but {target} stands above it")
    return graph, problems


def check_torch(graph):
    """Files outside of nn and train that see libtorch, with the way by which they do."""
    problems = []

    def way(name, seen):
        for target, line, text in graph.get(name, []):
            if target == "torch":
                return [f"{name}:{line}", text]
            if target not in seen:
                seen.add(target)
                rest = way(target, seen)
                if rest:
                    return [f"{name}:{line}"] + rest
        return None

    for name in sorted(graph):
        if name.split("/")[0] in TORCH_FOLDERS:
            continue
        found = way(name, {name})
        if found:
            problems.append(f"src/{found[0]}: sees libtorch: " + " -> ".join(found[1:]))
    return problems


def check_lengths(root):
    problems = []
    for top in ("src", "include", "tests", "fuzz", "bench", "scripts", "cmake", "web"):
        for path in files_below(os.path.join(root, top)):
            if not path.endswith(CODE):
                continue
            with open(path, "rb") as f:
                lines = f.read().count(b"\n")
            if lines > MAX_LINES:
                problems.append(f"{os.path.relpath(path, root)}: {lines} lines, at most {MAX_LINES}")
    return problems


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    graph, problems = check_order(root, folder_order(root))
    problems += check_torch(graph) + check_lengths(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
