"""Server-side apply: who owns which field, conflicts, force, and what goes with its owner."""

from __future__ import annotations

import pytest
from kube_server import APPLY_PATCH


@pytest.fixture
def maps(server, namespace):
    return server.at("configmaps", namespace)


def config(name="one", **data):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    return {**body, "data": data} if data else body


def managers(found):
    return {
        (each["manager"], each["operation"]): each["fieldsV1"]
        for each in found["metadata"]["managedFields"]
    }


def test_apply_makes_what_is_not_there(maps):
    answer = maps.apply(config(a="1"), "me")
    assert answer.status == 201
    assert answer.json["data"] == {"a": "1"}
    assert managers(answer.json) == {("me", "Apply"): {"f:data": {"f:a": {}}}}
    assert maps.apply(config(a="1"), "me").status == 200


def test_yaml_is_applied(maps):
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  a: '1'\n"
    answer = maps.patch("one", text, APPLY_PATCH, fieldManager="me")
    assert answer.ok()["data"] == {"a": "1"}


def test_applying_the_same_again_changes_nothing(maps):
    made = maps.apply(config(a="1"), "me").ok()
    again = maps.apply(config(a="1"), "me").ok()
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_what_is_no_longer_applied_is_removed(maps):
    maps.apply(config(a="1", b="2"), "me").ok()
    assert maps.apply(config(b="2"), "me").ok()["data"] == {"b": "2"}


def test_what_another_one_owns_stays(maps):
    maps.apply(config(a="1"), "me").ok()
    both = maps.apply(config(b="2"), "you").ok()
    assert both["data"] == {"a": "1", "b": "2"}
    assert managers(both) == {
        ("me", "Apply"): {"f:data": {"f:a": {}}},
        ("you", "Apply"): {"f:data": {"f:b": {}}},
    }
    assert maps.apply(config(), "me").ok()["data"] == {"b": "2"}


def test_what_two_own_is_removed_with_the_second_one(maps):
    maps.apply(config(a="1"), "me").ok()
    maps.apply(config(a="1"), "you").ok()
    assert maps.apply(config(), "me").ok()["data"] == {"a": "1"}
    assert "data" not in maps.apply(config(), "you").ok()


def test_another_value_for_anothers_field_is_a_conflict(maps):
    maps.apply(config(a="1"), "me").ok()
    answer = maps.apply(config(a="2"), "you")
    assert answer.refusal == (
        409,
        "Conflict",
        'Apply failed with 1 conflict: conflict with "me": .data.a',
    )
    assert answer.json["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "me"', "field": ".data.a"}
    ]
    assert maps.get("one").ok()["data"] == {"a": "1"}


def test_several_conflicts_are_told_by_manager(maps):
    maps.apply(config(a="1", b="1"), "me").ok()
    maps.apply(config(c="1"), "you").ok()
    answer = maps.apply(config(a="2", b="2", c="2"), "they")
    assert answer.status == 409
    assert answer.message.startswith("Apply failed with 3 conflicts: conflicts with ")
    assert {each["field"] for each in answer.json["details"]["causes"]} == {
        ".data.a",
        ".data.b",
        ".data.c",
    }


def test_a_conflict_with_an_update_tells_what_it_was(maps):
    maps.made(config(a="1"), fieldManager="editor")
    answer = maps.apply(config(a="2"), "me")
    assert answer.status == 409
    assert answer.message.startswith(
        'Apply failed with 1 conflict: conflict with "editor" using v1'
    )


def test_force_takes_the_field_over(maps):
    maps.apply(config(a="1", b="1"), "me").ok()
    taken = maps.apply(config(a="2"), "you", force="true").ok()
    assert taken["data"] == {"a": "2", "b": "1"}
    assert managers(taken) == {
        ("me", "Apply"): {"f:data": {"f:b": {}}},
        ("you", "Apply"): {"f:data": {"f:a": {}}},
    }


def test_an_update_takes_over_what_it_changes(maps):
    maps.apply(config(a="1", b="1"), "me").ok()
    changed = maps.patch("one", {"data": {"a": "2"}}, fieldManager="editor").ok()
    assert managers(changed) == {
        ("me", "Apply"): {"f:data": {"f:b": {}}},
        ("editor", "Update"): {"f:data": {"f:a": {}}},
    }
    assert maps.apply(config(a="3", b="1"), "me").status == 409


def test_an_update_that_removes_a_field_ends_its_ownership(maps):
    maps.apply(config(a="1", b="1"), "me").ok()
    changed = maps.patch("one", {"data": {"a": None}}, fieldManager="editor").ok()
    assert managers(changed) == {("me", "Apply"): {"f:data": {"f:b": {}}}}


def test_a_manager_has_to_give_a_name(maps):
    answer = maps.patch("one", config(a="1"), APPLY_PATCH)
    assert answer.refusal[:2] == (422, "Invalid")
    assert "fieldManager: Required value: is required for apply patch" in answer.message


