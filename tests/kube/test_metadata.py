"""Metadata: names, generated names, uid, generation, versions, times, field managers."""

from __future__ import annotations

import datetime
import re

import pytest

DEPLOYMENT = {
    "metadata": {"name": "d"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {"containers": [{"name": "main", "image": "i"}]},
        },
    },
}


@pytest.fixture
def maps(server, namespace):
    return server.at("configmaps", namespace)


def test_a_new_object_gets_what_only_the_server_gives(maps, namespace):
    sent = {
        "name": "one",
        "uid": "mine",
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "generation": 7,
        "selfLink": "/x",
        "deletionTimestamp": "2001-01-01T00:00:00Z",
    }
    made = maps.made({"metadata": sent})["metadata"]
    assert (made["name"], made["namespace"]) == ("one", namespace)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["uid"])
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(
        made["creationTimestamp"].replace("Z", "+00:00")
    )
    assert abs(age.total_seconds()) < 3600
    assert int(made["resourceVersion"]) > 0
    assert "deletionTimestamp" not in made
    assert "selfLink" not in made


def test_generated_names_have_five_letters_more(maps):
    names = {maps.made({"metadata": {"generateName": "x-"}})["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(re.fullmatch(r"x-[bcdfghjklmnpqrstvwxz2456789]{5}", name) for name in names)


def test_a_long_stem_is_cut(maps):
    name = maps.made({"metadata": {"generateName": "x" * 80}})["metadata"]["name"]
    assert re.fullmatch(r"x{58}[a-z0-9]{5}", name)


def test_a_name_wins_over_a_stem(maps):
    made = maps.made({"metadata": {"name": "one", "generateName": "x-"}})["metadata"]
    assert (made["name"], made["generateName"]) == ("one", "x-")


def test_an_object_without_a_name_is_refused(maps):
    assert maps.create({"metadata": {}}).refusal == (
        422,
        "Invalid",
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    )


@pytest.mark.parametrize(
    ("plural", "name"),
    [
        ("configmaps", "Bad_Name"),
        ("configmaps", "x" * 254),
        ("services", "1abc"),
        ("services", "a.b"),
    ],
)
def test_a_bad_name_is_refused(server, namespace, plural, name):
    body = {"metadata": {"name": name}}
    if plural == "services":
        body["spec"] = {"ports": [{"port": 80}]}
    answer = server.at(plural, namespace).create(body)
    code, reason, message = answer.refusal
    assert (code, reason) == (422, "Invalid")
    assert f'metadata.name: Invalid value: "{name}"' in message
    assert [each["field"] for each in answer.json["details"]["causes"]] == ["metadata.name"]


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"labels": {"a b": "1"}}, "metadata.labels"),
        ({"labels": {"a": "x y"}}, "metadata.labels"),
        ({"labels": {"a": "x" * 64}}, "metadata.labels"),
        ({"annotations": {"a b": "1"}}, "metadata.annotations"),
        ({"annotations": {"a": "x" * (1 << 18)}}, "metadata.annotations"),
        ({"finalizers": ["no slash no dot here"]}, "metadata.finalizers"),
        ({"ownerReferences": [{}]}, "metadata.ownerReferences"),
    ],
)
def test_bad_metadata_is_refused_with_its_field(maps, metadata, field):
    answer = maps.create({"metadata": {"name": "one", **metadata}})
    assert answer.refusal[:2] == (422, "Invalid")
    assert all(each["field"].startswith(field) for each in answer.json["details"]["causes"])


def test_a_namespace_in_the_object_must_be_the_paths(maps):
    code, reason, message = maps.create({"metadata": {"name": "x", "namespace": "other"}}).refusal
    assert (code, reason) == (400, "BadRequest")
    assert message.startswith(
        "the namespace of the provided object does not match the namespace sent"
    )


def test_a_name_in_the_object_must_be_the_paths(maps):
    maps.made({"metadata": {"name": "one"}})
    code, _, message = maps.replace("one", {"metadata": {"name": "two"}}).refusal
    assert (code, message) == (
        400,
        "the name of the object (two) does not match the name on the URL (one)",
    )


