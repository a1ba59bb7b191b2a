"""Lists: pages, versions, and what a version means to a read."""

from __future__ import annotations

import base64
import json

import pytest


@pytest.fixture
def maps(server, namespace):
    things = server.at("configmaps", namespace)
    for number in range(5):
        things.made({"metadata": {"name": f"m{number}", "labels": {"mine": str(number % 2)}}})
    return things


MINE = {"labelSelector": "mine"}


def names(listed):
    return [each["metadata"]["name"] for each in listed["items"]]


def pages(things, limit, **query):
    found, token = [], ""
    while True:
        more = {"continue": token} if token else {}
        page = things.list(limit=limit, **more, **query).ok()
        found.append(page)
        token = page["metadata"].get("continue", "")
        if not token:
            return found


def test_a_list_has_a_version_that_a_watch_can_start_from(maps):
    metadata = maps.list().ok()["metadata"]
    assert int(metadata["resourceVersion"]) > 0


def test_an_empty_list_is_a_list(server, namespace):
    listed = server.at("secrets", namespace).list(labelSelector="no=such").ok()
    assert (listed["kind"], listed["apiVersion"], listed["items"]) == ("SecretList", "v1", [])


def test_a_long_list_comes_in_pages(maps):
    found = pages(maps, 2, fieldSelector="metadata.name!=kube-root-ca.crt")
    assert [names(page) for page in found] == [["m0", "m1"], ["m2", "m3"], ["m4"]]
    assert len({page["metadata"]["resourceVersion"] for page in found}) == 1


def test_the_first_page_says_how_many_are_left(server, namespace):
    things = server.at("secrets", namespace)
    for number in range(4):
        things.made({"metadata": {"name": f"zz{number}"}})
    total = len(things.list().ok()["items"])
    page = things.list(limit=1).ok()
    assert page["metadata"]["remainingItemCount"] == total - 1
    assert "remainingItemCount" not in things.list().ok()["metadata"]
    selected = things.list(limit=1, labelSelector="!none").ok()
    assert "remainingItemCount" not in selected["metadata"]


def test_pages_show_the_state_at_the_first_one(maps):
    first = maps.list(limit=2, **MINE).ok()
    maps.made({"metadata": {"name": "m2a", "labels": {"mine": "1"}}})
    maps.delete("m4").ok()
    maps.patch("m3", {"data": {"new": "1"}}).ok()
    token = {"continue": first["metadata"]["continue"]}
    rest = maps.list(limit=50, **token, **MINE).ok()
    assert names(rest) == ["m2", "m3", "m4"]
    assert "data" not in rest["items"][1]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert names(maps.list(**MINE).ok()) == ["m0", "m1", "m2", "m2a", "m3"]


def test_a_limit_with_a_selector_counts_what_is_selected(maps):
    assert [names(page) for page in pages(maps, 2, labelSelector="mine=0")] == [
        ["m0", "m2"],
        ["m4"],
    ]


def test_a_limit_that_is_not_reached_changes_nothing(maps):
    page = maps.list(limit=500).ok()
    assert "continue" not in page["metadata"]


def test_a_spoilt_token_is_refused(maps):
    code, reason, message = maps.list(limit=1, **{"continue": "%%%"}).refusal
    assert (code, reason) == (400, "BadRequest")
    assert "continue key is not valid" in message


def test_a_token_does_not_go_with_a_version(maps):
    first = maps.list(limit=1).ok()["metadata"]
    query = {"continue": first["continue"], "resourceVersion": first["resourceVersion"]}
    code, _, message = maps.list(limit=1, **query).refusal
    assert code in (400, 422)
    assert "specifying resource version is not allowed when using continue" in message or (
        "resourceVersion: Forbidden" in message
    )


def test_a_token_of_a_forgotten_version_is_gone_and_offers_another(server, maps):
    first = maps.list(limit=2, **MINE).ok()["metadata"]["continue"]
    token = json.loads(base64.urlsafe_b64decode(first + "=="))
    if not isinstance(token, dict) or "rv" not in token:
        pytest.skip("this server's token does not tell its version")
    token["rv"] = 1
    old = base64.urlsafe_b64encode(json.dumps(token).encode()).decode().rstrip("=")
    answer = maps.list(limit=2, **{"continue": old}, **MINE)
    if answer.status == 200 and not server.plane:
        pytest.skip("this server has not compacted its history yet")
    code, reason, message = answer.refusal
    assert (code, reason) == (410, "Expired")
    assert message.startswith("The provided continue parameter is too old")
    offered = answer.json["metadata"]["continue"]
    assert names(maps.list(**{"continue": offered}, **MINE).ok()) == ["m2", "m3", "m4"]


@pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}])
def test_a_read_gives_at_least_what_was_written(maps, query):
    assert sorted(names(maps.list(**query, **MINE).ok())) == ["m0", "m1", "m2", "m3", "m4"]
    assert maps.get("m0", **query).ok()["metadata"]["name"] == "m0"


def test_a_list_of_an_exact_version_shows_the_past(maps):
    past = maps.list().ok()["metadata"]["resourceVersion"]
    maps.delete("m1").ok()
    maps.patch("m0", {"data": {"new": "1"}}).ok()
    query = {"resourceVersion": past, "resourceVersionMatch": "Exact", "limit": 500}
    found = maps.list(**query, **MINE).ok()
    assert names(found) == ["m0", "m1", "m2", "m3", "m4"]
    assert "data" not in found["items"][0]
    assert found["metadata"]["resourceVersion"] == past


def test_not_older_than_gives_the_present(maps):
    past = maps.list().ok()["metadata"]["resourceVersion"]
    maps.delete("m1").ok()
    changed = maps.patch("m0", {"data": {"new": "1"}}).ok()["metadata"]["resourceVersion"]
    query = {"resourceVersion": changed, "resourceVersionMatch": "NotOlderThan"}
    found = maps.list(**query, **MINE).ok()
    assert int(found["metadata"]["resourceVersion"]) >= int(changed) > int(past)
    assert sorted(names(found)) == ["m0", "m2", "m3", "m4"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"resourceVersionMatch": "Exact"}, "resourceVersionMatch"),
        ({"resourceVersionMatch": "Other", "resourceVersion": "1"}, "resourceVersionMatch"),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, "resourceVersionMatch"),
    ],
)
def test_matches_that_make_no_sense_are_refused(maps, query, field):
    code, reason, message = maps.list(**query).refusal
    assert (code, reason) == (422, "Invalid")
    assert field in message


@pytest.mark.parametrize("call", ["list", "get"])
def test_a_version_that_is_no_number_is_refused(server, maps, call):
    query = {"resourceVersion": "abc"}
    answer = maps.list(**query) if call == "list" else maps.get("m0", **query)
    # The real one blames itself; a client's mistake should not look like that.
    assert answer.refusal[0] in ((400, 422) if server.plane else (400, 422, 500))
    assert 'resourceVersion: Invalid value: "abc"' in answer.message


def test_a_version_of_the_future_does_not_exist_yet(maps):
    now = int(maps.list().ok()["metadata"]["resourceVersion"])
    answer = maps.list(resourceVersion=str(now + 1_000_000))
    code, reason, message = answer.refusal
    assert (code, reason) == (504, "Timeout")
    assert "Too large resource version: " in message
