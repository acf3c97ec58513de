"""Makes tests/bundle/data/checkpoints: small files as torch.save writes them, and hostile ones. Needs torch and numpy only.

Every good file's content is known by rule (see `known`), so that the tests state what they expect without another file.
"""
import collections, io, os, pickle, struct, sys, tarfile, zipfile
import numpy as np
import torch

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoints")


def ramp(*shape, dtype=torch.float32):
    n = int(np.prod(shape)) if shape else 1
    return (torch.arange(n, dtype=torch.float64) * 0.5 - 3).to(dtype).reshape(shape)


def state():
    return collections.OrderedDict([("conv.weight", ramp(2, 1, 3, 3, 3)), ("conv.bias", ramp(2)), ("bn.num_batches_tracked", torch.tensor(7))])


def save(name, obj, **kw):
    torch.save(obj, os.path.join(HERE, name), **kw)




def raw_pickle(module, name, argument=b"X\x04\x00\x00\x00true"):
    return b"\x80\x02c" + module.encode() + b"\n" + name.encode() + b"\n" + argument + b"\x85R."


def archive(name, data_pkl, storages=(), method=zipfile.ZIP_STORED, extra=()):
    with zipfile.ZipFile(os.path.join(HERE, name), "w", method) as z:
        info = lambda n: zipfile.ZipInfo("archive/" + n, (1980, 1, 1, 0, 0, 0))
        def put(n, b):
            i = info(n)
            i.compress_type = method
            z.writestr(i, b)
        put("data.pkl", data_pkl)
        for key, b in storages:
            put("data/" + key, b)
        for n, b in extra:
            put(n, b)
        put("version", b"3\n")


def tensor_pickle(storage="FloatStorage", key="0", numel=4, offset=0, shape=(4,), stride=(1,), module="torch"):
    """The pickle of {"w": tensor} by hand, so that its numbers can be wrong."""
    def num(v):
        return b"\x8a\x08" + struct.pack("<q", v)
    def text(s):
        return b"X" + struct.pack("<I", len(s)) + s.encode()
    tup = lambda t: b"(" + b"".join(num(v) for v in t) + b"t"
    pid = b"(" + text("storage") + b"c" + module.encode() + b"\n" + storage.encode() + b"\n" + text(key) + text("cpu") + num(numel) + b"tQ"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + pid + num(offset) + tup(shape) + tup(stride) + b"\x89ccollections\nOrderedDict\n)RtR"
    return b"\x80\x02}" + text("w") + call + b"s."


