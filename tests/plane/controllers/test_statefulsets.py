"""StatefulSets."""

from __future__ import annotations

import itertools

from .conftest import needs_kubectl, over, template


def stateful_set(name="db", replicas=2, mark="1", **spec):
    env = {"env": [{"name": "MARK", "value": mark}]}
    return {
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": template(
                labels={"app": name}, container={**env, **spec.pop("container", {})}
            ),
            **spec,
        },
    }


def create(workloads, manifest):
    return workloads.apps.create_namespaced_stateful_set(workloads.namespace, manifest)


def patch(workloads, body, name="db"):
    workloads.apps.patch_namespaced_stateful_set(name, workloads.namespace, body)


def change(workloads, mark, **spec):
    containers = [{"name": "main", "env": [{"name": "MARK", "value": mark}]}]
    patch(workloads, {"spec": {"template": {"spec": {"containers": containers}}, **spec}})


def settled(workloads, name="db"):
    def done():
        found = workloads.apps.read_namespaced_stateful_set(name, workloads.namespace)
        status = found.status
        return (
            status.observed_generation == found.metadata.generation
            and (status.replicas, status.available_replicas) == (found.spec.replicas,) * 2
            and status.current_revision == status.update_revision
            and (status.updated_replicas or 0) == found.spec.replicas
            and found
        )

    return workloads.wait_for(done, f"{name} is not settled")


def marks(workloads):
    return {
        pod.metadata.name: pod.spec.containers[0].env[0].value
        for pod in workloads.pods("app=db")
        if pod.metadata.deletion_timestamp is None
    }


def test_pods_have_numbers_and_start_one_after_the_other(workloads) -> None:
    create(workloads, stateful_set(replicas=3))
    settled(workloads)
    pods = sorted(workloads.pods("app=db"), key=lambda pod: pod.metadata.name)
    assert [pod.metadata.name for pod in pods] == ["db-0", "db-1", "db-2"]
    assert [pod.metadata.labels["apps.kubernetes.io/pod-index"] for pod in pods] == list("012")
    assert {pod.spec.hostname for pod in pods} == {"db-0", "db-1", "db-2"}
    assert {pod.spec.subdomain for pod in pods} == {"db"}

    def ready(pod):
        found = next(each for each in pod.status.conditions if each.type == "Ready")
        return found.last_transition_time

    for before, after in itertools.pairwise(pods):
        assert ready(before) <= after.metadata.creation_timestamp


def test_a_pod_that_is_deleted_comes_back_under_its_name(workloads) -> None:
    create(workloads, stateful_set())
    settled(workloads)
    gone = workloads.core.read_namespaced_pod("db-0", workloads.namespace)
    workloads.core.delete_namespaced_pod("db-0", workloads.namespace)

    def back():
        pods = {pod.metadata.name: pod for pod in workloads.pods("app=db")}
        return "db-0" in pods and pods["db-0"].metadata.uid != gone.metadata.uid

    workloads.wait_for(back)
    settled(workloads)


def test_each_pod_keeps_its_own_volume(workloads) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    mounts = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    create(workloads, stateful_set(volumeClaimTemplates=[claim], container=mounts))
    settled(workloads)

    def claims():
        found = workloads.core.list_namespaced_persistent_volume_claim(workloads.namespace)
        return {each.metadata.name: each.metadata.uid for each in found.items}

    before = claims()
    assert set(before) == {"data-db-0", "data-db-1"}
    patch(workloads, {"spec": {"replicas": 0}})
    workloads.wait_for(lambda: not workloads.pods("app=db"))
    patch(workloads, {"spec": {"replicas": 2}})
    settled(workloads)
    assert claims() == before


def test_a_new_template_goes_from_the_highest_number_down(workloads) -> None:
    create(workloads, stateful_set(replicas=3))
    settled(workloads)
    change(workloads, "2")
    seen = []

    def done():
        now = marks(workloads)
        new = sorted(name for name, mark in now.items() if mark == "2")
        if not seen or seen[-1] != new:
            seen.append(new)
        return len(new) == 3

    workloads.wait_for(done)
    whole = [[], ["db-2"], ["db-1", "db-2"], ["db-0", "db-1", "db-2"]]
    assert [each for each in whole if each in seen] == seen
    settled(workloads)


def test_a_partition_keeps_the_lower_numbers_as_they_are(workloads) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    create(workloads, stateful_set(updateStrategy=strategy))
    workloads.wait_for(lambda: len(marks(workloads)) == 2)
    workloads.wait_for(
        lambda: (
            workloads.apps.read_namespaced_stateful_set(
                "db", workloads.namespace
            ).status.available_replicas
            == 2
        )
    )
    change(workloads, "2")
    workloads.wait_for(lambda: marks(workloads) == {"db-0": "1", "db-1": "2"})
    workloads.core.delete_namespaced_pod("db-0", workloads.namespace)
    workloads.wait_for(lambda: "db-0" not in marks(workloads))
    workloads.wait_for(lambda: marks(workloads) == {"db-0": "1", "db-1": "2"})


def test_parallel_pods_do_not_wait_for_each_other(workloads) -> None:
    never = {"resources": {"requests": {"cpu": "10000"}}}
    create(workloads, stateful_set(podManagementPolicy="Parallel", container=never))
    workloads.wait_for(lambda: set(marks(workloads)) == {"db-0", "db-1"})


@needs_kubectl
def test_kubectl_scales_restarts_and_undoes(workloads) -> None:
    create(workloads, stateful_set(replicas=1))
    settled(workloads)
    workloads.kubectl("scale", "statefulset/db", "--replicas=2")
    workloads.kubectl("rollout", "status", "statefulset/db")
    change(workloads, "2")
    workloads.kubectl("rollout", "status", "statefulset/db")
    assert set(marks(workloads).values()) == {"2"}
    history = workloads.kubectl("rollout", "history", "statefulset/db").split("\n")
    assert [line.split()[0] for line in history[2:] if line] == ["1", "2"]
    workloads.kubectl("rollout", "undo", "statefulset/db")
    workloads.kubectl("rollout", "status", "statefulset/db")
    workloads.wait_for(lambda: marks(workloads) == {"db-0": "1", "db-1": "1"})
    settled(workloads)
    workloads.kubectl("rollout", "restart", "statefulset/db")
    workloads.kubectl("rollout", "status", "statefulset/db")
    workloads.kubectl("delete", "statefulset", "db")
    workloads.wait_for(lambda: not workloads.pods("app=db"))


def test_a_plane_that_is_killed_amid_a_change_finishes_it(own_plane, own_workloads) -> None:
    workloads = own_workloads
    create(workloads, stateful_set(replicas=3))
    while len(marks(workloads)) < 2:
        pass
    for mark in ("1", "2"):
        change(workloads, mark)
        own_plane.kill()
        own_plane.start()
        workloads = over(own_plane, "default")
    settled(workloads)
    assert marks(workloads) == {"db-0": "2", "db-1": "2", "db-2": "2"}
