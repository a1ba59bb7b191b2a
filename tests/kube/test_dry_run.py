"""Dry runs answer as the real thing would, and change nothing."""

from __future__ import annotations

import pytest


@pytest.fixture
def maps(server, namespace):
    return server.at("configmaps", namespace)


def test_a_dry_creation_leaves_nothing(maps):
    answer = maps.create({"metadata": {"name": "one"}, "data": {"a": "1"}}, dryRun="All")
    assert answer.status == 201
    assert answer.json["metadata"]["uid"]
    assert answer.json["data"] == {"a": "1"}
    assert maps.get("one").status == 404


def test_a_dry_change_leaves_all_as_it_was(maps):
    made = maps.made({"metadata": {"name": "one"}, "data": {"a": "1"}})
    patched = maps.patch("one", {"data": {"a": "2"}}, dryRun="All").ok()
    assert patched["data"] == {"a": "2"}
    replaced = maps.replace("one", {**made, "data": {"b": "1"}}, dryRun="All").ok()
    assert replaced["data"] == {"b": "1"}
    assert maps.delete("one", dryRun="All").status == 200
    assert maps.delete_all(dryRun="All", labelSelector="!none").status == 200
    assert maps.get("one").ok() == made


def test_a_dry_deletion_by_its_options(maps):
    maps.made({"metadata": {"name": "one"}})
    assert maps.delete("one", {"dryRun": ["All"]}).status == 200
    assert maps.get("one").status == 200


def test_a_dry_run_is_refused_like_the_real_one(maps):
    maps.made({"metadata": {"name": "one"}})
    assert maps.create({"metadata": {"name": "one"}}, dryRun="All").status == 409
    assert maps.create({"metadata": {"name": "Bad_Name"}}, dryRun="All").status == 422
    assert maps.delete("none", dryRun="All").status == 404


def test_another_value_is_refused(maps):
    answer = maps.create({"metadata": {"name": "one"}}, dryRun="Some")
    assert answer.refusal[:2] == (422, "Invalid")
    assert "dryRun: Unsupported value: " in answer.message


def test_nothing_is_watched_of_a_dry_run(maps):
    start = maps.list().ok()["metadata"]["resourceVersion"]
    maps.create({"metadata": {"name": "dry"}}, dryRun="All").ok()
    maps.made({"metadata": {"name": "wet"}})
    event = next(maps.watch(resourceVersion=start, fieldSelector="metadata.name!=kube-root-ca.crt"))
    assert event["object"]["metadata"]["name"] == "wet"
