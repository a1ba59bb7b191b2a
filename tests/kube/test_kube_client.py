"""The Kubernetes layer against the embedded control plane, over the wire."""

from __future__ import annotations

import stat
import threading
import uuid

import pytest
import yaml

from fairlead.errors import ClusterError, ConflictError, NotFoundError, SpecError
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


def test_an_object_is_created_read_applied_and_deleted(client):
    name = unique("settings")
    made = client.create(config_map(name, a="1"))
    assert made["metadata"]["uid"]
    assert client.get(CONFIG_MAPS, name, "default")["data"] == {"a": "1"}
    client.apply(config_map(name, b="2"))
    assert client.get(CONFIG_MAPS, name, "default")["data"] == {"a": "1", "b": "2"}
    client.delete(CONFIG_MAPS, name, "default")
    with pytest.raises(NotFoundError, match=name):
        client.get(CONFIG_MAPS, name, "default")


def test_a_taken_name_is_a_conflict_in_the_servers_words(client):
    name = unique("twice")
    client.create(config_map(name))
    with pytest.raises(ConflictError, match=f'configmaps "{name}" already exists'):
        client.create(config_map(name))


def test_a_bad_manifest_is_refused_with_the_fields_path(client):
    bad = pod(unique("bad"), "")
    del bad["spec"]["containers"]
    with pytest.raises(SpecError, match=r"spec\.containers"):
        client.create(bad)


def test_an_unknown_kind_is_not_found(client):
    with pytest.raises(NotFoundError):
        client.create({"apiVersion": "v1", "kind": "Nonsense", "metadata": {"name": "x"}})


def test_a_watch_tells_of_what_comes_after_a_version(client):
    _, version = client.list_with_version(CONFIG_MAPS, "default")
    name = unique("seen")
    client.create(config_map(name))
    client.delete(CONFIG_MAPS, name, "default")
    seen = []
    for event in client.watch(CONFIG_MAPS, "default", resource_version=version, timeout_s=20):
        if event.type != "BOOKMARK":
            seen.append((event.type, event.object["metadata"]["name"]))
        if len(seen) == 2:
            break
    assert seen == [("ADDED", name), ("DELETED", name)]


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


def test_a_wrong_token_is_refused_in_words(client, data_dir, monkeypatch):
    client.list(PODS)
    config = yaml.safe_load((data_dir / "kubeconfig").read_text())
    config["users"][0]["user"]["token"] = "wrong"
    other = data_dir / "other-kubeconfig"
    other.write_text(yaml.safe_dump(config | {"contexts": [config["contexts"][0] | {"name": "x"}]}))
    monkeypatch.setenv("KUBECONFIG", str(other))
    with pytest.raises(ClusterError, match="Unauthorized") as caught:
        KubeClient("x").list(PODS)
    assert "log in again" in caught.value.hint


def test_a_context_that_is_not_there_is_named(client, data_dir, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(data_dir / "kubeconfig"))
    with pytest.raises(NotFoundError, match=r"No context 'nowhere'.*it has: local"):
        load_context("nowhere")


def test_the_official_client_reads_what_the_layer_reads(client, data_dir, monkeypatch):
    """A user entry that the layer does not read itself goes through the official package."""
    client.list(PODS)
    config = yaml.safe_load((data_dir / "kubeconfig").read_text())
    token = config["users"][0]["user"].pop("token")
    script = data_dir / "login"
    script.write_text(
        "#!/bin/sh\n"
        'echo \'{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential",'
        f'"status":{{"token":"{token}"}}}}\'\n'
    )
    script.chmod(0o700)
    config["users"][0]["user"]["exec"] = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": str(script),
        "interactiveMode": "Never",
    }
    config["contexts"][0]["name"] = "by-plugin"
    other = data_dir / "plugin-kubeconfig"
    other.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(other))
    assert KubeClient("by-plugin").list(PODS) == client.list(PODS)


def test_what_holds_secrets_is_private(client, data_dir):
    client.list(PODS)
    modes = {name: stat.S_IMODE((data_dir / name).stat().st_mode) for name in ("kubeconfig", ".")}
    assert modes == {"kubeconfig": 0o600, ".": 0o700}
