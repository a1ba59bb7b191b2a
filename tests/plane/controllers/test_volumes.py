"""Claims and volumes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import template


def claim(name="data", size="1Gi", modes=("ReadWriteOnce",), **spec):
    return {
        "metadata": {"name": name},
        "spec": {
            "accessModes": list(modes),
            "resources": {"requests": {"storage": size}},
            **spec,
        },
    }


def create(workloads, manifest):
    workloads.core.create_namespaced_persistent_volume_claim(workloads.namespace, manifest)


def read(workloads, name="data"):
    return workloads.core.read_namespaced_persistent_volume_claim(name, workloads.namespace)


def bound(workloads, name="data"):
    return workloads.wait_for(
        lambda: (found := read(workloads, name)).status.phase == "Bound" and found
    )


def volumes(workloads):
    return [each.metadata.name for each in workloads.core.list_persistent_volume().items]


def folder(workloads, volume) -> Path:
    return Path(workloads.core.read_persistent_volume(volume).spec.host_path.path)


def mounts(name="data"):
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": name}}
    return {"volumes": [volume], "container": {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}}


def run(workloads, name, source, **spec):
    pod = template(source, restartPolicy="Never", terminationGracePeriodSeconds=0, **spec)
    pod["metadata"] = {"name": name}
    workloads.core.create_namespaced_pod(workloads.namespace, pod)

    def ended():
        found = workloads.core.read_namespaced_pod(name, workloads.namespace)
        return found.status.phase in ("Succeeded", "Failed") and found

    return ended


def test_a_claim_gets_a_folder_of_its_own(workloads) -> None:
    create(workloads, claim())
    found = bound(workloads)
    assert found.spec.storage_class_name == "standard"
    assert found.status.capacity == {"storage": "1Gi"}
    assert found.metadata.finalizers == ["kubernetes.io/pvc-protection"]
    volume = workloads.core.read_persistent_volume(found.spec.volume_name)
    assert volume.metadata.name == f"pvc-{found.metadata.uid}"
    assert volume.spec.claim_ref.name == "data"
    assert volume.spec.persistent_volume_reclaim_policy == "Delete"
    assert workloads.wait_for(
        lambda: workloads.core.read_persistent_volume(volume.metadata.name).status.phase == "Bound"
    )
    assert volume.spec.host_path.path.startswith(str(workloads.plane.data_dir / "volumes"))


def test_pods_share_what_they_write_and_it_goes_with_the_claim(workloads) -> None:
    create(workloads, claim())
    write = "open('/v/file', 'w').write('kept')"
    ended = run(workloads, "writer", write, **mounts())
    assert workloads.wait_for(ended).status.phase == "Succeeded"
    ended = run(workloads, "reader", "assert open('/v/file').read() == 'kept'", **mounts())
    assert workloads.wait_for(ended).status.phase == "Succeeded"
    volume = read(workloads).spec.volume_name
    path = folder(workloads, volume)
    assert (path / "file").read_text() == "kept"
    workloads.core.delete_namespaced_persistent_volume_claim("data", workloads.namespace)

    def gone():
        return volume not in volumes(workloads) and not path.exists()

    workloads.wait_for(gone)
    trash = path.parent / ".removed"
    workloads.wait_for(lambda: not trash.exists())


def test_a_claim_stays_while_a_pod_uses_it(workloads) -> None:
    create(workloads, claim())
    run(workloads, "user", "import time; time.sleep(1000)", **mounts())
    workloads.wait_for(
        lambda: workloads.core.read_namespaced_pod("user", workloads.namespace).spec.node_name
    )
    workloads.core.delete_namespaced_persistent_volume_claim("data", workloads.namespace)
    assert read(workloads).metadata.deletion_timestamp is not None
    workloads.core.delete_namespaced_pod("user", workloads.namespace)
    workloads.wait_for(
        lambda: (
            not workloads.core.list_namespaced_persistent_volume_claim(workloads.namespace).items
        )
    )


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_a_volume_made_by_hand_is_found_and_never_emptied(workloads, tmp_path, policy) -> None:
    (tmp_path / "mine").touch()
    name = f"{workloads.namespace}-volume"
    workloads.core.create_persistent_volume(
        {
            "metadata": {"name": name, "labels": {"of": name}},
            "spec": {
                "capacity": {"storage": "5Gi"},
                "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
                "persistentVolumeReclaimPolicy": policy,
                "storageClassName": "manual",
                "hostPath": {"path": str(tmp_path)},
            },
        }
    )
    selector = {"matchLabels": {"of": name}}
    create(workloads, claim(storageClassName="manual", selector=selector))
    assert bound(workloads).spec.volume_name == name
    assert read(workloads).status.capacity == {"storage": "5Gi"}
    workloads.core.delete_namespaced_persistent_volume_claim("data", workloads.namespace)
    phase = {"Retain": "Released", "Delete": "Failed"}[policy]
    workloads.wait_for(lambda: workloads.core.read_persistent_volume(name).status.phase == phase)
    workloads.core.delete_persistent_volume(name)
    workloads.wait_for(
        lambda: (
            name
            not in [each.metadata.name for each in workloads.core.list_persistent_volume().items]
        )
    )
    assert (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("spec", "reason", "words"),
    [
        (
            {"storageClassName": "gold"},
            "ProvisioningFailed",
            'storageclass.storage.k8s.io "gold" not found',
        ),
        (
            {"storageClassName": ""},
            "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set",
        ),
    ],
)
def test_a_claim_that_cannot_be_bound_says_why_and_so_does_its_pod(
    workloads, spec, reason, words
) -> None:
    create(workloads, claim(**spec))
    run(workloads, "user", "pass", **mounts())

    def told():
        events = workloads.core.list_namespaced_event(
            workloads.namespace, field_selector="involvedObject.name=data"
        ).items
        return (reason, words) in [(event.reason, event.message) for event in events]

    workloads.wait_for(told)
    assert read(workloads).status.phase == "Pending"

    def waits():
        pod = workloads.core.read_namespaced_pod("user", workloads.namespace)
        return [each.message for each in pod.status.conditions or ()] == [
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. "
            "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        ]

    workloads.wait_for(waits)


def test_a_pod_waits_for_a_claim_that_is_made_later(workloads) -> None:
    ended = run(workloads, "user", "pass", **mounts())

    def waits():
        pod = workloads.core.read_namespaced_pod("user", workloads.namespace)
        return [each.message for each in pod.status.conditions or ()] == [
            '0/1 nodes are available: persistentvolumeclaim "data" not found. '
            "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        ]

    workloads.wait_for(waits)
    create(workloads, claim())
    assert workloads.wait_for(ended).status.phase == "Succeeded"


def test_a_claim_grows(workloads) -> None:
    create(workloads, claim())
    bound(workloads)
    workloads.core.patch_namespaced_persistent_volume_claim(
        "data", workloads.namespace, {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    )
    workloads.wait_for(lambda: read(workloads).status.capacity == {"storage": "2Gi"})


def test_an_ephemeral_volume_lives_as_long_as_its_pod(workloads) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}
    container = {"volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}
    source = "open('/scratch/file', 'w').write('x')"
    ended = run(workloads, "user", source, volumes=[volume], container=container)
    assert workloads.wait_for(ended).status.phase == "Succeeded"
    assert read(workloads, "user-scratch").metadata.owner_references[0].name == "user"
    workloads.core.delete_namespaced_pod("user", workloads.namespace)
    workloads.wait_for(
        lambda: (
            not workloads.core.list_namespaced_persistent_volume_claim(workloads.namespace).items
        )
    )
