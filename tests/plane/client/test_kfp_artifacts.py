"""Artifacts that components written with the kfp package make, seen in Python."""

from __future__ import annotations

import os
import subprocess

import pytest
import yaml

from fairlead.client import Run, connect
from fairlead.names import INTERPRETER_ANNOTATION
from fairlead.pipelines.plots import VEGA_LITE_MIME

KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"

PIPELINE = """
import sys, warnings
warnings.simplefilter("ignore")
from kfp import compiler, dsl

@dsl.component(install_kfp_package=False)
def evaluate(
    metrics: dsl.Output[dsl.Metrics],
    curves: dsl.Output[dsl.ClassificationMetrics],
    page: dsl.Output[dsl.HTML],
    notes: dsl.Output[dsl.Markdown],
    model: dsl.Output[dsl.Model],
):
    import os
    metrics.log_metric("accuracy", 0.925)
    metrics.log_metric("loss", 0.31)
    curves.log_roc_curve([0.0, 0.1, 0.4, 1.0], [0.0, 0.7, 0.9, 1.0], [1.0, 0.8, 0.4, 0.0])
    curves.log_confusion_matrix(["cat", "dog"], [[12, 3], [2, 13]])
    with open(page.path, "w") as file:
        file.write("<h1>Evaluation</h1>")
    with open(notes.path, "w") as file:
        file.write("# Notes")
    os.makedirs(model.path)
    with open(os.path.join(model.path, "weights.bin"), "w") as file:
        file.write("0123")

@dsl.component(install_kfp_package=False)
def score(number: int, metrics: dsl.Output[dsl.Metrics]):
    metrics.log_metric("score", number)

@dsl.pipeline(name="reports-with-kfp")
def pipeline():
    evaluate()
    with dsl.ParallelFor([3, 4]) as number:
        score(number=number)

compiler.Compiler().compile(pipeline, sys.argv[1])
"""


@pytest.fixture(scope="module")
def run(data_dir, tmp_path_factory):
    python = os.environ.get(KFP_VARIABLE)
    if not python:
        pytest.skip(f"{KFP_VARIABLE} names no Python that has kfp 2.17")
    folder = tmp_path_factory.mktemp("kfp")
    (folder / "pipeline.py").write_text(PIPELINE)
    package = folder / "pipeline.yaml"
    subprocess.run(
        [python, str(folder / "pipeline.py"), str(package)], check=True, capture_output=True
    )
    spec = yaml.safe_load(package.read_text())
    metadata = {"podMetadata": {"annotations": {INTERPRETER_ANNOTATION: python}}}
    executors = {label: metadata for label in spec["deploymentSpec"]["executors"]}
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
    pipelines = connect()
    document = {"pipeline_spec": spec, "platform_spec": platform}
    record = pipelines.submit("kfp", document, {})
    return Run(pipelines, record).wait()


def test_what_a_component_logs_is_drawn(run):
    made = run.artifacts["evaluate"]
    assert {name: one.type for name, one in made.items()} == {
        "metrics": "Metrics",
        "curves": "ClassificationMetrics",
        "page": "HTML",
        "notes": "Markdown",
        "model": "Model",
    }
    assert made["metrics"].preview()["values"] == {"accuracy": 0.925, "loss": 0.31}
    (curve,) = made["curves"].preview()["slices"]
    assert (curve["auc"], curve["matrix"]) == (pytest.approx(0.845), [[12, 3], [2, 13]])
    assert VEGA_LITE_MIME in made["curves"]._repr_mimebundle_()
    assert made["page"].preview()["kind"] == "html"
    assert made["notes"].preview()["kind"] == "markdown"
    assert made["model"].preview()["rows"] == [["weights.bin", "4"]]
    assert run.metrics["accuracy"] == 0.925


def test_what_a_loop_makes_is_told_apart_by_iteration(run):
    scores = {
        task: made["metrics"].metadata["score"]
        for task, made in run.artifacts.items()
        if task.startswith("score")
    }
    assert scores == {"score[0]": 3, "score[1]": 4}
