"""`fairlead check`: a notebook from top to bottom beside itself as a pipeline."""

from __future__ import annotations

import os
import re

import nbformat
import pytest


@pytest.fixture
def write(tmp_path):
    def call(*cells):
        made = nbformat.v4.new_notebook()
        for number, (tags, source) in enumerate(cells):
            cell = nbformat.v4.new_code_cell(source, metadata={"tags": tags}, id=f"c{number}")
            made.cells.append(cell)
        nbformat.write(made, tmp_path / "n.ipynb")

    return call


def test_a_notebook_whose_pipeline_gives_the_same_is_told_so(fairlead, write, tmp_path):
    (tmp_path / "data.txt").write_text("3 4")
    write((["step:a"], "from_other = 5"))
    (tmp_path / "n.ipynb").rename(tmp_path / "other.ipynb")
    os.mkfifo(tmp_path / "pipe")  # nobody would ever read it
    write(
        (["imports"], "import pathlib, random\nimport numpy as np\nprint('begin')"),
        (["parameters"], "n = 3"),
        (
            ["step:load"],
            "class Box:\n    def __init__(self, inside):\n        self.inside = inside\n"
            "random.seed(1)\nwords = pathlib.Path('data.txt').read_text().split()\n"
            "pathlib.Path('data.txt').write_text('gone')\n"
            "box = Box({'at': [np.arange(5), {'b', 'a'}]})\nbox",
        ),
        ([], "print(words)\nhalf = lambda x: x / 2"),
        (
            ["step:use"],
            "total = sum(map(int, words)) * n\nhalf(total), random.random(), box.inside",
        ),
        (["skip"], "1 / 0"),
        (["notebook:other"], ""),
        (
            ["step:end"],
            "import fairlead\nfairlead.run('n.ipynb')\nprint(total, from_other)\nraise KeyError(n)",
        ),
    )
    made = nbformat.read(tmp_path / "n.ipynb", 4)
    made.cells[6].metadata["notebook_path"] = "other.ipynb"
    nbformat.write(made, tmp_path / "n.ipynb")
    found = fairlead("check", "n.ipynb")
    assert (found.returncode, found.stderr.count("\n")) == (0, 2), found.stderr + found.stdout
    assert re.fullmatch(r"The same: what \d cells show, and \d variables .*\n", found.stdout)
    # Both ways ran in copies.
    assert (tmp_path / "data.txt").read_text() == "3 4"
    assert sorted(path.name for path in tmp_path.glob("*.*")) == [
        "data.txt",
        "n.ipynb",
        "other.ipynb",
    ]


def test_the_first_difference_is_shown_with_both_values(fairlead, write):
    write(
        (["step:first"], "import os\nprint('same')\nparts = {'pid': [0, os.getpid()], 'at': 1}"),
        (["step:second"], "print(parts['pid'])"),
    )
    found = fairlead("check", "n.ipynb")
    assert found.returncode == 1, found.stderr
    assert re.match(
        r"Different\. Cell 1 \(c0\): `parts\['pid'\]\[1\]`, which step 'first' hands on\n"
        r"  notebook: \d+\n  pipeline: \d+\nThe run is check n \([0-9a-f-]+\)\.\n",
        found.stdout,
    ), found.stdout


def test_what_the_turns_of_a_loop_collect_is_compared(fairlead, write, tmp_path):
    loop = "import os\nscores = {}\nfor n in [1, 2]:\n    scores[n] = n if n < 2 else os.getpid()"
    write((["step:each"], loop), (["step:end"], "done = len(scores)"))
    made = nbformat.read(tmp_path / "n.ipynb", 4)
    made.cells[0].metadata["fairlead"] = {"forEach": True}
    nbformat.write(made, tmp_path / "n.ipynb")
    found = fairlead("check", "n.ipynb")
    assert found.returncode == 1, found.stdout + found.stderr
    assert "`scores[2]`, which step 'each' hands on" in found.stdout


def test_another_output_is_shown_from_where_it_differs(fairlead, write):
    write(
        (["step:first"], "x = 1"),
        (["step:second"], "import os\nprint('line')\nprint('pid', os.getpid(), x)"),
    )
    found = fairlead("check", "n.ipynb")
    assert found.returncode == 1, found.stderr
    assert re.match(
        r"Different\. Cell 2 \(c1\): the text it prints\n"
        r"  notebook: '?.*pid \d+ 1'\n  pipeline: '?.*pid \d+ 1'\n",
        found.stdout,
    ), found.stdout


def test_what_cannot_become_a_pipeline_is_refused(fairlead, write):
    write((["step:a"], "f = open('n.ipynb')"), (["step:b"], "f.read()"))
    found = fairlead("check", "n.ipynb")
    assert (found.returncode, found.stdout) == (2, "")
    assert "Cell 1 (c0), line 1" in found.stderr
    assert fairlead("check", "absent.ipynb").returncode != 0
