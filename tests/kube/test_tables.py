"""Answers in other shapes: tables for `kubectl get`, metadata alone."""

from __future__ import annotations

import pytest

TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
METADATA = {"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}
METADATA_LIST = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}


def columns(table, priority=None):
    return [
        each["name"]
        for each in table["columnDefinitions"]
        if priority is None or each["priority"] == priority
    ]


@pytest.fixture
def maps(server, namespace):
    things = server.at("configmaps", namespace)
    things.made({"metadata": {"name": "one", "labels": {"mine": "1"}}, "data": {"a": "1"}})
    return things


def test_a_list_is_a_table_when_asked_for(maps):
    table = maps.list(headers=TABLE, labelSelector="mine").ok()
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert columns(table) == ["Name", "Data", "Age"]
    assert table["metadata"]["resourceVersion"]
    [row] = table["rows"]
    assert row["cells"][:2] == ["one", 1]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["name"] == "one"
    assert "data" not in row["object"]


def test_one_object_is_a_table_too(maps):
    table = maps.get("one", headers=TABLE).ok()
    assert [row["cells"][0] for row in table["rows"]] == ["one"]


def test_a_table_has_pages(maps):
    for name in ("two", "three"):
        maps.made({"metadata": {"name": name, "labels": {"mine": "1"}}})
    table = maps.list(headers=TABLE, limit=2, labelSelector="mine").ok()
    assert len(table["rows"]) == 2
    assert table["metadata"]["continue"]


@pytest.mark.parametrize(
    ("include", "kind"),
    [("None", None), ("Metadata", "PartialObjectMetadata"), ("Object", "ConfigMap")],
)
def test_what_a_row_holds_can_be_chosen(maps, include, kind):
    table = maps.list(headers=TABLE, includeObject=include, labelSelector="mine").ok()
    found = table["rows"][0].get("object")
    assert (found or {}).get("kind") == kind


@pytest.mark.parametrize(
    ("plural", "group", "expected"),
    [
        ("namespaces", "v1", ["Name", "Status", "Age"]),
        ("secrets", "v1", ["Name", "Type", "Data", "Age"]),
        (
            "services",
            "v1",
            ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector"],
        ),
        (
            "pods",
            "v1",
            [
                "Name",
                "Ready",
                "Status",
                "Restarts",
                "Age",
                "IP",
                "Node",
                "Nominated Node",
                "Readiness Gates",
            ],
        ),
        (
            "deployments",
            "apps/v1",
            [
                "Name",
                "Ready",
                "Up-to-date",
                "Available",
                "Age",
                "Containers",
                "Images",
                "Selector",
            ],
        ),
        (
            "replicasets",
            "apps/v1",
            ["Name", "Desired", "Current", "Ready", "Age", "Containers", "Images", "Selector"],
        ),
        ("statefulsets", "apps/v1", ["Name", "Ready", "Age", "Containers", "Images"]),
        (
            "events",
            "v1",
            [
                "Last Seen",
                "Type",
                "Reason",
                "Object",
                "Subobject",
                "Source",
                "Message",
                "First Seen",
                "Count",
                "Name",
            ],
        ),
        ("persistentvolumes", "v1", None),
        ("nodes", "v1", None),
    ],
)
def test_kinds_have_the_columns_that_people_know(server, plural, group, expected):
    table = server.at(plural, None, group).list(headers=TABLE, limit=1).ok()
    if expected is None:
        wanted = {
            "nodes": ["Name", "Status", "Roles", "Age", "Version"],
            "persistentvolumes": ["Name", "Capacity", "Access Modes", "Reclaim Policy", "Status"],
        }[plural]
        assert columns(table, 0)[: len(wanted)] == wanted
    else:
        assert columns(table) == expected


def test_jobs_tell_how_far_they_are(server):
    table = server.at("jobs", None, "batch/v1").list(headers=TABLE).ok()
    names = columns(table)
    assert names[0] == "Name"
    assert {"Completions", "Duration", "Age", "Containers", "Images", "Selector"} <= set(names)


def test_a_pod_is_one_line(server, pod_namespace):
    pods = server.at("pods", pod_namespace)
    spec = {"nodeSelector": {"no": "such"}, "containers": [{"name": "a", "image": "i"}]}
    pods.made({"metadata": {"name": "p"}, "spec": spec})
    [row] = pods.list(headers=TABLE).ok()["rows"]
    assert row["cells"][:3] == ["p", "0/1", "Pending"]
    assert str(row["cells"][3]) == "0"
    pods.delete("p", {"gracePeriodSeconds": 0})


def test_metadata_can_be_had_alone(maps):
    one = maps.get("one", headers=METADATA).ok()
    assert (one["kind"], one["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert one["metadata"]["name"] == "one"
    assert "data" not in one
    listed = maps.list(headers=METADATA_LIST, labelSelector="mine").ok()
    assert listed["kind"] == "PartialObjectMetadataList"
    [item] = listed["items"]
    assert item["metadata"]["labels"] == {"mine": "1"}
    assert "data" not in item


def test_refusals_are_never_tables(maps):
    assert maps.get("none", headers=TABLE).refusal[:2] == (404, "NotFound")
