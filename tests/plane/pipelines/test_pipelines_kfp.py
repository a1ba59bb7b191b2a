"""Components written with the kfp package, compiled by it and run by its own executor."""

from __future__ import annotations

import os
import subprocess

import pytest
import yaml
from kubernetes import client

KFP_VARIABLE = "FAIRLEAD_TEST_KFP_PYTHON"

WHO = "it's {{$}} {{$.inputs.parameters['who']}} $(HOME) \"$HOME\" `id` $$ \\ \n} ünï"

PIPELINE = """
import sys, warnings
warnings.simplefilter("ignore")
from kfp import compiler, dsl

@dsl.component
def load(count: int, data: dsl.Output[dsl.Dataset]) -> float:
    with open(data.path, "w") as file:
        file.write("row " * count)
    data.metadata["rows"] = count
    return count / 2

@dsl.component(use_venv=True)
def train(
    data: dsl.Input[dsl.Dataset], rate: float, options: dict, metrics: dsl.Output[dsl.Metrics],
    model: dsl.Output[dsl.Model],
) -> str:
    with open(data.path) as file:
        rows = len(file.read().split())
    assert rows == data.metadata["rows"]
    metrics.log_metric("score", rate * rows)
    with open(model.path, "w") as file:
        file.write("model")
    return options["greeting"]

@dsl.component(install_kfp_package=False)
def half_of(count: int) -> float:
    return count / 2

@dsl.pipeline
def inner(count: int) -> float:
    return half_of(count=count).output

@dsl.component(install_kfp_package=False)
def say(text: str, model: dsl.Input[dsl.Model]) -> str:
    return f"{text} {model.schema_title}"

@dsl.component
def elsewhere(text: str, place: str, data: dsl.Output[dsl.Dataset]):
    data.set_path(place)
    with open(data.path, "w") as file:
        file.write(text)

@dsl.component
def read(data: dsl.Input[dsl.Dataset]) -> str:
    with open(data.path) as file:
        return file.read()

@dsl.container_component
def shell(text: str, data: dsl.Output[dsl.Dataset], absent: str = None):
    return dsl.ContainerSpec(
        image="alpine", command=["sh", "-c", 'printf "%s|" "$@" > "$0"'],
        args=[
            data.path, text, dsl.ConcatPlaceholder(["<", text, ">"]),
            dsl.IfPresentPlaceholder(input_name="absent", then=["--a", absent], else_=["none"]),
        ],
    )

@dsl.pipeline(name="written-with-kfp")
def pipeline(who: str, place: str, count: int = 4, cpu: str = "0.25"):
    written = elsewhere(text=who, place=place)
    read(data=written.outputs["data"]).set_cpu_request(cpu).set_display_name("copied")
    read(data=shell(text=who).outputs["data"]).set_display_name("printed")
    loaded = load(count=count)
    trained = train(
        data=loaded.outputs["data"], rate=loaded.outputs["Output"],
        options={"greeting": f"hello {who}"},
    )
    nested = inner(count=count)
    say(text=f"{trained.outputs['Output']}: {nested.output}", model=trained.outputs["model"])

compiler.Compiler().compile(pipeline, sys.argv[1])
"""


def test_components_written_with_kfp_run_by_its_own_executor(connect, shared_plane, seen, tmp_path):
    python = os.environ.get(KFP_VARIABLE)
    if not python:
        pytest.skip(f"{KFP_VARIABLE} names no Python that has kfp 2.17")
    package = tmp_path / "pipeline.yaml"
    source = tmp_path / "pipeline.py"
    source.write_text(PIPELINE)
    subprocess.run([python, str(source), str(package)], check=True, capture_output=True)
    spec = yaml.safe_load(package.read_text())
    metadata = {"podMetadata": {"annotations": {"fairlead.dev/interpreter": python}}}
    executors = {label: metadata for label in spec["deploymentSpec"]["executors"]}
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
    body = {
        "display_name": "kfp",
        "pipeline_spec": {"pipeline_spec": spec, "platform_spec": platform},
        "runtime_config": {"parameters": {"who": WHO, "place": str(tmp_path / "written")}},
    }
    environments = shared_plane.data_dir / "environments"
    before = set(environments.glob("*/fairlead.json"))
    rest = connect(shared_plane)
    run = rest.until(rest.call("POST", "runs", body)["run_id"])
    assert (run["state"], run.get("error")) == ("SUCCEEDED", None)
    # Its Python has kfp already: no environment is made.
    assert set(environments.glob("*/fairlead.json")) == before
    tasks = seen.details(run)
    said = tasks["say"]["outputs"]["parameters"][0]["value"]
    assert said == f"hello {WHO}: 2 system.Model"
    outputs = {
        name: tasks[name]["outputs"]["parameters"][0]["value"] for name in ("copied", "printed")
    }
    assert outputs == {"copied": WHO, "printed": f"{WHO}|<{WHO}>|none|"}
    with shared_plane.api() as api:
        pod = client.CoreV1Api(api).read_namespaced_pod(tasks["load"]["pod_name"], "kubeflow")
    container = pod.spec.containers[0]
    assert container.command[:3] == ["python3", "-m", "kfp.dsl.executor_main"]
    metrics = next(
        one for one in tasks["train"]["outputs"]["artifacts"] if one["artifact_key"] == "metrics"
    )
    assert metrics["artifacts"][0]["metadata"] == {"score": 8}
    assert tasks["half-of"]["parent_task_id"] == tasks["inner"]["task_id"]
    assert tasks["inner"]["outputs"]["parameters"][0]["value"] == 2
