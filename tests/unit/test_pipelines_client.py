"""The client of Kubeflow Pipelines against what answers as a cluster does."""

from __future__ import annotations

import getpass
import importlib.util
from pathlib import Path

import pytest
import urllib3
import yaml

from fairlead.client import Run
from fairlead.errors import CapabilityError, ClusterError, NotFoundError, SpecError
from fairlead.kube import KubeClient, form_login, proxy
from fairlead.pipelines.client import PipelinesClient

_found = importlib.util.spec_from_file_location(
    "kfp_server", Path(__file__).with_name("kfp_server.py")
)
kfp_server = importlib.util.module_from_spec(_found)
_found.loader.exec_module(kfp_server)

SPEC = {"pipelineInfo": {"name": "p"}, "root": {"dag": {"tasks": {}}}}


@pytest.fixture
def server():
    started = kfp_server.KfpServer()
    yield started
    started.close()


@pytest.fixture
def cluster(server, tmp_path, monkeypatch):
    """A kubeconfig with a context `team`, whose namespace is `mine`, at the stand-in."""
    monkeypatch.setenv("FAIRLEAD_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "users": [{"name": "u", "user": {"token": "token"}}],
        "contexts": [
            {"name": "team", "context": {"cluster": "c", "user": "u", "namespace": "mine"}}
        ],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    form_login._sessions.clear()
    return server


@pytest.fixture
def client(cluster):
    """Through the service proxy of the API server."""
    return PipelinesClient(KubeClient("team"))


@pytest.fixture
def direct(cluster, tmp_path):
    """At a URL of its own, with what else is set for it."""

    def open(**settings):
        entry = {"url": f"{cluster.url}/pipeline", **settings}
        file = tmp_path / "data" / "services.yaml"
        file.write_text(yaml.safe_dump({"team": {"kubeflow/ml-pipeline": entry}}))
        return PipelinesClient(KubeClient("team"))

    return open


def test_without_users_nothing_names_a_namespace(client, server):
    run = client.submit("run", SPEC, {"a": 1}, pipeline_root="s3://bucket/mine")
    assert run["runtime_config"] == {"parameters": {"a": 1}, "pipeline_root": "s3://bucket/mine"}
    assert "experiment_id" not in run
    assert [one["run_id"] for one in client.list()] == ["run-0"]
    assert not any("namespace" in path for path in server.paths())
    assert client.namespace == "kubeflow"


def test_with_users_runs_experiments_and_artifacts_are_those_of_the_contexts_namespace(
    client, server
):
    server.multi_user = True
    client.submit("run", SPEC, {})
    client.submit("run", SPEC, {})
    (made,) = server.experiments
    assert (made["display_name"], made["namespace"]) == ("Default", "mine")
    assert server.runs["run-0"]["experiment_id"] == server.runs["run-1"]["experiment_id"] == "e0"
    assert len(client.list()) == 2
    client.artifacts.page()
    client.page({"experiment_id": "e0"})
    assert client.experiment_id("other") == "e1"
    assert client.namespace == "mine"


def test_a_server_without_an_artifact_service_says_so_and_runs_still_tell_what_was_made(
    client, server
):
    server.artifacts = False
    with pytest.raises(CapabilityError, match="has no artifact service"):
        client.artifacts.page()
    lacks = client.lacks()
    assert "has no artifact service" in lacks["artifacts"]
    assert lacks["watch"] == "Workflows may not be watched here (no); runs are polled."
    run = client.submit("run", SPEC, {})
    # A cluster knows the step by its pod.
    for node in ("train", "t1", "pod-1"):
        assert client.artifact(run["run_id"], node, "model") == b"a model"
    with pytest.raises(NotFoundError):
        client.artifact(run["run_id"], "train", "none")
    server.artifacts = True
    assert "artifacts" not in client.lacks()


def test_a_log_comes_from_the_pod_or_from_what_kfp_has_kept(client, server):
    run = client.submit("run", SPEC, {})
    assert list(client.logs(run["run_id"], "pod-1")) == ["from the pod"]
    server.pod_logs = False
    assert list(client.logs(run["run_id"], "pod-1", follow=True)) == ["kept by KFP"]
    assert server.paths()[-1] == "/apis/v1alpha1/runs/run-0/nodes/pod-1/log?follow=true"
    server.fail = 404
    with pytest.raises(NotFoundError, match='pods "pod-1" not found') as caught:
        client.logs(run["run_id"], "pod-1")
    assert "kept no log of it either" in caught.value.hint
    assert caught.value.code == 404


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, ClusterError, "log in again"),
        (403, ClusterError, "Ask for the missing permission"),
        (404, NotFoundError, "it was refused"),
        (500, ClusterError, "it was refused"),
    ],
)
@pytest.mark.parametrize("way", ["proxy", "direct"])
def test_what_a_server_answers_instead_is_an_error_in_words(
    client, direct, server, status, kind, words, way
):
    asked = client if way == "proxy" else direct()
    server.fail = status
    with pytest.raises(kind) as caught:
        asked.submit("run", SPEC, {})
    assert words in str(caught.value)
    assert caught.value.code == status


