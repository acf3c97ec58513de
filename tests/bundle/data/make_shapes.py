"""Writes shapes.json: the shapes of expression that occur in the model zoo's configurations, in words of ours.

[refs, expression, want]: want is the repr that Python and MONAI give, or "refused: ..." with what has to be named. Files of FILES are there.
Run with MONAI, numpy and torch importable. WORLD: nothing of torch.distributed is started, there is no CUDA.
"""
import json
import os
import tempfile

from monai.bundle import ConfigParser

FILES = {
    "data/img1.nii.gz": "", "data/img2.nii.gz": "", "data/img10.nii.gz": "", "data/lbl1.nii.gz": "", "data/.hidden.nii.gz": "", "data/a/x.nii.gz": "", "data/b/x.nii.gz": "",
    "data/seg.jpg": "", "data/s_seg.jpg": "", "data/one.jpg": "",
    "list.json": json.dumps({"training": [{"image": "./img/1.nii.gz", "label": "lbl/1.nii.gz", "fold": 0}, {"image": "img/2.nii.gz", "label": 3, "fold": 1}],
                             "test": ["img/3.nii.gz"], "names": [{"image": ["a", "b"], "label": "c", "id": "nofile"}]}),
}
IMPORTS = ["$import glob", "$import os", "$import numpy as np", "$import numpy", "$import json", "$import pathlib", "$from pathlib import Path", "$import copy", "$import functools",
           "$from functools import partial", "$import torch", "$import monai", "$import logging", "$import math", "$import torch.distributed as dist", "$from datetime import datetime",
           "$from monai.data.utils import list_data_collate"]

