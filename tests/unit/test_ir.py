"""The pipeline spec: valid for KFP, small, and the same every time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fairlead.errors import SpecError
from fairlead.pipelines import check_pipeline, compile_notebook
from local_steps import code, notebook

EXAMPLE = notebook(
    code("n = 3\nstep = 'x'", "parameters"),
    code("import math", "imports"),
    code("x = [n]\ny = x", "step:load"),
    code(
        "x.append(math.pi)", fairlead={"step": "change", "resources": {"cpu": "2", "memory": "1Gi"}}
    ),
    code("acc = len(y)\nprint(step)", "step:evaluate", "metrics"),
)


def bare(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec without the program of its executors, for comparison."""
    copy = json.loads(json.dumps(spec))
    for executor in copy["deploymentSpec"]["executors"].values():
        executor["container"]["command"][2:] = []
        executor["container"].pop("image")
    copy.pop("sdkVersion")
    return copy


def test_a_notebook_becomes_this_spec() -> None:
    artifact = {"artifactType": {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}}
    metrics = {"artifactType": {"schemaTitle": "system.Metrics", "schemaVersion": "0.0.1"}}
    setup = [{"id": "c1", "source": "import math", "tags": ["imports"]}]
    joined = {"order": 0, "file": ["x", "y"], "bind": ["x", "y"], "changed": ["x", "y"]}
    spec = bare(compile_notebook(EXAMPLE, name="My pipeline"))
    assert spec["pipelineInfo"] == {"name": "my-pipeline"}
    assert spec["schemaVersion"] == "2.1.0"
    assert spec["root"]["inputDefinitions"] == {
        "parameters": {
            "n": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3, "isOptional": True},
            "step": {"parameterType": "STRING", "defaultValue": "x", "isOptional": True},
        }
    }
    assert spec["components"] == {
        "comp-load": {
            "executorLabel": "exec-step",
            "inputDefinitions": {
                "parameters": {
                    "step": {"parameterType": "STRUCT"},
                    "n": {"parameterType": "NUMBER_INTEGER", "isOptional": True},
                }
            },
            "outputDefinitions": {"artifacts": {"x.y": artifact, "notebook": artifact}},
        },
        "comp-change": {
            "executorLabel": "exec-step-4415a389",
            "inputDefinitions": {
                "parameters": {"step": {"parameterType": "STRUCT"}},
                "artifacts": {"x.y": artifact},
            },
            "outputDefinitions": {"artifacts": {"y": artifact, "notebook": artifact}},
        },
        "comp-evaluate": {
            "executorLabel": "exec-step",
            "inputDefinitions": {
                "parameters": {
                    "step": {"parameterType": "STRUCT"},
                    "value.step": {"parameterType": "STRING", "isOptional": True},
                },
                "artifacts": {"y": artifact},
            },
            "outputDefinitions": {
                "artifacts": {"acc": artifact, "notebook": artifact, "metrics": metrics}
            },
        },
    }
    tasks = spec["root"]["dag"]["tasks"]
    assert tasks["change"] == {
        "cachingOptions": {"enableCache": True},
        "componentRef": {"name": "comp-change"},
        "dependentTasks": ["load"],
        "inputs": {
            "artifacts": {
                "x.y": {"taskOutputArtifact": {"outputArtifactKey": "x.y", "producerTask": "load"}}
            },
            "parameters": {
                "step": {
                    "runtimeValue": {
                        "constant": {
                            "name": "change",
                            "cells": [{"id": "c3", "source": "x.append(math.pi)"}],
                            "setup": [{"parameters": True}, *setup],
                            "inputs": {"x.y": joined},
                            "outputs": {"y": ["y"]},
                        }
                    }
                }
            },
        },
        "taskInfo": {"name": "change"},
    }
    given = tasks["evaluate"]["inputs"]["parameters"]
    assert given["value.step"] == {"componentInputParameter": "step"}
    container = spec["deploymentSpec"]["executors"]["exec-step-4415a389"]["container"]
    assert container["args"] == ["--executor_input", "{{$}}"]
    assert container["resources"] == {
        "cpuLimit": 2.0,
        "cpuRequest": 2.0,
        "memoryLimit": 1.073741824,
        "memoryRequest": 1.073741824,
        "resourceCpuLimit": "2",
        "resourceCpuRequest": "2",
        "resourceMemoryLimit": "1Gi",
        "resourceMemoryRequest": "1Gi",
    }


