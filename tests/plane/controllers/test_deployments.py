"""Deployments and ReplicaSets."""

from __future__ import annotations

import json

import pytest
from kubernetes import watch
from kubernetes.client import ApiException

from .conftest import needs_kubectl, over, template


def deployment(name="web", replicas=2, mark="1", **spec):
    env = {"env": [{"name": "MARK", "value": mark}]}
    source = spec.pop("source", None)
    pod = template(*([source] if source else []), labels={"app": name}, container=env)
    return {
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": pod,
            **spec,
        },
    }


def rolled_out(workloads, name="web"):
    def done():
        found = workloads.apps.read_namespaced_deployment(name, workloads.namespace)
        wanted, status = found.spec.replicas, found.status
        current = status.observed_generation == found.metadata.generation
        counts = (status.replicas, status.updated_replicas, status.available_replicas)
        return current and counts == (wanted or None,) * 3 and found

    return workloads.wait_for(done, f"{name} is not rolled out")


def marks(workloads, name="web"):
    return {
        pod.spec.containers[0].env[0].value
        for pod in workloads.pods(f"app={name}")
        if pod.metadata.deletion_timestamp is None
    }


def change(workloads, mark, name="web", **spec):
    env = [{"name": "MARK", "value": mark}]
    containers = [{"name": "main", "env": env}]
    body = {"spec": {"template": {"spec": {"containers": containers}}, **spec}}
    workloads.apps.patch_namespaced_deployment(name, workloads.namespace, body)


def conditions(found):
    return {each.type: (each.status, each.reason) for each in found.status.conditions}


def test_a_deployment_runs_its_pods_and_says_so(workloads) -> None:
    workloads.apps.create_namespaced_deployment(workloads.namespace, deployment())
    found = rolled_out(workloads)
    assert conditions(found) == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    assert found.metadata.annotations["deployment.kubernetes.io/revision"] == "1"
    [replica_set] = workloads.apps.list_namespaced_replica_set(workloads.namespace).items
    assert replica_set.metadata.owner_references[0].name == "web"
    for pod in workloads.pods("app=web"):
        assert pod.metadata.owner_references[0].name == replica_set.metadata.name
        assert pod.metadata.name.startswith(f"{replica_set.metadata.name}-")
    assert workloads.reasons("web") == ["ScalingReplicaSet"]
    assert workloads.reasons(replica_set.metadata.name) == ["SuccessfulCreate"] * 2


def test_a_pod_that_is_deleted_comes_back(workloads) -> None:
    workloads.apps.create_namespaced_deployment(workloads.namespace, deployment())
    rolled_out(workloads)
    gone = workloads.pods("app=web")[0].metadata
    workloads.core.delete_namespaced_pod(gone.name, workloads.namespace)

    def back():
        names = {pod.metadata.name for pod in workloads.pods("app=web")}
        return len(names) == 2 and gone.name not in names

    # Not by the Deployment's status alone: it may still be that of before.
    workloads.wait_for(back)
    rolled_out(workloads)


def test_a_new_template_replaces_the_pods_step_by_step(workloads) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    manifest = deployment(replicas=3, strategy=rolling)
    workloads.apps.create_namespaced_deployment(workloads.namespace, manifest)
    rolled_out(workloads)
    before = workloads.apps.list_namespaced_deployment(workloads.namespace)
    change(workloads, "2")
    least, most = 3, 3
    # Every step is an event: looking now and then could miss the fourth pod.
    for event in watch.Watch().stream(
        workloads.apps.list_namespaced_deployment,
        workloads.namespace,
        resource_version=before.metadata.resource_version,
        timeout_seconds=60,
    ):
        status, metadata = event["object"].status, event["object"].metadata
        least = min(least, status.available_replicas or 0)
        most = max(most, status.replicas or 0)
        counts = (status.replicas, status.updated_replicas, status.available_replicas)
        if status.observed_generation == metadata.generation and counts == (3, 3, 3):
            break
    assert (least, most) == (3, 4)
    assert marks(workloads) == {"2"}
    assert rolled_out(workloads).metadata.annotations["deployment.kubernetes.io/revision"] == "2"


def test_recreate_ends_all_old_pods_before_the_first_new_one(workloads) -> None:
    manifest = deployment(strategy={"type": "Recreate"})
    workloads.apps.create_namespaced_deployment(workloads.namespace, manifest)
    rolled_out(workloads)
    change(workloads, "2")
    seen = set()

    def done():
        now = frozenset(pod.spec.containers[0].env[0].value for pod in workloads.pods("app=web"))
        seen.add(now)
        return now == {"2"}

    workloads.wait_for(done)
    assert frozenset({"1", "2"}) not in seen
    rolled_out(workloads)


