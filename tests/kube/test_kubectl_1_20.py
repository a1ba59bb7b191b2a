"""The oldest kubectl that is supported. Streams need SPDY there, so only what goes without them."""

from __future__ import annotations

import json

import pytest

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  a: '1'\n"


@pytest.fixture
def run(old_kubectl, pod_namespace):
    return lambda *arguments, **options: old_kubectl("-n", pod_namespace, *arguments, **options)


def test_create_get_describe_delete(run):
    assert (
        run("create", "--validate=false", "-f", "-", stdin=CONFIG_MAP) == "configmap/one created\n"
    )
    lines = run("get", "cm", "one").splitlines()
    assert lines[0].split() == ["NAME", "DATA", "AGE"]
    assert lines[1].split()[:2] == ["one", "1"]
    assert "Name:         one" in run("describe", "cm", "one")
    assert run("delete", "cm", "one") == 'configmap "one" deleted\n'
    assert "not found" in run("get", "cm", "one", fails=True)


def test_create_validates_by_the_servers_schema(run):
    assert run("create", "-f", "-", stdin=CONFIG_MAP) == "configmap/one created\n"


def test_apply(run):
    apply = ("apply", "--validate=false", "-f", "-")
    assert run(*apply, stdin=CONFIG_MAP) == "configmap/one created\n"
    assert run(*apply, stdin=CONFIG_MAP) == "configmap/one unchanged\n"
    changed = CONFIG_MAP.replace("'1'", "'2'")
    assert run(*apply, stdin=changed) == "configmap/one configured\n"
    assert json.loads(run("get", "cm", "one", "-o", "json"))["data"] == {"a": "2"}


def test_pods_are_shown(server, run, pod_namespace):
    pods = server.at("pods", pod_namespace)
    spec = {"nodeSelector": {"no": "such"}, "containers": [{"name": "a", "image": "i"}]}
    pods.made({"metadata": {"name": "p"}, "spec": spec})
    lines = run("get", "pods").splitlines()
    assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert lines[1].split()[:3] == ["p", "0/1", "Pending"]
    assert "Node-Selectors:" in run("describe", "pod", "p")
    run("delete", "pod", "p", "--grace-period=0", "--force")


@pytest.mark.kubelet
def test_logs(server, run, pod_namespace):
    pods = server.at("pods", pod_namespace)
    container = {"name": "a", "image": "python:3.11", "command": ["python3", "-c", "print('hi')"]}
    spec = {"restartPolicy": "Never", "containers": [container]}
    pods.made({"metadata": {"name": "p"}, "spec": spec})
    pods.wait("p", lambda pod: pod["status"]["phase"] == "Succeeded")
    assert run("logs", "p") == "hi\n"


def test_all_kinds_are_listed(run):
    shown = run("api-resources", "-o", "name", "--no-headers").split()
    assert {"pods", "configmaps", "deployments.apps", "jobs.batch"} <= set(shown)
    assert "Server Version" in run("version")