def good():
    save("state.pt", dict(state()))
    ordered = state()
    ordered._metadata = collections.OrderedDict([("", {"version": 1})])
    save("ordered.pt", ordered)
    for key in ("model", "state_dict", "network_weights"):
        save(f"wrapped_{key}.pt", {"epoch": 3, key: state(), "optimizer": {"state": {0: {"step": 1, "exp_avg": ramp(2)}}, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999), "params": [0, 1]}]}})
    save("parallel.pt", {"module." + k: v for k, v in state().items()})
    save("types.pt", {str(d).split(".")[1]: ramp(5, dtype=d) for d in (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8)}
         | {"uint8": torch.arange(5, dtype=torch.uint8), "bool": torch.tensor([True, False, True])})
    base = ramp(6)
    save("shared.pt", {"a": base, "b": base, "tail": base[2:], "matrix": base.reshape(2, 3)})
    grid = ramp(3, 4)
    save("strided.pt", {"transposed": grid.t(), "column": grid[:, 1], "every_other": ramp(10)[1::3], "expanded": torch.tensor([2.5]).expand(2, 3), "scalar": torch.tensor(4.5), "empty": torch.zeros(0, 3)})
    save("parameter.pt", {"weight": torch.nn.Parameter(ramp(2, 2)), "size": torch.Size([1, 2]), "dtype": torch.float16, "device": torch.device("cuda", 1)})
    save("training.pt", {"epoch": 12, "best_metric": np.float64(0.875), "lr": [1e-3, 5e-4], "name": "unet", "none": None, "flag": True, "big": 1 << 40, "negative": -5,
                         "history": np.arange(6, dtype=np.float32).reshape(2, 3), "fortran": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)), "count": np.int64(-3),
                         "yes": np.bool_(True), "milestones": collections.Counter({30: 1, 80: 1}), "raw": b"\x00\xff", "no_bytes": b"", "names": {"a"}, "model": state()})
    for protocol in (3, 4, 5):
        save(f"protocol{protocol}.pt", {"model": state(), "array": np.arange(3.0), "raw": b"\x00\xff"}, pickle_protocol=protocol)
    save("list.pt", [ramp(2), (1, 2.5, "x")])
    # deflated by another tool, and with zip64 fields
    pkl = tensor_pickle()
    four = np.arange(4, dtype=np.float32).tobytes()
    archive("deflated.pt", pkl, [("0", four)], zipfile.ZIP_DEFLATED)
    with open(os.path.join(HERE, "zip64.pt"), "wb") as f:
        with zipfile.ZipFile(f, "w") as z:
            for n, b in (("data.pkl", pkl), ("data/0", four), ("version", b"3\n")):
                with z.open(zipfile.ZipInfo("archive/" + n, (1980, 1, 1, 0, 0, 0)), "w", force_zip64=True) as e:
                    e.write(b)
    legacy = os.path.join(HERE, "legacy.pt")
    torch.save({"w": ramp(2)}, legacy, _use_new_zipfile_serialization=False)
    with tarfile.open(os.path.join(HERE, "tar.pt"), "w") as t:
        for n in ("sys_info", "pickle", "storages", "tensors"):
            i = tarfile.TarInfo(n)
            i.size = 4
            t.addfile(i, io.BytesIO(b"\x80\x02N."))
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 1)), os.path.join(HERE, "script.ts"))
    header = b'{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"h":{"dtype":"BF16","shape":[2],"data_offsets":[16,20]}}'
    header += b" " * (-len(header) % 8)
    st = struct.pack("<Q", len(header)) + header + four + np.array([0x3f80, 0xc000], dtype="<u2").tobytes()
    for n in ("good.safetensors", "safetensors_as.pt"):
        with open(os.path.join(HERE, n), "wb") as f:
            f.write(st)


