import pytest

from fairlead.pipelines.graph import run_summary, run_view


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
            {"metadata": {"cell_id": "c7", "line": "1", "ename": "NameError", "evalue": "name"}}
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


def test_what_a_run_and_a_step_wait_for_is_said_while_they_do():
    given = record()
    given["state"] = "PENDING"
    given["state_history"] = [
        {"state": "PENDING"},
        {"state": "PENDING", "error": {"code": 14, "message": "Waits for the mutex 'db'."}},
    ]
    load = given["run_details"]["task_details"][0]
    load |= {"state": "PENDING", "status_metadata": {"message": "Insufficient nvidia.com/gpu"}}
    view = run_view(given)
    assert view["waits_for"] == "Waits for the mutex 'db'."
    found = {node["id"]: node["waits_for"] for node in view["graph"]["nodes"]}
    assert found == {"load": "Insufficient nvidia.com/gpu", "train": None}
    given["state"] = load["state"] = "RUNNING"
    view = run_view(given)
    assert (view["waits_for"], view["graph"]["nodes"][0]["waits_for"]) == (None, None)


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
        "artifacts": [{"uri": "/a/x", "metadata": {"type": "numpy.ndarray", "size": 80}}],
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


def scoped():
    """make -> loop over [work -> check], then a branch that is taken and one that is not."""
    item = "pipelinechannel--make-Output-loop-item"
    output = {"taskOutputParameter": {"producerTask": "work", "outputParameterKey": "Output"}}
    loop = {
        "work": {
            "componentRef": {"name": "comp-leaf"},
            "taskInfo": {"name": "work"},
            "inputs": {"parameters": {"x": {"componentInputParameter": item}}},
        },
        "check": {
            "componentRef": {"name": "comp-leaf"},
            "taskInfo": {"name": "check"},
            "dependentTasks": ["work"],
            "inputs": {"parameters": {"y": output}},
        },
    }
    branches = {
        name: {
            "componentRef": {"name": f"comp-{name}"},
            "taskInfo": {"name": name},
            "triggerPolicy": {"condition": condition},
        }
        for name, condition in (("condition-3", "1 == 1"), ("condition-4", "!(1 == 1)"))
    }
    leaf = {"leaf": {"componentRef": {"name": "comp-leaf"}, "taskInfo": {"name": "leaf"}}}
    tasks = {
        "make": {"componentRef": {"name": "comp-leaf"}, "taskInfo": {"name": "make"}},
        "for-loop-1": {
            "componentRef": {"name": "comp-loop"},
            "taskInfo": {"name": "for-loop-1"},
            "dependentTasks": ["make"],
            "parameterIterator": {"itemInput": item, "items": {"raw": "[1, 2]"}},
        },
        "condition-branches-2": {
            "componentRef": {"name": "comp-branches"},
            "taskInfo": {"name": "condition-branches-2"},
            "dependentTasks": ["for-loop-1"],
        },
    }
    spec = {
        "root": {"dag": {"tasks": tasks}},
        "components": {
            "comp-leaf": {"executorLabel": "exec"},
            "comp-loop": {"dag": {"tasks": loop}},
            "comp-branches": {"dag": {"tasks": branches}},
            "comp-condition-3": {"dag": {"tasks": leaf}},
            "comp-condition-4": {"dag": {"tasks": leaf}},
        },
    }
    return {
        "run_id": "r2",
        "state": "RUNNING",
        "pipeline_spec": spec,
        "run_details": {"task_details": []},
    }


def task(task_id, parent, name, kind, state="SUCCEEDED", **more):
    return {
        "task_id": task_id,
        "name": name,
        "display_name": name,
        "type": kind,
        "state": state,
        **({"parent_task_id": parent} if parent else {}),
        **more,
    }


def test_scopes_are_nodes_and_what_is_in_them_names_them():
    graph = run_view(scoped())["graph"]
    assert {node["id"]: (node["parent"], node["type"]) for node in graph["nodes"]} == {
        "make": (None, "RUNTIME"),
        "for-loop-1": (None, "LOOP"),
        "for-loop-1.work": ("for-loop-1", "RUNTIME"),
        "for-loop-1.check": ("for-loop-1", "RUNTIME"),
        "condition-branches-2": (None, "CONDITION_BRANCH"),
        "condition-branches-2.condition-3": ("condition-branches-2", "CONDITION"),
        "condition-branches-2.condition-3.leaf": ("condition-branches-2.condition-3", "RUNTIME"),
        "condition-branches-2.condition-4": ("condition-branches-2", "CONDITION"),
        "condition-branches-2.condition-4.leaf": ("condition-branches-2.condition-4", "RUNTIME"),
    }
    assert {"source": "for-loop-1.work", "target": "for-loop-1.check", "names": ["y"]} in graph[
        "edges"
    ]
    conditions = {node["name"]: node["condition"] for node in graph["nodes"] if node["condition"]}
    assert conditions == {"condition-3": "1 == 1", "condition-4": "!(1 == 1)"}


@pytest.mark.parametrize("root", ["", "root-id"])
def test_a_loop_that_runs_has_a_node_for_each_iteration(root):
    record = scoped()
    record["run_details"]["task_details"] = [
        *([task(root, "", "root", "ROOT", "RUNNING")] if root else []),
        task("t1", root, "make", "RUNTIME"),
        task("t2", root, "for-loop-1", "LOOP", "RUNNING", type_attributes={"iteration_count": "2"}),
        # As protobuf's JSON writes a 64-bit number.
        task("i1", "t2", "for-loop-1", "DAG", "FAILED", type_attributes={"iteration_index": "1"}),
        task("i0", "t2", "for-loop-1", "DAG", type_attributes={"iteration_index": "0"}),
        task("w0", "i0", "work", "RUNTIME", pod_name="p0"),
        task(
            "w1",
            "i1",
            "work",
            "RUNTIME",
            "FAILED",
            pod_name="p1",
            inputs={"parameters": [{"parameter_key": "x", "value": 2}]},
        ),
    ]
    view = run_view(record)
    nodes = {node["id"]: node for node in view["graph"]["nodes"]}
    assert nodes["for-loop-1"]["iterations"] == 2
    inside = [
        (node["name"], node["iteration"], node["state"])
        for node in nodes.values()
        if node["parent"] == "for-loop-1"
    ]
    assert inside == [("for-loop-1[0]", 0, "SUCCEEDED"), ("for-loop-1[1]", 1, "FAILED")]
    assert [nodes[f"for-loop-1.{n}.work"]["pod"] for n in (0, 1)] == ["p0", "p1"]
    assert [port["value"] for port in nodes["for-loop-1.1.work"]["inputs"]] == [2]
    assert nodes["for-loop-1.1.check"]["state"] == "PENDING"
    assert "for-loop-1.work" not in nodes
    assert run_summary(record)["done"] == 2
