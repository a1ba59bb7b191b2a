"""Artifacts and metrics of runs in Python."""

import pytest
from reports import TYPES, run_reports

import fairlead
from fairlead.client import Run, connect
from fairlead.errors import ConflictError, NotFoundError, SpecError
from fairlead.pipelines.plots import VEGA_LITE_MIME


@pytest.fixture(scope="module")
def run(data_dir):
    pipelines = connect()
    return Run(pipelines, run_reports(pipelines))


def test_artifacts_are_found_by_task_and_name_and_opened(run, tmp_path):
    assert set(run.artifacts) == {"write", "read"}
    assert {name: one.type for name, one in run.artifacts["write"].items()} == TYPES
    rows = run.artifacts["write"]["rows"]
    assert rows.path.read_bytes() == rows.read() == rows.open().read()
    assert rows.download(tmp_path) == tmp_path / "rows"
    assert (tmp_path / "rows").read_bytes() == rows.read()
    with pytest.raises(ConflictError):
        rows.download(tmp_path)
    with pytest.raises(SpecError, match="no value of a notebook"):
        rows.load()
    parts = run.artifacts["write"].all("parts")
    assert [one.read() for one in parts] == [b"first", b"second"]
    again = fairlead.get_artifact(rows.id)
    assert (again.name, again.task, again.read()) == ("rows", "write", rows.read())


def test_what_is_not_there_is_named_with_what_is(run):
    with pytest.raises(KeyError, match="artifacts were made by: write, read"):
        run.artifacts["train"]
    with pytest.raises(KeyError, match="task read made: model"):
        run.artifacts["read"]["rows"]
    with pytest.raises(NotFoundError, match="no-such-id"):
        fairlead.get_artifact("no-such-id")


def test_artifacts_and_metrics_show_themselves(run):
    write = run.artifacts["write"]
    assert "<td>accuracy</td><td>0.9</td>" in run.metrics._repr_html_()
    assert "<td>curves</td>" in run.artifacts._repr_html_()
    curves = write["curves"]._repr_mimebundle_()
    assert list(curves) == [VEGA_LITE_MIME, "image/svg+xml", "text/plain"]
    assert 'sandbox="allow-scripts"' in write["page"]._repr_mimebundle_()["text/html"]
    assert "<td>1</td>" in write["rows"]._repr_mimebundle_()["text/html"]


def test_runs_are_compared_by_their_metrics(run):
    other = Run(run.pipelines, run_reports(run.pipelines, "others"))
    both = fairlead.compare(run, other)
    assert both.columns == ["run", "state", "accuracy", "rows"]
    assert both.rows == [["reports", "SUCCEEDED", 0.9, 100], ["others", "SUCCEEDED", 0.9, 100]]
    assert VEGA_LITE_MIME in both.plot._repr_mimebundle_()
    with pytest.raises(SpecError):
        fairlead.compare()


def test_the_value_of_a_notebooks_step_is_loaded(data_dir, tmp_path):
    import nbformat

    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell("data = {'a': [1, 2]}", metadata={"tags": ["step:make"]}),
        nbformat.v4.new_code_cell("print(data)", metadata={"tags": ["step:use"]}),
    ]
    nbformat.write(notebook, tmp_path / "small.ipynb")
    run = fairlead.submit(tmp_path / "small.ipynb").wait()
    assert run.artifacts["make"]["data"].load() == {"a": [1, 2]}


def test_runs_belong_to_experiments_and_are_compared_there(data_dir, tmp_path):
    import nbformat

    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("score = n * 2", metadata={"tags": ["step:fit", "metrics"]}),
    ]
    path = tmp_path / "fit.ipynb"
    nbformat.write(notebook, path)
    for n in (3, 4):
        fairlead.submit(path, {"n": n}, name=f"n{n}", experiment="numbers").wait()
    numbers = fairlead.get_experiment("numbers")
    assert [run.name for run in numbers.runs()] == ["n4", "n3"]
    assert "numbers" in [one.name for one in fairlead.experiments()]
    compared = numbers.compare()
    assert compared.columns == ["run", "state", "n", "score"]
    assert compared.rows == [["n4", "SUCCEEDED", 4, 8], ["n3", "SUCCEEDED", 3, 6]]
    assert "<td>n3</td>" in numbers._repr_html_()
    with pytest.raises(NotFoundError, match="no experiment 'others'"):
        fairlead.get_experiment("others")