@needs_kubectl
def test_kubectl_scales_pauses_restarts_and_undoes_a_rollout(workloads) -> None:
    workloads.apps.create_namespaced_deployment(workloads.namespace, deployment(replicas=1))
    printed = workloads.kubectl("rollout", "status", "deployment/web")
    assert 'deployment "web" successfully rolled out' in printed
    workloads.kubectl("scale", "deployment/web", "--replicas=2")
    workloads.kubectl("rollout", "status", "deployment/web")
    assert len(workloads.pods("app=web")) == 2
    change(workloads, "2")
    workloads.kubectl("rollout", "status", "deployment/web")
    history = workloads.kubectl("rollout", "history", "deployment/web").split("\n")
    assert [line.split()[0] for line in history[2:] if line] == ["1", "2"]
    workloads.kubectl("rollout", "undo", "deployment/web")
    workloads.kubectl("rollout", "status", "deployment/web")
    workloads.wait_for(lambda: marks(workloads) == {"1"})
    assert rolled_out(workloads).metadata.annotations["deployment.kubernetes.io/revision"] == "3"
    workloads.kubectl("rollout", "pause", "deployment/web")
    change(workloads, "4")
    workloads.wait_for(
        lambda: (
            (found := workloads.apps.read_namespaced_deployment("web", workloads.namespace))
            and conditions(found)["Progressing"] == ("Unknown", "DeploymentPaused")
            and not found.status.updated_replicas
        )
    )
    assert marks(workloads) == {"1"}
    workloads.kubectl("rollout", "resume", "deployment/web")
    workloads.kubectl("rollout", "status", "deployment/web")
    workloads.wait_for(lambda: marks(workloads) == {"4"})
    before = {pod.metadata.name for pod in workloads.pods("app=web")}
    workloads.kubectl("rollout", "restart", "deployment/web")
    workloads.kubectl("rollout", "status", "deployment/web")
    workloads.wait_for(
        lambda: before.isdisjoint(pod.metadata.name for pod in workloads.pods("app=web"))
    )


def test_a_rollout_that_does_not_progress_says_so(workloads) -> None:
    manifest = deployment(replicas=1, progressDeadlineSeconds=1)
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "10000"}}
    workloads.apps.create_namespaced_deployment(workloads.namespace, manifest)

    def late():
        found = workloads.apps.read_namespaced_deployment("web", workloads.namespace)
        known = conditions(found) if found.status.conditions else {}
        return known.get("Progressing") == ("False", "ProgressDeadlineExceeded")

    workloads.wait_for(late)


def test_old_replica_sets_are_kept_as_far_as_asked(workloads) -> None:
    manifest = deployment(replicas=1, revisionHistoryLimit=1)
    workloads.apps.create_namespaced_deployment(workloads.namespace, manifest)
    for mark in ("2", "3", "4"):
        rolled_out(workloads)
        change(workloads, mark)
    rolled_out(workloads)

    def two():
        sets = workloads.apps.list_namespaced_replica_set(workloads.namespace).items
        return len(sets) == 2

    workloads.wait_for(two)


def test_a_deleted_deployment_takes_its_pods_along(workloads) -> None:
    workloads.apps.create_namespaced_deployment(workloads.namespace, deployment())
    rolled_out(workloads)
    workloads.apps.delete_namespaced_deployment("web", workloads.namespace)
    workloads.wait_for(lambda: not workloads.pods("app=web"))
    assert workloads.apps.list_namespaced_replica_set(workloads.namespace).items == []


def test_a_replica_set_takes_in_pods_that_match_and_have_nobody(workloads) -> None:
    pod = template(labels={"app": "alone"})
    pod["metadata"]["name"] = "orphan"
    workloads.core.create_namespaced_pod(workloads.namespace, pod)
    manifest = {
        "metadata": {"name": "set"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "alone"}},
            "template": template(labels={"app": "alone"}),
        },
    }
    workloads.apps.create_namespaced_replica_set(workloads.namespace, manifest)

    def ready():
        found = workloads.apps.read_namespaced_replica_set("set", workloads.namespace)
        return found.status.ready_replicas == 2

    workloads.wait_for(ready)
    pods = workloads.pods("app=alone")
    assert len(pods) == 2
    assert "orphan" in [pod.metadata.name for pod in pods]
    assert {pod.metadata.owner_references[0].name for pod in pods} == {"set"}


def test_a_selector_that_its_template_does_not_match_is_refused(workloads) -> None:
    manifest = deployment()
    manifest["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    with pytest.raises(ApiException) as refused:
        workloads.apps.create_namespaced_deployment(workloads.namespace, manifest)
    assert json.loads(refused.value.body)["message"] == (
        'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: '
        'map[string]string{"app":"web"}: `selector` does not match template `labels`'
    )


def test_a_plane_that_is_killed_amid_a_rollout_finishes_it(own_plane, own_workloads) -> None:
    workloads = own_workloads
    workloads.apps.create_namespaced_deployment("default", deployment(replicas=3))
    rolled_out(workloads)
    for mark in ("2", "3", "4"):
        change(workloads, mark)
        while mark not in marks(workloads):
            pass
        own_plane.kill()
        own_plane.start()
        workloads = over(own_plane, "default")
    rolled_out(workloads)
    assert marks(workloads) == {"4"}
    workloads.wait_for(lambda: len(workloads.pods("app=web")) == 3)
