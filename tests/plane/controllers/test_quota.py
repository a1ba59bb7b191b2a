"""Workloads in a namespace whose quota is used up."""

from __future__ import annotations

from .conftest import WAITS, template


def test_what_the_quota_refuses_is_said_and_made_when_there_is_room(workloads) -> None:
    workloads.core.create_namespaced_resource_quota(
        workloads.namespace, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
    )
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template(labels={"app": "web"}),
    }
    workloads.apps.create_namespaced_deployment(
        workloads.namespace, {"metadata": {"name": "web"}, "spec": spec}
    )

    def refused():
        found = workloads.apps.read_namespaced_deployment("web", workloads.namespace)
        failed = [each for each in found.status.conditions or () if each.type == "ReplicaFailure"]
        return failed and failed[0]

    condition = workloads.wait_for(refused)
    assert (condition.status, condition.reason) == ("True", "FailedCreate")
    assert (
        "is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1"
        in (condition.message)
    )
    assert len(workloads.pods()) == 1
    pod = template(WAITS, restartPolicy="Never")
    workloads.batch.create_namespaced_job(
        workloads.namespace, {"metadata": {"name": "job"}, "spec": {"template": pod}}
    )
    workloads.wait_for(lambda: "FailedCreate" in workloads.reasons("job"))
    workloads.core.patch_namespaced_resource_quota(
        "few", workloads.namespace, {"spec": {"hard": {"pods": "3"}}}
    )
    workloads.wait_for(lambda: len(workloads.pods()) == 3)
    workloads.wait_for(lambda: not refused())
