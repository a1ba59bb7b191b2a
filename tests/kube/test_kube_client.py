"""The Kubernetes layer against an API server, whichever it is."""

from __future__ import annotations

import itertools
import os
import uuid
from pathlib import Path

import pytest

from fairlead.errors import ConflictError, NotFoundError, SpecError
from fairlead.kube import SYNCED, Follower, KubeClient, ResourceType
from fairlead.kube.client import NAMESPACES
from fairlead.kube.contexts import list_contexts, load_context
from fairlead.kube.kubeconfig import load_kubeconfig
from fairlead.kube.usage import read_usage

CONFIG_MAPS = ResourceType("v1", "configmaps")


@pytest.fixture(scope="module")
def client(data_dir):
    """A client of the cluster that is named, else of an embedded plane of this file's own."""
    given = os.environ.get("FAIRLEAD_TEST_KUBECONFIG")
    if not given:
        yield KubeClient("local")
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", given)
        current = load_kubeconfig(Path(given)).current_context
        named = {context.entry: context.name for context in list_contexts()}
        yield KubeClient(load_context(named[current]))


@pytest.fixture(scope="module")
def place(client):
    """A namespace of this file's own."""
    manifest = {"apiVersion": "v1", "kind": "Namespace"}
    made = client.create(manifest | {"metadata": {"generateName": "fairlead-test-"}})
    yield made["metadata"]["name"]
    client.delete(NAMESPACES, made["metadata"]["name"])


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def unique(stem):
    return f"{stem}-{uuid.uuid4().hex[:6]}"


def test_an_object_is_created_read_applied_and_deleted(client, place):
    name = unique("settings")
    made = client.create(config_map(name, a="1"), place)
    assert made["metadata"]["uid"]
    assert client.get(CONFIG_MAPS, name, place)["data"] == {"a": "1"}
    client.apply(config_map(name, b="2"), place)
    assert client.get(CONFIG_MAPS, name, place)["data"] == {"a": "1", "b": "2"}
    client.delete(CONFIG_MAPS, name, place)
    with pytest.raises(NotFoundError, match=name):
        client.get(CONFIG_MAPS, name, place)


def test_what_is_applied_without_a_field_loses_it(client, place):
    name = unique("applied")
    client.apply(config_map(name, a="1", b="1"), place)
    assert client.apply(config_map(name, a="2"), place)["data"] == {"a": "2"}


def test_a_field_of_another_manager_is_a_conflict_until_it_is_taken_over(client, place):
    name = unique("owned")
    client.create(config_map(name, a="1"), place)
    client.request(
        "PATCH",
        CONFIG_MAPS.path(place, name),
        query={"fieldManager": "somebody-else"},
        body={"data": {"a": "theirs"}},
        content_type="application/merge-patch+json",
    )
    with pytest.raises(ConflictError, match="conflict") as caught:
        client.apply(config_map(name, a="mine"), place)
    assert "force=True" in caught.value.hint
    assert client.apply(config_map(name, a="mine"), place, force=True)["data"] == {"a": "mine"}


def test_an_object_is_patched_by_merge_and_by_operations(client, place):
    name = unique("patched")
    client.create(config_map(name, a="1", b="1"), place)
    patch = {"data": {"b": None, "c": "1"}}
    assert client.patch(CONFIG_MAPS, name, patch, place)["data"] == {"a": "1", "c": "1"}
    operations = [
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "replace", "path": "/data/a", "value": "2"},
    ]
    assert client.patch(CONFIG_MAPS, name, operations, place)["data"] == {"a": "2", "c": "1"}


def test_a_change_is_made_again_where_somebody_came_in_between(client, place):
    name = unique("contended")
    client.create(config_map(name, a="1"), place)
    others = iter("xy")

    def change(item):
        other = next(others, None)
        if other:
            client.patch(CONFIG_MAPS, name, {"data": {other: "1"}}, place)
        item["data"]["a"] = "2"

    made = client.update(CONFIG_MAPS, name, change, place)
    assert made["data"] == {"a": "2", "x": "1", "y": "1"}