def test_a_server_that_is_slow_is_said_to_be_so(direct, server, monkeypatch):
    monkeypatch.setattr(proxy, "_TIMEOUT", urllib3.Timeout(connect=5, read=0.2))
    server.slow_s = 0.6
    with pytest.raises(ClusterError, match=r"did not answer it within 0\.2 s"):
        direct().list()


def test_a_run_that_may_not_be_watched_is_polled_and_says_so(client, server):
    run = client.submit("run", SPEC, {})
    server.runs["run-0"]["state"] = "RUNNING"
    said = []
    watched = Run(client, run)
    for _ in watched.changes(notice=said.append):
        if said:
            server.runs["run-0"]["state"] = "SUCCEEDED"
    assert watched.state == "SUCCEEDED"
    assert "polling" in said[0]


@pytest.mark.parametrize(
    ("follow", "reads"),
    [(lambda run: run.wait(), 2), (lambda run: [*run.changes()], 4)],
    ids=["the end", "every change"],
)
def test_a_run_is_read_as_often_as_what_is_waited_for_may_have_come(client, server, follow, reads):
    run = Run(client, client.submit("run", SPEC, {}))
    server.runs["run-0"]["state"] = "RUNNING"
    server.phases = ["Running", "Running", "Running", "Succeeded"]
    follow(run)
    assert run.state == "SUCCEEDED"
    asked = [path for path in server.paths() if path == "/apis/v2beta1/runs/run-0"]
    assert len(asked) <= 2 if reads == 2 else len(asked) >= reads


def test_a_spec_that_no_cluster_keeps_is_refused_before_it_is_sent(client, server):
    large = {**SPEC, "components": {"c": "x" * (2 << 20)}}
    with pytest.raises(SpecError, match=r"2\.0 MiB; a cluster keeps a run as one object of at"):
        client.submit("run", large, {})
    assert not any(method == "POST" for method, _, _ in server.asked)


@pytest.mark.parametrize("approval", [False, True])
def test_the_login_page_is_filled_in_and_the_session_kept(
    direct, server, monkeypatch, approval, tmp_path
):
    server.login, server.approval = True, approval
    monkeypatch.setenv("DEX_PASSWORD", kfp_server.PASSWORD)
    login = {"username": "me@example.com", "password_env": "DEX_PASSWORD"}
    client = direct(login=login)
    assert client.list() == []
    # A second client of this process needs no other login, and no password.
    monkeypatch.delenv("DEX_PASSWORD")
    assert direct(login=login).list() == []
    kept = "".join(file.read_text() for file in (tmp_path / "data").iterdir() if file.is_file())
    assert kfp_server.PASSWORD not in kept
    assert "session=yes" not in kept


def test_a_password_is_asked_for_where_nothing_says_where_it_is(direct, server, monkeypatch):
    server.login = True
    asked = []
    monkeypatch.setattr(
        getpass, "getpass", lambda prompt: asked.append(prompt) or kfp_server.PASSWORD
    )
    client = direct(login={"username": "me@example.com"})
    assert client.list() == []
    assert client.submit("run", SPEC, {})["run_id"] == "run-0"
    assert asked == [f"Password of me@example.com at {server.url}/pipeline: "]


def test_a_wrong_password_a_missing_one_and_one_in_the_file_are_said(direct, server, monkeypatch):
    server.login = True
    login = {"username": "me@example.com", "password_env": "DEX_PASSWORD"}
    with pytest.raises(SpecError, match="DEX_PASSWORD, which holds the password"):
        direct(login=login).list()
    monkeypatch.setenv("DEX_PASSWORD", "wrong")
    with pytest.raises(ClusterError, match=r"refused me@example\.com") as caught:
        direct(login=login).list()
    assert "wrong" not in str(caught.value)
    with pytest.raises(SpecError, match="unknown fields: password") as refused:
        direct(login={"username": "me@example.com", "password": "clear"}).list()
    assert "clear" not in str(refused.value)


def test_whoever_is_sent_to_a_login_without_one_is_told_what_to_set(direct, server):
    server.login = True
    with pytest.raises(ClusterError, match="sent on to another address") as caught:
        direct().list()
    assert "`login`" in caught.value.hint
