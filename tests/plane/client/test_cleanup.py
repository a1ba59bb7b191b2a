"""Runs that are pinned, and runs that are cleaned up."""

from __future__ import annotations

import json
from contextlib import closing

import nbformat
import pytest

import fairlead
from fairlead.cli import main
from fairlead.client import list_runs
from fairlead.errors import ConflictError, NotFoundError
from fairlead.kube import ResourceType
from fairlead.labels import labels_manifest, read_labels
from fairlead.pins import CONFIG_MAP, pins_manifest, read_pins

JOBS = ResourceType("batch/v1", "jobs")
CRON_JOBS = ResourceType("batch/v1", "cronjobs")


@pytest.fixture
def runs(data_dir, tmp_path):
    """Three runs of one notebook, the first the oldest."""
    for old in list_runs():
        old.unpin()
        old.delete()
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("text = 'x' * n", metadata={"tags": ["step:make"]}),
    ]
    path = tmp_path / "sized.ipynb"
    nbformat.write(notebook, path)
    return [
        fairlead.submit(path, {"n": n}, name=f"n{n}", experiment="sizes").wait()
        for n in (300_000, 200_000, 100_000)
    ]


def test_runs_are_found_and_compared_by_their_labels(runs, capsys, assert_valid):
    first, second, third = runs
    first.label(team="vision", stage="test")
    assert main(["label", second.run_id, "team=vision"]) == 0
    assert capsys.readouterr().out == "team=vision\n"
    assert [run.name for run in fairlead.runs(label="team=vision")] == ["n200000", "n300000"]
    first.label(stage=None)
    assert (first.labels, third.labels) == ({"team": "vision"}, {})
    assert main(["runs", "--label", "team"]) == 0
    assert capsys.readouterr().out.count("team=vision") == 2
    assert main(["compare", third.run_id, "--label", "team=vision"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("n100000", "n200000", "n300000"))
    assert main(["label", third.run_id, "team"]) == 2
    assert "'team' is no label" in capsys.readouterr().err
    assert main(["compare"]) == 2
    assert_valid(labels_manifest())
    first.delete()
    assert read_labels(second.pipelines) == {second.run_id: {"team": "vision"}}


def names():
    return [run.name for run in list_runs()]


def test_a_pinned_run_stays_until_it_is_unpinned(runs):
    first, second, _ = runs
    first.pin()
    second.pin(baseline=True)
    assert (first.pinned, second.pinned, runs[2].pinned) == (True, True, False)
    for run in (first, second):
        with pytest.raises(ConflictError, match="is pinned, and stays"):
            run.delete()
    runs[2].pin(baseline=True)
    assert not second.pinned, "an experiment has one baseline"
    second.delete()
    first.unpin()
    first.delete()
    with pytest.raises(NotFoundError):
        first.refresh()
    assert read_pins(runs[2].pipelines).holds(runs[2].run_id)


def test_old_many_and_large_runs_are_cleaned_up_but_for_pinned_ones(runs, capsys):
    oldest = runs[0]
    assert main(["prune", "--older-than", "1d", "--yes"]) == 0
    assert main(["prune", "--keep", "2", "--dry-run"]) == 0
    assert "1 run would be deleted" in capsys.readouterr().out
    assert names() == ["n100000", "n200000", "n300000"]
    assert main(["pin", oldest.run_id[:8]]) == 0
    assert main(["prune", "--max-size", "420k", "--yes"]) == 0
    assert names() == ["n100000", "n300000"]
    assert main(["unpin", oldest.run_id[:8]]) == 0
    assert main(["prune", "--keep", "1", "--experiment", "sizes", "--yes"]) == 0
    assert names() == ["n100000"]
    assert main(["prune", "--keep", "1"]) == 0
    assert "Nothing to clean up" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "What is to be cleaned up?"),
        (["--older-than", "soon"], "'soon' is no age"),
        (["--max-size", "large"], "'large' is no size"),
        (["--keep", "-1"], "must not be less than 0"),
        (["--keep", "0"], "to be deleted"),
    ],
)
def test_a_cleanup_that_is_not_clear_deletes_nothing(runs, capsys, arguments, told):
    assert main(["prune", *arguments]) != 0
    assert told in capsys.readouterr().err
    assert len(names()) == 3


def test_runs_are_compared_on_the_command_line(runs, capsys):
    assert main(["compare", runs[0].run_id[:8], runs[2].run_id[:8]]) == 0
    out = capsys.readouterr().out
    assert "n300000  SUCCEEDED  300000" in out
    assert "The code of the steps is the same." in out


def test_the_config_map_of_pins_is_as_a_cluster_takes_it(assert_valid):
    manifest = pins_manifest({"pinned.a": "", "baseline.b": "a", "pinned.c": None})
    assert manifest["metadata"]["name"] == CONFIG_MAP
    assert_valid(json.loads(json.dumps(manifest)))


def test_a_cron_job_cleans_up_again_and_again(runs, capsys, assert_valid):
    oldest, _, newest = runs
    newest.pin()
    assert main(["prune", "--keep", "0", "--every", "0 3 * * *"]) == 0
    assert "kubectl delete cronjob fairlead-prune -n kubeflow" in capsys.readouterr().out
    kube, namespace = oldest.pipelines.kube, oldest.pipelines.namespace
    made = kube.get(CRON_JOBS, "fairlead-prune", namespace)
    assert_valid(made)
    # As `kubectl create job --from=cronjob/fairlead-prune` does.
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "prune-now"},
        "spec": made["spec"]["jobTemplate"]["spec"],
    }
    kube.create(job, namespace)
    with closing(kube.watch(JOBS, namespace)) as events:
        for event in events:
            conditions = (event.object.get("status") or {}).get("conditions") or []
            ended = {one["type"] for one in conditions if one["status"] == "True"}
            if ended & {"Complete", "Failed"}:
                break
    assert "Complete" in ended
    assert names() == ["n100000"]
    assert main(["prune", "--keep", "0", "--every", "nonsense"]) != 0
    assert "nonsense" in capsys.readouterr().err
    kube.delete(JOBS, "prune-now", namespace)
    kube.delete(CRON_JOBS, "fairlead-prune", namespace)