def evil():
    archive("evil_system.pt", raw_pickle("os", "system", b"X\x1d\x00\x00\x00touch /tmp/vesal-pickle-owned"))
    archive("evil_posix.pt", raw_pickle("posix", "system"))
    archive("evil_eval.pt", raw_pickle("builtins", "eval"))
    archive("evil_getattr.pt", raw_pickle("builtins", "getattr"))
    archive("evil_stack_global.pt", b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x8c\x04true\x85R.")
    archive("evil_inst.pt", b"\x80\x02(X\x04\x00\x00\x00trueios\nsystem\n.")
    archive("evil_class.pt", b"\x80\x02cmonai.networks.nets\nUNet\n)\x81.")
    archive("evil_load.pt", raw_pickle("torch.storage", "_load_from_bytes", b"C\x01."))
    archive("evil_cycle.pt", b"\x80\x02]q\x00h\x00a.")
    archive("evil_dict_cycle.pt", b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.")
    archive("evil_deep.pt", b"\x80\x02" + b"]" * 100000 + b"a" * 99999 + b".", method=zipfile.ZIP_DEFLATED)
    archive("evil_deep_tuple.pt", b"\x80\x02N" + b"\x85" * 100000 + b".", method=zipfile.ZIP_DEFLATED)
    archive("evil_laughs.pt", b"\x80\x02]q\x00" + b"".join(b"0](h%ch%ceq%c" % (i, i, i + 1) for i in range(40)) + b".")
    archive("evil_strings.pt", b"\x80\x02(X\x00\x00\x10\x00" + b"a" * (1 << 20) + b"q\x00" + b"h\x00" * 300 + b"t.", method=zipfile.ZIP_DEFLATED)
    archive("evil_long.pt", b"\x80\x02\x8b\xff\xff\xff\x7f\x01.")
    archive("evil_text_size.pt", b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff.")
    archive("evil_memo.pt", b"\x80\x02h\x07.")
    archive("evil_underflow.pt", b"\x80\x02s.")
    archive("evil_mark.pt", b"\x80\x02t.")
    archive("evil_class_left.pt", b"\x80\x02ctorch\nFloatStorage\n.")
    four = np.arange(4, dtype=np.float32).tobytes()
    archive("wrong_numel.pt", tensor_pickle(numel=1000), [("0", four)])
    archive("wrong_numel_huge.pt", tensor_pickle(numel=1 << 62), [("0", four)])
    archive("wrong_shape.pt", tensor_pickle(shape=(1 << 40, 1 << 40), stride=(1, 1)), [("0", four)])
    archive("wrong_shape_broadcast.pt", tensor_pickle(shape=(1 << 40,), stride=(0,)), [("0", four)])
    archive("wrong_stride.pt", tensor_pickle(shape=(2, 2), stride=(1 << 62, 4)), [("0", four)])
    archive("wrong_negative_stride.pt", tensor_pickle(stride=(-1,)), [("0", four)])
    archive("wrong_offset.pt", tensor_pickle(offset=1), [("0", four)])
    archive("wrong_offset_huge.pt", tensor_pickle(offset=(1 << 63) - 1), [("0", four)])
    archive("wrong_storage.pt", tensor_pickle(key="9"), [("0", four)])
    archive("wrong_storage_path.pt", tensor_pickle(key="../../etc/passwd"), [("0", four)])
    archive("wrong_type.pt", tensor_pickle(storage="ComplexFloatStorage"), [("0", four)])
    archive("wrong_byteorder.pt", tensor_pickle(), [("0", four)], extra=[("byteorder", b"big")])
    archive("bomb.pt", tensor_pickle(numel=1 << 24, shape=(1 << 24,)), [("0", bytes(66 << 20))], zipfile.ZIP_DEFLATED)
    whole = open(os.path.join(HERE, "state.pt"), "rb").read()
    def write(name, b):
        with open(os.path.join(HERE, name), "wb") as f:
            f.write(b)
    write("truncated.pt", whole[: len(whole) // 2])
    write("truncated_end.pt", whole[:-1])
    at = whole.find(struct.pack("<f", -3.0))
    write("flipped.pt", whole[:at] + b"\x01" + whole[at + 1:])
    write("empty.pt", b"")
    write("lfs.pt", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 19000000\n")
    write("bare.pt", pickle.dumps({"a": 1}))


def corpus():
    """Seeds of fuzz/checkpoint.cpp and fuzz/safetensors.cpp: some of these files, and bare pickles."""
    top = os.path.join(HERE, "../../../../fuzz/corpus")
    for folder in ("checkpoint", "safetensors"):
        os.makedirs(os.path.join(top, folder), exist_ok=True)
    for name in ("training.pt", "shared.pt", "deflated.pt", "zip64.pt", "protocol5.pt", "script.ts", "good.safetensors"):
        folder = "safetensors" if name.endswith(".safetensors") else "checkpoint"
        with open(os.path.join(HERE, name), "rb") as f, open(os.path.join(top, folder, name), "wb") as g:
            g.write(f.read())
    for name in ("training.pt", "protocol4.pt", "parameter.pt", "evil_laughs.pt", "evil_cycle.pt"):
        with zipfile.ZipFile(os.path.join(HERE, name)) as z, open(os.path.join(top, "checkpoint", name[:-3] + ".pkl"), "wb") as g:
            g.write(z.read(next(n for n in z.namelist() if n.endswith("/data.pkl"))))


if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    for f in os.listdir(HERE):
        os.remove(os.path.join(HERE, f))
    good()
    evil()
    corpus()
    print(sum(os.path.getsize(os.path.join(HERE, f)) for f in os.listdir(HERE)), "bytes")
