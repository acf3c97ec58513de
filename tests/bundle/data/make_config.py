"""Writes config.json: configurations of ours and what MONAI's ConfigParser makes of them.

A case is {"name", "files": {file: text}, "read": [files], "set": [[id, value]], "want": [[id, repr]]}; a repr of "!" means that MONAI raises.
What vesal reads and MONAI does not (macros inside macros, "+id" on the command line, YAML's "<<", keys that are numbers) is in config_test.cpp.
Run with MONAI and yaml importable.
"""
import json
import os
import tempfile

from monai.bundle import ConfigParser

CASES = []


def case(name, files, want, read=None, sets=(), meta=None):
    CASES.append({"name": name, "files": files, "read": read or list(files)[:1], "set": list(sets), "meta": meta, "ids": want})


def j(**config):
    return json.dumps(config)


case("reference", {"a.json": j(A=3, B="@A", C=["@A", {"d": "@A"}], D="$@A + 1")}, ["A", "B", "C", "D", ""])
case("nested ids", {"a.json": j(A={"B": {"C": [1, 2, 3]}}, x="@A#B#C#1", y="@A::B::C::2", z="$@A#B#C[0] + @A::B::C::1", w="$@A#B")}, ["x", "y", "z", "w", "A#B", "A::B::C::0"])
case("relative", {"a.json": j(A={"X": 1, "Y": "@#X", "B": {"P": "@##X", "Q": "$@##X + @#R", "R": 5, "S": ["@##R", "@#0"]}})}, ["A#Y", "A#B#P", "A#B#Q", "A#B#S#0"])
case("relative with colons", {"a.json": j(A={"X": 1, "Y": "$@::X * 10", "B": {"P": "@::::X"}})}, ["A::Y", "A::B::P"])
case("relative leaves", {"a.json": j(A={"X": "@####B"}, B=1)}, ["A#X"])
case("reference inside text is text", {"a.json": j(A=1, B="mail@A.example", C="x @A", D="@A ", E="@A#", F="50%")}, ["B", "C", "F"])
case("expression results are shared", {"a.json": j(l="$list()", a="$@l.append(1)", b="$@l.append(2)", c="$(@a, @b, len(@l))", d="$@l is @l")}, ["c", "d"])
case("expression of a component's argument", {"a.json": j(c={"_target_": "dict", "a": "$1 + 1", "b": "@c#a"}, d="$@c['b']", e="@c#a")}, ["c", "d", "e"])
case("component in lists and dicts", {"a.json": j(l=[{"_target_": "dict", "a": 1}, {"_target_": "dict"}], d={"x": {"_target_": "dict", "a": "@l"}})}, ["l", "d", "d#x"])
case("disabled", {"a.json": j(l=[1, {"_target_": "dict", "_disabled_": True}, {"_target_": "dict", "_disabled_": "true"}, {"_target_": "dict", "_disabled_": "$1 > 2"}, 2],
                              d={"x": {"_target_": "dict", "_disabled_": True}, "y": 1}, e={"_target_": "dict", "_disabled_": "@t"}, t=True, f="@e",
                              g={"_target_": "dict", "a": {"_target_": "dict", "_disabled_": True}})}, ["l", "d", "e", "f", "g"])
