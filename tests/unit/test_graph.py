from fairlead.pipelines.graph import run_view


def record():
    component = {
        "inputDefinitions": {
            "artifacts": {"x": {"artifactType": {"schemaTitle": "system.Artifact"}}}
        },
        "outputDefinitions": {
            "artifacts": {"m": {"artifactType": {"schemaTitle": "system.Model"}}}
        },
    }
    step = {"runtimeValue": {"constant": {"cells": [{"id": "c7", "source": "m = fit(x)"}]}}}
    tasks = {
        "load": {"componentRef": {"name": "comp-load"}, "taskInfo": {"name": "load"}},
        "train": {
            "componentRef": {"name": "comp-train"},
            "taskInfo": {"name": "train"},
            "dependentTasks": ["load"],
            "inputs": {
                "parameters": {"step": step, "rate": {"componentInputParameter": "rate"}},
                "artifacts": {
                    "x": {"taskOutputArtifact": {"producerTask": "load", "outputArtifactKey": "x"}}
                },
            },
        },
    }
    spec = {
        "components": {"comp-train": component, "comp-load": {}},
        "root": {
            "dag": {"tasks": tasks},
            "inputDefinitions": {"parameters": {"rate": {"defaultValue": 0.5}}},
        },
    }
    error = {
        "message": "NameError: name 'fit' is not defined  (cell c7, line 1)",
        "details": [
            {"value": {"cell_id": "c7", "line": 1, "ename": "NameError", "evalue": "name"}}
        ],
    }
    metric = {"type": "Metric", "name": "metrics", "metadata": {"accuracy": 0.97}}
    array = {"uri": "/a/x", "metadata": {"type": "numpy.ndarray", "size": 80}}
    made = {"artifacts": [{"artifact_key": "metrics", "artifacts": [metric]}]}
    read = {"artifacts": [{"artifact_key": "x", "artifacts": [array]}]}
    return {
        "run_id": "r1",
        "display_name": "digits",
        "state": "FAILED",
        "created_at": "2026-01-01T00:00:00Z",
        "finished_at": "2026-01-01T00:00:09Z",
        "runtime_config": {"parameters": {}},
        "pipeline_spec": {"pipeline_spec": spec, "platform_spec": {}},
        "run_details": {
            "task_details": [
                {"display_name": "load", "state": "SUCCEEDED", "outputs": made},
                {"display_name": "train", "state": "FAILED", "error": error, "inputs": read},
            ]
        },
    }


def test_a_run_is_shown_with_nodes_edges_metrics_and_counts():
    view = run_view(record())
    assert (view["done"], view["total"], view["metrics"]) == (1, 2, {"accuracy": 0.97})
    assert view["parameters"] == {"rate": 0.5}
    assert view["graph"]["edges"] == [{"source": "load", "target": "train", "names": ["x"]}]


def test_a_node_shows_its_ports_and_cells():
    node = run_view(record())["graph"]["nodes"][1]
    assert node["cell_ids"] == ["c7"]
    assert [(port["name"], port["value"]) for port in node["inputs"][:1]] == [("rate", 0.5)]
    assert node["inputs"][1] == {
        "name": "x",
        "names": ["x"],
        "kind": "artifact",
        "type": "numpy.ndarray",
        "format": None,
        "size": 80,
        "value": None,
        "uri": "/a/x",
    }


def test_an_error_names_the_cell_by_its_number_where_that_is_known():
    node = run_view(record(), {"c7": 4})["graph"]["nodes"][1]
    assert node["error"] == {
        "message": "NameError: name 'fit' is not defined  (cell 4, line 1)",
        "cell_id": "c7",
        "line": 1,
        "ename": "NameError",
        "evalue": "name",
    }
