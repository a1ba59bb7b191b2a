"""What the metadata of a step asks for has its effect on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from kubernetes import client, config

import fairlead
from fairlead.cli import main as cli
from fairlead.client import RunFailedError, connect
from fairlead.errors import SpecError


def make_wheel(folder: Path, name: str, version: str) -> None:
    """Write a wheel of one module."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        meta = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        wheel.writestr(f"{info}/METADATA", meta)
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def core(data_dir, tmp_path_factory):
    """The core API of a plane that installs from a folder only."""
    folder = tmp_path_factory.mktemp("index")
    for version in ("1.0", "2.0"):
        make_wheel(folder, "plums", version)
    found = {
        "PIP_FIND_LINKS": str(folder),
        "UV_FIND_LINKS": str(folder),
        "PIP_NO_INDEX": "1",
        "UV_NO_INDEX": "1",
    }
    before = {name: os.environ.get(name) for name in found}
    os.environ.update(found)
    connect().list()  # starts it
    yield client.CoreV1Api(config.new_client_from_config(str(data_dir / "kubeconfig")))
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture
def start(core, tmp_path):
    """Return a function that starts a run of some cells: source and settings."""

    def run(*cells):
        notebook = nbformat.v4.new_notebook()
        notebook.cells = [
            nbformat.v4.new_code_cell(source, metadata={"fairlead": settings}, id=f"c{number}")
            for number, (source, settings) in enumerate(cells)
        ]
        path = tmp_path / "work.ipynb"
        nbformat.write(notebook, path)
        return fairlead.submit(path)

    return run


def printed(run, step="work"):
    return json.loads("".join(run.wait().logs(step)))


def pod_of(core, run, step="work"):
    namespace = run.pipelines.namespace
    return core.read_namespaced_pod(run.pod_of(step), namespace)


