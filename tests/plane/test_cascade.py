"""What goes with an owner, and in which order, and what a quota has no room for."""

from __future__ import annotations

import json

import pytest
from kubernetes import client
from kubernetes.client import ApiException


def config_map(name: str, *owners, finalizers=()):
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner.metadata.name,
            "uid": owner.metadata.uid,
            "blockOwnerDeletion": True,
        }
        for owner in owners
    ]
    metadata = {"name": name, "ownerReferences": references, "finalizers": list(finalizers)}
    return {"metadata": metadata}


@pytest.fixture
def maps(core, namespace):
    """ConfigMaps of a namespace of the test's own."""
    return Maps(core, namespace)


class Maps:
    def __init__(self, core, namespace) -> None:
        self.core = core
        self.namespace = namespace

    def create(self, name: str, *owners, **more):
        return self.core.create_namespaced_config_map(
            self.namespace, config_map(name, *owners, **more)
        )

    def delete(self, name: str, policy: str | None = None) -> None:
        self.core.delete_namespaced_config_map(name, self.namespace, propagation_policy=policy)

    def release(self, name: str) -> None:
        patch = {"metadata": {"finalizers": None}}
        self.core.patch_namespaced_config_map(name, self.namespace, patch)

    @property
    def names(self):
        found = self.core.list_namespaced_config_map(self.namespace).items
        return {each.metadata.name for each in found} - {"kube-root-ca.crt"}


def test_in_the_background_dependents_follow_their_owner(maps) -> None:
    owner = maps.create("owner")
    child = maps.create("child", owner)
    maps.create("grandchild", child)
    maps.create("held", owner, finalizers=["x/y"])
    maps.delete("owner", "Background")
    assert maps.names == {"held"}
    maps.release("held")
    assert maps.names == set()


def test_in_the_foreground_the_owner_waits_for_its_dependents(maps) -> None:
    owner = maps.create("owner")
    child = maps.create("child", owner)
    maps.create("grandchild", child, finalizers=["x/y"])
    maps.delete("owner", "Foreground")
    assert maps.names == {"owner", "child", "grandchild"}
    found = maps.core.read_namespaced_config_map("owner", maps.namespace).metadata
    assert found.finalizers == ["foregroundDeletion"]
    assert found.deletion_timestamp is not None
    maps.release("grandchild")
    assert maps.names == set()


def test_orphans_stay_without_their_owner(maps) -> None:
    owner = maps.create("owner")
    maps.create("child", owner)
    maps.delete("owner", "Orphan")
    assert maps.names == {"child"}
    child = maps.core.read_namespaced_config_map("child", maps.namespace)
    assert child.metadata.owner_references is None


def test_a_dependent_of_two_owners_goes_with_the_last(maps) -> None:
    one, two = maps.create("one"), maps.create("two")
    maps.create("child", one, two)
    maps.delete("one")
    assert maps.names == {"two", "child"}
    maps.delete("two")
    assert maps.names == set()


def test_a_dependent_of_nobody_goes_at_once(maps) -> None:
    owner = maps.create("owner")
    maps.delete("owner")
    maps.create("child", owner)
    assert maps.names == set()


def test_no_finalizer_comes_to_what_is_being_deleted(maps) -> None:
    maps.create("one", finalizers=["x/y"])
    maps.delete("one")
    with pytest.raises(ApiException) as refused:
        maps.core.patch_namespaced_config_map(
            "one", maps.namespace, {"metadata": {"finalizers": ["x/y", "x/z"]}}
        )
    assert 'found new finalizers []string{"x/z"}' in json.loads(refused.value.body)["message"]
    maps.release("one")


def pod(name: str, **resources):
    container = {"name": "c", "image": "i", "command": ["true"], "resources": resources}
    return {
        "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }


@pytest.fixture
def quota(core, namespace):
    """Make a quota; returns what reads it."""

    def make(**hard: str):
        body = {"metadata": {"name": "q"}, "spec": {"hard": hard}}
        core.create_namespaced_resource_quota(namespace, body)
        return lambda: core.read_namespaced_resource_quota("q", namespace).status.used

    return make


def message(refused) -> str:
    assert refused.value.status == 403
    return json.loads(refused.value.body)["message"]


def test_a_quota_refuses_what_it_has_no_room_for(core, namespace, quota) -> None:
    used = quota(**{"count/secrets": "2", "requests.cpu": "1"})
    assert used() == {"count/secrets": "0", "requests.cpu": "0"}
    create = core.create_namespaced_secret
    create(namespace, {"metadata": {"name": "a"}})
    create(namespace, {"metadata": {"name": "b"}})
    with pytest.raises(ApiException) as refused:
        create(namespace, {"metadata": {"name": "c"}})
    assert message(refused) == (
        'secrets "c" is forbidden: exceeded quota: q, requested: count/secrets=1, '
        "used: count/secrets=2, limited: count/secrets=2"
    )
    core.delete_namespaced_secret("a", namespace)
    assert used()["count/secrets"] == "1"


def test_a_quota_of_cpu_wants_every_container_to_say_what_it_needs(
    core, namespace, quota, pods
) -> None:
    used = quota(**{"requests.cpu": "1", "limits.memory": "1Gi"})
    with pytest.raises(ApiException) as refused:
        core.create_namespaced_pod(namespace, pod("p"))
    assert message(refused) == (
        'pods "p" is forbidden: failed quota: q: must specify limits.memory for: c; '
        "requests.cpu for: c"
    )
    fitting = {"requests": {"cpu": "600m"}, "limits": {"memory": "256Mi"}}
    core.create_namespaced_pod(namespace, pod("p", **fitting))
    with pytest.raises(ApiException) as refused:
        core.create_namespaced_pod(namespace, pod("q", **fitting))
    assert message(refused) == (
        'pods "q" is forbidden: exceeded quota: q, requested: requests.cpu=600m, '
        "used: requests.cpu=600m, limited: requests.cpu=1"
    )
    pods.wait_ended("p")
    assert used() == {"requests.cpu": "0", "limits.memory": "0"}


def test_what_a_definition_served_goes_with_it(shared_plane, namespace) -> None:
    api = shared_plane.api()
    definitions, objects = client.ApiextensionsV1Api(api), client.CustomObjectsApi(api)
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object"}},
    }
    body = {
        "metadata": {"name": "gadgets.cascade.example.com"},
        "spec": {
            "group": "cascade.example.com",
            "scope": "Namespaced",
            "names": {"plural": "gadgets", "kind": "Gadget"},
            "versions": [version],
        },
    }
    definitions.create_custom_resource_definition(body)
    place = ("cascade.example.com", "v1", namespace, "gadgets")
    gadget = {
        "apiVersion": "cascade.example.com/v1",
        "kind": "Gadget",
        "metadata": {"name": "g", "finalizers": ["x/y"]},
    }
    objects.create_namespaced_custom_object(*place, gadget)
    definitions.delete_custom_resource_definition("gadgets.cascade.example.com")
    gadget["metadata"] = {"name": "h"}
    with pytest.raises(ApiException) as refused:
        objects.create_namespaced_custom_object(*place, gadget)
    assert refused.value.status == 405
    objects.patch_namespaced_custom_object(*place, "g", {"metadata": {"finalizers": None}})
    with pytest.raises(ApiException) as gone:
        definitions.read_custom_resource_definition("gadgets.cascade.example.com")
    assert gone.value.status == 404
    with pytest.raises(ApiException) as gone:
        objects.list_namespaced_custom_object(*place)
    assert gone.value.status == 404
