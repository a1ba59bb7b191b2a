"""Every kind is made, read, listed, replaced, patched and deleted, by both stock clients."""

from __future__ import annotations

import copy
import json

import pytest
import yaml
from kubernetes import client

TEMPLATE = {
    "metadata": {"labels": {"app": "x"}},
    "spec": {"containers": [{"name": "main", "image": "python:3.11", "command": ["true"]}]},
}
SELECTOR = {"matchLabels": {"app": "x"}}

# plural -> apiVersion, kind, what it holds beside metadata
NAMESPACED = {
    "configmaps": ("v1", "ConfigMap", {"data": {"a": "1"}}),
    "secrets": ("v1", "Secret", {"data": {"a": "MQ=="}, "type": "Opaque"}),
    "services": ("v1", "Service", {"spec": {"ports": [{"port": 80}], "selector": {"app": "x"}}}),
    "endpoints": ("v1", "Endpoints", {"subsets": []}),
    "serviceaccounts": ("v1", "ServiceAccount", {}),
    "persistentvolumeclaims": (
        "v1",
        "PersistentVolumeClaim",
        {
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Mi"}},
            }
        },
    ),
    "resourcequotas": ("v1", "ResourceQuota", {"spec": {"hard": {"configmaps": "9"}}}),
    "limitranges": (
        "v1",
        "LimitRange",
        {"spec": {"limits": [{"type": "Container", "max": {"cpu": "900"}}]}},
    ),
    "events": (
        "v1",
        "Event",
        {
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": "NAMESPACE"},
            "reason": "Tested",
            "message": "m",
            "type": "Normal",
        },
    ),
    "pods": ("v1", "Pod", {"spec": TEMPLATE["spec"]}),
    "deployments": (
        "apps/v1",
        "Deployment",
        {"spec": {"replicas": 0, "selector": SELECTOR, "template": TEMPLATE}},
    ),
    "replicasets": (
        "apps/v1",
        "ReplicaSet",
        {"spec": {"replicas": 0, "selector": SELECTOR, "template": TEMPLATE}},
    ),
    "statefulsets": (
        "apps/v1",
        "StatefulSet",
        {"spec": {"replicas": 0, "serviceName": "x", "selector": SELECTOR, "template": TEMPLATE}},
    ),
    "jobs": (
        "batch/v1",
        "Job",
        {
            "spec": {
                "parallelism": 0,
                "template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}},
            }
        },
    ),
}
CLUSTER = {
    "namespaces": ("v1", "Namespace", {}),
    "persistentvolumes": (
        "v1",
        "PersistentVolume",
        {
            "spec": {
                "capacity": {"storage": "1Mi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/nowhere"},
                "claimRef": {"namespace": "default", "name": "nobody-claims-this"},
            }
        },
    ),
    "nodes": ("v1", "Node", {"spec": {"unschedulable": True}}),
}
KINDS = {**NAMESPACED, **CLUSTER}


def manifest(plural, name, namespace):
    api_version, kind, content = KINDS[plural]
    text = json.dumps(content).replace("NAMESPACE", namespace or "")
    body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}
    return {**body, **json.loads(text)}


@pytest.fixture
def place(request, server, unique):
    """Plural, name and namespace of an object that is removed at the end."""
    plural = request.param
    name = unique("thing")
    namespace = request.getfixturevalue("pod_namespace") if plural in NAMESPACED else None
    yield plural, name, namespace
    server.at(plural, namespace, KINDS[plural][0]).delete(name)


each_kind = pytest.mark.parametrize("place", KINDS, indirect=True)


@each_kind
def test_a_kind_goes_through_its_life(server, place):
    plural, name, namespace = place
    things = server.at(plural, namespace, KINDS[plural][0])
    body = manifest(plural, name, namespace)
    made = things.made(body)
    assert (made["apiVersion"], made["kind"]) == (body["apiVersion"], body["kind"])
    assert made["metadata"].get("namespace") == namespace

    read = things.get(name).ok()
    assert read["metadata"]["uid"] == made["metadata"]["uid"]
    listed = things.list(fieldSelector=f"metadata.name={name}").ok()
    assert listed["kind"] == body["kind"] + "List"
    assert listed["apiVersion"] == body["apiVersion"]
    assert [each["metadata"]["uid"] for each in listed["items"]] == [read["metadata"]["uid"]]
    assert "kind" not in listed["items"][0]

    labelled = things.patch(name, {"metadata": {"labels": {"seen": "yes"}}}).ok()
    assert labelled["metadata"]["labels"]["seen"] == "yes"

    changed = copy.deepcopy(things.get(name).ok())
    changed["metadata"].setdefault("annotations", {})["note"] = "n"
    replaced = things.replace(name, changed)
    if replaced.status == 409:  # a controller was in between
        changed["metadata"]["resourceVersion"] = ""
        replaced = things.replace(name, changed)
    assert replaced.ok()["metadata"]["annotations"]["note"] == "n"
    assert things.names(labelSelector="seen=yes", fieldSelector=f"metadata.name={name}") == [name]

    deleted = things.delete(name, {"gracePeriodSeconds": 0}).ok()
    assert deleted["kind"] in ("Status", body["kind"])
    things.patch(name, {"metadata": {"finalizers": None}})  # protection of volumes
    things.wait_gone(name)
    assert things.get(name).status == 404


