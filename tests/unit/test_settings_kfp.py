"""Settings of steps reach the spec as `kfp` and `kfp-kubernetes` write them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fairlead.documents import dump_pipeline
from fairlead.pipelines import check_pipeline, compile_documents
from local_steps import code, notebook

SETTINGS: dict[str, Any] = {
    "step": "work",
    "resources": {"cpu": "500m", "memory": "4Gi", "nvidia.com/gpu": "1"},
    "packages": ["pandas==2.2.1", "numpy>1"],
    "image": "python:3.11",
    "cache": False,
    "retries": {
        "maxRetryCount": 2,
        "backoffDuration": "10s",
        "backoffFactor": 3,
        "backoffMaxDuration": "5m",
    },
    "timeout": "30m",
    "env": {"MODE": "fast"},
    "secrets": [
        {"secret": "login", "env": {"TOKEN": "token"}},
        {"secret": "keys", "path": "/mnt/keys"},
    ],
    "configMaps": [
        {"configMap": "levels", "env": {"LEVEL": "level"}},
        {"configMap": "conf", "path": "/mnt/conf"},
    ],
    "volumes": [{"claim": "data", "path": "/data"}],
    "labels": {"team": "vision"},
    "annotations": {"example.com/note": "text"},
}
KFP = """
import sys
from kfp import compiler, dsl, kubernetes

@dsl.component(packages_to_install=["pandas==2.2.1", "numpy>1"], base_image="python:3.11",
               install_kfp_package=False)
def work():
    pass

@dsl.component(base_image="python:3.11")
def plain():
    pass

@dsl.pipeline
def both():
    task = work()
    task.set_cpu_request("500m").set_cpu_limit("500m")
    task.set_memory_request("4Gi").set_memory_limit("4Gi")
    task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1)
    task.set_caching_options(False).set_retry(2, "10s", 3.0, "300s")
    task.set_env_variable("MODE", "fast")
    kubernetes.set_timeout(task, 1800)
    kubernetes.use_secret_as_env(task, "login", {"token": "TOKEN"})
    kubernetes.use_secret_as_volume(task, "keys", "/mnt/keys")
    kubernetes.use_config_map_as_env(task, "levels", {"level": "LEVEL"})
    kubernetes.use_config_map_as_volume(task, "conf", "/mnt/conf")
    kubernetes.mount_pvc(task, "data", "/data")
    kubernetes.add_pod_label(task, "team", "vision")
    kubernetes.add_pod_annotation(task, "example.com/note", "text")
    plain().set_retry(3)

compiler.Compiler().compile(both, sys.argv[1])
"""
LOAD = """
import sys
from kfp import components
print(sorted(components.load_component_from_text(open(sys.argv[1]).read()).component_spec.name))
"""


def compiled() -> tuple[Any, Any]:
    return compile_documents(
        notebook(
            code("x = 1", fairlead=SETTINGS), code("y = 2", fairlead={"step": "b", "retries": 3})
        ),
        name="settings",
    )


def kfp_python() -> str:
    python = os.environ.get("FAIRLEAD_TEST_KFP_PYTHON")
    if not python:
        pytest.skip("FAIRLEAD_TEST_KFP_PYTHON does not name a Python with kfp")
    return python


def test_every_setting_is_written_as_kfp_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "both.yaml"
    program = tmp_path / "both.py"
    program.write_text(KFP)
    run = [kfp_python(), "-W", "ignore", str(program), str(file)]
    subprocess.run(run, check=True, timeout=120)
    theirs, their_platform = yaml.safe_load_all(file.read_text())
    ours, our_platform = compiled()
    label = ours["components"]["comp-work"]["executorLabel"]
    container = ours["deploymentSpec"]["executors"][label]["container"]
    other = theirs["deploymentSpec"]["executors"]["exec-work"]["container"]
    assert [container[key] for key in ("image", "env", "resources")] == [
        other[key] for key in ("image", "env", "resources")
    ]
    assert container["command"][:3] == other["command"][:3]
    task, their_task = (spec["root"]["dag"]["tasks"]["work"] for spec in (ours, theirs))
    for key in ("cachingOptions", "retryPolicy"):
        assert task[key] == their_task[key]
    assert (
        ours["root"]["dag"]["tasks"]["b"]["retryPolicy"]
        == (theirs["root"]["dag"]["tasks"]["plain"]["retryPolicy"])
    )
    kubernetes, other = (
        one["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        for one in (our_platform, their_platform)
    )
    assert kubernetes == {label: other["exec-work"]}


def test_both_documents_pass_kfps_loader_and_the_checks(tmp_path: Path) -> None:
    spec, platform = compiled()
    check_pipeline(spec)
    file = tmp_path / "pipeline.yaml"
    file.write_text(dump_pipeline(spec, platform))
    load = [kfp_python(), "-W", "ignore", "-c", LOAD, str(file)]
    assert subprocess.run(load, check=True, timeout=120, capture_output=True, text=True).stdout


def test_steps_of_the_same_settings_share_an_executor() -> None:
    wanted = {"resources": {"cpu": "1"}, "labels": {"a": "b"}}
    cells = [code("x = 1", fairlead={"step": name, **wanted}) for name in ("a", "b")]
    spec, platform = compile_documents(notebook(*cells, code("y = 2", "step:c")), name="x")
    assert len(spec["deploymentSpec"]["executors"]) == 2
    assert len(platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]) == 1


def test_packages_are_those_of_what_a_step_and_its_values_import() -> None:
    def versions(modules: Any) -> list[str]:
        # Names below a package are told too: `google.cloud.storage` is another one than `google`.
        return sorted({f"{name.split('.')[0]}==1" for name in modules})

    cells = [
        code("import numpy as np", "imports"),
        code("from helpers import load\nimport pandas as pd\nt = load()", "step:load"),
        code("m = t.mean()", "step:mean"),
        code("import yaml", "step:alone", fairlead={"packages": []}),
        code("import yaml", fairlead={"step": "own", "packages": ["torch"]}),
    ]
    modules = {"helpers.py": "import requests\ndef load(): ..."}
    spec, _ = compile_documents(notebook(*cells), name="x", modules=modules, versions=versions)

    def shell(step: str) -> list[str]:
        label = spec["components"][f"comp-{step}"]["executorLabel"]
        return spec["deploymentSpec"]["executors"][label]["container"]["command"]

    for step in ("load", "mean"):
        assert "'numpy==1' 'pandas==1' 'requests==1' &&" in shell(step)[2]
    assert shell("alone")[:2] == ["python3", "-c"]
    assert "quiet --no-warn-script-location 'torch' &&" in shell("own")[2]