case("requires", {"a.json": j(l="$list()", a={"_target_": "dict", "_requires_": ["@b", "$@l.append('requires')"], "x": "$@l.append('argument')"}, b="$@l.append('b')", c="$(@a, list(@l))[1][0]")}, ["c"])
case("requires one", {"a.json": j(l="$list()", a={"_target_": "dict", "_requires_": "$@l.append(7)"}, c="$(@a, @l)")}, ["c"])
case("callable", {"a.json": j(f={"_target_": "dict", "_mode_": "callable", "a": 1}, g="$@f(b=2)", h="$@f(a=3)", s={"_target_": "sorted", "_mode_": "callable", "reverse": True}, t="$@s([1, 3, 2])", p={"_target_": "sorted", "_mode_": "callable"}, q="$@p([2, 1])")}, ["g", "h", "t", "q"])
case("bad mode", {"a.json": j(f={"_target_": "dict", "_mode_": "lazy"})}, ["f"])
case("description", {"a.json": j(f={"_target_": "dict", "_desc_": "says what", "a": 1})}, ["f"])
case("target is a reference", {"a.json": j(name="dict", f={"_target_": "@name", "a": 1}, g={"_target_": "$@name", "a": 2})}, ["f", "g"])
case("target is a callable", {"a.json": j(f={"_target_": "$dict", "a": 1})}, ["f"])
case("macro", {"a.json": j(A={"x": [1, 2]}, B="%A", C="%A#x#1", D={"e": "%A::x"}), }, ["B", "C", "D"])
case("macro is textual", {"a.json": j(l="$list()", A="$@l.append(1)", B="%A", C="$(@A, @B, len(@l))")}, ["C"])
case("macro keeps absolute references", {"a.json": j(A={"k": "@v"}, v=4, B="%A")}, ["B"])
case("macro and relative references", {"a.json": j(A={"v": 1, "k": "@#v"}, B={"v": 2, "c": "%A"}, C="%A")}, ["C#k"])
case("macro of an expression", {"a.json": j(A="$@n * 2", n=5, B="%A")}, ["B"])
case("macro from a file", {"a.json": j(A="%other.json", B="%other.json#n", C="%other.json::d::e", D="%other.yaml#n"), "other.json": j(n=1, d={"e": [1, 2]}), "other.yaml": "n: {m: 3}\n"}, ["A", "B", "C", "D"])
case("macro from a file refers here", {"a.json": j(n=10, A="%other.json#x"), "other.json": j(n=1, x="$@n + 1")}, ["A"])
case("macro relative", {"a.json": j(A={"x": 1, "y": "%#x", "B": {"z": "%##x"}})}, ["A"])
case("macro missing", {"a.json": j(A="%B")}, ["A"])
case("text with a percent sign", {"a.json": j(A="100% of it", B="$'%d' % 3", C="$7 % 4")}, ["A", "B", "C"])
case("override of a file", {"a.json": j(A=1, B={"c": 1, "d": 2}, C=[1]), "b.json": json.dumps({"A": 2, "B#c": 5, "C::0": 7, "E": 9})}, ["A", "B", "C", "E"], read=["a.json", "b.json"])
case("later replaces whole", {"a.json": j(B={"c": 1, "d": 2}), "b.json": json.dumps({"B": {"e": 1}})}, ["B"], read=["a.json", "b.json"])
case("merge", {"a.json": j(B={"c": 1}, C=[1], N={"l": [1]}), "b.json": json.dumps({"+B": {"e": 1, "c": 3}, "+C": [2, 3], "+N#l": [9]})}, ["B", "C", "N"], read=["a.json", "b.json"])
case("merge of nothing", {"a.json": j(A=1), "b.json": json.dumps({"+B": [1]})}, ["B"], read=["a.json", "b.json"])
case("merge of other types", {"a.json": j(B={"c": 1}), "b.json": json.dumps({"+B": [1]})}, ["B"], read=["a.json", "b.json"])
case("merge of a number", {"a.json": j(B=1), "b.json": json.dumps({"+B": 2})}, ["B"], read=["a.json", "b.json"])
case("order of files", {"a.json": j(A=1), "b.json": j(A=2), "c.json": j(A=3)}, ["A"], read=["a.json", "c.json", "b.json"])
case("keys with dots and numbers", {"a.json": json.dumps({"a.b": 1, "1": "x", "d": {"0": "y"}, "r": "@1", "s": "$@d#0"})}, ["a.b", "1", "r", "s"])
case("set", {"a.json": j(A=1, B={"c": [1, 2]}, D="$@A + @B#c#0")}, ["D", "B"], sets=[["A", 10], ["B#c#0", 20]])
case("set anew", {"a.json": j(A=1)}, ["x", "l"], sets=[["x", {"y": 1}], ["x#z", "@A"], ["l", ["@A", "$@A + 1"]]])
case("set below nothing", {"a.json": j(A=1)}, ["A"], sets=[["x#y", 1]])
case("cycle", {"a.json": j(A="@B", B="@C", C="$@A + 1")}, ["A"])
case("cycle of one", {"a.json": j(A="@A")}, ["A"])
case("cycle through a component", {"a.json": j(A={"_target_": "dict", "x": "@B"}, B={"_target_": "dict", "y": "@A"})}, ["A"])
case("missing reference", {"a.json": j(A="@nothing", B="$@nothing + 1", C="$@A")}, ["A", "B", "C"])
case("missing id", {"a.json": j(A=1)}, ["B", "A#x"])
case("unknown target", {"a.json": j(A={"_target_": "NoSuchThing"})}, ["A"])
case("wrong argument", {"a.json": j(A={"_target_": "sorted", "nope": 1})}, ["A"])
case("syntax error", {"a.json": j(A="$1 +", B="$(", C="$x y")}, ["A", "B", "C"])
case("import", {"a.json": j(imports=["$import os", "$import os.path as p", "$from os.path import join as glue"], A="$os.path.join('a', 'b')", B="$p.basename('a/b')", C="$glue('x', 'y')")}, ["A", "B", "C"])
case("import anywhere", {"a.json": j(d={"e": ["$import math"]}, A="$math.floor(2.5)")}, ["A"])
case("comprehension with references", {"a.json": j(a=[1, 2], b=[3, 4], c="$[{'image': i, 'label': l} for i, l in zip(@a, @b)]", k="image", d="$[{@k: i} for i in @a]")}, ["c", "d"])
case("lambda over references", {"a.json": j(n=3, f="$lambda x: x + @n", g="$@f(4)", h="$list(map(@f, [1, 2]))")}, ["g", "h"])
case("conditional reference is parsed anyway", {"a.json": j(t=True, a=1, b="$@a if @t else @missing")}, ["b"])
case("text in quotes with a mark", {"a.json": j(A=1, B="$'a@A'", C="$'x#y'")}, ["C"])
case("null, bool, float", {"a.json": '{"a": null, "b": true, "c": 1.0, "d": 1e3, "e": "$@a is None and @b", "f": -0.0}'}, ["a", "b", "c", "d", "e", "f"])
case("doubled key", {"a.json": '{"a": 1, "a": 2}'}, ["a"])
case("unicode", {"a.json": '{"a": "gan (肝)", "b": "$@a + \'\\u00e9\'"}'}, ["a", "b"])
case("empty", {"a.json": "{}"}, ["", "a"])
case("keys that look like ids", {"a.json": json.dumps({"A": {"b": 0}, "A#b": 1, "A::c": 2})}, ["A"])
case("yaml scalars", {"a.yaml": """
a: yes
b: no
c: on
d: ~
e: null
f: 1e-4
g: 1.0e-4
h: 0o14
i: 014
j: 0x1F
k: 1_000
l: "1"
m: 1.
n: .5
o: .inf
p: -3
q: 2024-01-02x
r: 1:30
s: True
t: FALSE
u: y
v: 'it''s'
w: 1e+4
x: 1.5e+4
y: 0b11
z: '@a'
"""}, [chr(c) for c in range(ord("a"), ord("z") + 1)])
case("yaml anchors", {"a.yaml": """
base: &base {x: 1, y: [1, 2]}
copy: *base
list: &l [1, "$2 + 3"]
again: *l
"""}, ["copy", "again"])
case("yaml blocks", {"a.yaml": """
imports:
- $import os
text: |
  two
  lines
folded: >-
  one
  line
joined: "$os.path.join('a',
  'b')"
plain: $os.path.join('a',
  'c')
list:
- _target_: dict
  a: 1
- 2
"""}, ["text", "folded", "joined", "plain", "list"])
case("yaml over json", {"a.json": j(A={"x": 1}, B=[1]), "b.yaml": "A#x: 5\n+B:\n- 2\n"}, ["A", "B"], read=["a.json", "b.yaml"])
case("meta", {"a.json": j(v="@_meta_#version", w="$@_meta_::n + 1"), "metadata.json": j(version="1.2.3", n=1, optional_packages_version={"x": "1"})}, ["v", "w", "_meta_#required_packages_version"], meta=["metadata.json"])


def outcome(parser, id):
    try:
        return repr(parser.get_parsed_content(id))
    except Exception:
        return "!"


def main():
    out = []
    for c in CASES:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for file, text in c["files"].items():
                with open(file, "w") as f:
                    f.write(text)
            entry = {k: v for k, v in c.items() if k not in ("ids",) and v}
            try:
                parser = ConfigParser()
                parser.read_config(c["read"])
                if c["meta"]:
                    parser.read_meta(c["meta"])
                parser.update(dict(c["set"]))
                entry["want"] = []
                for id in c["ids"]:
                    entry["want"].append([id, outcome(parser, id)])
            except Exception:
                entry["want"] = "!"
            out.append(entry)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "config.json"), "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(e, ensure_ascii=False) for e in out) + "\n]\n")


main()