@each_kind
def test_the_dynamic_client_does_the_same(server, place):
    plural, name, namespace = place
    api_version, kind, _ = KINDS[plural]
    things = server.dynamic.resources.get(api_version=api_version, kind=kind)
    made = things.create(body=manifest(plural, name, namespace), namespace=namespace)
    assert made.metadata.name == name
    assert things.get(name=name, namespace=namespace).metadata.uid == made.metadata.uid
    found = things.get(namespace=namespace, field_selector=f"metadata.name={name}")
    assert [each.metadata.name for each in found.items] == [name]
    patch = {"metadata": {"labels": {"seen": "yes"}}}
    patched = things.patch(
        name=name,
        namespace=namespace,
        body=patch,
        content_type="application/merge-patch+json",
    )
    assert patched.metadata.labels.seen == "yes"
    things.delete(name=name, namespace=namespace)


def test_the_stock_client_reads_its_own_models(server, namespace):
    core = client.CoreV1Api(server.api)
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="one"), data={"a": "1"})
    made = core.create_namespaced_config_map(namespace, body)
    assert made.metadata.creation_timestamp.tzinfo is not None
    made.data["b"] = "2"
    assert core.replace_namespaced_config_map("one", namespace, made).data == {"a": "1", "b": "2"}
    patched = core.patch_namespaced_config_map("one", namespace, {"data": {"a": None}})
    assert patched.data == {"b": "2"}
    items = core.list_namespaced_config_map(namespace, label_selector="no=such").items
    assert items == []
    core.delete_namespaced_config_map("one", namespace)
    with pytest.raises(client.ApiException, match="Not Found"):
        core.read_namespaced_config_map("one", namespace)


def test_what_deletion_answers_tells_of_the_object(server, namespace):
    things = server.at("configmaps", namespace)
    made = things.made({"metadata": {"name": "one"}})
    found = things.delete("one").ok()
    assert (found["kind"], found["status"]) == ("Status", "Success")
    assert found["details"] == {
        "name": "one",
        "kind": "configmaps",
        "uid": made["metadata"]["uid"],
    }


def test_objects_of_all_namespaces_are_listed_together(server, new_namespace):
    namespaces = [new_namespace(), new_namespace()]
    for each in namespaces:
        server.at("configmaps", each).made({"metadata": {"name": "one", "labels": {"x": each}}})
    selector = f"x in ({','.join(namespaces)})"
    listed = server.at("configmaps").list(labelSelector=selector).ok()["items"]
    assert sorted(each["metadata"]["namespace"] for each in listed) == sorted(namespaces)


def test_an_object_may_leave_out_what_its_place_says(server, namespace):
    made = server.at("configmaps", namespace).made({"metadata": {"name": "bare"}})
    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")


def test_yaml_is_read_too(server, namespace):
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: by-yaml\ndata:\n  a: '1'\n"
    headers = {"Content-Type": "application/yaml"}
    made = server.at("configmaps", namespace).create(body, headers=headers).ok()
    assert made["data"] == {"a": "1"}


def test_yaml_is_written_when_asked_for(server, namespace):
    server.at("configmaps", namespace).made({"metadata": {"name": "one"}, "data": {"a": "1"}})
    accept = {"Accept": "application/yaml"}
    answer = server.at("configmaps", namespace).get("one", headers=accept)
    assert answer.headers["Content-Type"] == "application/yaml"
    found = yaml.safe_load(answer.body)
    assert (found["apiVersion"], found["data"]) == ("v1", {"a": "1"})


def test_a_secret_keeps_plain_text_as_data(server, namespace):
    things = server.at("secrets", namespace)
    made = things.made({"metadata": {"name": "s"}, "stringData": {"password": "x y"}})
    assert made["data"] == {"password": "eCB5"}
    assert made["type"] == "Opaque"
    assert "stringData" not in things.get("s").ok()


def test_an_immutable_config_map_stays_as_it_is(server, namespace):
    things = server.at("configmaps", namespace)
    things.made({"metadata": {"name": "one"}, "data": {"a": "1"}, "immutable": True})
    code, reason, message = things.patch("one", {"data": {"a": "2"}}).refusal
    assert (code, reason) == (422, "Invalid")
    assert message == (
        'ConfigMap "one" is invalid: data: Forbidden: field is immutable when `immutable` is set'
    )


def test_keys_of_a_config_map_are_checked(server, namespace):
    answer = server.at("configmaps", namespace).create(
        {"metadata": {"name": "one"}, "data": {"a b": "1"}}
    )
    assert answer.status == 422
    assert answer.message.startswith('ConfigMap "one" is invalid: data[a b]: Invalid value: "a b"')
