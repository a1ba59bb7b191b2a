"""Deletion: preconditions, grace, collections, finalizers, and what an owner takes along."""

from __future__ import annotations

import pytest

KUBELETLESS = {"no": "such-node"}


@pytest.fixture
def maps(server, namespace):
    things = server.at("configmaps", namespace)
    yield things
    for name in things.names():
        things.patch(name, {"metadata": {"finalizers": None}})


def owned_by(*owners, **more):
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": each["metadata"]["name"],
            "uid": each["metadata"]["uid"],
            **more,
        }
        for each in owners
    ]


def test_a_deletion_can_ask_for_the_same_uid(maps):
    made = maps.made({"metadata": {"name": "one"}})
    other = "00000000-0000-0000-0000-000000000000"
    answer = maps.delete("one", {"preconditions": {"uid": other}})
    assert answer.refusal[:2] == (409, "Conflict")
    assert answer.message.endswith(
        f"the UID in the precondition ({other}) does not match the UID in record "
        f"({made['metadata']['uid']}). The object might have been deleted and then recreated"
    )
    assert maps.delete("one", {"preconditions": {"uid": made["metadata"]["uid"]}}).status == 200


def test_a_deletion_can_ask_for_the_same_version(maps):
    old = maps.made({"metadata": {"name": "one"}})["metadata"]["resourceVersion"]
    new = maps.patch("one", {"data": {"a": "1"}}).ok()["metadata"]["resourceVersion"]
    answer = maps.delete("one", {"preconditions": {"resourceVersion": old}})
    assert answer.refusal[:2] == (409, "Conflict")
    assert answer.message.endswith(
        f"the ResourceVersion in the precondition ({old}) does not match the ResourceVersion in "
        f"record ({new}). The object might have been modified"
    )
    assert maps.delete("one", {"preconditions": {"resourceVersion": new}}).status == 200


def test_a_collection_is_deleted_by_labels(maps):
    for name, label in (("a", "1"), ("b", "1"), ("c", "2")):
        maps.made({"metadata": {"name": name, "labels": {"x": label}}})
    found = maps.delete_all(labelSelector="x=1").ok()
    assert found["kind"] == "ConfigMapList" or found["status"] == "Success"
    assert maps.names(labelSelector="x") == ["c"]


def test_a_collection_is_deleted_by_fields(maps):
    for name in ("a", "b"):
        maps.made({"metadata": {"name": name, "labels": {"x": "1"}}})
    maps.delete_all(fieldSelector="metadata.name=b").ok()
    assert maps.names(labelSelector="x") == ["a"]


def test_finalizers_hold_an_object_until_they_are_off(maps):
    maps.made({"metadata": {"name": "held", "finalizers": ["example.com/hold", "example.com/too"]}})
    told = maps.delete("held").ok()
    assert told["kind"] == "ConfigMap"
    held = maps.get("held").ok()["metadata"]
    assert held["deletionTimestamp"]
    assert held["deletionGracePeriodSeconds"] == 0
    assert held["generation" if "generation" in held else "name"] in (2, "held")
    assert maps.delete("held").status == 200
    maps.patch("held", {"metadata": {"finalizers": ["example.com/too"]}}).ok()
    assert maps.get("held").status == 200
    maps.patch("held", {"metadata": {"finalizers": []}}).ok()
    assert maps.get("held").status == 404


def test_what_is_being_deleted_takes_no_new_finalizers(maps):
    maps.made({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}})
    maps.delete("held").ok()
    patch = {"metadata": {"finalizers": ["example.com/hold", "example.com/new"]}}
    answer = maps.patch("held", patch)
    assert answer.refusal[:2] == (422, "Invalid")
    assert "no new finalizers can be added if the object is being deleted" in answer.message


def test_a_watch_tells_of_held_objects(maps):
    start = maps.list().ok()["metadata"]["resourceVersion"]
    maps.made({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}})
    maps.delete("held").ok()
    maps.patch("held", {"metadata": {"finalizers": None}}).ok()
    events = maps.watch(resourceVersion=start, fieldSelector="metadata.name=held")
    types = []
    for event in events:
        types.append(event["type"])
        if event["type"] == "DELETED":
            break
    assert (types[:2], types[-1]) == (["ADDED", "MODIFIED"], "DELETED")


def test_dependents_go_after_their_owner_in_the_background(maps):
    owner = maps.made({"metadata": {"name": "owner"}})
    maps.made({"metadata": {"name": "child", "ownerReferences": owned_by(owner)}})
    maps.delete("owner", {"propagationPolicy": "Background"}).ok()
    assert maps.get("owner").status == 404
    maps.wait_gone("child")


def test_dependents_go_by_default_too(maps):
    owner = maps.made({"metadata": {"name": "owner"}})
    child = maps.made({"metadata": {"name": "child", "ownerReferences": owned_by(owner)}})
    maps.made({"metadata": {"name": "grandchild", "ownerReferences": owned_by(child)}})
    maps.delete("owner").ok()
    maps.wait_gone("child")
    maps.wait_gone("grandchild")


