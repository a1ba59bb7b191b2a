"""Runs beside each other: parameters, metrics, plots, artifacts and code."""

from __future__ import annotations

import copy

import pytest
from reports import spec as reports_spec

from fairlead.pipelines.compare import compare
from fairlead.pipelines.comparison import comparison_view
from fairlead.pipelines.step_sources import step_sources


def notebook_task(*sources, setup=()):
    constant = {"cells": [{"id": f"c{n}", "source": text} for n, text in enumerate(sources)]}
    if setup:
        constant["setup"] = [{"id": f"s{n}", "source": text} for n, text in enumerate(setup)]
    return {
        "componentRef": {"name": "comp"},
        "inputs": {"parameters": {"step": {"runtimeValue": {"constant": constant}}}},
    }


def notebook_spec(tasks, **parameters):
    declared = {
        name: {"parameterType": "NUMBER_INTEGER", "defaultValue": value}
        for name, value in parameters.items()
    }
    return {
        "root": {"dag": {"tasks": tasks}, "inputDefinitions": {"parameters": declared}},
        "components": {"comp": {"executorLabel": "e"}},
        "deploymentSpec": {"executors": {"e": {"container": {"image": "python"}}}},
    }


def curve(power):
    return [
        {"confidenceThreshold": 1 - n / 4, "recall": (n / 4) ** power, "falsePositiveRate": n / 4}
        for n in range(5)
    ]


def record(run_id, name, spec, parameters=None, accuracy=None, power=None):
    made = []
    if accuracy is not None:
        metadata = {"accuracy": accuracy}
        made.append(("scores", {"type": "Metric", "metadata": metadata, "artifact_id": run_id}))
    if power is not None:
        matrix = {
            "annotationSpecs": [{"displayName": "no"}, {"displayName": "yes"}],
            "rows": [{"row": [8, 2]}, {"row": [1, 9]}],
        }
        metadata = {"confidenceMetrics": curve(power), "confusionMatrix": matrix}
        made.append(("curves", {"type": "ClassificationMetric", "metadata": metadata}))
    return {
        "run_id": run_id,
        "display_name": name,
        "state": "SUCCEEDED",
        "pipeline_spec": spec,
        "runtime_config": {"parameters": parameters or {}},
        "run_details": {
            "task_details": [
                {
                    "task_id": "t",
                    "name": "fit",
                    "outputs": {
                        "artifacts": [
                            {"artifact_key": key, "artifacts": [one]} for key, one in made
                        ]
                    },
                }
            ]
        },
    }


class Held:
    def __init__(self, held):
        self.record = held


FIT = notebook_spec({"fit": notebook_task("a = 1", "b = 2", setup=["import math"])}, trees=5)


def test_parameters_and_metrics_are_rows_and_say_where_runs_differ():
    view = comparison_view(
        [record("1", "one", FIT, accuracy=0.9), record("2", "two", FIT, {"trees": 7})]
    )
    assert [run["label"] for run in view["runs"]] == ["one", "two"]
    assert view["parameters"] == [{"name": "trees", "values": [5, 7], "differs": True}]
    assert view["metrics"] == [{"name": "accuracy", "values": [0.9, None], "differs": True}]


def test_a_truth_value_is_not_the_number_that_equals_it():
    view = comparison_view([record("1", "a", FIT, {"x": 1}), record("2", "b", FIT, {"x": True})])
    assert view["parameters"][1] == {"name": "x", "values": [1, True], "differs": True}


def test_runs_of_one_name_are_told_apart_by_their_ids():
    view = comparison_view([record("11111111-1", "a", FIT), record("22222222-2", "a", FIT)])
    assert [run["label"] for run in view["runs"]] == ["a 11111111", "a 22222222"]


def test_curves_lie_over_each_other_and_matrices_beside():
    first = record("1", "one", FIT, power=0.3)
    view = comparison_view([first, record("2", "two", FIT), record("3", "three", FIT, power=0.7)])
    curves, matrices = view["plots"]
    assert (curves["task"], curves["artifact"], curves["title"]) == ("fit", "curves", "ROC curves")
    drawn = {point["slice"].split(",")[0] for point in curves["spec"]["layer"][1]["data"]["values"]}
    assert drawn == {"one", "three"}
    assert [part["title"] for part in matrices["spec"]["concat"]] == [
        "Confusion matrix, one",
        "Confusion matrix, three",
    ]
    assert view["artifacts"][0]["values"][1] is None


def test_code_is_compared_step_by_step_with_the_first_run():
    tasks = {
        "fit": notebook_task("a = 1", "b = 3", setup=["import os"]),
        "more": notebook_task("c"),
    }
    changed = record("2", "two", notebook_spec(tasks))
    view = comparison_view([record("1", "one", FIT), changed, record("3", "three", FIT)])
    found = {row["step"]: row for row in view["sources"]}
    assert found["fit"]["changes"] == ["same", "changed", "same"]
    assert "-b = 2\n+b = 3" in found["fit"]["diffs"][1]
    assert found["fit"]["diffs"][1].startswith("--- one: fit\n+++ two: fit\n")
    assert found["setup"]["changes"] == ["same", "changed", "same"]
    assert found["more"]["changes"] == ["absent", "added", "absent"]
    gone = comparison_view([changed, record("1", "one", FIT)])["sources"]
    assert {row["step"]: row["changes"] for row in gone}["more"] == ["same", "removed"]


def test_programs_of_components_are_compared_too():
    spec = reports_spec()
    assert step_sources(spec)["write"].startswith("# image: python\nPAGE = ")
    other = copy.deepcopy(spec)
    other["deploymentSpec"]["executors"]["read"]["container"]["image"] = "python:3.12"
    view = comparison_view([record("1", "a", spec), record("2", "b", other)])
    assert [row["step"] for row in view["sources"] if row["changes"][1] != "same"] == ["read"]


def test_a_comparison_shows_itself_in_a_notebook():
    tasks = {"fit": notebook_task("a = 1", "b = 3", setup=["import math"])}
    both = compare(
        Held(record("1", "one", FIT, accuracy=0.5, power=0.5)),
        Held(record("2", "two", notebook_spec(tasks, trees=6), accuracy=0.75, power=0.6)),
    )
    assert both.columns == ["run", "state", "trees", "accuracy"]
    assert both.rows == [["one", "SUCCEEDED", 5, 0.5], ["two", "SUCCEEDED", 6, 0.75]]
    assert "<td>0.75</td>" in both._repr_html_()
    assert list(both.plots) == ["fit.curves, ROC curves", "fit.curves, Confusion matrices"]
    assert "+b = 3" in repr(both.sources)
    assert repr(compare(Held(record("1", "one", FIT))).sources) == (
        "The code of the steps is the same."
    )


@pytest.mark.parametrize("uri", [{"constant": "s3://b/k"}, {"runtimeParameter": "uri"}])
def test_an_importer_is_what_it_imports(uri):
    spec = notebook_spec({"get": {"componentRef": {"name": "comp"}}})
    spec["deploymentSpec"]["executors"]["e"] = {"importer": {"artifactUri": uri}}
    assert step_sources(spec) == {"get": f"# imports {next(iter(uri.values()))}"}
