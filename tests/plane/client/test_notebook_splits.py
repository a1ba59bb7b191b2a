"""Loops and conditions over steps leave what the notebook leaves, run top to bottom."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import nbformat
import pytest

import fairlead
from fairlead.client import RunFailedError

FOR = {"step": "loop", "forEach": True}
IF = {"step": "test", "if": True}

LOOPS = [
    ({"tags": ["parameters"]}, "ns = [3, 1, 2]\nfast = False"),
    ({"tags": ["imports"]}, "import math"),
    ({"tags": ["step:load"]}, "base = {'k': 10}\npairs = [(1, 'a'), (2, 'b')]\nempty = []"),
    (
        {"fairlead": {**FOR, "parallelism": 2}},
        "roots = []\nby_n = {}\nfor n in ns:\n    if n == 1:\n        continue\n"
        "    roots.append(math.sqrt(n * base['k']))\n    by_n[n] = [n] * n",
    ),
    (
        {"fairlead": {**FOR, "step": "pairs"}},
        "seen = []\nfor at, (number, text) in enumerate(pairs):\n    seen += [(at, number, text)]",
    ),
    (
        {"fairlead": {**FOR, "step": "literals"}},
        "kinds = []\nfor x in [0.5, 'q', (1, None), -2, True]:\n    kinds.append((x, type(x)))",
    ),
    ({"fairlead": {**FOR, "step": "none"}}, "nothing = []\nfor x in empty:\n    nothing.append(x)"),
    (
        {"tags": ["step:best"]},
        "best = max([0, *roots])\nkept = 'old'\nprint(best, roots, by_n, seen, kinds, nothing)",
    ),
    ({"fairlead": IF}, "if best > 5:\n    kept = 'new'\nelif best > 2:\n    kept = 'middle'"),
    (
        {"fairlead": {**IF, "step": "way"}},
        "if fast:\n    way = 'fast'\nelse:\n    way = 'slow'",
    ),
    (
        {"fairlead": {**IF, "step": "both"}},
        "if not fast and len(ns) > 2:\n    mark = 1",
    ),
    ({"tags": ["step:show"]}, "print(kept, way, mark)"),
]


README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")


@pytest.fixture
def write(tmp_path, data_dir):
    def make(cells):
        notebook = nbformat.v4.new_notebook()
        notebook.cells = [nbformat.v4.new_code_cell(text, metadata=meta) for meta, text in cells]
        path = tmp_path / "work.ipynb"
        nbformat.write(notebook, path)
        return path

    return make


def plainly(cells, **parameters):
    """Return what a notebook prints when it runs top to bottom."""
    out = io.StringIO()
    space = {}
    with contextlib.redirect_stdout(out):
        for metadata, text in cells:
            exec(text, space)
            if "parameters" in metadata.get("tags", ()):
                space.update(parameters)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("given", [{}, {"ns": [1], "fast": True}, {"ns": [5, 1, 9]}])
def test_loops_and_conditions_give_what_the_notebook_gives(write, given):
    cells = list(LOOPS)
    if given.get("fast"):
        cells[-1] = (cells[-1][0], "print(kept, way)")
    run = fairlead.submit(write(cells), given).wait()
    printed = [line for step in ("best", "show") for line in run.logs(step)]
    assert printed == plainly(cells, **given)


def test_an_item_that_is_no_plain_value_fails_at_the_loop_and_says_what_to_do(write):
    cells = [
        ({"tags": ["step:load"]}, "class Thing: pass\nthings = [1, Thing()]"),
        ({"fairlead": FOR}, "\nxs = []\nfor t in things:\n    xs.append(type(t).__name__)"),
        ({"tags": ["step:after"]}, "print(xs)"),
    ]
    run = fairlead.submit(write(cells))
    with pytest.raises(RunFailedError, match=r"item 1 is a Thing.*cell 2, line 3"):
        run.wait()


def test_only_the_branch_that_holds_runs(write):
    cells = [
        ({"tags": ["step:a"]}, "n = 5"),
        ({"fairlead": IF}, "if n > 7:\n    print('seven')\nelif n > 4:\n    print('four')"),
    ]
    run = fairlead.submit(write(cells)).wait()
    states = {
        node["name"]: node["state"]
        for node in run.view()["graph"]["nodes"]
        if node["name"].startswith("condition-test")
    }
    assert states == {"condition-test": "SKIPPED", "condition-test-elif-1": "SUCCEEDED"}
    assert list(run.logs("test-elif-1")) == ["four"]


def test_the_readmes_loop_and_condition_give_what_they_give_in_the_notebook(write):
    block = re.search(r"<!-- splits -->\n```python\n(.*?)```", README, re.DOTALL)
    cells = []
    for text in re.split(r"^# %% ", block.group(1), flags=re.MULTILINE)[1:]:
        given, _, source = text.partition("\n")
        cells.append(({"fairlead": json.loads(given)}, source.strip()))
    run = fairlead.submit(write(cells)).wait()
    assert list(run.logs("report")) == plainly(cells)
    assert {"for-loop-train", "condition-branches-choose"} <= {
        node["name"] for node in run.view()["graph"]["nodes"]
    }
