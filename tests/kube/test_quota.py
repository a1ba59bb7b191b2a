"""Quota and limits at admission."""

from __future__ import annotations

import pytest
from kube_server import eventually


def quota(**hard):
    return {"metadata": {"name": "q"}, "spec": {"hard": hard}}


@pytest.fixture
def enforced(server, pod_namespace):
    """Make a quota and wait until its use is known."""

    def make(body):
        things = server.at("resourcequotas", pod_namespace)
        things.made(body)
        things.wait(
            "q", lambda found: set(found["status"].get("hard", {})) >= set(body["spec"]["hard"])
        )
        return things

    return make


def pod(name, **resources):
    container = {"name": "main", "image": "i"}
    if resources:
        container["resources"] = resources
    return {
        "metadata": {"name": name},
        "spec": {"nodeSelector": {"no": "such"}, "containers": [container]},
    }


def test_use_is_counted(server, pod_namespace, enforced):
    quotas = enforced(quota(secrets="50"))
    before = int(quotas.get("q").ok()["status"]["used"]["secrets"])
    server.at("secrets", pod_namespace).made({"metadata": {"name": "s"}})
    quotas.wait("q", lambda found: found["status"]["used"]["secrets"] == str(before + 1))
    server.at("secrets", pod_namespace).delete("s").ok()
    quotas.wait("q", lambda found: found["status"]["used"]["secrets"] == str(before))


def test_more_objects_than_allowed_are_forbidden(server, pod_namespace, enforced):
    enforced(quota(services="1"))
    services = server.at("services", pod_namespace)
    services.made({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}]}})
    answer = services.create({"metadata": {"name": "b"}, "spec": {"ports": [{"port": 1}]}})
    assert answer.refusal == (
        403,
        "Forbidden",
        'services "b" is forbidden: exceeded quota: q, requested: services=1, used: services=1, '
        "limited: services=1",
    )
    assert answer.json["details"] == {"name": "b", "kind": "services"}


def test_any_kind_can_be_counted(server, pod_namespace, enforced):
    enforced(quota(**{"count/deployments.apps": "0"}))
    template = {
        "metadata": {"labels": {"app": "x"}},
        "spec": {"containers": [{"name": "a", "image": "i"}]},
    }
    selector = {"matchLabels": {"app": "x"}}
    body = {
        "metadata": {"name": "d"},
        "spec": {"replicas": 0, "selector": selector, "template": template},
    }
    answer = server.at("deployments", pod_namespace, "apps/v1").create(body)
    assert answer.status == 403
    assert answer.message == (
        'deployments.apps "d" is forbidden: exceeded quota: q, requested: '
        "count/deployments.apps=1, used: count/deployments.apps=0, "
        "limited: count/deployments.apps=0"
    )


def test_what_pods_ask_for_is_added_up(server, pod_namespace, enforced):
    enforced(quota(pods="5", **{"requests.cpu": "1", "limits.memory": "1Gi"}))
    pods = server.at("pods", pod_namespace)
    fits = {"requests": {"cpu": "700m"}, "limits": {"memory": "600Mi"}}
    pods.made(pod("a", **fits))
    answer = pods.create(pod("b", **fits))
    assert answer.status == 403
    assert answer.message == (
        'pods "b" is forbidden: exceeded quota: q, requested: limits.memory=600Mi,'
        "requests.cpu=700m, used: limits.memory=600Mi,requests.cpu=700m, "
        "limited: limits.memory=1Gi,requests.cpu=1"
    )


def test_under_a_quota_pods_have_to_ask(server, pod_namespace, enforced):
    enforced(quota(**{"requests.cpu": "1", "limits.cpu": "2"}))
    answer = server.at("pods", pod_namespace).create(pod("a"))
    assert answer.status == 403
    assert answer.message.startswith(
        'pods "a" is forbidden: failed quota: q: must specify limits.cpu'
    )
    assert "requests.cpu" in answer.message


def test_what_is_given_back_can_be_used_again(server, pod_namespace, enforced):
    enforced(quota(pods="1"))
    pods = server.at("pods", pod_namespace)
    pods.made(pod("a"))
    assert pods.create(pod("b")).status == 403
    pods.delete("a", {"gracePeriodSeconds": 0}).ok()
    eventually(lambda: pods.create(pod("b")).status == 201, "the quota is still used up")


def test_a_quota_of_devices_is_enforced(server, pod_namespace, enforced):
    enforced(quota(**{"requests.nvidia.com/gpu": "1"}))
    two = {"limits": {"nvidia.com/gpu": "2"}}
    answer = server.at("pods", pod_namespace).create(pod("a", **two))
    assert answer.status == 403
    assert "requested: requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=0" in answer.message


def test_a_dry_run_uses_nothing(server, pod_namespace, enforced):
    enforced(quota(pods="1"))
    pods = server.at("pods", pod_namespace)
    assert pods.create(pod("a"), dryRun="All").status == 201
    pods.made(pod("a"))


def test_claims_are_counted_with_their_storage(server, pod_namespace, enforced):
    enforced(quota(persistentvolumeclaims="2", **{"requests.storage": "3Gi"}))
    claims = server.at("persistentvolumeclaims", pod_namespace)

    def claim(name, size):
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
        return {"metadata": {"name": name}, "spec": spec}

    claims.made(claim("a", "2Gi"))
    answer = claims.create(claim("b", "2Gi"))
    assert answer.status == 403
    assert answer.message.endswith(
        "exceeded quota: q, requested: requests.storage=2Gi, used: requests.storage=2Gi, "
        "limited: requests.storage=3Gi"
    )


def test_limits_are_given_by_default(server, pod_namespace):
    limits = [
        {
            "type": "Container",
            "default": {"cpu": "2", "memory": "64Mi"},
            "defaultRequest": {"cpu": "10m"},
            "max": {"cpu": "4"},
        }
    ]
    server.at("limitranges", pod_namespace).made(
        {"metadata": {"name": "l"}, "spec": {"limits": limits}}
    )
    pods = server.at("pods", pod_namespace)
    answer = eventually(lambda: find_limited(pods), "the limits have no effect")
    assert answer["limits"] == {"cpu": "2", "memory": "64Mi"}
    assert answer["requests"] == {"cpu": "10m", "memory": "64Mi"}
    refused = pods.create(pod("big", limits={"cpu": "5"}))
    assert refused.status == 403
    assert refused.message == (
        'pods "big" is forbidden: maximum cpu usage per Container is 4, but limit is 5'
    )


def find_limited(pods):
    made = pods.create(pod("dry"), dryRun="All").ok()
    return made["spec"]["containers"][0].get("resources")


def test_a_limit_range_that_contradicts_itself_is_refused(server, namespace):
    limits = [{"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "2"}}]
    answer = server.at("limitranges", namespace).create(
        {"metadata": {"name": "l"}, "spec": {"limits": limits}}
    )
    assert answer.refusal[:2] == (422, "Invalid")
    assert "min value 2 is greater than max value 1" in answer.message


def test_a_quota_with_an_odd_amount_is_refused(server, namespace):
    things = server.at("resourcequotas", namespace)
    assert things.create(quota(pods="-1")).refusal[:2] == (422, "Invalid")
    assert things.create(quota(pods="many")).refusal[0] in (400, 422)