LOOK = """
import json, os
found = {name: os.environ.get(name) for name in ("MODE", "TOKEN", "LEVEL")}
for path in ("/l-keys/token", "/l-conf/level"):
    found[path] = open(path).read()
open("/l-data/left", "a").write("x")
found["left"] = open("/l-data/left").read()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def objects(core):
    namespace = connect().namespace
    meta = {"name": "login"}
    core.create_namespaced_secret(namespace, {"metadata": meta, "stringData": {"token": "t"}})
    conf = {"metadata": {"name": "conf"}, "data": {"level": "9"}}
    core.create_namespaced_config_map(namespace, conf)
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    core.create_namespaced_persistent_volume_claim(
        namespace, {"metadata": {"name": "data"}, "spec": claim}
    )


def test_variables_secrets_config_maps_volumes_and_labels_are_there(core, objects, start):
    run = start(
        (
            LOOK,
            {
                "step": "work",
                "cache": False,
                "env": {"MODE": "fast"},
                "secrets": [
                    {"secret": "login", "env": {"TOKEN": "token"}},
                    {"secret": "login", "path": "/l-keys"},
                ],
                "configMaps": [{"configMap": "conf", "env": {"LEVEL": "level"}, "path": "/l-conf"}],
                "volumes": [{"claim": "data", "path": "/l-data"}],
                "labels": {"team": "vision"},
                "annotations": {"example.com/note": "any text"},
                "resources": {"cpu": "100m", "memory": "512Mi"},
                "timeout": "2m",
            },
        )
    )
    assert printed(run) == {
        "MODE": "fast",
        "TOKEN": "t",
        "LEVEL": "9",
        "/l-keys/token": "t",
        "/l-conf/level": "9",
        "left": "x",
    }
    pod = pod_of(core, run)
    assert pod.metadata.labels["team"] == "vision"
    assert pod.metadata.annotations["example.com/note"] == "any text"
    assert pod.spec.active_deadline_seconds == 120
    resources = pod.spec.containers[0].resources
    assert resources.requests == resources.limits == {"cpu": "100m", "memory": "512Mi"}


def test_gpus_that_are_not_here_are_waited_for_in_the_schedulers_words(core, start):
    run = start(("x = 1", {"step": "work", "resources": {"nvidia.com/gpu": "64"}}))
    try:
        for _ in range(100):
            pods = core.list_namespaced_pod(
                run.pipelines.namespace, label_selector=f"pipeline/runid={run.run_id}"
            ).items
            conditions = pods[0].status.conditions if pods else None
            if conditions and conditions[0].reason == "Unschedulable":
                break
            time.sleep(0.1)
        assert pods[0].status.phase == "Pending"
        assert "1 Insufficient nvidia.com/gpu." in conditions[0].message
    finally:
        run.stop()


def test_a_step_that_is_not_cached_runs_in_every_run(start):
    cells = [
        ("x = 1", {"step": "kept"}),
        ("y = 2", {"step": "fresh", "cache": False}),
    ]
    start(*cells).wait()
    nodes = start(*cells).wait().view()["graph"]["nodes"]
    assert {node["name"]: node["cached"] for node in nodes} == {"kept": True, "fresh": False}


def test_a_failing_step_is_tried_again_after_its_wait(start, tmp_path):
    log = tmp_path / "times"
    source = (
        f"import time\nwith open({str(log)!r}, 'a') as file:\n    file.write(f'{{time.time()}} ')\n"
        f"assert len(open({str(log)!r}).read().split()) > 2, 'not yet'"
    )
    retries = {"maxRetryCount": 3, "backoffDuration": "300ms", "backoffFactor": 3}
    start((source, {"step": "work", "retries": retries})).wait()
    first, second, third = map(float, log.read_text().split())
    assert second - first >= 0.3
    assert third - second >= 0.9


def test_a_step_that_takes_too_long_has_failed(start):
    run = start(("import time\ntime.sleep(60)", {"step": "work", "timeout": 1}))
    with pytest.raises(RunFailedError, match="longer than its timeout of 1 s"):
        run.wait()


def test_packages_are_those_that_are_asked_for(start):
    show = "import plums\nprint(repr(plums.VERSION).replace(chr(39), chr(34)))"
    cells = [
        (show, {"step": "work", "packages": ["plums==1.0"]}),
        (show, {"step": "other", "packages": ["plums"]}),
    ]
    run = start(*cells)
    assert printed(run) == "1.0"
    assert printed(run, "other") == "2.0"


def test_what_a_step_imports_is_asked_for_and_not_installed_where_it_is_there(core, start):
    run = start(("import yaml, numpy\nprint(1)", {"step": "work"}))
    assert printed(run) == 1
    wanted = pod_of(core, run).metadata.annotations["fairlead.dev/packages"].split()
    assert [line.partition("==")[0] for line in wanted] == ["numpy", "pyyaml"]
    events = core.list_namespaced_event(
        run.pipelines.namespace, field_selector=f"involvedObject.name={run.pod_of('work')}"
    )
    assert not [event.message for event in events.items if "Building" in event.message]


def test_an_image_has_the_python_that_the_map_gives_it(core, start, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "own"], check=True)
    site = next((tmp_path / "own").glob("lib/python*/site-packages"))
    (site / "only_there.py").write_text("VALUE = 7")
    python = str(tmp_path / "own" / "bin" / "python")
    entries = yaml.safe_dump([{"image": "mine:*", "python": python}])
    body = {"metadata": {"name": "fairlead-images"}, "data": {"images.yaml": entries}}
    core.create_namespaced_config_map("kube-system", body)
    try:
        source = "import only_there\nprint(only_there.VALUE)"
        run = start((source, {"step": "work", "image": "mine:1"}))
        assert printed(run) == 7
        assert pod_of(core, run).spec.containers[0].image == "mine:1"
        with pytest.raises(RunFailedError, match="only_there"):
            start((source, {"step": "work"})).wait()
    finally:
        core.delete_namespaced_config_map("fairlead-images", "kube-system")


def test_a_typo_is_refused_before_anything_runs(start):
    with pytest.raises(SpecError, match=r"Cell 1 .*`fairlead.resource`") as caught:
        start(("x = 1", {"step": "work", "resource": {"cpu": "1"}}))
    assert caught.value.hint == "Did you mean `resources`?"


def test_a_component_runs_alone_and_gives_its_outputs(core, tmp_path):
    notebook = nbformat.v4.new_notebook()
    source = "def area(width: int, height: int = 2) -> int:\n    return width * height"
    notebook.cells = [nbformat.v4.new_code_cell(source, metadata={"tags": ["component"]})]
    nbformat.write(notebook, tmp_path / "work.ipynb")
    path = tmp_path / "area.yaml"
    assert (
        cli(["compile", str(tmp_path / "work.ipynb"), "--component", "area", "-o", str(path)]) == 0
    )
    run = fairlead.submit(path, {"width": 21}).wait()
    (node,) = run.view()["graph"]["nodes"]
    assert {port["name"]: port["value"] for port in node["outputs"]} == {"Output": 42}
