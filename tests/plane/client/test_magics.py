"""`%fairlead` in real kernels, and under papermill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import nbformat
import papermill
import pytest
from nbclient import NotebookClient
from papermill.exceptions import PapermillExecutionError

from fairlead.client import list_runs

WIDGET = "application/vnd.jupyter.widget-view+json"


def tagged(*cells):
    made = nbformat.v4.new_notebook()
    for tags, source in cells:
        made.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags}))
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return made


@pytest.fixture
def pipeline(tmp_path, data_dir):
    path = tmp_path / "work.ipynb"
    nbformat.write(
        tagged(
            (["parameters"], "n = 3"),
            (["step:load"], "rows = list(range(n))"),
            (["step:count", "metrics"], "count = len(rows)"),
        ),
        path,
    )
    return path


FOLLOWED = """
import threading
for thread in threading.enumerate():
    if thread.name == "fairlead-display":
        thread.join()
"""


def outputs_of(notebook):
    return [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type in ("display_data", "execute_result")
    ]


def test_papermill_leaves_the_dag_and_the_result_without_a_widget_manager(pipeline, tmp_path):
    using = tagged(([], "%load_ext fairlead"), ([], f"%fairlead run {pipeline} -p n=5"))
    nbformat.write(using, tmp_path / "using.ipynb")
    papermill.execute_notebook(tmp_path / "using.ipynb", tmp_path / "out.ipynb", progress_bar=False)
    shown = [out for out in outputs_of(nbformat.read(tmp_path / "out.ipynb", 4))]
    assert len(shown) == 1
    data = shown[0].data
    assert WIDGET not in data
    assert data["text/plain"].splitlines()[0].startswith("✓ work: Succeeded, 2/2 steps")
    assert "  count = 5" in data["text/plain"]
    assert "<svg" in data["image/svg+xml"]
    assert "data:image/svg+xml;base64," in data["text/html"]


def test_python_returns_at_once_and_its_display_follows_the_run(pipeline, tmp_path):
    made = nbformat.read(pipeline, 4)
    made.metadata["kubeflow_notebook"] = {"autosnapshot": True}  # has no effect, which is told
    nbformat.write(made, pipeline)
    cells = tagged(
        ([], f"import fairlead\nrun = fairlead.run({str(pipeline)!r}, {{'n': 4}})\nrun"),
        ([], f"run.wait()\n{FOLLOWED}\nprint(run.state, run.metrics)"),
    )
    NotebookClient(cells, timeout=120).execute(cwd=str(tmp_path))
    shown = outputs_of(cells)
    assert len(shown) == 1
    assert shown[0].data["text/plain"].splitlines()[0].startswith("✓ work: Succeeded, 2/2")
    assert "SUCCEEDED {'count': 4}" in str(cells.cells[1].outputs)
    told = [one.text for one in cells.cells[0].outputs if one.output_type == "stream"]
    assert [text.startswith("Warning: `autosnapshot` in the notebook's") for text in told] == [True]


def test_a_failed_run_fails_the_cell_with_the_steps_own_cell_and_line(tmp_path, data_dir):
    path = tmp_path / "bad.ipynb"
    nbformat.write(tagged((["step:a"], "x = 1"), (["step:b"], "y = x\nz = y / 0")), path)
    using = tagged(([], f"%load_ext fairlead\n%fairlead run {path}"))
    nbformat.write(using, tmp_path / "using.ipynb")
    with pytest.raises(PapermillExecutionError):
        papermill.execute_notebook(
            tmp_path / "using.ipynb", tmp_path / "out.ipynb", progress_bar=False
        )
    printed = str(nbformat.read(tmp_path / "out.ipynb", 4))
    assert "b: ZeroDivisionError: division by zero" in printed
    assert "cell 2, line 2" in printed
    assert "fairlead_magic.py" not in printed


def test_a_killed_kernel_does_not_end_the_run(tmp_path, data_dir):
    path = tmp_path / "long.ipynb"
    nbformat.write(
        tagged((["step:a"], "import time\ntime.sleep(2)\nx = 1"), (["step:b"], "print(x)")), path
    )
    code = f"import fairlead, time; fairlead.run({str(path)!r}); print('on', flush=True)"
    code += "; time.sleep(60)"
    kernel = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert kernel.stdout.readline() == "on\n"
    os.kill(kernel.pid, signal.SIGKILL)
    kernel.wait()
    run = next(found for found in list_runs() if found.name == "long")
    assert run.wait().state == "SUCCEEDED"


def test_a_notebook_that_is_not_known_asks_for_its_path(data_dir, tmp_path):
    cells = tagged(([], "%load_ext fairlead\n%fairlead run"))
    client = NotebookClient(cells, timeout=60, allow_errors=True)
    client.execute(cwd=str(tmp_path), env={**os.environ, "JPY_SESSION_NAME": ""})
    error = str(cells.cells[0].outputs)
    assert "%fairlead run NOTEBOOK" in error
    assert "Traceback" not in error


def test_a_notebook_is_exported_from_a_cell(pipeline, tmp_path):
    target = tmp_path / "made.py"
    line = f"%fairlead export {pipeline} --to kfp -o {target}"
    using = tagged(([], "%load_ext fairlead"), ([], line))
    nbformat.write(using, tmp_path / "using.ipynb")
    papermill.execute_notebook(tmp_path / "using.ipynb", tmp_path / "out.ipynb", progress_bar=False)
    (shown,) = nbformat.read(tmp_path / "out.ipynb", 4).cells[1].outputs
    assert shown.text == f"Wrote {target}.\n"
    assert "def count(" in target.read_text()


def test_a_notebook_is_checked_against_its_pipeline_from_a_cell(pipeline, tmp_path):
    using = tagged(([], "%load_ext fairlead"), ([], f"%fairlead check {pipeline}"))
    NotebookClient(using, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    [result] = outputs_of(using)
    assert result.data["text/plain"].startswith("The same: what ")
