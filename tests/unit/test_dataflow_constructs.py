"""Notebooks with one tricky construct each: the pipeline ends as they do, or is refused."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

from fairlead.pipelines import analyse, compile_notebook
from local_steps import LocalRunner, code, notebook, run_plainly

RUNNER = LocalRunner()


def read_notebooks() -> dict[str, tuple[list[str], str]]:
    """Read the notebooks: by name, the cells, one step per cell, and the names to compare."""
    text = (Path(__file__).parent / "tricky_notebooks.txt").read_text("utf-8")
    found: dict[str, tuple[list[str], str]] = {}
    for entry in text.split("\n=== ")[1:]:
        name, _, rest = entry.partition("\n")
        body, _, wanted = rest.rpartition("\n>>> ")
        found[name] = (body.split("\n--- next step\n"), wanted.strip())
    return found


SAME = read_notebooks()


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
    "an iterator": (["i = iter(open('/dev/null'))", "next(i)"], ("c0", 1, "i")),
    "a connection": (
        ["import sqlite3\nc = sqlite3.connect(':memory:')", "c.close()"],
        ("c0", 2, "c"),
    ),
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
    "a file that is closed in its step": [
        "with open('/dev/null') as f:\n    t = f.read()",
        "x = t",
    ],
    "a file that setup opens": ["t = 1", "x = t"],
    "data read from a file": [
        "import json\nf = open('/dev/null')\nd = json.loads(f.read() or '1')",
        "x = d",
    ],
    "the lines of a file": [
        "import csv\nwith open('/dev/null') as f:\n    rows = list(csv.DictReader(f))\n"
        "lines = list(open('/dev/null'))\nfor line in open('/dev/null'): pass",
        "x = rows, lines",
    ],
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
        [
            "class M:\n    def fit(self, v):\n        self.v = sum(v)\nX = [1]",
            "a = M()\na.fit(X)",
            "b = M()\nb.fit(X)",
        ],
        ["X = [1]", "for v in X:\n    a = v", "for v in X:\n    b = v"],
        ["X = [1]", "a = [X]", "b = [X]"],
        [
            "import pandas as pd\nX = pd.DataFrame({'a': [1]})",
            "a = X.copy()\na['b'] = 1",
            "b = X.dropna()",
        ],
    ],
)
def test_steps_that_only_read_a_value_run_side_by_side(sources: list[str]) -> None:
    assert depends(*sources) == {"s0": [], "s1": ["s0"], "s2": ["s0"]}


def test_imports_and_functions_make_no_step_wait() -> None:
    assert depends(
        "import math\ndef f():\n    return math.pi",
        "a = f()",
        "class A:\n    v = math.e",
        "b = A().v",
    ) == {
        "s0": [],
        "s1": [],
        "s2": [],
        "s3": [],
    }


def test_names_that_share_an_object_that_changes_travel_in_one_artifact() -> None:
    cells = [
        code("a = [1]\nb = a\nc = [2]", "step:x"),
        code("b.append(c)", "step:y"),
        code("a, c", "step:z"),
    ]
    tasks = compile_notebook(notebook(*cells), name="x")["components"]
    assert sorted(tasks["comp-x"]["outputDefinitions"]["artifacts"]) == ["a.b", "c", "notebook"]
    assert sorted(tasks["comp-y"]["outputDefinitions"]["artifacts"]) == ["a", "notebook"]


@pytest.mark.parametrize(
    ("sources", "warning"),
    [
        (["x = 1", "print(y)"], ("c1", 1, "y")),
        (["print(y)", "y = 1"], ("c0", 1, "y")),
        (["x = 1", "exec('y = ' + str(x))"], ("c1", 1, "exec")),
        (["import json\nx = str(1)", "import json\njson.extra = x", "y = 1"], ("c1", 2, "x")),
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
