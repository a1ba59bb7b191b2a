"""Watches: each change once and in order, from a version on, with selectors and bookmarks."""

from __future__ import annotations

import itertools

import pytest
from kubernetes import client, watch

MINE = "mine=1"


@pytest.fixture
def maps(server, namespace):
    return server.at("configmaps", namespace)


def body(name, **data):
    return {"metadata": {"name": name, "labels": {"mine": "1"}}, "data": data}


def take(events, count):
    found = [
        (event["type"], event["object"]["metadata"]["name"])
        for event in itertools.islice(events, count)
    ]
    events.close()
    return found


def now(things):
    return things.list().ok()["metadata"]["resourceVersion"]


def test_each_change_is_told_once_and_in_order(maps):
    start = now(maps)
    maps.made(body("one"))
    maps.patch("one", {"data": {"a": "2"}}).ok()
    maps.patch("one", {"data": {"a": "2"}}).ok()  # no change
    maps.delete("one").ok()
    maps.made(body("two"))
    events = maps.watch(resourceVersion=start, labelSelector=MINE)
    assert take(events, 4) == [
        ("ADDED", "one"),
        ("MODIFIED", "one"),
        ("DELETED", "one"),
        ("ADDED", "two"),
    ]


def test_an_event_holds_the_whole_object_at_its_version(maps):
    start = now(maps)
    made = maps.made(body("one", a="1"))
    changed = maps.patch("one", {"data": {"a": "2"}}).ok()
    maps.delete("one").ok()
    events = list(itertools.islice(maps.watch(resourceVersion=start, labelSelector=MINE), 3))
    assert events[0]["object"] == made
    assert events[1]["object"] == changed
    assert events[2]["object"]["data"] == {"a": "2"}
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in events]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}])
def test_without_a_version_what_is_there_comes_first(maps, query):
    for name in ("a", "b"):
        maps.made(body(name))
    events = maps.watch(labelSelector=MINE, **query)
    first = [next(events) for _ in range(2)]
    assert {each["type"] for each in first} == {"ADDED"}
    assert {each["object"]["metadata"]["name"] for each in first} == {"a", "b"}
    maps.delete("a").ok()
    assert take(events, 1) == [("DELETED", "a")]


def test_what_comes_while_a_watch_is_open_is_told_at_once(maps):
    events = maps.watch(resourceVersion=now(maps), labelSelector=MINE)
    maps.made(body("late"))
    assert take(events, 1) == [("ADDED", "late")]


def test_an_object_enters_and_leaves_a_selection(maps):
    start = now(maps)
    maps.made({"metadata": {"name": "one"}})
    maps.patch("one", {"metadata": {"labels": {"mine": "1"}}}).ok()
    maps.patch("one", {"data": {"a": "1"}}).ok()
    maps.patch("one", {"metadata": {"labels": {"mine": "2"}}}).ok()
    maps.patch("one", {"data": {"a": "2"}}).ok()
    maps.delete("one").ok()
    maps.made(body("end"))
    events = list(itertools.islice(maps.watch(resourceVersion=start, labelSelector=MINE), 4))
    assert [(each["type"], each["object"]["metadata"]["name"]) for each in events] == [
        ("ADDED", "one"),
        ("MODIFIED", "one"),
        ("DELETED", "one"),
        ("ADDED", "end"),
    ]
    assert events[2]["object"]["data"] == {"a": "1"}
    assert events[2]["object"]["metadata"]["labels"]["mine"] in ("1", "2")


def test_a_field_selector_watches_one_object(maps):
    start = now(maps)
    for name in ("one", "two", "one-more"):
        maps.made(body(name))
    maps.delete("two").ok()
    events = maps.watch(resourceVersion=start, fieldSelector="metadata.name=two")
    assert take(events, 2) == [("ADDED", "two"), ("DELETED", "two")]


def test_one_object_can_be_watched_at_the_old_path(server, maps, namespace):
    start = now(maps)
    maps.made(body("one"))
    path = f"/api/v1/watch/namespaces/{namespace}/configmaps/one"
    answer = server.stream(path, resourceVersion=start, timeoutSeconds=1)
    assert (answer.status, b'"type":"ADDED"' in answer.data) == (200, True)


def test_all_namespaces_are_watched_at_once(server, new_namespace):
    start = now(server.at("configmaps"))
    namespaces = [new_namespace(), new_namespace()]
    label = {"mine": namespaces[0]}
    for each in namespaces:
        things = server.at("configmaps", each)
        things.made({"metadata": {"name": "one", "labels": label}})
    selector = f"mine={namespaces[0]}"
    events = server.at("configmaps").watch(resourceVersion=start, labelSelector=selector)
    seen = [next(events)["object"]["metadata"]["namespace"] for _ in range(2)]
    assert seen == namespaces