def test_every_change_gives_a_greater_version(maps):
    versions = [int(maps.made({"metadata": {"name": "one"}})["metadata"]["resourceVersion"])]
    for value in ("1", "2", "3"):
        changed = maps.patch("one", {"data": {"a": value}}).ok()
        versions.append(int(changed["metadata"]["resourceVersion"]))
    assert versions == sorted(set(versions))


def test_no_change_gives_no_new_version(maps):
    made = maps.made({"metadata": {"name": "one"}, "data": {"a": "1"}})
    assert maps.patch("one", {"data": {"a": "1"}}).ok()["metadata"] == made["metadata"]
    assert maps.replace("one", made).ok()["metadata"] == made["metadata"]


def test_the_generation_counts_changes_of_what_is_wanted(server, namespace):
    things = server.at("deployments", namespace, "apps/v1")
    assert things.made(DEPLOYMENT)["metadata"]["generation"] == 1
    labelled = things.patch("d", {"metadata": {"labels": {"a": "b"}}}).ok()
    assert labelled["metadata"]["generation"] == 1
    paused = things.patch("d", {"spec": {"minReadySeconds": 1}}).ok()
    assert paused["metadata"]["generation"] == 2
    told = things.patch("d/status", {"status": {"observedGeneration": 2}}).ok()
    assert told["metadata"]["generation"] == 2


def test_uid_and_creation_time_do_not_change(maps):
    made = maps.made({"metadata": {"name": "one"}})
    changed = {
        **made,
        "metadata": {**made["metadata"], "creationTimestamp": "2001-01-01T00:00:00Z"},
    }
    kept = maps.replace("one", changed).ok()["metadata"]
    assert kept["creationTimestamp"] == made["metadata"]["creationTimestamp"]
    changed["metadata"] = {"name": "one", "uid": "00000000-0000-0000-0000-000000000000"}
    code, reason, message = maps.replace("one", changed).refusal
    assert (code, reason) == (409, "Conflict")
    assert message.startswith('Operation cannot be fulfilled on configmaps "one": ')
    assert message.endswith(
        "Precondition failed: UID in precondition: 00000000-0000-0000-0000-000000000000, "
        f"UID in object meta: {made['metadata']['uid']}"
    )


def test_a_manager_is_kept_with_its_fields(maps):
    made = maps.made(
        {"metadata": {"name": "one", "labels": {"l": "1"}}, "data": {"a": "1"}}, fieldManager="me"
    )
    [entry] = made["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"], entry["apiVersion"], entry["fieldsType"]) == (
        "me",
        "Update",
        "v1",
        "FieldsV1",
    )
    assert entry["fieldsV1"] == {
        "f:data": {".": {}, "f:a": {}},
        "f:metadata": {"f:labels": {".": {}, "f:l": {}}},
    }
    changed = maps.patch("one", {"data": {"b": "2"}}, fieldManager="you").ok()
    managers = {each["manager"]: each for each in changed["metadata"]["managedFields"]}
    assert managers["you"]["fieldsV1"] == {"f:data": {"f:b": {}}}


def test_without_a_name_the_manager_is_the_program(maps):
    headers = {"User-Agent": "my-tool/1.2 (linux)"}
    made = maps.made({"metadata": {"name": "one"}, "data": {"a": "1"}}, headers=headers)
    [entry] = made["metadata"]["managedFields"]
    assert entry["manager"] == "my-tool"


def test_a_bad_manager_is_refused(maps):
    answer = maps.create({"metadata": {"name": "one"}}, fieldManager="x" * 129)
    assert answer.refusal[:2] == (422, "Invalid")
    assert answer.json["details"]["causes"][0]["field"] == "fieldManager"


def test_managed_fields_can_be_wiped(maps):
    maps.made({"metadata": {"name": "one"}, "data": {"a": "1"}})
    wiped = maps.patch("one", {"metadata": {"managedFields": [{}]}}).ok()
    assert "managedFields" not in wiped["metadata"]
