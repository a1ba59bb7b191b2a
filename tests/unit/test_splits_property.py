"""Generated loops and conditions give what the notebook gives, or are refused."""

from __future__ import annotations

import contextlib
import io
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.pipelines import analyse, compile_notebook
from local_groups import GroupRunner
from local_steps import code, notebook, run_plainly

Json = dict[str, Any]

SETUP = """
import math
BASE = 3
KEPT = []
class Box:
    def __init__(self, value): self.value = value
    def __repr__(self): return f"Box({self.value!r})"
def add(to, value):
    to.append(value)
def note(value):
    KEPT.append(value)
    return len(KEPT)
def bump():
    global counter
    counter = counter + 1
    return counter
"""
OF_XS = """
def total_of_xs():
    return sum(1 for _ in xs)
"""
BEFORE = """
ns = [3, 1, 2]
pairs = {'a': [1], 'b': [2, 3]}
rows = [[0], [5]]
box = Box([1])
counter = 0
last = None
total = 0
names = ['p', 'q']
"""
ITEMS = [
    "[1, 2, 3]",
    "range(3)",
    "ns",
    "ks",
    "enumerate(names)",
    "list(pairs.items())",
    "list(rows)",
    "[]",
    "sorted(ns)",
    "zip(ns, names)",
    "[(1, 'a'), (2, 'b')]",
    "[n * 2 for n in ns if n > 1]",
    "names[1:]",
    "ws",
    "[box]",
    "range(len(rows))",
    "[0.1, 1, True, None]",
    "list(xs)",
    "list(pairs)",
]
STATEMENTS = [
    "xs.append(x)",
    "xs.append(x)",
    "xs.append((x, total))",
    "xs.extend([x, x])",
    "xs += [repr(x)]",
    "d[str(x)] = x",
    "d.update({repr(x): 1})",
    "d['same'] = x",
    "y = repr(x) * BASE",
    "xs.append(y)",
    "if x == 2:\n    continue",
    "if x == ns[0]:\n    last = x",
    "total += 1",
    "rows.append(x)",
    "rows[0].append(1)",
    "add(rows, x)",
    "add(xs, x)",
    "own = [x]\nadd(own, 1)\nxs.append(own)",
    "box.value.append(1)",
    "bigger = Box(x)\nxs.append(bigger)",
    "xs.append(box)",
    "xs.append(rows)",
    "xs.append(len(xs))",
    "xs.append(bump())",
    "xs.append(note(x))",
    "xs.append(KEPT)",
    "for z in range(2):\n    xs.append((x, z))",
    "xs.append([z for z in range(2)])",
    "z = 0\nwhile z < 2:\n    z += 1\nxs.append(z)",
    "try:\n    1 / 0\nexcept ArithmeticError as e:\n    xs.append(str(e))",
    "if x:\n    z = x\nelse:\n    z = 0\nxs.append(z)",
    "xs.append(total_of_xs())",
    "ns = [9]",
    "def f(v):\n    return (v, BASE)\nxs.append(f(x))",
    "xs.append((lambda v: v)(x))",
    "seen = prev if 'prev' in globals() else None\nprev = x",
    "xs.append(prev)\nprev = x",
    "w = 1\nw += 1\nxs.append(w)",
    "break",
    "xs.append(pairs['a'])",
    "pairs['c'] = x",
    "with contextlib.suppress(Exception):\n    xs.append(1)",
    "xs.append(math.floor(2.5))",
]
TESTS = [
    "total",
    "len(xs) > 2",
    "flag",
    "not flag",
    "n0 > 2",
    "n0 == 3 and flag",
    "box.value",
    "xs == []",
    "'a' in pairs",
    "last is None",
    "names[0] == 'p'",
    "flag or total > 1",
    "n0 >= 3.0",
    "mode == 'x'",
]
BRANCHES = [
    "last = 1",
    "total += 1",
    "rows.append(9)",
    "new = 1",
    "box.value.append(2)",
    "pass",
    "del names",
    "rows = []",
    "a = b = [1]",
    "xs.append(0)",
    "bump()",
    "total = n0",
]
AFTER = """
def safe(name):
    return repr(globals()[name]) if name in globals() else 'unbound'
"""
SHOWN = (
    "xs",
    "d",
    "rows",
    "box",
    "total",
    "counter",
    "last",
    "names",
    "pairs",
    "new",
    "KEPT",
    "a",
    "b",
    "y",
    "x",
    "prev",
    "z",
    "ns",
)
LATER = [
    "if xs:\n    xs[0] = 7",
    "if xs and isinstance(xs[0], list):\n    xs[0].append(1)",
    "rows.append(4)",
    "box.value.append(8)",
    "same = bool(xs) and xs[0] is xs[-1]",
    "pass",
]
RUNNER = GroupRunner()


def indent(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


def generate(chance: random.Random) -> Json:
    """Build a notebook with a loop, a condition, and a step that looks at what they left."""
    body = chance.sample(STATEMENTS, chance.randint(1, 4))
    items = chance.choice(ITEMS)
    pairs = any(word in items for word in ("zip", "enumerate", "items()", "(1,"))
    target = "at, x" if pairs and chance.random() < 0.7 else "x"
    loop = f"xs = []\nd = {{}}\nfor {target} in {items}:\n" + indent("\n".join(body))
    parts = [f"if {chance.choice(TESTS)}:\n" + indent(chance.choice(BRANCHES))]
    if chance.random() < 0.3:
        parts.append(f"elif {chance.choice(TESTS)}:\n" + indent(chance.choice(BRANCHES)))
    if chance.random() < 0.5:
        parts.append("else:\n" + indent(chance.choice(BRANCHES)))
    shown = chance.sample(SHOWN, chance.randint(1, 4))
    look = "\n".join(f"try:\n    shown_{n} = repr({n})\nexcept NameError:\n    pass" for n in shown)
    cells = [
        code("ks = [4, 5]\nws = ['u', 'v']\nflag = True\nn0 = 3\nmode = 'x'", "parameters"),
        code("import contextlib" + SETUP + OF_XS * ("total_of_xs" in loop), "imports"),
        code(BEFORE, "step:before"),
        code(loop, fairlead={"step": "loop", "forEach": True}),
        code(chance.choice(LATER), "step:later"),
        code("\n".join(parts), fairlead={"step": "test", "if": True}),
        code(look, "step:look"),
    ]
    return notebook(*cells)


def shown_by(space: Json) -> Json:
    return {name: value for name, value in space.items() if name.startswith("shown_")}


def check(seed: int) -> str:
    """Compare one generated notebook with its pipeline; return how it went."""
    source = generate(random.Random(seed))
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            plain = shown_by(run_plainly(source))
    except Exception:  # whatever a random statement raises
        return "invalid"
    errors = analyse(source).errors
    if errors:
        assert all(p.message and p.hint and p.cell_id for p in errors), errors
        return "refused"
    spec = compile_notebook(source, name="generated")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = shown_by(RUNNER.run(spec)["look"])
    except TypeError as error:
        if "a loop over steps goes over plain values" in str(error):
            return "refused"  # of an item, only the run can tell
        raise
    text = "\n# ---\n".join(cell["source"] for cell in source["cells"][3:])
    assert found == plain, f"{seed}\n{text}\n{found}\n{plain}"
    return "equal"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_a_split_notebook_gives_what_it_gives_in_one_piece_or_is_refused(seed: int) -> None:
    check(seed)


def test_the_generated_notebooks_are_of_every_kind() -> None:
    kinds = [check(seed) for seed in range(150)]
    assert min(kinds.count("equal"), kinds.count("refused")) > 20
