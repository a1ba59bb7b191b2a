"""The Kubernetes layer against the embedded control plane, over the wire."""

from __future__ import annotations

import stat
import threading
import uuid

import pytest

from fairlead.errors import NotFoundError, SpecError
from fairlead.kube import KubeClient, ResourceType, load_context
from fairlead.kube.client import PODS
from fairlead.kube.contexts import plane_pid

CONFIG_MAPS = ResourceType("v1", "configmaps")


@pytest.fixture(scope="module")
def client(data_dir):
    return KubeClient()


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod(name, code):
    container = {"name": "main", "image": "python:3.11", "command": ["python3", "-c", code]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }


def unique(stem):
    return f"{stem}-{uuid.uuid4().hex[:6]}"


def test_the_first_request_starts_the_control_plane(client):
    names = [
        item["metadata"]["name"] for item in client.list(ResourceType("v1", "namespaces", False))
    ]
    assert {"default", "kubeflow"} <= set(names)
    assert plane_pid() is not None


def test_a_bad_manifest_is_refused_with_the_fields_path(client):
    bad = pod(unique("bad"), "")
    del bad["spec"]["containers"]
    with pytest.raises(SpecError, match=r"spec\.containers"):
        client.create(bad)


def test_logs_are_followed_to_the_end_of_the_pod(client):
    name = unique("talker")
    code = "import time\nfor n in range(3): print('line', n, flush=True); time.sleep(0.2)"
    client.create(pod(name, code))
    for event in client.watch(PODS, "default", timeout_s=20):
        status = event.object.get("status", {})
        if event.object["metadata"].get("name") == name and status.get("phase") != "Pending":
            break
    assert list(client.logs(name, "default", follow=True)) == ["line 0", "line 1", "line 2"]
    assert client.get(PODS, name, "default")["metadata"]["name"] == name


def test_a_killed_control_plane_is_started_again_with_its_objects(client, kill_plane):
    name = unique("kept")
    client.create(config_map(name, a="1"))
    before = plane_pid()
    kill_plane()
    assert client.get(CONFIG_MAPS, name, "default")["data"] == {"a": "1"}
    assert plane_pid() not in (None, before)


def test_many_clients_at_once_start_one_control_plane(client, kill_plane):
    kill_plane()
    answers = []

    def ask():
        answers.append(len(KubeClient().list(ResourceType("v1", "namespaces", False))))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4


def test_a_context_that_is_not_there_is_named(client, data_dir, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(data_dir / "kubeconfig"))
    with pytest.raises(NotFoundError, match=r"No context 'nowhere'.*it has: local"):
        load_context("nowhere")


def test_what_holds_secrets_is_private(client, data_dir):
    client.list(PODS)
    modes = {name: stat.S_IMODE((data_dir / name).stat().st_mode) for name in ("kubeconfig", ".")}
    assert modes == {"kubeconfig": 0o600, ".": 0o700}