def test_the_same_notebook_gives_the_same_bytes() -> None:
    script = (
        "import json, sys; from fairlead.pipelines import compile_notebook;"
        "print(json.dumps(compile_notebook(json.load(sys.stdin), name='x')))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            input=json.dumps(EXAMPLE),
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_another_cell_leaves_the_other_tasks_as_they_are() -> None:
    more = json.loads(json.dumps(EXAMPLE))
    more["cells"].insert(3, {**code("z = 1", "step:new"), "id": "new"})
    before, after = (compile_notebook(nb, name="x") for nb in (EXAMPLE, more))
    tasks = after["root"]["dag"]["tasks"]
    assert {name: tasks[name] for name in before["root"]["dag"]["tasks"]} == (
        before["root"]["dag"]["tasks"]
    )


def test_a_step_that_reads_the_last_result_leaves_the_step_that_made_it_as_it_is() -> None:
    more = json.loads(json.dumps(EXAMPLE))
    more["cells"].append({**code("print(acc)", "step:new"), "id": "new"})
    before, after = (compile_notebook(nb, name="x") for nb in (EXAMPLE, more))
    assert after["root"]["dag"]["tasks"]["evaluate"] == before["root"]["dag"]["tasks"]["evaluate"]


def test_the_spec_is_valid() -> None:
    check_pipeline(compile_notebook(EXAMPLE, name="x"))


def _broken(path: str, value: Any) -> dict[str, Any]:
    spec = json.loads(json.dumps(compile_notebook(EXAMPLE, name="x")))
    target = spec
    *above, last = path.split("/")
    for key in above:
        target = target[key]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return spec


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        ("root/dag/tasks/load/colour", "red", "colour"),
        ("root/dag/tasks/load/componentRef/name", "comp-x", "comp-x"),
        ("root/dag/tasks/change/dependentTasks", ["nowhere"], "nowhere"),
        ("root/dag/tasks/load/dependentTasks", ["evaluate"], "load -> evaluate"),
        ("root/dag/tasks/change/inputs/artifacts", None, "x.y"),
        ("root/dag/tasks/load/inputs/parameters/n/componentInputParameter", "m", "'m'"),
        ("deploymentSpec/executors/exec-step/colour", "red", "colour"),
        ("components/comp-load/executorLabel", "exec-x", "exec-x"),
        ("components/comp-load/outputDefinitions/artifacts/x.y", None, "x.y"),
        ("root/dag", None, "root.dag"),
    ],
)
def test_a_defect_is_named(path: str, value: Any, word: str) -> None:
    with pytest.raises(SpecError) as caught:
        check_pipeline(_broken(path, value))
    assert word in caught.value.what
    assert caught.value.hint


def test_every_pipeline_that_kfp_publishes_as_valid_passes(shared_data: Path) -> None:
    folder = shared_data / "conformance" / "kfp"
    files = [f for f in sorted(folder.rglob("*.yaml")) if "invalid" not in f.parts]
    assert files
    for file in files:
        check_pipeline(next(yaml.safe_load_all(file.read_text())))


def test_kfp_itself_loads_the_spec(tmp_path: Path) -> None:
    python = os.environ.get("FAIRLEAD_TEST_KFP_PYTHON")
    if not python:
        pytest.skip("FAIRLEAD_TEST_KFP_PYTHON does not name a Python with kfp")
    spec = compile_notebook(EXAMPLE, name="x")
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec))
    script = (
        "from kfp import compiler, components; import sys;"
        "loaded = components.load_component_from_file('spec.yaml');"
        "compiler.Compiler().compile(loaded, 'again.yaml')"
    )
    subprocess.run([python, "-W", "ignore", "-c", script], cwd=tmp_path, check=True)
    assert yaml.safe_load((tmp_path / "again.yaml").read_text()) == spec