def test_a_taken_name_is_a_conflict_in_the_servers_words(client, place):
    name = unique("twice")
    client.create(config_map(name), place)
    with pytest.raises(ConflictError, match=f'configmaps "{name}" already exists'):
        client.create(config_map(name), place)


def test_a_bad_manifest_is_refused_with_the_fields_path(client, place):
    bad = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": unique("bad")}}
    container = {"name": "main", "image": "x"}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    with pytest.raises(SpecError, match=r"spec\.selector") as caught:
        client.create(bad | {"spec": {"template": template, "selector": {}}}, place)
    assert caught.value.code == 422
    assert "spec.selector" in dict(caught.value.causes)


def test_an_unknown_kind_is_not_found(client, place):
    with pytest.raises(NotFoundError, match="no kind Nonsense in v1"):
        client.create({"apiVersion": "v1", "kind": "Nonsense", "metadata": {"name": "x"}}, place)


def test_a_watch_tells_of_what_comes_after_a_version(client, place):
    _, version = client.list_with_version(CONFIG_MAPS, place)
    name = unique("seen")
    client.create(config_map(name), place)
    client.delete(CONFIG_MAPS, name, place)
    seen = []
    for event in client.watch(CONFIG_MAPS, place, resource_version=version, timeout_s=20):
        if event.type != "BOOKMARK" and event.object["metadata"]["name"] == name:
            seen.append(event.type)
        if len(seen) == 2:
            break
    assert seen == ["ADDED", "DELETED"]


def test_a_follower_lists_then_tells_each_change(client, place):
    names = [unique("before"), unique("after")]
    labelled = config_map(names[0])
    labelled["metadata"]["labels"] = {"test": names[0]}
    client.create(labelled, place)
    follower = Follower(client, CONFIG_MAPS, place, f"test={names[0]}")
    assert [next(follower).type, next(follower).type] == ["ADDED", SYNCED]
    client.create(config_map(names[1]), place)
    client.patch(CONFIG_MAPS, names[0], {"data": {"a": "1"}}, place)
    client.delete(CONFIG_MAPS, names[0], place)
    told = itertools.islice(follower, 2)
    seen = [(event.type, event.object["metadata"]["name"]) for event in told]
    assert seen == [("MODIFIED", names[0]), ("DELETED", names[0])]
    assert follower.objects == []
    follower.close()


def test_what_the_server_serves_is_discovered(client):
    found = client.capabilities()
    pod, deployment = found.find("", "Pod"), found.find("apps", "Deployment")
    assert (pod.plural, pod.namespaced, "log" in pod.subresources) == ("pods", True, True)
    assert (deployment.api_version, "scale" in deployment.subresources) == ("apps/v1", True)
    assert found.find("", "Namespace").namespaced is False
    assert {"get", "list", "watch", "create"} <= pod.verbs
    assert found.missing("", "Pod") == ""
    assert found.missing("nowhere.example", "Thing") == (
        "This cluster has no Thing (nowhere.example)."
    )


def test_who_may_do_what_is_reviewed(client, place):
    assert client.access.review("create", "", "pods", place).allowed
    assert client.access.review("create", "", "pods", place, "exec").allowed
    assert place in client.namespaces()


def test_usage_counts_the_quota_of_a_namespace(client, place):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": unique("quota")}}
    client.create(quota | {"spec": {"hard": {"requests.cpu": "2", "count/secrets": "7"}}}, place)
    found = read_usage(client, place)
    assert {"cpu", "memory", "gpu", "quota"} == set(found)
    hard = {entry["resource"]: entry["hard"] for entry in found["quota"]}
    assert hard == {"requests.cpu": 2, "count/secrets": 7}
    assert found["cpu"]["allocatable"] is not None