def test_the_server_ends_a_watch_at_its_timeout(maps):
    # With a selector: a namespace gets objects of its own a moment after it is there.
    query = {"labelSelector": "no=such", "timeoutSeconds": 1}
    assert list(maps.watch(resourceVersion=now(maps), **query)) == []


def test_bookmarks_tell_how_far_a_watch_is(server, maps):
    start = now(maps)
    query = {"allowWatchBookmarks": "true", "timeoutSeconds": 4}
    maps.made(body("one"))
    events = list(maps.watch(resourceVersion=start, labelSelector=MINE, **query))
    last = events[-1]
    assert events[0]["type"] == "ADDED"
    if len(events) == 1 and not server.plane:
        pytest.skip("this server gives bookmarks at times of its own, and none in 4 seconds")
    assert last["type"] == "BOOKMARK"
    assert (last["object"]["kind"], last["object"]["apiVersion"]) == ("ConfigMap", "v1")
    version = last["object"]["metadata"]["resourceVersion"]
    assert int(version) >= int(events[0]["object"]["metadata"]["resourceVersion"])
    maps.made(body("two"))
    assert take(maps.watch(resourceVersion=version, labelSelector=MINE), 1) == [("ADDED", "two")]


def test_without_asking_there_are_no_bookmarks(maps):
    query = {"labelSelector": MINE, "timeoutSeconds": 1}
    assert list(maps.watch(resourceVersion=now(maps), **query)) == []


def test_a_forgotten_version_is_gone(server, maps):
    if not server.plane:
        pytest.skip("a cluster's history is compacted every five minutes; nobody waits that long")
    maps.made(body("x"))
    # The plane forgets by the size of its log, and looks at it every 512 changes.
    for number in range(1100):
        maps.patch("x", {"data": {"a": f"{number}" + "x" * 40_000}}).ok()
    answer = server.get(maps.path, watch="true", resourceVersion="1", timeoutSeconds=5)
    if answer.status == 200:
        event = answer.json
        assert event["type"] == "ERROR"
        found = event["object"]
    else:
        found = answer.json
    assert (found["code"], found["reason"]) == (410, "Expired")
    assert found["message"].startswith("too old resource version: 1 (")


def test_a_version_that_is_no_number_is_refused(server, maps):
    code, _, message = server.get(maps.path, watch="true", resourceVersion="abc").refusal
    assert code in ((400, 422) if server.plane else (400, 422, 500))
    assert 'resourceVersion: Invalid value: "abc"' in message


def test_a_watch_of_what_is_not_served_is_not_found(server, namespace):
    answer = server.get(f"/api/v1/namespaces/{namespace}/gadgets", watch="true")
    assert answer.status == 404


def test_a_bad_selector_ends_a_watch_before_it_begins(server, maps):
    assert server.get(maps.path, watch="true", labelSelector="x in").status == 400
    assert server.get(maps.path, watch="true", fieldSelector="data.a=1").status == 400


@pytest.mark.needs("sendInitialEvents", minor=32)
def test_the_first_events_end_with_a_marked_bookmark(maps):
    for name in ("a", "b"):
        maps.made(body(name))
    events = maps.watch(
        sendInitialEvents="true",
        allowWatchBookmarks="true",
        resourceVersionMatch="NotOlderThan",
        labelSelector=MINE,
    )
    first = [next(events) for _ in range(3)]
    events.close()
    assert [each["type"] for each in first] == ["ADDED", "ADDED", "BOOKMARK"]
    marks = first[2]["object"]["metadata"]["annotations"]
    assert marks == {"k8s.io/initial-events-end": "true"}


@pytest.mark.needs("sendInitialEvents", minor=32)
def test_first_events_need_a_match(server, maps):
    answer = server.get(maps.path, watch="true", sendInitialEvents="true")
    assert answer.refusal[:2] == (422, "Invalid")
    assert "resourceVersionMatch: Forbidden" in answer.message


def test_the_stock_client_watches(server, namespace):
    core = client.CoreV1Api(server.api)
    start = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, body("one"))
    watching = watch.Watch()
    for event in watching.stream(
        core.list_namespaced_config_map, namespace, resource_version=start, label_selector=MINE
    ):
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "one")
        watching.stop()


def test_the_dynamic_client_watches(server, namespace):
    maps = server.dynamic.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(body=body("one"), namespace=namespace)
    for event in maps.watch(namespace=namespace, label_selector=MINE, timeout=20):
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "one")
        break


def test_a_watch_may_be_asked_for_as_a_table(server, maps):
    maps.made(body("one"))
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    answer = server.get(
        maps.path, headers=accept, watch="true", labelSelector=MINE, timeoutSeconds=1
    )
    event = answer.json
    assert (event["type"], event["object"]["kind"]) == ("ADDED", "Table")
    assert event["object"]["rows"][0]["cells"][0] == "one"
