"""What a server serves, from the two ways in which servers tell it."""

from __future__ import annotations

import json

import pytest

from fairlead.errors import ClusterError, FairleadError, NotFoundError
from fairlead.kube.discovery import discover


class Server:
    """Answers by path, in place of a transport."""

    class context:
        cluster = "test"

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def request(self, method, path, *, accept=""):
        self.asked.append((path, accept))
        answer = self.answers[path]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def failure(code, message, kind=ClusterError):
    error = kind(message)
    error.code = code
    return error


def aggregated(*groups):
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "items": groups,
    }


def group(name, *versions):
    return {"metadata": {"name": name} if name else {}, "versions": versions}


def version(name, *resources, freshness="Current"):
    return {"version": name, "resources": resources, "freshness": freshness}


def resource(plural, kind, scope="Namespaced", subresources=()):
    return {
        "resource": plural,
        "responseKind": {"kind": kind},
        "scope": scope,
        "verbs": ["get", "list"],
        "subresources": [{"subresource": name, "verbs": ["get"]} for name in subresources],
    }


NEW = {
    "/api": aggregated(group("", version("v1", resource("pods", "Pod", subresources=["log"])))),
    "/apis": aggregated(
        group(
            "kubeflow.org",
            version("v2beta1", resource("mpijobs", "MPIJob")),
            version("v1", resource("mpijobs", "MPIJob"), resource("tfjobs", "TFJob")),
        ),
        group("metrics.k8s.io", version("v1beta1", freshness="Stale")),
    ),
}


def legacy(*resources):
    return {"kind": "APIResourceList", "resources": list(resources)}


OLD = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": "kubeflow.org",
                "versions": [
                    {"groupVersion": "kubeflow.org/v1"},
                    {"groupVersion": "kubeflow.org/v2beta1"},
                ],
                "preferredVersion": {"groupVersion": "kubeflow.org/v2beta1"},
            },
            {"name": "metrics.k8s.io", "versions": [{"groupVersion": "metrics.k8s.io/v1beta1"}]},
        ],
    },
    "/api/v1": legacy(
        {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
        {"name": "pods/log", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
        {"name": "nodes", "kind": "Node", "namespaced": False, "verbs": ["get"]},
    ),
    "/apis/kubeflow.org/v1": legacy(
        {"name": "mpijobs", "kind": "MPIJob", "namespaced": True, "verbs": ["get"]},
        {"name": "tfjobs", "kind": "TFJob", "namespaced": True, "verbs": ["get"]},
    ),
    "/apis/kubeflow.org/v2beta1": legacy(
        {"name": "mpijobs", "kind": "MPIJob", "namespaced": True, "verbs": ["get"]},
    ),
    "/apis/metrics.k8s.io/v1beta1": failure(503, "the server is currently unable to handle it"),
}


@pytest.mark.parametrize("answers", [NEW, OLD], ids=["aggregated", "legacy"])
def test_both_ways_tell_kinds_in_their_preferred_version_and_what_is_below_them(answers):
    found = discover(Server(answers))
    assert found.find("kubeflow.org", "MPIJob").api_version == "kubeflow.org/v2beta1"
    assert found.find("kubeflow.org", "TFJob").api_version == "kubeflow.org/v1"
    pod = found.find("", "Pod")
    assert (pod.path("a", "b"), pod.subresources) == (
        "/api/v1/namespaces/a/pods/b",
        frozenset({"log"}),
    )
    assert "get" in pod.verbs
    assert found.find("kubeflow.org", "Pod") is None


@pytest.mark.parametrize("answers", [NEW, OLD], ids=["aggregated", "legacy"])
def test_an_api_whose_server_is_down_hides_nothing_else_and_is_told(answers):
    found = discover(Server(answers))
    assert list(found.failures) == ["metrics.k8s.io/v1beta1"]
    assert "does not answer" in found.missing("metrics.k8s.io", "PodMetrics")


def test_a_new_server_is_asked_twice_and_an_old_one_once_per_version():
    new, old = Server(NEW), Server(OLD)
    discover(new)
    discover(old)
    assert [path for path, _ in new.asked] == ["/api", "/apis"]
    assert "as=APIGroupDiscoveryList" in new.asked[0][1]
    assert len(old.asked) == 6


def test_what_is_missing_is_told_with_who_would_bring_it():
    found = discover(Server(NEW))
    assert found.missing("kubeflow.org", "TFJob") == ""
    assert found.missing("kubeflow.org", "PyTorchJob") == (
        "This cluster has no PyTorchJob (kubeflow.org/v1): the Training Operator is not installed."
    )
    assert found.missing("nowhere.example", "Thing") == (
        "This cluster has no Thing (nowhere.example)."
    )


@pytest.mark.parametrize("answer", [b"<html>a login page</html>", b"[]"])
def test_what_is_no_api_server_is_told_as_such(answer):
    with pytest.raises(ClusterError, match="'test' is no Kubernetes API server"):
        discover(Server({"/api": answer, "/apis": answer}))


def test_a_server_without_api_is_told_as_such():
    gone = failure(404, "404 page not found", NotFoundError)
    with pytest.raises(ClusterError, match="it has no /api"):
        discover(Server({"/api": gone, "/apis": gone}))


def test_a_login_that_is_refused_on_the_way_is_not_taken_for_a_missing_api():
    answers = OLD | {"/apis/kubeflow.org/v1": failure(401, "Unauthorized")}
    with pytest.raises(FairleadError, match="Unauthorized"):
        discover(Server(answers))
