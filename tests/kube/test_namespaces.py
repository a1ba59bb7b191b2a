"""Namespaces: what is in them from the start, and how they end."""

from __future__ import annotations

import pytest
from kube_server import eventually


def test_a_new_namespace_is_active_and_labelled(server, namespace):
    found = server.at("namespaces").get(namespace).ok()
    assert found["status"]["phase"] == "Active"
    assert found["spec"]["finalizers"] == ["kubernetes"]


@pytest.mark.needs("the label of a namespace's name", minor=21)
def test_a_namespace_has_its_name_as_a_label(server, namespace):
    labels = server.at("namespaces").get(namespace).ok()["metadata"]["labels"]
    assert labels["kubernetes.io/metadata.name"] == namespace


def test_a_namespace_gets_its_service_account(server, pod_namespace):
    assert "default" in server.at("serviceaccounts", pod_namespace).names()


def test_a_namespace_gets_the_certificate_of_the_server(server, namespace):
    found = server.at("configmaps", namespace).wait("kube-root-ca.crt", lambda found: True)
    if server.plane:
        assert "BEGIN CERTIFICATE" in found["data"]["ca.crt"]


def test_the_first_namespaces_are_there(server):
    names = server.at("namespaces").names()
    assert {"default", "kube-system", "kube-public", "kube-node-lease"} <= set(names)


@pytest.mark.parametrize("name", ["default", "kube-system"])
def test_some_namespaces_stay(server, name):
    answer = server.at("namespaces").delete(name)
    assert answer.refusal == (
        403,
        "Forbidden",
        f'namespaces "{name}" is forbidden: this namespace may not be deleted',
    )


def test_a_deleted_namespace_takes_its_content_along(server, new_namespace):
    name = new_namespace()
    server.at("configmaps", name).made({"metadata": {"name": "one"}})
    server.at("secrets", name).made({"metadata": {"name": "s"}})
    told = server.at("namespaces").delete(name).ok()
    assert told["kind"] in ("Namespace", "Status")
    server.at("namespaces").wait_gone(name)
    assert server.at("configmaps").names(fieldSelector=f"metadata.namespace={name}") == []
    assert server.at("secrets", name).get("s").status == 404


def test_an_ending_namespace_says_so_and_takes_nothing_new(server, new_namespace):
    name = new_namespace()
    maps = server.at("configmaps", name)
    maps.made({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}})
    namespaces = server.at("namespaces")
    namespaces.delete(name).ok()
    found = namespaces.get(name).ok()
    assert found["status"]["phase"] == "Terminating"
    assert found["metadata"]["deletionTimestamp"]
    answer = maps.create({"metadata": {"name": "new"}})
    assert answer.refusal == (
        403,
        "Forbidden",
        f'configmaps "new" is forbidden: unable to create new content in namespace {name} '
        "because it is being terminated",
    )
    assert answer.json["details"]["causes"] == [
        {
            "reason": "NamespaceTerminating",
            "message": f"namespace {name} is being terminated",
            "field": "metadata.namespace",
        }
    ]
    maps.patch("held", {"metadata": {"finalizers": None}}).ok()
    namespaces.wait_gone(name)


def test_what_holds_a_namespace_is_told_in_its_conditions(server, new_namespace):
    name = new_namespace()
    maps = server.at("configmaps", name)
    maps.made({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}})
    namespaces = server.at("namespaces")
    namespaces.delete(name).ok()

    def held(found):
        conditions = found["status"].get("conditions", [])
        return [
            each
            for each in conditions
            if each["type"] == "NamespaceFinalizersRemaining" and each["status"] == "True"
        ]

    [condition] = held(namespaces.wait(name, held))
    assert condition["reason"] == "SomeFinalizersRemain"
    assert "example.com/hold in 1 resource instances" in condition["message"]
    maps.patch("held", {"metadata": {"finalizers": None}}).ok()
    namespaces.wait_gone(name)


def test_a_namespace_with_its_own_finalizer_waits(server, unique):
    namespaces = server.at("namespaces")
    name = unique("fairlead-test")
    metadata = {"name": name, "finalizers": ["example.com/hold"]}
    namespaces.made({"metadata": metadata})
    server.at("configmaps", name).made({"metadata": {"name": "one"}})
    namespaces.delete(name).ok()
    eventually(
        lambda: server.at("configmaps", name).get("one").status == 404, "the content is still there"
    )
    assert namespaces.get(name).status == 200
    namespaces.patch(name, {"metadata": {"finalizers": None}}).ok()
    namespaces.wait_gone(name)


def test_namespaces_are_not_deleted_together(server):
    assert server.at("namespaces").delete_all(labelSelector="no=such").status == 405


def test_a_namespace_is_named_as_a_label(server):
    answer = server.at("namespaces").create({"metadata": {"name": "a.b"}})
    assert answer.refusal[:2] == (422, "Invalid")
    assert 'Namespace "a.b" is invalid: metadata.name: Invalid value: "a.b"' in answer.message
