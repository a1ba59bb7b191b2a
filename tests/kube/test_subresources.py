"""Subresources: status, scale, bindings, evictions, tokens."""

from __future__ import annotations

import pytest
from kube_server import APPLY_PATCH, STRATEGIC_PATCH


def deployment(name="d", **spec):
    template = {
        "metadata": {"labels": {"app": "x"}},
        "spec": {"containers": [{"name": "main", "image": "i"}]},
    }
    selector = {"matchLabels": {"app": "x"}}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": selector, "template": template, **spec},
    }


@pytest.fixture
def deployments(server, namespace):
    return server.at("deployments", namespace, "apps/v1")


def pod(name="p"):
    spec = {"nodeSelector": {"no": "such"}, "containers": [{"name": "main", "image": "i"}]}
    return {"metadata": {"name": name}, "spec": spec}


@pytest.fixture
def pods(server, pod_namespace):
    things = server.at("pods", pod_namespace)
    yield things
    things.delete_all({"gracePeriodSeconds": 0})


def test_a_new_object_has_no_status_of_its_makers(pods):
    made = pods.made({**pod(), "status": {"phase": "Succeeded", "message": "m"}})
    assert made["status"]["phase"] == "Pending"
    assert "message" not in made["status"]


def test_status_is_written_at_its_own_path_alone(pods):
    pods.made(pod())
    told = pods.patch("p/status", {"status": {"message": "m"}}).ok()
    assert told["status"]["message"] == "m"
    kept = pods.patch("p", {"status": {"message": "n"}, "metadata": {"labels": {"a": "b"}}}).ok()
    assert (kept["status"]["message"], kept["metadata"]["labels"]) == ("m", {"a": "b"})


def test_at_that_path_nothing_else_is_written(deployments):
    made = deployments.made(deployment())
    body = {**made, "spec": {**made["spec"], "replicas": 5}, "status": {"observedGeneration": 1}}
    body["metadata"] = {"name": "d"}
    told = deployments.replace("d/status", body).ok()
    assert told["spec"]["replicas"] == 0
    assert told["metadata"]["generation"] == 1
    assert deployments.get("d/status").ok()["kind"] == "Deployment"


def test_conditions_of_a_status_merge_by_type(pods):
    pods.made(pod())
    first = {"status": {"conditions": [{"type": "example.com/A", "status": "True"}]}}
    second = {"status": {"conditions": [{"type": "example.com/B", "status": "False"}]}}
    pods.patch("p/status", first, STRATEGIC_PATCH).ok()
    found = pods.patch("p/status", second, STRATEGIC_PATCH).ok()["status"]["conditions"]
    assert {"example.com/A", "example.com/B"} <= {each["type"] for each in found}


def test_a_kind_without_status_has_no_such_path(server, namespace):
    things = server.at("configmaps", namespace)
    things.made({"metadata": {"name": "one"}})
    assert things.get("one/status").status == 404


def test_scale_is_read_and_written_in_one_form(deployments, namespace):
    made = deployments.made(deployment(paused=True))
    scale = deployments.get("d/scale").ok()
    assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
    assert (scale["metadata"]["name"], scale["metadata"]["namespace"]) == ("d", namespace)
    assert scale["metadata"]["uid"] == made["metadata"]["uid"]
    assert scale["spec"] in ({}, {"replicas": 0})
    assert scale["status"] == {"replicas": 0, "selector": "app=x"}
    scale["spec"]["replicas"] = 2
    del scale["metadata"]["resourceVersion"]  # the controller writes here too
    assert deployments.replace("d/scale", scale).ok()["spec"]["replicas"] == 2
    assert deployments.patch("d/scale", {"spec": {"replicas": 1}}).ok()["spec"]["replicas"] == 1
    found = deployments.get("d").ok()
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (1, 3)


def test_a_stale_scale_is_a_conflict(deployments):
    deployments.made(deployment())
    scale = deployments.get("d/scale").ok()
    deployments.patch("d", {"metadata": {"labels": {"a": "b"}}}).ok()
    scale["spec"]["replicas"] = 2
    answer = deployments.replace("d/scale", scale)
    assert answer.refusal[:2] == (409, "Conflict")


