"""The program that runs a step: outputs, displays, errors, shell lines, in a process of its own."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from fairlead.pipelines.runner import runner_source
from local_steps import code, notebook, run_processes


def outputs(page: dict[str, Any], cell_id: str) -> list[Any]:
    """Return the outputs of one cell of an executed notebook."""
    return next(cell["outputs"] for cell in page["cells"] if cell["id"] == cell_id)


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a Python with nothing but the standard library."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    return str(folder / "bin" / "python")


def test_the_program_needs_nothing_but_python(tmp_path: Path, bare_python: str) -> None:
    cells = [
        code("import math", "imports"),
        code("n = 3", "parameters"),
        code("def area(r):\n    return math.pi * r ** n\nclass Box:\n    size = 2", "step:make"),
        code("b = Box()\nb.size += 1\nprint(area(b.size))", "step:use"),
        code(
            "from IPython.display import display, HTML\ndisplay(HTML('<b>x</b>'))\nb", "step:show"
        ),
    ]
    outcome = run_processes(notebook(*cells), tmp_path, python=[bare_python, "-I", "-S"])
    assert outcome.errors == {}
    assert outcome.logs["use"] == "84.82300164692441\n"
    shown = outputs(outcome.page("show"), "c4")
    assert shown[0]["data"]["text/html"] == "<b>x</b>"
    assert "<__main__.Box at 0x" in shown[1]["data"]["text/plain"]


def test_the_program_is_small_and_the_same_for_all_steps() -> None:
    # A word of a command line may have 128 KiB, and each step compiles it (about 4 KB in 1 ms).
    assert len(runner_source()) < 80_000
    assert "{{$" not in runner_source()
    assert "import fairlead" not in runner_source()
    assert "from fairlead" not in runner_source()


def test_the_program_keeps_to_what_python_3_8_understands() -> None:
    import ast

    ast.parse(runner_source(), feature_version=(3, 8))


def test_what_a_step_shows_is_in_its_executed_notebook(tmp_path: Path) -> None:
    source = """\
import sys
print('one')
print('two')
print('bad', file=sys.stderr)
class Shown:
    def _repr_html_(self):
        return '<i>html</i>'
    def __repr__(self):
        return 'plain'
