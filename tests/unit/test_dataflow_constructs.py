"""Notebooks with one tricky construct each: the pipeline ends as the notebook does, or is refused."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
from local_steps import LocalRunner, code, notebook, run_plainly

from fairlead.pipelines import analyse, compile_notebook

RUNNER = LocalRunner()

# Each: the cells, one step per cell, and the names to compare after the last one.
SAME: dict[str, tuple[list[str], str]] = {
    "augmented assignment": (["x = 1\ny = [1]", "x += 1\ny += [2]", "z = (x, y)"], "x y z"),
    "augmented assignment through an alias": (["a = [1]\nb = a", "a += [2]", "c = list(b)"], "a b c"),
    "mutation of an upstream value": (["a = [1]", "a.append(2)", "b = list(a)"], "a b"),
    "mutation through a call": (
        ["a = [1]\ndef grow(v):\n    v.append(2)", "grow(a)", "b = list(a)"],
        "a b",
    ),
    "mutation through an alias in a dict": (
        ["a = [1]\nd = {'k': a}", "d['k'].append(2)", "b = list(a)"],
        "a b d",
    ),
    "mutation through an alias made in another step": (
        ["a = [1]", "b = a", "b.append(2)", "c = list(a)"],
        "a b c",
    ),
    "mutation of a nested part": (
        ["a = [[1], [2]]", "first = a[0]", "first.append(3)", "b = [len(v) for v in a]"],
        "a b first",
    ),
    "mutation in a loop variable": (
        ["rows = [{'v': 1}, {'v': 2}]", "for row in rows:\n    row['v'] *= 10", "b = [r['v'] for r in rows]"],
        "rows b",
    ),
    "two names for one array": (
        ["import numpy as np\na = np.zeros(3)\nb = a", "b[0] = 5", "c = a.tolist()"],
        "c",
    ),
    "a view of an array": (
        ["import numpy as np\na = np.arange(6)\nv = a[2:4]", "v[:] = 0", "c = a.tolist(), v.tolist()"],
        "c",
    ),
    "a view made in another step": (
        ["import numpy as np\na = np.arange(6)", "v = a.reshape(2, 3)", "v[0, 0] = 9", "c = a.tolist()"],
        "c",
    ),
    "a transposed view": (
        ["import numpy as np\na = np.arange(6).reshape(2, 3)\nv = a.T", "v[0, 1] = 9", "c = a.tolist()"],
        "c",
    ),
    "an in-place sort of a column": (
        ["import numpy as np\na = np.array([3, 1, 2])", "a.sort()", "c = a.tolist()"],
        "c",
    ),
    "numpy out argument": (
        ["import numpy as np\na = np.ones(2)", "np.add(a, 1, out=a)", "c = a.tolist()"],
        "c",
    ),
    "numpy object array": (
        ["import numpy as np\no = np.array([1, 'x', [2]], dtype=object)", "o[2].append(3)", "c = list(o)"],
        "c",
    ),
    "random.shuffle": (
        ["import random\nrandom.seed(1)\na = list(range(9))", "random.shuffle(a)", "b = a[:]"],
        "a b",
    ),
    "a table changed in place": (
        [
            "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})",
            "df['b'] = df.a * 2\ndf.rename(columns={'a': 'c'}, inplace=True)",
            "c = df.to_dict('list')",
        ],
        "c",
    ),
    "a query that names a variable": (
        [
            "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3]})\nlimit = 1",
            "limit = 2",
            "c = df.query('a > @limit').a.tolist()",
        ],
        "c",
    ),
    "a function whose global is bound again": (
        ["k = 1\ndef f():\n    return k", "k = 2", "x = f()"],
        "x k",
    ),
    "a function that uses one defined later": (
        ["def f():\n    return g()", "def g():\n    return 1", "x = f()", "def g():\n    return 2", "y = f()"],
        "x y",
    ),
    "a class whose global is bound again": (
        ["k = 1\nclass A:\n    def get(self):\n        return k", "a = A()\nk = 2", "x = a.get()"],
        "x",
    ),
    "an instance of a class that is defined again": (
        ["class A:\n    n = 1", "a = A()", "class A:\n    n = 2", "x = (a.n, A.n, isinstance(a, A))"],
        "x",
    ),
    "a lambda and the global it uses": (["k = 1\nf = lambda v: v + k", "k = 5", "x = f(1)"], "x"),
    "lambdas in a dict": (["ops = {'a': lambda v: v + k}\nk = 1", "k = 2", "x = ops['a'](1)"], "x"),
    "lambdas in a loop": (["fs = [lambda: i for i in range(3)]", "x = [f() for f in fs]"], "x"),
    "late binding of a loop variable": (
        ["fs = []\nfor i in range(3):\n    fs.append(lambda: i)", "x = [f() for f in fs]", "i = 7", "y = fs[0]()"],
        "x y",
    ),
    "a comprehension's variable does not leak": (["i = 5\na = [i for i in range(3)]", "x = i"], "x a"),
    "a nested comprehension": (["m = [[1, 2], [3]]\nk = 2", "x = [v * k for row in m for v in row if v > 1]"], "x"),
    "a walrus": (["if (n := 3) > 2:\n    m = n", "x = [y := 1, y + 1]", "z = (n, m, y)"], "z"),
    "a walrus in a comprehension": (["a = [last := v for v in range(3)]", "x = last"], "x a"),
    "decorators": (
        [
            "import functools\nlog = []\ndef logged(f):\n    @functools.wraps(f)\n    def call(*a):\n"
            "        log.append(f.__name__)\n        return f(*a)\n    return call",
            "@logged\ndef f(v):\n    return v * 2",
            "x = f(2)",
            "y = list(log), f.__name__",
        ],
        "x y log",
    ),
    "a decorator that keeps a registry": (
        [
            "registry = {}\ndef register(f):\n    registry[f.__name__] = f\n    return f",
            "@register\ndef one():\n    return 1",
            "@register\ndef two():\n    return one() + 1",
            "x = {k: f() for k, f in registry.items()}\ny = registry['one'] is one",
        ],
        "x y",
    ),
    "a default evaluated once": (["k = 1\ndef f(v=k):\n    return v", "k = 2", "x = f()"], "x"),
    "a mutable default": (
        ["def f(v, seen=[]):\n    seen.append(v)\n    return seen", "f(1)", "x = list(f(2))"],
        "x",
    ),
    "global statement": (
        ["n = 0\ndef bump():\n    global n\n    n += 1", "bump()", "bump()\nx = n", "y = n"],
        "x y n",
    ),
    "a global that a function makes": (["def make():\n    global fresh\n    fresh = [1]", "make()", "x = fresh"], "x"),
    "a counter in a closure": (
        [
            "def counter():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n"
            "    def get():\n        return n\n    return up, get\nup, get = counter()",
            "up()",
            "up()",
            "x = get()",
        ],
        "x",
    ),
    "an async function": (
        ["import asyncio\nk = 2\nasync def f(v):\n    return v * k", "k = 3", "x = asyncio.run(f(2))"],
        "x",
    ),
    "recursion": (
        ["def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)", "x = fib(9)"],
        "x",
    ),
    "mutual recursion": (
        [
            "def even(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n != 0 and even(n - 1)",
            "x = even(8), odd(8)",
        ],
        "x",
    ),
    "a cache in a global": (
        [
            "cache = {}\ndef f(n):\n    if n not in cache:\n        cache[n] = len(cache)\n    return cache[n]",
            "f('a')",
            "f('b')",
            "x = f('a'), f('b'), dict(cache)",
        ],
        "x cache",
    ),
    "lru_cache": (
        ["import functools\n@functools.lru_cache\ndef f(v):\n    return v * k\nk = 2", "x = f(2)", "y = f(3)"],
        "x y",
    ),
    "a star import": (["from math import *", "x = floor(pi)", "y = sqrt(16)"], "x y"),
    "an import alias in a function": (["import math as m\ndef f(v):\n    return m.floor(v)", "x = f(2.5)"], "x"),
    "a submodule import": (["import os.path\nimport os.path as p", "x = os.path.join('a', 'b'), p.join('c')"], "x"),
    "an import in a branch": (
        ["try:\n    import nothing_of_that_name as js\nexcept ImportError:\n    import json as js", "x = js.dumps([1])"],
        "x",
    ),
    "a loop variable after the loop": (["for i in range(3):\n    pass", "x = i"], "x"),
    "a loop that does not run": (["i = 9", "for i in []:\n    pass", "x = i"], "x"),
    "match": (
        [
            "def kind(v):\n    match v:\n        case {'a': a, **rest}:\n            return a, rest\n"
            "        case [x, *_] if x > limit:\n            return x\n        case str():\n            return 's'\n"
            "    return None\nlimit = 1",
            "limit = 5",
            "x = [kind({'a': 1, 'b': 2}), kind([3]), kind([7]), kind('t')]",
            "match x:\n    case [first, *_]:\n        pass",
            "y = first",
        ],
        "x y",
    ),
    "except as": (
        ["try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    text = str(e)", "x = text"],
        "x",
    ),
    "except as unbinds an earlier name": (
        ["e = 1\ntry:\n    1 / 0\nexcept ZeroDivisionError as e:\n    pass", "x = 'e' in dir()", "y = 1"],
        "y",
    ),
    "del": (["a = 1\nb = 2", "del a", "a = 3", "x = (a, b)"], "x"),
    "del of an element": (["a = [1, 2, 3]\nd = {'k': 1}", "del a[0], d['k']", "x = (a, d)"], "x"),
    "builtin names as variables": (
        ["list = [1]\nmax = 3", "sum = max + list[0]", "x = sum", "del max, list, sum", "y = max(sum([1]), 2)"],
        "x y",
    ),
    "builtin shadowed in a function": (
        ["def f():\n    return len([1])", "x = f()", "def len(v):\n    return 'mine'", "y = f()", "del len", "z = f()"],
        "x y z",
    ),
    "conditional assignment": (
        ["x = 1\nflag = False", "if flag:\n    x = 2", "y = x", "if not flag:\n    x = 3", "z = x"],
        "x y z",
    ),
    "two producers": (["x = 1", "x = 2", "y = x"], "x y"),
    "two producers and an old reader": (
        ["x = [1]\nold = x", "x = [2]", "y = (x, old)", "old.append(3)", "z = (x, old)"],
        "x y z old",
    ),
    "a name read after it was bound again in between": (
        ["x = 1", "y = x", "x = 2", "z = (x, y)"],
        "z",
    ),
    "random state": (
        [
            "import random\nimport numpy as np\nrandom.seed(3)\nnp.random.seed(4)",
            "a = random.random(), np.random.rand()",
            "b = random.random(), np.random.rand()",
        ],
        "a b",
    ),
    "a generator object of numpy": (
        [
            "import numpy as np\nrng = np.random.default_rng(1)",
            "a = rng.integers(0, 99, 3).tolist()",
            "b = rng.integers(0, 99, 3).tolist()",
        ],
        "a b",
    ),
    "random state of a library without a seed of its own": (
        [
            "import numpy as np\nimport pandas as pd\nnp.random.seed(4)\ndf = pd.DataFrame({'a': range(20)})",
            "a = df.sample(3).a.tolist()",
            "b = df.sample(3).a.tolist()",
        ],
        "a b",
    ),
    "a sentinel": (
        ["MISSING = object()\ndef get(d, k, default=MISSING):\n    return d.get(k, default)", "v = get({}, 'a')", "x = v is MISSING"],
        "x",
    ),
    "objects as keys": (["class N:\n    pass\nn = N()\nd = {n: 1}", "x = d[n]", "y = n in d"], "x y"),
    "objects compared by identity": (
        ["class N:\n    pass\na = N()\nb = N()\nl = [a, b]", "x = l.index(b)", "y = [v is a for v in l]"],
        "x y",
    ),
    "a set of objects": (["class N:\n    pass\na = N()\ns = {a}", "x = a in s"], "x"),
    "inheritance and super": (
        [
            "class A:\n    def __init__(self, v):\n        self.v = v\n    def get(self):\n        return self.v",
            "class B(A):\n    def get(self):\n        return super().get() + k\nk = 1",
            "b = B(1)",
            "k = 10",
            "x = b.get(), isinstance(b, A)",
        ],
        "x",
    ),
    "a class attribute counts": (
        ["class A:\n    n = 0\n    def __init__(self):\n        A.n += 1", "a = A()", "b = A()", "x = A.n"],
        "x",
    ),
    "a class method and a static method": (
        [
            "class A:\n    made = []\n    @classmethod\n    def make(cls):\n        cls.made.append(1)\n        return cls()\n"
            "    @staticmethod\n    def two():\n        return 2",
            "a = A.make()",
            "b = A.make()",
            "x = len(A.made), a.two(), len(b.made)",
        ],
        "x",
    ),
    "a property": (
        [
            "class A:\n    def __init__(self):\n        self._v = []\n    @property\n    def v(self):\n        return self._v",
            "a = A()",
            "a.v.append(1)",
            "x = a.v",
        ],
        "x",
    ),
    "slots": (["class A:\n    __slots__ = ('v',)\na = A()\na.v = 1", "a.v += 1", "x = a.v"], "x"),
    "a dataclass": (
        [
            "from dataclasses import dataclass, field, replace\n@dataclass(order=True)\nclass P:\n    x: int\n"
            "    tags: list = field(default_factory=list)",
            "p = P(1)",
            "p.tags.append('a')",
            "q = replace(p, x=2)",
            "x = (p, q, p < q, p == P(1, ['a']))\nx = repr(x)",
        ],
        "x",
    ),
    "a frozen dataclass in a set": (
        ["import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass P:\n    x: int", "s = {P(1), P(1)}", "y = len(s), P(1) in s"],
        "y",
    ),
    "an enumeration": (
        ["import enum\nclass C(enum.Enum):\n    R = 1\n    B = 2\n    def up(self):\n        return self.value + 1", "c = C.R", "x = c is C.R, C(2).up(), [v.name for v in C]"],
        "x",
    ),
    "a named tuple": (
        ["from collections import namedtuple\nfrom typing import NamedTuple\nP = namedtuple('P', 'x y')\nclass Q(NamedTuple):\n    a: int\n    b: int = 2", "p = P(1, 2)\nq = Q(1)", "x = p.x + p.y, q.b, p._replace(x=5).x"],
        "x",
    ),
    "an abstract class": (
        ["import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ...", "class B(A):\n    def f(self):\n        return 1", "b = B()", "x = b.f(), isinstance(b, A)"],
        "x",
    ),
    "an exception class": (
        ["class Oops(ValueError):\n    def __init__(self, code):\n        super().__init__(f'code {code}')\n        self.code = code", "def f():\n    raise Oops(3)", "try:\n    f()\nexcept Oops as e:\n    x = e.code, str(e)"],
        "x",
    ),
    "subclasses that register": (
        ["class Base:\n    kinds = []\n    def __init_subclass__(cls):\n        Base.kinds.append(cls.__name__)", "class A(Base):\n    pass", "class B(Base):\n    pass", "x = list(Base.kinds)"],
        "x",
    ),
    "operators of a class": (
        ["class V:\n    def __init__(self, x):\n        self.x = x\n    def __add__(self, o):\n        return V(self.x + o.x + k)\n    def __iadd__(self, o):\n        self.x += o.x\n        return self\nk = 1", "a = V(1)\nb = a", "b += V(5)\nk = 2", "x = a.x, (a + b).x"],
        "x",
    ),
    "a context manager": (
        ["from contextlib import contextmanager\nlog = []\n@contextmanager\ndef noted(name):\n    log.append('in ' + name)\n    yield log\n    log.append('out')", "with noted('a') as l:\n    l.append('body')", "x = list(log)"],
        "x",
    ),
    "a generator function": (
        ["k = 2\ndef numbers(n):\n    for i in range(n):\n        yield i * k", "k = 3", "x = list(numbers(3))"],
        "x",
    ),
    "functools.partial": (["from functools import partial\nk = 1\ndef f(a, b):\n    return a + b + k", "g = partial(f, 1)", "k = 10", "x = g(2)"], "x"),
    "a sort key": (["w = {'a': 2, 'b': 1}\ndef key(v):\n    return w[v]", "w['a'] = 0", "x = sorted('ab', key=key)"], "x"),
    "map is lazy": (["k = 1\ndef f(v):\n    return v + k\nm = map(f, [1, 2])\nk = 5\nx = list(m)", "y = x"], "y"),
    "star unpacking": (["first, *rest = [1, 2, 3]", "rest.append(4)", "x = (first, rest)"], "x"),
    "swap": (["a, b = [1], [2]", "a, b = b, a", "a.append(3)", "x = (a, b)"], "x"),
    "chained assignment": (["a = b = [1]", "a.append(2)", "x = (a, b, a is b)"], "x"),
    "an f-string": (["name = 'a'\nv = 2.5", "x = f'{name!r:>5}|{v:.{digits}f}' if (digits := 1) else ''"], "x"),
    "a type annotation": (["from typing import Optional\ndef f(v: Optional[int] = None) -> 'list[int]':\n    return [v]\ny: int = 3", "x = f(y)"], "x"),
    "exec of a constant text": (["exec('a = 1')\nexec('def f():\\n    return a')", "a = 5", "x = f()"], "x"),
    "eval of a computed text": (["a = 3", "b = eval('a' + ' + 1')", "x = b"], "x"),
    "globals as a dict": (["globals()['a'] = 3", "b = globals()['a']", "x = (a, b)"], "x"),
    "getattr and setattr": (["class A:\n    pass\na = A()", "setattr(a, 'v', [1])", "getattr(a, 'v').append(2)", "x = a.v"], "x"),
    "a dict of an object": (["class A:\n    pass\na = A()\nd = vars(a)", "d['v'] = 1", "x = a.v"], "x"),
    "a list that holds itself": (["a = [1]\na.append(a)", "a.append(2)", "x = len(a), a[1] is a"], "x"),
    "heapq": (["import heapq\nh = [3, 1, 2]", "heapq.heapify(h)", "heapq.heappush(h, 0)", "x = list(h)"], "x"),
    "deepcopy parts ways": (["import copy\na = [[1]]\nb = copy.deepcopy(a)\nc = copy.copy(a)", "a[0].append(2)", "x = (a, b, c)"], "x"),
    "os.environ": (["import os\nos.environ['FAIRLEAD_CONSTRUCT'] = '1'", "x = os.environ.get('FAIRLEAD_CONSTRUCT')"], "x"),
    "print options": (["import numpy as np\nnp.set_printoptions(precision=2)", "x = str(np.array([1 / 3]))"], "x"),
    "zip and enumerate": (["a = [[1], [2]]", "for i, (v, w) in enumerate(zip(a, 'xy')):\n    v.append(i)", "x = a"], "x"),
    "a conditional expression picks an alias": (["a = [1]\nb = [2]", "c = a if len(b) > 5 else b", "c.append(3)", "x = (a, b)"], "x"),
    "a model fitted in another step": (
        ["from sklearn.linear_model import LinearRegression\nX = [[1], [2]]\ny = [1, 2]", "m = LinearRegression()", "m.fit(X, y)", "x = round(m.predict([[3]])[0], 6)"],
        "x",
    ),
    "a pipeline of models": (
        ["from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\nfrom sklearn.linear_model import Ridge\ns = StandardScaler()\np = make_pipeline(s, Ridge())", "p.fit([[1.0], [2.0]], [1, 2])", "x = s.mean_.tolist()"],
        "x",
    ),
    "a model that keeps the array it was fitted on": (
        ["import numpy as np\nfrom sklearn.neighbors import KNeighborsRegressor\nX = np.array([[0.0], [10.0]])", "m = KNeighborsRegressor(1, algorithm='brute').fit(X, [1, 2])", "X[:] = [[10.0], [0.0]]", "x = m.predict([[1.0]]).tolist()"],
        "x",
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_the_pipeline_ends_as_the_notebook_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sources, wanted = SAME[name]
    monkeypatch.setenv("FAIRLEAD_CONSTRUCT", "")
    names = wanted.split()
    cells = [code(source, f"step:s{number}") for number, source in enumerate(sources)]
    source = notebook(*cells, code("\n".join(names), "step:probe"))
    with contextlib.redirect_stdout(io.StringIO()):
        plain = run_plainly(source)
        monkeypatch.setenv("FAIRLEAD_CONSTRUCT", "")
        found = RUNNER.run(compile_notebook(source, name="x"))["probe"]
    assert {n: repr(found[n]) for n in names} == {n: repr(plain[n]) for n in names}


REFUSED: dict[str, tuple[list[str], tuple[str, int, str]]] = {
    "an open file": (["\nf = open('/dev/null')", "f.read()"], ("c0", 2, "f")),
    "a file in a list": (["fs = [1, open('/dev/null')]", "print(fs)"], ("c0", 1, "fs")),
    "a file in an object": (
        ["class A:\n    def __init__(self):\n        self.f = open('/dev/null')\na = A()", "a.f"],
        ("c0", 3, "a"),
    ),
    "a lock": (["import threading\nl = threading.Lock()", "with l:\n    pass"], ("c0", 2, "l")),
    "a generator expression": (["g = (v for v in [1])", "list(g)"], ("c0", 1, "g")),
    "a generator": (["def f():\n    yield 1\ng = f()", "next(g)"], ("c0", 3, "g")),
    "a coroutine": (["async def f():\n    return 1\nc = f()", "await c"], ("c0", 3, "c")),
    "an iterator": (["i = iter([1])", "next(i)"], ("c0", 1, "i")),
    "a connection": (["import sqlite3\nc = sqlite3.connect(':memory:')", "c.close()"], ("c0", 2, "c")),
    "a lock that a function uses": (
        ["import threading\nl = threading.Lock()\ndef f():\n    with l:\n        return 1", "f()"],
        ("c0", 2, "l"),
    ),
    "IPython's last result": (["1 + 1", "x = _"], ("c1", 1, "_")),
    "an unknown magic": (["x = 1", "\n%whatever x"], ("c1", 2, "%whatever")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_carried_is_refused_with_cell_line_name_and_a_way_out(name: str) -> None:
    sources, place = REFUSED[name]
    cells = [code(source, f"step:s{number}") for number, source in enumerate(sources)]
    errors = analyse(notebook(*cells)).errors
    assert [(p.cell_id, p.line, p.name) for p in errors] == [place]
    assert all(p.message and p.hint for p in errors)


FITS: dict[str, list[str]] = {
    "a file that is closed in its step": ["with open('/dev/null') as f:\n    t = f.read()", "x = t"],
    "a file that setup opens": ["t = 1", "x = t"],
    "data read from a file": ["import json\nf = open('/dev/null')\nd = json.loads(f.read() or '1')", "x = d"],
    "a generator used where it is made": ["g = (v for v in [1])\na = sum(g)", "x = a"],
}


@pytest.mark.parametrize("name", FITS)
def test_what_stays_in_its_step_is_not_refused(name: str) -> None:
    cells = [code(source, f"step:s{number}") for number, source in enumerate(FITS[name])]
    assert analyse(notebook(*cells)).problems == []


def depends(*sources: str) -> dict[str, list[str]]:
    """Return what each step waits for."""
    cells = [code(source, f"step:s{number}") for number, source in enumerate(sources)]
    return {step.name: step.depends_on for step in analyse(notebook(*cells)).steps}


@pytest.mark.parametrize(
    "sources",
    [
        ["X = [1]\ny = [2]", "a = sum(X)", "b = max(X) + len(y)"],
        ["import numpy as np\nX = np.ones(3)", "a = X.mean()", "b = X * 2"],
        [
            "from sklearn.linear_model import Ridge\nX = [[1]]\ny = [1]",
            "a = Ridge()\na.fit(X, y)",
            "b = Ridge().fit(X, y)",
        ],
        ["def f(v):\n    return sum(v)\nX = [1]", "a = f(X)", "b = f(X)"],
        ["class M:\n    def fit(self, v):\n        self.v = sum(v)\nX = [1]", "a = M()\na.fit(X)", "b = M()\nb.fit(X)"],
        ["X = [1]", "for v in X:\n    a = v", "for v in X:\n    b = v"],
        ["X = [1]", "a = [X]", "b = [X]"],
        ["import pandas as pd\nX = pd.DataFrame({'a': [1]})", "a = X.copy()\na['b'] = 1", "b = X.dropna()"],
    ],
)
def test_steps_that_only_read_a_value_run_side_by_side(sources: list[str]) -> None:
    assert depends(*sources) == {"s0": [], "s1": ["s0"], "s2": ["s0"]}


def test_imports_and_functions_make_no_step_wait() -> None:
    assert depends("import math\ndef f():\n    return math.pi", "a = f()", "class A:\n    v = math.e", "b = A().v") == {
        "s0": [],
        "s1": [],
        "s2": [],
        "s3": [],
    }


def test_names_that_share_an_object_that_changes_travel_in_one_artifact() -> None:
    cells = [code("a = [1]\nb = a\nc = [2]", "step:x"), code("b.append(c)", "step:y"), code("a, c", "step:z")]
    tasks = compile_notebook(notebook(*cells), name="x")["components"]
    assert sorted(tasks["comp-x"]["outputDefinitions"]["artifacts"]) == ["a.b", "c", "notebook"]
    assert sorted(tasks["comp-y"]["outputDefinitions"]["artifacts"]) == ["a", "notebook"]


@pytest.mark.parametrize(
    ("sources", "warning"),
    [
        (["x = 1", "print(y)"], ("c1", 1, "y")),
        (["print(y)", "y = 1"], ("c0", 1, "y")),
        (["x = 1", "exec('y = ' + str(x))"], ("c1", 1, "exec")),
        (["import os\nx = str(1)", "import os\nos.environ['A'] = x", "y = 1"], ("c1", 2, "x")),
    ],
)
def test_what_may_come_out_otherwise_is_warned_about(
    sources: list[str], warning: tuple[str, int, str]
) -> None:
    cells = [code(source, f"step:s{number}") for number, source in enumerate(sources)]
    problems = analyse(notebook(*cells)).problems
    assert [(p.severity, p.cell_id, p.line, p.name) for p in problems] == [("warning", *warning)]


def test_the_values_that_no_step_reads_are_the_results_of_the_last_steps() -> None:
    cells = [code("a = 1\ntmp = 2", "step:x"), code("b = a\n_t = 3\ndef f(): pass", "step:y")]
    steps: Any = analyse(notebook(*cells)).steps
    assert [(s.name, s.writes) for s in steps] == [("x", ["a"]), ("y", ["b"])]