def test_in_the_foreground_the_owner_waits_for_its_dependents(maps):
    owner = maps.made({"metadata": {"name": "owner"}})
    references = owned_by(owner, blockOwnerDeletion=True)
    child = {"name": "child", "finalizers": ["example.com/hold"], "ownerReferences": references}
    maps.made({"metadata": child})
    maps.delete("owner", {"propagationPolicy": "Foreground"}).ok()
    waiting = maps.get("owner").ok()["metadata"]
    assert "foregroundDeletion" in waiting["finalizers"]
    assert waiting["deletionTimestamp"]
    maps.wait("child", lambda found: "deletionTimestamp" in found["metadata"])
    assert maps.get("owner").status == 200
    maps.patch("child", {"metadata": {"finalizers": None}}).ok()
    maps.wait_gone("owner")
    assert maps.get("child").status == 404


def test_orphans_stay_and_forget_their_owner(maps):
    owner = maps.made({"metadata": {"name": "owner"}})
    maps.made({"metadata": {"name": "child", "ownerReferences": owned_by(owner)}})
    maps.delete("owner", {"propagationPolicy": "Orphan"}).ok()
    maps.wait_gone("owner")
    maps.wait("child", lambda found: "ownerReferences" not in found["metadata"])


def test_the_policy_may_come_in_the_query(maps):
    owner = maps.made({"metadata": {"name": "owner"}})
    maps.made({"metadata": {"name": "child", "ownerReferences": owned_by(owner)}})
    maps.delete("owner", propagationPolicy="Orphan").ok()
    maps.wait("child", lambda found: "ownerReferences" not in found["metadata"])


def test_a_child_of_two_goes_with_the_last_one(maps):
    owners = [maps.made({"metadata": {"name": name}}) for name in ("a", "b")]
    maps.made({"metadata": {"name": "child", "ownerReferences": owned_by(*owners)}})
    maps.delete("a").ok()
    maps.wait(
        "child",
        lambda found: [each["name"] for each in found["metadata"]["ownerReferences"]] == ["b"],
    )
    maps.delete("b").ok()
    maps.wait_gone("child")


def test_a_child_of_an_owner_that_never_was_goes(maps):
    owner = {"metadata": {"name": "ghost", "uid": "11111111-2222-3333-4444-555555555555"}}
    maps.made({"metadata": {"name": "child", "ownerReferences": owned_by(owner)}})
    maps.wait_gone("child")


def test_an_unknown_policy_is_refused(maps):
    maps.made({"metadata": {"name": "one"}})
    answer = maps.delete("one", {"propagationPolicy": "Sideways"})
    assert answer.refusal[:2] == (422, "Invalid")
    assert "propagationPolicy: Unsupported value: " in answer.message or (
        "propagationPolicy: Invalid value: " in answer.message
    )


def test_both_ways_to_orphan_do_not_go_together(maps):
    maps.made({"metadata": {"name": "one"}})
    body = {"propagationPolicy": "Orphan", "orphanDependents": True}
    answer = maps.delete("one", body)
    assert answer.refusal[:2] == (422, "Invalid")
    assert "orphanDependents and deletionPropagation cannot be both set" in answer.message


def test_two_controllers_of_one_object_are_refused(maps):
    owners = [maps.made({"metadata": {"name": name}}) for name in ("a", "b")]
    references = owned_by(*owners, controller=True)
    answer = maps.create({"metadata": {"name": "child", "ownerReferences": references}})
    assert answer.refusal[:2] == (422, "Invalid")
    assert "Only one reference can have Controller set to true" in answer.message


def test_a_pod_that_nobody_runs_goes_at_once(server, pod_namespace):
    pods = server.at("pods", pod_namespace)
    spec = {"nodeSelector": KUBELETLESS, "containers": [{"name": "main", "image": "i"}]}
    pods.made({"metadata": {"name": "p"}, "spec": spec})
    found = pods.delete("p").ok()
    assert found["kind"] == "Pod"
    assert pods.get("p").status == 404


def test_a_running_pod_is_given_its_grace(server, pod_namespace, run_pod):
    pods = server.at("pods", pod_namespace)
    container = {
        "name": "main",
        "image": "python:3.11",
        "command": ["python3", "-c", "import time; time.sleep(300)"],
    }
    spec = {"containers": [container], "terminationGracePeriodSeconds": 41}
    if not server.has_kubelet():
        spec["nodeName"] = "nobody"
    pods.made({"metadata": {"name": "p", "finalizers": ["example.com/look"]}, "spec": spec})
    run_pod(pod_namespace, "p")
    told = pods.delete("p").ok()["metadata"]
    assert told["deletionTimestamp"]
    assert told["deletionGracePeriodSeconds"] == 41
    pods.delete("p", {"gracePeriodSeconds": 0})
    pods.patch("p", {"metadata": {"finalizers": None}})
    pods.wait_gone("p")


def test_a_negative_grace_is_refused_or_cut(maps):
    maps.made({"metadata": {"name": "one"}})
    assert maps.delete("one", {"gracePeriodSeconds": -5}).status in (200, 422)