display(Shown())
Shown()"""
    outcome = run_processes(notebook(code(source, "step:a", id="cell-1")), tmp_path)
    page = outcome.page("a")
    nbformat.validate(nbformat.from_dict(page))
    assert outputs(page, "cell-1") == [
        {"output_type": "stream", "name": "stdout", "text": "one\ntwo\n"},
        {"output_type": "stream", "name": "stderr", "text": "bad\n"},
        {
            "output_type": "display_data",
            "data": {"text/html": "<i>html</i>", "text/plain": "plain"},
            "metadata": {},
        },
        {
            "output_type": "execute_result",
            "data": {"text/html": "<i>html</i>", "text/plain": "plain"},
            "metadata": {},
            "execution_count": 1,
        },
    ]


def test_figures_are_shown_at_the_end_of_a_cell_and_by_show(tmp_path: Path) -> None:
    cells = [
        code("import matplotlib.pyplot as plt\nplt.plot([1, 2]);", "step:a"),
        code("plt.plot([3])\nplt.show()\nprint('after')"),
        code("figure = plt.figure()\nfigure"),
    ]
    page = run_processes(notebook(*cells), tmp_path).page("a")
    kinds = [[sorted(o.get("data", {"text": 0})) for o in outputs(page, f"c{n}")] for n in range(3)]
    assert kinds == [
        [["image/png", "text/plain"]],
        [["image/png", "text/plain"], ["text"]],
        [["image/png", "text/plain"], ["image/png", "text/plain"]],
    ]


def test_an_array_a_table_and_an_object_are_kept_in_their_formats(tmp_path: Path) -> None:
    cells = [
        code(
            "import numpy as np, pandas as pd\n"
            "a = np.arange(6.0).reshape(2, 3)\n"
            "t = pd.DataFrame({'x': [1, 2], 'y': [0.5, None]})\n"
            "odd = pd.DataFrame({'x': [[1], [2]]})\n"
            "o = np.array([1, 'x', None], dtype=object)\n"
            "m = {'k': (1, 2)}",
            "step:a",
        ),
        code("b = (a, t, odd, o, m)", "step:b"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path)
    assert outcome.errors == {}
    forms = {key: outcome.metadata("a", key) for key in ("a", "t", "odd", "o", "m")}
    assert {key: (m["type"], m["format"]) for key, m in forms.items()} == {
        "a": ("numpy.ndarray", "npy"),
        "t": ("pandas.DataFrame", "parquet"),
        "odd": ("pandas.DataFrame", "pickle"),
        "o": ("numpy.ndarray", "pickle"),
        "m": ("dict", "pickle"),
    }
    for key, metadata in forms.items():
        data = (tmp_path / "a" / key).read_bytes()
        assert metadata["names"] == [key]
        assert metadata["size"] == len(data)
        assert metadata["sha256"] == hashlib.sha256(data).hexdigest()
    assert np.load(tmp_path / "a" / "a").shape == (2, 3)
    assert list(pd.read_parquet(tmp_path / "a" / "t")["x"]) == [1, 2]


def test_the_numbers_of_a_metrics_cell_are_its_metrics(tmp_path: Path) -> None:
    source = (
        "import numpy as np\naccuracy = np.float64(0.5)\nn: int = 3\nname = 'x'\nbad = float('nan')"
    )
    outcome = run_processes(notebook(code(source, "step:a", "metrics")), tmp_path)
    assert outcome.metadata("a", "metrics") == {"accuracy": 0.5, "n": 3}


def test_an_error_names_the_notebooks_own_cell_and_line(tmp_path: Path) -> None:
    cells = [
        code("def half(x):\n    return 1 / x", "step:define", id="first"),
        code("y = 1\nhalf(0)", "step:use", id="second"),
        code("z = y", "step:after"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path)
    error = outcome.errors["use"]
    assert (error["cell_id"], error["line"], error["ename"], error["evalue"]) == (
        "first",
        2,
        "ZeroDivisionError",
        "division by zero",
    )
    assert "Cell [second], line 2, in <module>\n    half(0)" in error["traceback"]
    assert "Cell [first], line 2, in half\n    return 1 / x" in error["traceback"]
    assert "fairlead_step" not in error["traceback"]
    assert error["traceback"] in outcome.logs["use"]
    assert outcome.page("use")["cells"][-1]["outputs"][-1]["output_type"] == "error"
    assert outcome.errors["after"] == {}
    assert "after" not in outcome.logs


def test_the_notebook_of_a_failed_step_is_kept_up_to_the_failure(tmp_path: Path) -> None:
    cells = [code("print('done')", "step:a"), code("1 / 0"), code("print('never')")]
    outcome = run_processes(notebook(*cells), tmp_path)
    page = json.loads((tmp_path / "a" / "notebook").read_text())
    assert [cell["id"] for cell in page["cells"]] == ["c0", "c1"]
    assert outcome.errors["a"]["cell_id"] == "c1"


def test_a_cell_that_may_raise_does_not_stop_the_step(tmp_path: Path) -> None:
    cells = [code("x = 1\n1 / 0", "step:a", "raises-exception"), code("print(x)")]
    outcome = run_processes(notebook(*cells), tmp_path)
    assert outcome.errors == {}
    assert outcome.logs["a"].startswith("1\n")


def test_a_value_that_cannot_travel_fails_the_step_that_asks_for_it(tmp_path: Path) -> None:
    cells = [
        code(
            "import builtins\nmake = vars(builtins)['open']\nx = 1\nf = [make('/dev/null')]",
            "step:a",
        ),
        code("print(f)", "step:b"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path)
    assert list(outcome.errors) == ["b"]
    assert outcome.errors["b"]["ename"] == "CarryError"
    message = outcome.errors["b"]["evalue"]
    assert "`f`, made in step 'a', cell c0, line 4, cannot travel" in message
    assert "it holds a TextIOWrapper" in message
    assert "setup" in message


def test_a_change_that_could_not_be_seen_is_warned_about(tmp_path: Path) -> None:
    cells = [
        code("x = [1]\ny = [2]", "step:a"),
        code(
            "import ctypes\nwrap = ctypes.py_object\n"
            "ctypes.pythonapi.PyList_Append(wrap(x), wrap(5))",
            "step:b",
        ),
        code("print(x, y)", "step:c"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path)
    assert "Warning: step 'b' changed `x`" in outcome.logs["b"]
    assert "`y`" not in outcome.logs["b"]
    assert outcome.logs["c"] == "[1] [2]\n"


def test_shell_lines_run_and_their_output_is_kept(tmp_path: Path) -> None:
    cells = [
        code(
            "word = 'hello'\n!echo {word} $word $$NO_SUCH\nlines = !printf 'a\\nb\\n'",
            "step:a",
        ),
        code("%%bash\necho from bash", id="bash"),
        code("%%writefile note.txt\nsome text", id="file"),
        code("print(lines, lines.s, open('note.txt').read())\n!exit 3", id="last"),
        code("print(_exit_code)", id="code"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path)
    assert outcome.errors == {}
    page = outcome.page("a")
    assert outputs(page, "c0")[0]["text"] == "hello hello\n"
    assert outputs(page, "bash")[0]["text"] == "from bash\n"
    assert outputs(page, "last")[0]["text"] == "['a', 'b'] a b some text\n\n"
    assert outputs(page, "code")[0]["text"] == "3\n"


def test_a_failing_script_cell_fails_the_step(tmp_path: Path) -> None:
    outcome = run_processes(notebook(code("%%bash\nexit 4", "step:a")), tmp_path)
    assert outcome.errors["a"]["ename"] == "CalledProcessError"


def test_magics_have_a_plain_meaning(tmp_path: Path) -> None:
    cells = [
        code("%matplotlib inline\n%env COLOUR=red\n%time x = 2\n%cd .\n%timeit 1", "step:a"),
        code("%%time\ny = x * 2\ny", id="timed"),
        code("%%capture kept\nprint('hidden')", id="captured"),
        code("print(repr(kept.stdout))\n%env COLOUR", id="shown"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path)
    assert outcome.errors == {}
    page = outcome.page("a")
    assert outputs(page, "timed")[0]["data"]["text/plain"] == "4"
    assert "Wall time" in outputs(page, "timed")[1]["text"]
    assert outputs(page, "captured") == []
    assert outputs(page, "shown")[0]["text"] == "'hidden\\n'\n"
    assert outputs(page, "shown")[1]["data"]["text/plain"] == "'red'"


def test_top_level_await_runs(tmp_path: Path) -> None:
    cells = [
        code("import asyncio\nasync def f(v):\n    await asyncio.sleep(0)\n    return v", "step:a"),
        code("x = await f(3)\nawait f(4)"),
        code("print(x)", "step:b"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path)
    assert outcome.logs["b"] == "3\n"
    assert outputs(outcome.page("a"), "c1")[0]["data"]["text/plain"] == "4"


def test_modules_beside_the_notebook_travel_with_the_steps_that_import_them(tmp_path: Path) -> None:
    modules = {
        "helpers.py": "from inner.deep import N\ndef twice(v):\n    return v * N",
        "inner/__init__.py": "",
        "inner/deep.py": "N = 2",
        "other.py": "raise RuntimeError",
    }
    cells = [code("import helpers\nx = helpers.twice(4)", "step:a"), code("print(x)", "step:b")]
    outcome = run_processes(notebook(*cells), tmp_path, modules=modules)
    assert outcome.logs["b"] == "8\n"


def test_a_run_of_the_program_ends_with_1_only_after_an_error(tmp_path: Path) -> None:
    given = {
        "inputs": {
            "parameterValues": {"step": {"name": "a", "cells": [{"id": "c", "source": "x = 1"}]}}
        },
        "outputs": {"outputFile": str(tmp_path / "out.json"), "artifacts": {}},
    }
    command = [sys.executable, "-c", runner_source(), "--executor_input", json.dumps(given)]
    assert subprocess.run(command, cwd=tmp_path).returncode == 0
    given["inputs"]["parameterValues"]["step"]["cells"][0]["source"] = "import sys\nsys.exit(0)"  # type: ignore[index]
    command[-1] = json.dumps(given)
    assert subprocess.run(command, cwd=tmp_path, stderr=subprocess.DEVNULL).returncode == 1
    assert json.loads((tmp_path / "error.json").read_text())["ename"] == "SystemExit"


def test_reading_a_table_is_not_taken_for_a_change(tmp_path: Path) -> None:
    cells = [
        code(
            "import pandas as pd\nt = pd.DataFrame({'x': [1]})\nt['y'] = 2.0\nt['z'] = 'a'",
            "step:a",
        ),
        code("print(t.values.shape, t.describe().shape, t.groupby('z').x.sum().shape)", "step:b"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path)
    assert outcome.logs["b"] == "(1, 3) (8, 2) (1,)\n"


def test_an_artifact_that_cannot_be_read_is_an_error_of_the_step(tmp_path: Path) -> None:
    cells = [
        code(
            "class Odd:\n    def __setstate__(self, state):\n        raise OSError('gone')\n"
            "    def __getstate__(self):\n        return 1\no = [Odd()]",
            "step:a",
        ),
        code("print(o)", "step:b"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path)
    assert outcome.errors["b"]["evalue"] == "`o` cannot be read in this step: OSError: gone"


def test_a_definition_that_fails_again_is_an_error_of_the_step(tmp_path: Path) -> None:
    cells = [
        code("import os\nif not os.path.exists('made'):\n    open('made', 'w').close()", "step:a"),
        code("import fairlead_has_no_such_module_as_this", "step:a", "raises-exception"),
        code("x = fairlead_has_no_such_module_as_this", "step:b"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path)
    assert outcome.errors["b"]["ename"] == "ModuleNotFoundError"


def test_wide_tables_are_printed_as_in_a_kernel(tmp_path: Path) -> None:
    cell = code("import pandas as pd\nprint(pd.get_option('display.max_columns'))", "step:a")
    assert run_processes(notebook(cell), tmp_path).logs["a"] == "20\n"


def test_matrices_of_xgboost_travel_as_it_saves_them(tmp_path: Path) -> None:
    # In the place of a package of hundreds of megabytes: a handle, and how it is saved and read.
    modules = {
        "xgboost/__init__.py": "from .core import DMatrix",
        "xgboost/core.py": (
            "import ctypes\n"
            "class DMatrix:\n"
            "    def __init__(self, data):\n"
            "        text = open(data).read() if isinstance(data, str) else repr(data)\n"
            "        self.data, self.handle = text, ctypes.c_void_p(1)\n"
            "    def save_binary(self, path):\n"
            "        open(path, 'w').write(self.data)\n"
        ),
    }
    cells = [
        code("import xgboost as xgb\nm = xgb.DMatrix([1, 2])", "step:a"),
        code("print(m.data, m.handle)", "step:b"),
    ]
    outcome = run_processes(notebook(*cells), tmp_path, modules=modules)
    assert outcome.errors == {}, outcome.logs
    assert outcome.logs["b"] == "[1, 2] c_void_p(1)\n"