def test_force_goes_with_apply_alone(maps):
    maps.made(config())
    answer = maps.patch("one", {}, force="true")
    assert answer.refusal[:2] == (422, "Invalid")
    assert "force: Forbidden: may not be specified for non-apply patch" in answer.message


def test_what_is_applied_has_no_managed_fields(maps):
    made = maps.apply(config(a="1"), "me").ok()
    answer = maps.apply(made, "you")
    assert answer.refusal[:2] == (400, "BadRequest")
    assert "metadata.managedFields must be nil" in answer.message


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"name": "one"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}},
    ],
)
def test_what_is_applied_names_its_kind(maps, body):
    assert maps.apply(body).refusal[0] in (400, 422, 500)


def test_a_dry_apply_changes_nothing(maps):
    assert maps.apply(config(a="1"), "me", dryRun="All").ok()["data"] == {"a": "1"}
    assert maps.get("one").status == 404


def test_a_uid_of_apply_must_be_of_an_object_that_is_there(maps):
    body = config(a="1")
    body["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000"
    assert maps.apply(body).refusal[:2] == (409, "Conflict")


def deployment(*containers, **spec):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "x"}},
            "template": {
                "metadata": {"labels": {"app": "x"}},
                "spec": {"containers": list(containers)},
            },
            **spec,
        },
    }


@pytest.fixture
def deployments(server, namespace):
    return server.at("deployments", namespace, "apps/v1")


def test_lists_of_objects_are_owned_by_key(deployments):
    a = {"name": "a", "image": "i"}
    made = deployments.apply(deployment(a), "me").ok()
    fields = managers(made)[("me", "Apply")]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert fields == {'k:{"name":"a"}': {".": {}, "f:image": {}, "f:name": {}}}


def test_one_adds_a_container_to_anothers(deployments):
    a, b = {"name": "a", "image": "i"}, {"name": "b", "image": "j"}
    deployments.apply(deployment(a), "me").ok()
    body = deployment(b)
    found = deployments.apply(body, "you").ok()["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in found] == ["a", "b"]
    gone = deployment({**a, "image": "k"})
    changed = deployments.apply(gone, "me").ok()["spec"]["template"]["spec"]["containers"]
    assert [(each["name"], each["image"]) for each in changed] == [("a", "k"), ("b", "j")]


def test_a_container_that_is_no_longer_applied_is_removed(deployments):
    a, b = {"name": "a", "image": "i"}, {"name": "b", "image": "j"}
    deployments.apply(deployment(a, b), "me").ok()
    found = deployments.apply(deployment(b), "me").ok()["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in found] == ["b"]


def test_a_field_that_another_scales_is_a_conflict(deployments):
    a = {"name": "a", "image": "i"}
    deployments.apply(deployment(a), "me").ok()
    patch = {"spec": {"paused": True, "minReadySeconds": 3}}
    deployments.patch("d", patch, fieldManager="ops").ok()
    answer = deployments.apply(deployment(a, minReadySeconds=4), "me")
    assert answer.refusal[0] == 409
    assert "ops" in answer.message
    assert ".spec.minReadySeconds" in answer.message
    left = deployments.apply(deployment(a), "me").ok()
    assert left["spec"]["minReadySeconds"] == 3


def test_environment_variables_merge_by_name(deployments):
    def with_env(**env):
        listed = [{"name": name, "value": value} for name, value in env.items()]
        return deployment({"name": "a", "image": "i", "env": listed})

    deployments.apply(with_env(X="1"), "me").ok()
    found = deployments.apply(with_env(Y="2"), "you").ok()
    [container] = found["spec"]["template"]["spec"]["containers"]
    assert {each["name"]: each["value"] for each in container["env"]} == {"X": "1", "Y": "2"}


def test_a_list_key_twice_is_refused(deployments):
    a = {"name": "a", "image": "i"}
    assert deployments.apply(deployment(a, a), "me").refusal[0] in (400, 422, 500)


def test_status_is_owned_apart(deployments):
    deployments.apply(deployment({"name": "a", "image": "i"}), "me").ok()
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "status": {"observedGeneration": 7},
    }
    query = {"fieldManager": "controller"}
    # The controller of a cluster writes here too, and may be faster.
    told = deployments.patch("d/status", body, APPLY_PATCH, force="true", **query).ok()
    assert told["status"]["observedGeneration"] == 7
    assert told["spec"]["replicas"] == 0
    assert managers(told)[("controller", "Apply")] == {"f:status": {"f:observedGeneration": {}}}


@pytest.mark.needs("strict field validation", minor=27)
def test_an_unknown_field_is_refused_when_applied(maps):
    answer = maps.apply({**config(a="1"), "unknown": 1}, "me", fieldValidation="Strict")
    assert answer.refusal[0] in (400, 500)
    assert "unknown" in answer.message