VALUES = [
    ({"root": "."}, "@root + '/models/model.pt'"),
    ({"root": "/b", "name": "m"}, "@root + '/models/' + @name"),
    ({"root": "x"}, "os.path.join(@root, \"eval\")"),
    ({"root": "x"}, "os.path.join(@root, 'models', 'stage0')"),
    ({"root": "x/"}, "os.path.join(@root, 'a')"),
    ({}, "os.path.join('a', '/b', 'c')"),
    ({"p": "no.pt"}, "not os.path.exists(@p)"),
    ({"p": "list.json"}, "os.path.exists(@p) and os.path.isfile(@p) and not os.path.isdir(@p)"),
    ({"p": "a/b.nii.gz"}, "(os.path.basename(@p), os.path.dirname(@p), os.path.splitext(@p), os.path.split(@p))"),
    ({}, "[os.path.splitext(p) for p in ['.hidden', 'a.b/c', 'a/.x.y', '..a', '']]"),
    ({}, "[os.path.split(p) for p in ['/a', '/', '//a', 'a/', 'a//b']]"),
    ({}, "[os.path.normpath(p) for p in ['a/../b', './a', 'a//b/', '', '/../a']]"),
    ({"d": "data"}, "list(sorted(glob.glob(@d + '/img*.nii.gz')))"),
    ({"d": "data"}, "sorted(glob.glob(os.path.join(@d, '*', 'x.nii.gz')))"),
    ({"d": "data"}, "list(sorted(glob.glob(@d + '/*.nii.gz')))[1:3]"),
    ({"d": "data"}, "sorted(glob.glob(os.path.join(@d, '*[!seg].jpg')))"),
    ({"d": "data"}, "sorted(glob.glob(@d + '/**/*.nii.gz', recursive=True))"),
    ({"d": "data"}, "sorted(glob.glob(@d + '/**/*.nii.gz'))"),
    ({"d": "data"}, "sorted(glob.glob(@d + '/**', recursive=True))"),
    ({"d": "data"}, "sorted(glob.glob(@d + '/*/'))"),
    ({"d": "data"}, "sorted(glob.glob(@d + '/.*.nii.gz')) + glob.glob(@d + '/img[12].nii.gz/x') + glob.glob('nothing/*') + glob.glob(@d)"),
    ({"d": "data"}, "[{'image': i} for i in sorted(glob.glob(os.path.join(@d, 'l*.nii.gz')))]"),
    ({"a": ["i1", "i2", "i3"], "b": ["l1", "l2", "l3"]}, "[{'image': i, 'label': l} for i, l in zip(@a[:-1], @b[:-1])]"),
    ({"a": ["i1"], "b": ["l1"], "c": [1]}, "[{'image': i, 'inst': j, 'type': k} for i, j, k in zip(@a, @b, @c)]"),
    ({"a": ["i1"], "k": "image"}, "[{@k: i} for i in @a]"),
    ({"a": [{"x": 1}], "b": [2]}, "[{'label': l, **i} for i, l in zip(@a, @b)]"),
    ({"l": [{"label": "d/e.f.nii.gz"}], "o": "out"}, "[{**d, 'pred': os.path.join(@o, d['label'].split('/')[-1].split('.')[0] + '_t.nii.gz')} for d in @l]"),
    ({"l": ["a_img.png"]}, "[i.replace('img', 'lbl') for i in @l]"),
    ({"l": list(range(20))}, "@l[: int(0.95 * len(@l))]"),
    ({"l": list(range(20))}, "@l[int(0.95 * len(@l)): ]"),
    ({"h": [1, 2, 3]}, "@h[: -1 if 0 > 0 else None]"),
    ({"h": [1, 2, 3]}, "@h[: -2 if 1 > 0 else None]"),
    ({"n": 3}, "[1,] * @n"),
    ({"n": 3}, "tuple(float(i >= 0) for i in range(@n))"),
    ({"p": 10, "o": 4}, "((@p - @o) // 2,) * 4"),
    ({"p": 10, "o": 4}, "1.0 - float(@o) / float(@p)"),
    ({"s": [64, 65, 66]}, "(@s[0]//4, @s[1]//4, len(@s))"),
    ({"m": [[1, 5], [2, 6]]}, "[0] + list(x[0] for x in @m)"),
    ({"s": ["a", "b"]}, "{'default': [[c, i+1] for i, c in enumerate(@s)]}"),
    ({}, "list(set([i+1 for i in range(9)]) - set([2, 5]))"),
    ({}, "list(range(3, 5)) + list(range(7, 9)) + [114]"),
    ({"c": True, "a": "x"}, "'label' if @c else None"),
    ({"c": False, "a": [1], "b": [2]}, "@a + @b if @c else @a"),
    ({"c": False, "d": True}, "not @c and @d"),
    ({"e": None}, "None if @e is None else 5"),
    ({"epochs": 3, "n": 7, "b": 2}, "int(10 * @epochs) + (@epochs * @n) / @b"),
    ({"n": 2}, "torch.device('cuda:' + str(@n) if torch.cuda.is_available() else 'cpu').type"),
    ({"n": [2]}, "torch.device(f\"cuda:{@n[0]}\").index"),
    ({}, "torch.device('cpu').index"),
    ({}, "str([torch.float32, torch.int16, torch.long, torch.float, torch.uint8, torch.half])"),
    ({}, "(np.float32(3), np.uint8(7) == 7)[1]"),
    ({}, "(np.pi / 12, math.pi == np.pi, np.inf > 1)"),
    ({}, "np.abs(np.array([-1, 2])).tolist()"),
    ({}, "np.arange(3).tolist() + np.arange(1, 2, 0.5).tolist()"),
    ({}, "np.concatenate([np.ones((1, 2)), np.zeros((1, 2))], axis=0).tolist()"),
    ({}, "np.concatenate((np.array([1]), np.array([2.5]))).tolist()"),
    ({}, "np.stack([np.array([1, 2]), np.array([3, 4])], axis=-1).tolist()"),
    ({}, "np.where(np.array([1, 5]) > 3, 1, 0).tolist()"),
    ({}, "torch.nan_to_num(torch.tensor([1.0, float('nan')]), nan=255).tolist()"),
    ({}, "torch.where(torch.tensor([[1, 2]]) > 1, 4, torch.where(torch.tensor([[1, 0]]) > 0, 1, 0)).tolist()"),
    ({}, "torch.ones(3).tolist() + list(torch.zeros(2, 2).shape) + list(torch.ones((4,)).shape)"),
    ({}, "torch.from_numpy(np.array([1, 2])).tolist()"),
    ({}, "torch.FloatTensor([1, 2]).tolist()"),
    ({}, "list(torch.rand([1] + [2, 3]).shape)"),
    ({}, "list(torch.randn(2).to(torch.device('cpu')).shape)"),
    ({}, "torch.stack([torch.tensor([1]), torch.tensor([2])]).tolist() + torch.cat([torch.tensor([3]), torch.tensor([4])], dim=0).tolist()"),
    ({}, "np.clip(np.array([1, 5, 9]), 2, 8).tolist() + [int(np.sum([1, 2])), float(np.mean([1, 2]))]"),
    ({}, "(np.linspace(0, 1, 3).tolist(), np.full((2,), 7).tolist(), np.eye(2).tolist(), np.zeros_like(np.array([1, 2])).tolist())"),
    ({}, "(float(np.ceil(2.1)), float(np.sqrt(16)), float(np.round(2.6)), np.maximum(1, np.array([0, 2])).tolist())"),
    ({"p": "list.json"}, "json.loads(pathlib.Path(@p).read_text())['test']"),
    ({"p": "data"}, "(Path(@p) / 'img1.nii.gz').exists() and str(Path(@p) / 'x') == 'data/x'"),
    ({"p": "data/a/x.nii.gz"}, "(Path(@p).name, Path(@p).stem, Path(@p).suffix, str(Path(@p).parent), Path(@p).parts, str(Path(@p).with_suffix('.b')))"),
    ({"p": "data"}, "sorted(str(x) for x in Path(@p).glob('img*.gz'))"),
    ({"p": "new/folder"}, "(os.makedirs(@p), os.makedirs(@p, exist_ok=True), os.path.isdir(@p), Path(@p).mkdir(exist_ok=True))"),
    ({"l": [1, 2]}, "copy.deepcopy(@l) == @l"),
    ({}, "functools.partial(max, 3)(1) + partial(sorted, reverse=True)([1, 2])[0]"),
    ({"f": {"_target_": "dict", "a": 1}}, "sorted({**@f, 'b': 2}.items())"),
    ({}, "list(map(lambda t: dict(image=t[0], label=t[1]), zip(*[[1, 2], [3, 4]])))"),
    ({}, "list(filter(lambda p: p > 1, [1, 2, 3]))"),
    ({}, "(lambda x, y: x < y)(1, 2)"),
    ({}, "(lambda current, prev: prev < 0 or current < prev)(1, 0.5)"),
    ({}, "(lambda batchdata, *_, **__: (batchdata, None, (), {}))(5, 6, a=7)"),
    ({"g": [2, 2]}, "(lambda x: x.reshape((1, *@g)))(np.arange(4)).tolist()"),
    ({"c": 0}, "(lambda x: x[@c, :, :, :])(np.ones((2, 1, 1, 1))).tolist()"),
    ({}, "(lambda x, s=3: np.concatenate(tuple([(x == _k).astype(float) for _k in range(s)]), axis=0))(np.array([1])).tolist()"),
    ({}, "logging.WARNING if False else logging.INFO"),
    ({}, "dist.is_initialized()"),
    ({}, "monai.utils.GridSampleMode.BILINEAR == 'bilinear' and monai.utils.CommonKeys.IMAGE == 'image'"),
    ({}, "(monai.utils.InterpolateMode.BICUBIC == 'bicubic', monai.utils.GridSamplePadMode.ZEROS == 'zeros', monai.utils.ForwardMode.TRAIN == 'train')"),
    ({}, "monai.utils.set_determinism(seed=0)"),
    ({}, "monai.utils.first([7, 8]) + monai.utils.misc.first([1])"),
    ({"l": list(range(10))}, "monai.data.partition_dataset(@l, (4, 1), shuffle=True, seed=0)"),
    ({"l": list(range(11))}, "monai.data.partition_dataset(data=@l, num_partitions=3, shuffle=True, even_divisible=True,)[1]"),
    ({"l": list(range(11))}, "monai.data.partition_dataset(@l, num_partitions=3, seed=5, shuffle=True, drop_last=True, even_divisible=True)"),
    ({"l": list(range(5))}, "monai.data.partition_dataset(data=@l, num_partitions=2, shuffle=False, even_divisible=False,)"),
    ({}, "[int(i) for i in monai.data.partition_dataset(np.arange(len([1, 2, 3, 4, 5])), (8, 2), shuffle=True)[0]]"),
    ({"p": "list.json"}, "monai.data.load_decathlon_datalist(@p, data_list_key='training', base_dir='base')"),
    ({"p": "list.json"}, "monai.data.load_decathlon_datalist(@p, is_segmentation=True, data_list_key='names', base_dir='.')"),
    ({"p": "list.json"}, "monai.data.load_decathlon_datalist(@p, data_list_key='test', base_dir='/b')"),
    ({"p": "list.json"}, "monai.auto3dseg.utils.datafold_read(datalist=@p, basedir='base', fold=0)[1]"),
    ({"p": "list.json"}, "monai.auto3dseg.utils.datafold_read(datalist=@p, basedir='base', fold=1)[0]"),
    ({}, "setattr(torch.backends.cudnn, 'benchmark', True)"),
    ({"x": [1]}, "print('Labels: ', @x)"),
    ({}, "f'{3:03d}' + f'{1.5:.2f}' + 'a{}b'.format(1) + '%s-%d' % ('x', 3)"),
    ({}, "len(datetime.now().strftime('%Y%m%d_%H%M%S'))"),
    ({}, "f'image: \"{dict(name=[1])[\"name\"][0]}\", iter: {1}/{2}'"),
]
REFUSED = [
    ({}, "open('list.json', 'r', encoding='utf8')", "'open'"),
    ({}, "os.remove('list.json')", "'os.remove'"),
    ({}, "os.system('id')", "'os.system'"),
    ({}, "os.environ['HOME']", "'HOME'"),
    ({}, "os.environ.get('SECRET', '')", "'SECRET'"),
    ({}, "__import__('os').system('id')", "'__import__'"),
    ({}, "().__class__.__bases__[0].__subclasses__()", "'__class__'"),
    ({}, "eval('1')", "'eval'"),
    ({}, "getattr(os, 'system')('id')", "'getattr'"),
    ({}, "(lambda: 1).__globals__", "'__globals__'"),
    ({}, "'{0.__class__}'.format(1)", "format"),
    ({}, "subprocess.run(['id'])", "'subprocess"),
    ({}, "zipfile.ZipFile('a.zip', 'r').extractall('.')", "'zipfile.ZipFile'"),
    ({}, "urllib.request.urlretrieve('http://x', 'y')", "'urllib.request.urlretrieve'"),
    ({}, "pd.read_csv('test.csv').t2", "'pandas.read_csv'"),
    ({}, "plt.imshow([[1]])", "'matplotlib.pyplot.imshow'"),
    ({}, "skimage.measure.label([1])", "'skimage.measure.label'"),
    ({}, "ndimage.binary_dilation([1])", "'scipy.ndimage.binary_dilation'"),
    ({}, "Image.fromarray([1], 'RGB')", "'PIL.Image.fromarray'"),
    ({}, "scripts.utils.compute(1)", "'scripts.utils.compute'"),
    ({}, "own_code(1)", "'scripts.code.own_code'"),
    ({}, "torch.compile(1)", "'torch.compile'"),
    ({}, "monai.networks.trt_compile(1)", "'monai.networks.trt_compile'"),
    ({}, "pathlib.Path('list.json').unlink()", "'unlink'"),
    ({}, "pathlib.Path('list.json').write_text('x')", "'write_text'"),
    ({}, "np.load('x.npy', allow_pickle=True)", "'numpy.load'"),
    ({}, "setattr(os, 'sep', 'x')", "setattr"),
    ({}, "9 ** 9 ** 9", "64 bits"),
    ({}, "[0] * 10 ** 12", ""),
    ({}, "'x' * 10 ** 12", ""),
    ({}, "torch.zeros(10 ** 6, 10 ** 6)", ""),
    ({}, "sum(1 for i in range(10 ** 12))", ""),
    ({}, "(lambda f: f(f))(lambda f: f(f))", ""),
]
MORE_IMPORTS = ["$import scripts", "$from scripts.code import own_code", "$import pandas as pd", "$import matplotlib.pyplot as plt", "$import skimage", "$from scipy import ndimage",
                "$from PIL import Image", "$import urllib", "$import zipfile", "$import subprocess", "$import sys"]


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for file, text in FILES.items():
            os.makedirs(os.path.dirname(file) or ".", exist_ok=True)
            with open(file, "w") as f:
                f.write(text)
        for refs, expression in VALUES:
            parser = ConfigParser({**refs, "imports": IMPORTS, "it": "$" + expression})
            rows.append([refs, expression, repr(parser.get_parsed_content("it"))])
    rows += [[refs, expression, "refused: " + named] for refs, expression, named in REFUSED]
    with open(os.path.join(here, "shapes.json"), "w") as f:
        f.write('{"files": %s,\n"imports": %s,\n"rows": [\n%s\n]}\n' % (json.dumps(FILES), json.dumps(IMPORTS + MORE_IMPORTS), ",\n".join(json.dumps(r) for r in rows)))


main()
