"""Writes expr.json: expressions of ours and Python's own repr of each ("!" where Python raises)."""
import json
import os

CASES = r"""
1 + 2 * 3
2 ** 10
-2 ** 2
2 ** -1
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
7.5 // 2
-7.5 % 2
1 / 4
10 / 5
0x1F
0o17
0b101
1_000_000
1e3
1.5e-3
.5
5.
1e22
1e16
123456789012345.0
1e-5
0.0001
True + True
not True
not 0
1 < 2 < 3
1 < 2 > 3
1 == 1.0
1 == True
'a' == 'a'
'a' != 'b'
None is None
1 is not None
3 in [1, 2, 3]
3 not in [1, 2, 3]
'b' in 'abc'
'k' in {'k': 1}
2 in (1, 2)
5 in range(10)
5.5 in range(10)
10 in range(10)
4 in range(0, 10, 2)
5 in range(0, 10, 2)
1 if True else 2
1 if 0 else 2
0 or 5
3 and 4
0 and 1/0
1 or 1/0
[] or 'x'
~5
-(-3)
+7
1 << 10
1024 >> 3
6 & 3
6 | 3
6 ^ 3
True & False
True | False
True ^ True
'a' 'b' "c"
'a\tb\n'
"it's"
'say "hi"'
'both \' and "'
r'\d+'
'\x41\u0042\101'
'\\'
'''tri
ple'''
u'x'
'abc'[0]
'abc'[-1]
'abcdef'[1:4]
'abcdef'[::-1]
'abcdef'[::2]
'abcdef'[-3:]
'abcdef'[:-3]
'abc' * 3
3 * 'ab'
'abc' * 0
'abc' * -1
'a' + 'b'
'a' < 'b'
'abc' < 'abd'
'%d items' % 3
'%s and %s' % ('a', 1)
'%05.2f|%-6s|%6s|%x|%%' % (3.14159, 'ab', 'cd', 255)
'%r' % 'x'
'%(a)s-%(b)d' % {'a': 1, 'b': 2}
'%+d' % 5
'{} {}'.format(1, 'a')
'{1} {0}'.format(1, 'a')
'{a}-{b:>5}'.format(a=1, b='x')
'{:08.3f}'.format(3.14159)
'{{}}'.format()
'{:{}}'.format('a', 5)
'{!r}'.format('a')
f'{1 + 1}'
f'a{1}b{2}c'
f'{3.14159:.2f}'
f'{42:05d}'
f'{42:>8}|{42:<8}|{42:^8}|'
f'{"x":*^7}'
f'{1234567:,}'
f'{1234567.891:,.2f}'
f'{255:x} {255:X} {255:#x} {255:b} {8:o}'
f'{0.256:.1%}'
f'{1e10:e} {1e10:g} {12345.678:.3e}'
f'{"text"!r}'
f'{"text"!r:>10}'
f'{3:{5}}'
f'{3.0}'
f'{True}'
f'{None}'
f'{{literal}}'
f'{[1, 2][0]}'
f'{ {"a": 1}["a"] }'
f"{'nested'}"
f'{1 if True else 2}'
f'{5=}'
f'{(lambda x: x * 2)(3)}'
f'{-7:+d}{7:+d}{7: d}'
f'{"é":>3}'
rf'\d{1}'
'x' f'{1}' 'y'
'a,b,c'.split(',')
'a b  c '.split()
'a,b,c'.split(',', 1)
'a b c d'.split(None, 2)
'a,b,c'.rsplit(',', 1)
'a--b--c'.split('--')
''.split(',')
''.split()
'/data/case_01.nii.gz'.split('/')[-1].split('.')[0]
'img_1.png'.replace('img', 'lbl')
'aaa'.replace('a', 'b', 2)
'ab'.replace('', '-')
'abc'.replace('z', 'y')
'  x '.strip()
'xxaxx'.strip('x')
'xxaxx'.lstrip('x')
'xxaxx'.rstrip('x')
'abc'.startswith('ab')
'abc'.startswith(('x', 'a'))
'abc'.endswith('bc')
'Abc'.upper()
'Abc'.lower()
'hello world'.title()
'hello World'.capitalize()
'abc'.find('c')
'abc'.find('z')
'abcabc'.rfind('c')
'abc'.index('b')
'abcabc'.count('bc')
'a=b=c'.partition('=')
'a=b=c'.rpartition('=')
'abc'.partition('=')
'42'.zfill(5)
'-42'.zfill(5)
'a'.ljust(3) + '|'
'a'.rjust(3, '-')
'a'.center(4, '*')
'123'.isdigit()
'12a'.isdigit()
'abc'.isalpha()
'test_case'.removeprefix('test_')
'x.nii.gz'.removesuffix('.gz')
'a\nb\nc'.splitlines()
'-'.join(['a', 'b'])
''.join(str(i) for i in range(5))
', '.join({'a': 1, 'b': 2})
'héllo'[1]
len('héllo')
[1, 2] + [3]
[1] * 3
[0, *[1, 2], 3]
(1, *(2, 3))
[1, 2, 3][1:]
[1, 2, 3][-1]
[1, 2, 3, 4][::-1]
[1, 2, 3, 4][:-1]
[1, 2, 3, 4][10:]
[1, 2, 3, 4][3:1]
[1, 2, 3, 4][3:0:-1]
(1,)
()
(1, 2)[0]
1, 2
[1, [2, [3]]][1][1][0]
[1, 2] == [1, 2]
[1, 2] < [1, 3]
(1, 2) < (1, 2, 3)
[1, 2].index(2)
[1, 2, 1].count(1)
{'a': 1, 'b': 2}
{'a': 1, **{'b': 2, 'a': 3}}
{'a': 1}['a']
{'a': 1}.get('b')
{'a': 1}.get('b', 5)
list({'a': 1, 'b': 2}.keys())
list({'a': 1, 'b': 2}.values())
list({'a': 1, 'b': 2}.items())
{1: 'a', 1.0: 'b'}
{'a': 1} | {'b': 2}
{1, 2} == {2, 1}
sorted({3, 1, 2})
len({1, 1, 2})
sorted({1, 2, 3} & {2, 3, 4})
sorted({1, 2} | {3})
sorted({1, 2, 3} - {2})
sorted({1, 2} ^ {2, 3})
{1, 2} <= {1, 2, 3}
{1}.issubset({1, 2})
list(set([i + 1 for i in range(10)]) - set([2, 4]))
[x * 2 for x in [1, 2, 3]]
[x for x in range(10) if x % 2]
[x for x in range(20) if x % 2 if x % 3]
[(x, y) for x in [1, 2] for y in 'ab']
[[j for j in range(i)] for i in range(4)]
[a + b for a, b in [(1, 2), (3, 4)]]
[a for a, *b in [(1, 2, 3), (4,)]]
[b for a, *b in [(1, 2, 3), (4,)]]
[(a, c) for a, (b, c) in [(1, (2, 3))]]
{x: x ** 2 for x in range(4)}
{k: v for k, v in zip('ab', [1, 2])}
sorted({x % 3 for x in range(10)})
list(x for x in range(3))
sum(x for x in range(5))
tuple(float(i >= 0) for i in range(3))
[{'image': i, 'label': l} for i, l in zip(['a', 'b'], ['c', 'd'])]
[{**d, 'pred': d['label'].split('/')[-1]} for d in [{'label': 'a/b'}]]
[{'label': l, **i} for i, l in zip([{'x': 1}], ['y'])]
(lambda x: x + 1)(2)
(lambda x, y=2: x + y)(1)
(lambda *a: a)(1, 2, 3)
(lambda **k: k)(a=1)
(lambda a, *b, c=3, **d: (a, b, c, d))(1, 2, c=4, e=5)
(lambda a, *, b: a + b)(1, b=2)
(lambda batch, *_, **__: (batch, None, (), {}))(1, 2, x=3)
(lambda x: (lambda y: x + y))(1)(2)
(lambda: 5)()
(lambda f, n: 1 if n == 0 else n * f(f, n - 1))(lambda f, n: 1 if n == 0 else n * f(f, n - 1), 10)
[f(1) for f in [lambda x: x + i for i in range(3)]]
[(lambda i=i: i)() for i in range(3)]
(lambda a, b: a - b)(*[5, 3])
(lambda a, b: a - b)(**{'a': 5, 'b': 3})
list(map(lambda x: x * 2, [1, 2]))
list(map(lambda x, y: x + y, [1, 2], [3, 4]))
list(filter(lambda x: x > 1, [1, 2, 3]))
list(filter(None, [0, 1, '', 'a']))
list(zip([1, 2], 'ab', (3, 4, 5)))
list(zip(*[(1, 2), (3, 4)]))
list(enumerate('ab'))
list(enumerate('ab', 1))
list(reversed([1, 2, 3]))
list(reversed(range(4)))
[[c, i + 1] for i, c in enumerate(['x', 'y'])]
sorted([3, 1, 2])
sorted([3, 1, 2], reverse=True)
sorted(['b', 'A', 'c'], key=lambda s: s.lower())
sorted([(1, 'b'), (1, 'a')], key=lambda t: t[0], reverse=True)
sorted('cab')
min(3, 1, 2)
max([1, 5, 3])
max('a', 'bb', key=len)
min([], default=7)
sum([1, 2, 3])
sum([[1], [2]], [])
sum([0.5, 1])
abs(-3)
abs(-3.5)
round(2.5)
round(3.5)
round(2.675, 2)
round(-1.5)
round(1234.5678, -2)
round(3.14159, 3)
int(3.9)
int(-3.9)
int('42')
int(' 7 ')
int('ff', 16)
int(True)
float('1e-3')
float(3)
float('inf')
str(1.0)
str([1, 'a'])
str(None)
str('a')
bool([])
bool('x')
repr('a')
any([0, 1])
all([])
all(x > 0 for x in [1, 2])
list(range(5))
list(range(2, 8, 3))
list(range(5, 0, -2))
list(range(0))
range(10)[3]
range(10)[2:5]
len(range(0, 10, 3))
len([1, 2, 3])
len({'a': 1})
list('abc')
list((1, 2))
tuple([1, 2])
dict(a=1, b=2)
dict([('a', 1)])
dict({'a': 1}, b=2)
dict(zip('ab', [1, 2]))
isinstance(1, int)
isinstance('a', (int, str))
isinstance([1], list)
isinstance(True, int)
isinstance(1.5, int)
divmod(7, 2)
pow(2, 5)
next(iter([1, 2]))
next(x for x in [1, 2] if x > 1)
[1, 2, 3][slice(1, None)]
((5 - 1) // 2,) * 4
[1,] * 3
list(range(33, 37)) + list(range(63, 65)) + [114]
[0] + list(x[1] for x in [[1, 2], [3, 4]])
int(0.95 * 40)
[i for i in range(10)][: int(0.95 * 10)]
[1, 2, 3][: -1 if False else None]
'a' if 'x' else None
[x.append(3) or x for x in [[1, 2]]]
[d.update({'z': 1}) or d for d in [{'a': 0}]]
(1
 + 2)
 1 + 1
1if 1 else 0
[1, 2, 3, ]
{'a': 1, }
{}
[]
'\u00e9'
0.1 + 0.2
1e308 * 10
float('nan')
-0.0
3 * -2
not not 1
1 - -1
2 ** 3 ** 2
(2 ** 3) ** 2
-7 // 2 * 2
1 < 2 == True
[1, 2, 3] > [1, 2]
'abc'.join(['x'])
1 +
(1
[1, 2
'abc
foo
1 2
[1, 2][5]
{'a': 1}['b']
'a' + 1
1 / 0
1 // 0
5 % 0
int('x')
(lambda x: x)()
(lambda x: x)(1, 2)
(lambda x: x)(y=1)
'a' < 1
None + 1
[1] + (2,)
{[]: 1}
'abc'.nothing()
len(5)
[x for x in 5]
a = 1
import os
lambda
{1: 2, 3}
f'{'
f'{}'
range(1, 2, 0)
for x in y
x for x in [1]
*[1]
1 if 2
print(1 2)
[i for in [1]]
[i for () in [1]]
{1}.issubset()
""".strip("\n").split("\n")


def joined(lines):
    """Lines whose brackets or triple quotes are open go on."""
    out, i = [], 0
    while i < len(lines):
        text = lines[i]
        if text in ("'''tri", "(1") and i + 1 < len(lines) and lines[i + 1] in ("ple'''", " + 2)"):
            i += 1
            text += "\n" + lines[i]
        out.append(text)
        i += 1
    return out


if __name__ == "__main__":
    rows = []
    for text in joined(CASES):
        try:
            rows.append([text, repr(eval(text.strip(), {}))])
        except Exception:
            rows.append([text, "!"])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expr.json")
    with open(path, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")
    print(len(rows), sum(r[1] == "!" for r in rows))
