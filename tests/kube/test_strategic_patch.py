"""Strategic merge patches of core kinds: lists that merge by key, and their directives."""

from __future__ import annotations

import pytest
from kube_server import STRATEGIC_PATCH


def containers(*names):
    return [{"name": name, "image": "i", "command": ["true"]} for name in names]


@pytest.fixture
def deployments(server, namespace):
    things = server.at("deployments", namespace, "apps/v1")
    spec = {
        "containers": [
            {
                **containers("a")[0],
                "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}],
                "ports": [{"containerPort": 80}, {"containerPort": 81}],
                "args": ["one", "two"],
            },
            *containers("b"),
        ],
        "tolerations": [{"key": "k", "operator": "Exists"}],
        "volumes": [{"name": "v", "emptyDir": {}}],
    }
    template = {"metadata": {"labels": {"app": "x"}}, "spec": spec}
    selector = {"matchLabels": {"app": "x"}}
    things.made(
        {
            "metadata": {"name": "d", "finalizers": ["example.com/a", "example.com/b"]},
            "spec": {"replicas": 0, "selector": selector, "template": template},
        }
    )
    yield things
    things.patch("d", {"metadata": {"finalizers": None}})


def patched(things, pod_spec):
    answer = things.patch("d", {"spec": {"template": {"spec": pod_spec}}}, STRATEGIC_PATCH)
    return answer.ok()["spec"]["template"]["spec"]


def test_containers_merge_by_name(deployments):
    found = patched(deployments, {"containers": [{"name": "b", "image": "new"}]})["containers"]
    assert [(each["name"], each["image"]) for each in found] == [("a", "i"), ("b", "new")]
    assert found[1]["command"] == ["true"]


def test_a_new_container_comes_first(deployments):
    found = patched(deployments, {"containers": containers("c")})["containers"]
    assert sorted(each["name"] for each in found) == ["a", "b", "c"]


def test_variables_merge_by_name_and_ports_by_port(deployments):
    one = {
        "name": "a",
        "env": [{"name": "Y", "value": "9"}, {"name": "Z", "value": "3"}],
        "ports": [{"containerPort": 81, "name": "web"}],
    }
    found = patched(deployments, {"containers": [one]})["containers"][0]
    assert {each["name"]: each["value"] for each in found["env"]} == {"X": "1", "Y": "9", "Z": "3"}
    ports = {each["containerPort"]: each.get("name") for each in found["ports"]}
    assert ports == {80: None, 81: "web"}


def test_a_list_of_plain_values_is_replaced(deployments):
    found = patched(deployments, {"containers": [{"name": "a", "args": ["three"]}]})
    assert found["containers"][0]["args"] == ["three"]


def test_a_list_without_a_key_is_replaced(deployments):
    found = patched(deployments, {"tolerations": [{"key": "other", "operator": "Exists"}]})
    assert [each["key"] for each in found["tolerations"]] == ["other"]


def test_an_element_is_deleted_by_its_key(deployments):
    found = patched(deployments, {"containers": [{"name": "a", "$patch": "delete"}]})
    assert [each["name"] for each in found["containers"]] == ["b"]


def test_a_list_is_replaced_by_directive(deployments):
    found = patched(deployments, {"containers": [{"$patch": "replace"}, *containers("z")]})
    assert [each["name"] for each in found["containers"]] == ["z"]


def test_a_map_is_replaced_by_directive(deployments):
    labels = {"$patch": "replace", "app": "x", "only": "this"}
    patch = {"spec": {"template": {"metadata": {"labels": labels}}}}
    found = deployments.patch("d", patch, STRATEGIC_PATCH).ok()
    assert found["spec"]["template"]["metadata"]["labels"] == {"app": "x", "only": "this"}


def test_a_map_is_emptied_by_directive(deployments):
    deployments.patch("d", {"metadata": {"annotations": {"a": "1"}}}).ok()
    patch = {"metadata": {"annotations": {"$patch": "delete"}}}
    found = deployments.patch("d", patch, STRATEGIC_PATCH).ok()
    assert "annotations" not in found["metadata"]


def test_retained_keys_drop_the_others(deployments):
    one = {"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}
    [found] = patched(deployments, {"volumes": [one]})["volumes"]
    assert (found.get("emptyDir"), found["hostPath"]["path"]) == (None, "/x")


def test_a_set_of_plain_values_merges(deployments):
    patch = {"metadata": {"finalizers": ["example.com/b", "example.com/c"]}}
    found = deployments.patch("d", patch, STRATEGIC_PATCH).ok()["metadata"]["finalizers"]
    assert sorted(found) == ["example.com/a", "example.com/b", "example.com/c"]


def test_values_are_deleted_from_a_set(deployments):
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}}
    found = deployments.patch("d", patch, STRATEGIC_PATCH).ok()["metadata"]["finalizers"]
    assert found == ["example.com/b"]


def test_the_order_of_elements_can_be_set(deployments):
    patch = {
        "$setElementOrder/containers": [{"name": "b"}, {"name": "c"}, {"name": "a"}],
        "containers": containers("c"),
    }
    found = patched(deployments, patch)["containers"]
    assert [each["name"] for each in found] == ["b", "c", "a"]


def test_null_removes_a_field(deployments):
    assert "tolerations" not in patched(deployments, {"tolerations": None})


def test_an_element_without_its_key_is_refused(deployments):
    patch = {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}
    answer = deployments.patch("d", patch, STRATEGIC_PATCH)
    assert answer.status in (400, 422, 500)
    assert "does not contain declared merge key: name" in answer.message


def test_service_ports_merge_by_port(server, namespace):
    things = server.at("services", namespace)
    ports = [{"name": "a", "port": 1}, {"name": "b", "port": 2}]
    things.made({"metadata": {"name": "s"}, "spec": {"ports": ports}})
    patch = {"spec": {"ports": [{"port": 2, "name": "c"}]}}
    found = things.patch("s", patch, STRATEGIC_PATCH).ok()["spec"]["ports"]
    assert {each["port"]: each["name"] for each in found} == {1: "a", 2: "c"}


def test_owner_references_merge_by_uid(server, namespace):
    things = server.at("configmaps", namespace)
    owner = things.made({"metadata": {"name": "owner"}})["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner}
    things.made({"metadata": {"name": "one", "ownerReferences": [reference]}})
    patch = {"metadata": {"ownerReferences": [{"uid": owner, "controller": True}]}}
    [found] = things.patch("one", patch, STRATEGIC_PATCH).ok()["metadata"]["ownerReferences"]
    assert found == {**reference, "controller": True}


def test_secrets_take_plain_text_in_a_patch(server, namespace):
    things = server.at("secrets", namespace)
    things.made({"metadata": {"name": "s"}, "stringData": {"a": "1"}})
    found = things.patch("s", {"stringData": {"b": "2"}}, STRATEGIC_PATCH).ok()
    assert found["data"] == {"a": "MQ==", "b": "Mg=="}
