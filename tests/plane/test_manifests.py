"""Every object that the control plane makes by itself is one that a real cluster would take."""

from __future__ import annotations

import json

import pytest
from kubernetes import client

CONTAINER = {"name": "c", "image": "i", "command": ["sleep", "1000"]}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [CONTAINER]}}
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
}
SELECTOR = {"matchLabels": {"a": "b"}}
# Workflows, which runs make, are checked where runs are.
COLLECTIONS = (
    "api/v1/namespaces",
    "api/v1/nodes",
    "api/v1/events",
    "api/v1/pods",
    "api/v1/services",
    "api/v1/endpoints",
    "api/v1/configmaps",
    "api/v1/serviceaccounts",
    "api/v1/persistentvolumeclaims",
    "api/v1/persistentvolumes",
    "apis/apps/v1/deployments",
    "apis/apps/v1/replicasets",
    "apis/apps/v1/statefulsets",
    "apis/apps/v1/controllerrevisions",
    "apis/batch/v1/jobs",
    "apis/batch/v1/cronjobs",
    "apis/discovery.k8s.io/v1/endpointslices",
    "apis/events.k8s.io/v1/events",
    "apis/scheduling.k8s.io/v1/priorityclasses",
    "apis/storage.k8s.io/v1/storageclasses",
)


@pytest.fixture
def everything(own_plane):
    """All objects of a plane on which one workload of each kind runs."""
    api = own_plane.api()
    apps, batch, core = client.AppsV1Api(api), client.BatchV1Api(api), client.CoreV1Api(api)
    spec = {"selector": SELECTOR, "template": TEMPLATE}
    apps.create_namespaced_deployment("default", {"metadata": {"name": "d"}, "spec": spec})
    claims = {"serviceName": "s", "volumeClaimTemplates": [CLAIM]}
    stateful = {"metadata": {"name": "s"}, "spec": {**spec, **claims}}
    apps.create_namespaced_stateful_set("default", stateful)
    ports = {"selector": {"a": "b"}, "ports": [{"port": 80}]}
    core.create_namespaced_service("default", {"metadata": {"name": "s"}, "spec": ports})
    job = {"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}}
    batch.create_namespaced_job("default", {"metadata": {"name": "j"}, "spec": job})
    cron = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job}}
    batch.create_namespaced_cron_job("default", {"metadata": {"name": "c"}, "spec": cron})

    def pods_run() -> bool:
        phases = [pod.status.phase for pod in core.list_namespaced_pod("default").items]
        return phases == ["Running"] * 3

    own_plane.wait_for(pods_run, "the pods run")
    own_plane.wait_for(
        lambda: bool(core.list_namespaced_endpoints("default").items[0].subsets), "endpoints"
    )
    return read_all(own_plane)


def read_all(plane):
    found = []
    for path in COLLECTIONS:
        code, body = plane.request(f"/{path}")
        assert code == 200, path
        answer = json.loads(body)
        kind = {"apiVersion": answer["apiVersion"], "kind": answer["kind"].removesuffix("List")}
        found += [{**kind, **item} for item in answer["items"]]
    return found


def test_all_of_them_are_valid_by_the_real_schemas(everything, assert_valid) -> None:
    kinds = {obj["kind"] for obj in everything}
    assert {"Pod", "ReplicaSet", "ControllerRevision", "PersistentVolume", "EndpointSlice"} <= kinds
    for obj in everything:
        assert_valid(obj)
