"""What the code of a training job takes along from the cells before it."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from fairlead.errors import SpecError
from fairlead.training.closure import Closure, Source, literal
from fairlead.training.report import read_metrics
from fairlead.training.transport import escaped, pack
from fairlead.training.workspace import read_workspace


def session(*cells):
    """Run cells as a kernel does; returns what has run and what its names hold."""
    values = {"__name__": "__main__"}
    for text in cells:
        exec(text, values)
    return [Source(f"cell [{n}]", text) for n, text in enumerate(cells, 1)], values


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_imports_helpers_classes_and_constants_come_along():
    cells = session(
        "from __future__ import annotations\nimport math\nfrom dataclasses import dataclass",
        "RATE = 0.5\nRATE = 0.25",
        "@dataclass\nclass Point:\n    x: float = RATE",
        "def half(x):\n    return math.floor(x * 2) * Point().x",
        "def train(by):\n    half_of = lambda y: half(y)\n    print(half_of(by))",
    )
    code = Closure(*cells).function("train")
    assert run(code + "train(3)") == "1.5\n"


def test_a_constant_is_what_it_holds_now():
    cells = session("config = {'lr': 1}", "config['lr'] = 2", "def train():\n    print(config)")
    assert run(Closure(*cells).function("train") + "train()") == "{'lr': 2}\n"


def test_the_function_is_the_one_that_ran_last():
    cells = session("def train():\n    print(1)", "def train():\n    print(2)")
    assert run(Closure(*cells).function("train") + "train()") == "2\n"


def test_every_byte_of_the_source_arrives():
    text = "def train():\n    print('$HOME `id` \\\\ \\'\"é' + \"$(X) $$\")"
    cells = session(text)
    assert text in Closure(*cells).function("train")


def test_all_that_is_missing_is_named_with_its_cell_and_line():
    cells = session(
        "data = list(map(object, ())) or object()",
        "def helper():\n    return data",
        "def train():\n    helper()\n    return nowhere",
    )
    with pytest.raises(SpecError) as caught:
        Closure(*cells).function("train")
    message = str(caught.value)
    assert "`data` (cell [2], line 2): it holds a object" in message
    assert "computed in cell [1], line 1" in message
    assert "`nowhere` (cell [3], line 3): nothing defines it" in message


def test_a_cells_own_names_need_not_come_along():
    earlier, values = session("import math", "x = object()")
    code = Closure(earlier, values).code(Source("this cell", "x = 2\nprint(math.sqrt(x * 8))"))
    assert run(code) == "4.0\n"


def test_a_name_that_a_cell_reads_before_it_sets_it_must_be_there():
    earlier, values = session("total = 2")
    code = Closure(earlier, values).code(Source("this cell", "total = total + 1\nprint(total)"))
    assert run(code) == "3\n"


def test_a_shell_command_is_refused_before_it_is_sent():
    with pytest.raises(SpecError, match=r"shell command cannot run in a pod"):
        Closure([], {"get_ipython": print}).code(Source("this cell", "!pip install x"))


@pytest.mark.parametrize("value", [1, -2.5, "é\n'\"", b"\0", [1, (2,)], {"a": {1}}, None, True])
def test_plain_values_are_written_as_they_are(value):
    assert eval(literal(value)) == value


@pytest.mark.parametrize("value", [float("nan"), object(), [print], "x" * 70_000])
def test_other_values_are_not_written(value):
    assert literal(value) is None


def test_the_same_files_are_packed_the_same_and_too_large_ones_are_refused():
    assert pack({"b": b"2", "a": b"1"}) == pack({"a": b"1", "b": b"2"})
    noise = random.Random(0).randbytes(1 << 20)
    with pytest.raises(SpecError, match=r"big\.bin \(1024 KiB\)"):
        pack({"big.bin": noise})


def test_kubernetes_does_not_expand_what_is_escaped():
    assert escaped("$(HOME) $$") == "$$(HOME) $$$$"


def test_a_workspace_leaves_out_what_its_ignore_file_names(tmp_path):
    for path in ("a.py", "data/x.csv", "deep/results/y", "results/z", ".git/config", "b.log"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    (tmp_path / ".fairleadignore").write_text("# no data\ndata/\n*.log\n/results\n")
    assert sorted(read_workspace(tmp_path)) == ["a.py", "deep/results/y"]


def test_metrics_are_read_from_reports_or_from_what_is_printed():
    told = [
        'fairlead-report: {"step": 5, "metrics": {"loss": 0.5}}',
        "loss=9",
        "fairlead-report: {",
    ]
    assert read_metrics(told) == {"loss": [(5.0, 0.5)]}
    printed = ["epoch 1 loss=0.5 acc = 1e-1", "loss=.25"]
    assert read_metrics(printed) == {"loss": [(0, 0.5), (1, 0.25)], "acc": [(0, 0.1)]}