def test_a_negative_scale_is_refused(deployments):
    deployments.made(deployment())
    answer = deployments.patch("d/scale", {"spec": {"replicas": -1}})
    assert answer.refusal[:2] == (422, "Invalid")
    assert "spec.replicas: Invalid value: -1: must be greater than or equal to 0" in answer.message


@pytest.mark.parametrize("plural", ["replicasets", "statefulsets"])
def test_other_kinds_scale_alike(server, namespace, plural):
    things = server.at(plural, namespace, "apps/v1")
    body = deployment()
    if plural == "statefulsets":
        body["spec"]["serviceName"] = "x"
    things.made(body)
    things.patch("d/scale", {"spec": {"replicas": 0}}).ok()
    assert things.get("d/scale").ok()["kind"] == "Scale"


def test_scale_of_what_is_missing_is_404(deployments):
    answer = deployments.get("none/scale")
    assert answer.refusal == (404, "NotFound", 'deployments/scale.apps "none" not found')


def test_the_selector_of_a_deployment_cannot_change(deployments):
    deployments.made(deployment())
    patch = {
        "spec": {
            "selector": {"matchLabels": {"app": "y"}},
            "template": {"metadata": {"labels": {"app": "y"}}},
        }
    }
    answer = deployments.patch("d", patch)
    assert answer.refusal[:2] == (422, "Invalid")
    assert answer.message.endswith("field is immutable")


def test_a_selector_has_to_match_the_template(deployments):
    body = deployment(selector={"matchLabels": {"app": "y"}})
    answer = deployments.create(body)
    assert answer.refusal[:2] == (422, "Invalid")
    assert "`selector` does not match template `labels`" in answer.message


def test_the_spec_of_a_pod_cannot_change(pods):
    pods.made(pod())
    answer = pods.patch("p", {"spec": {"restartPolicy": "Never"}})
    assert answer.refusal[:2] == (422, "Invalid")
    assert (
        "spec: Forbidden: pod updates may not change fields other than `spec.con" in answer.message
    )


def test_the_image_of_a_pod_can_change(pods):
    pods.made(pod())
    patch = {"spec": {"containers": [{"name": "main", "image": "new"}]}}
    changed = pods.patch("p", patch, STRATEGIC_PATCH).ok()
    assert changed["spec"]["containers"][0]["image"] == "new"


def test_a_pod_is_bound_once(server, pods, unique):
    nodes = server.at("nodes")
    node = unique("node")
    nodes.made({"metadata": {"name": node}, "spec": {"unschedulable": True}})
    try:
        pods.made({**pod(), "spec": {**pod()["spec"], "schedulerName": "nobody"}})
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": "p"},
            "target": target,
        }
        path = f"{pods.path}/p/binding"
        assert server.request("POST", path, binding).status == 201
        assert pods.get("p").ok()["spec"]["nodeName"] == node
        again = server.request("POST", path, binding)
        assert again.refusal[:2] == (409, "Conflict")
        assert again.message.endswith(f'pod p is already assigned to node "{node}"')
    finally:
        nodes.delete(node)


def test_a_pod_is_evicted(server, pods):
    pods.made(pod())
    eviction = {
        "apiVersion": "policy/v1beta1" if server.minor < 22 else "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "p"},
    }
    answer = server.request("POST", f"{pods.path}/p/eviction", eviction)
    assert (answer.status, answer.json["status"]) == (201, "Success")
    pods.wait_gone("p")


def test_a_token_is_made_for_a_service_account(server, pod_namespace):
    path = f"/api/v1/namespaces/{pod_namespace}/serviceaccounts/default/token"
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [], "expirationSeconds": 3600},
    }
    made = server.request("POST", path, body).ok()
    assert made["status"]["token"].count(".") == 2
    headers = {"authorization": f"Bearer {made['status']['token']}"}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
    review["spec"] = {"namespace": pod_namespace}
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    assert server.request("POST", path, review, headers=headers).status == 201


def test_status_of_a_namespace_is_told(server, namespace):
    assert server.at("namespaces").get(f"{namespace}/status").ok()["status"]["phase"] == "Active"


def test_status_can_be_applied(pods):
    pods.made(pod())
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "status": {"message": "m"},
    }
    told = pods.patch("p/status", body, APPLY_PATCH, fieldManager="me").ok()
    assert told["status"]["message"] == "m"
