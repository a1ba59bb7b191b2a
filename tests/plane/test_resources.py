"""The gate to the objects, without a process around it."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from fairlead_plane.resources import (
    CONFIG_MAP,
    EVENT,
    POD,
    WORKFLOW,
    ApiError,
    Resources,
    parse_quantity,
    parse_timestamp,
    tables,
    timestamp,
)
from fairlead_plane.resources.patch import json_patch, merge_patch, strategic_merge_patch
from fairlead_plane.resources.schemas import builtin_schema
from fairlead_plane.store import Store


def config_map(name: str, **data: str):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.fixture
def run(tmp_path):
    """Run a test's coroutine over a fresh gate."""

    def run(test):
        async def whole():
            store = Store(tmp_path / "test.db")
            resources = Resources(store)
            await resources.start()
            try:
                return await test(resources)
            finally:
                store.close()

        return asyncio.run(whole())

    return run


def test_a_transaction_that_fails_leaves_nothing(run) -> None:
    async def test(resources: Resources) -> None:
        watch = resources.watch(CONFIG_MAP)

        def change(transaction):
            transaction.create(config_map("one"))
            transaction.db.execute("CREATE TABLE mine (x)")
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await resources.transaction(change)
        assert (await resources.list(CONFIG_MAP)).items == []
        assert watch.idle
        await resources.transaction(
            lambda transaction: transaction.db.execute("CREATE TABLE mine (x)")
        )

    run(test)


def test_objects_and_rows_of_other_parts_change_together(run) -> None:
    async def test(resources: Resources) -> None:
        resources.store.migrate("mine", ["CREATE TABLE mine (x)"])
        resources.store.migrate("mine", ["CREATE TABLE mine (x)", "ALTER TABLE mine ADD y"])

        def change(transaction):
            transaction.db.execute("INSERT INTO mine VALUES (1, 2)")
            return transaction.create(config_map("one"))["metadata"]["name"]

        assert await resources.transaction(change) == "one"
        assert resources.store.reader.execute("SELECT * FROM mine").fetchall() == [(1, 2)]
        assert (await resources.get(CONFIG_MAP, "one"))["metadata"]["namespace"] == "default"

    run(test)


def test_what_is_read_is_a_copy(run) -> None:
    async def test(resources: Resources) -> None:
        given = config_map("one", a="1")
        made = await resources.create(given)
        assert given == config_map("one", a="1")
        made["data"]["a"] = "2"
        assert (await resources.get(CONFIG_MAP, "one"))["data"] == {"a": "1"}

    run(test)


def test_an_unknown_kind_is_refused(run) -> None:
    async def test(resources: Resources) -> None:
        with pytest.raises(ApiError) as refused:
            await resources.create(
                {"apiVersion": "v1", "kind": "Gadget", "metadata": {"name": "x"}}
            )
        assert refused.value.status()["message"] == 'no matches for kind "Gadget" in version "v1"'

    run(test)


def test_a_change_of_the_spec_counts_up_the_generation(run) -> None:
    async def test(resources: Resources) -> None:
        workflow = {
            "apiVersion": WORKFLOW.api_version,
            "kind": "Workflow",
            "metadata": {"name": "w"},
            "spec": {"a": 1},
        }
        made = await resources.create(workflow)
        made["status"] = {"phase": "Running"}
        made = await resources.update(made)
        assert (made["metadata"]["generation"], made["status"]) == (1, {"phase": "Running"})
        made["spec"] = {"a": 2}
        made = await resources.update(made)
        assert made["metadata"]["generation"] == 2

    run(test)


def test_an_update_without_a_difference_is_no_event(run) -> None:
    async def test(resources: Resources) -> None:
        made = await resources.create(config_map("one"))
        watch = resources.watch(CONFIG_MAP, resource_version=resources.version)
        assert await resources.update(made) == made
        assert watch.idle

    run(test)


def test_the_event_log_is_bounded_and_a_watch_from_before_is_expired(run, monkeypatch) -> None:
    monkeypatch.setattr(tables, "COMPACT_EVERY", 16)
    monkeypatch.setattr(tables.compact, "__defaults__", (10, 1 << 20))

    async def test(resources: Resources) -> None:
        start = resources.version
        made = await resources.create(config_map("one"))
        for number in range(40):
            made["data"] = {"n": str(number)}
            made = await resources.update(made)
        rows = resources.store.reader.execute("SELECT count(*) FROM events").fetchone()[0]
        assert rows <= 10 + 16
        with pytest.raises(ApiError) as expired:
            resources.watch(CONFIG_MAP, resource_version=start)
        assert (expired.value.code, expired.value.reason) == (410, "Expired")
        watch = resources.watch(CONFIG_MAP, resource_version=str(int(resources.version) - 2))
        assert [(await anext(watch)).object["data"]["n"] for _ in range(2)] == ["38", "39"]

    run(test)


def test_the_event_log_is_bounded_by_size_too(run) -> None:
    async def test(resources: Resources) -> None:
        for number in range(8):
            await resources.create(config_map(f"m{number}", a="x" * 1000))
        await resources.store.transaction(lambda db: tables.compact(db, 1000, 4000))
        sizes = resources.store.reader.execute("SELECT count(*), sum(size) FROM events").fetchone()
        assert sizes[0] == 3
        assert sizes[1] <= 4000

    run(test)


def test_a_watch_that_falls_behind_is_expired(run, monkeypatch) -> None:
    monkeypatch.setattr("fairlead_plane.resources.watch.BACKLOG", 3)

    async def test(resources: Resources) -> None:
        watch = resources.watch(CONFIG_MAP)
        for number in range(5):
            await resources.create(config_map(f"m{number}"))
        with pytest.raises(ApiError) as expired:
            await anext(watch)
        assert expired.value.code == 410

    run(test)


def test_a_closed_watch_ends(run) -> None:
    async def test(resources: Resources) -> None:
        watch = resources.watch(CONFIG_MAP)
        await resources.create(config_map("one"))
        watch.close()
        assert [event.type async for event in watch] == ["ADDED"]

    run(test)


def test_old_events_are_dropped(run, monkeypatch) -> None:
    monkeypatch.setattr("fairlead_plane.resources.transaction.PRUNE_EVERY", 8)
    monkeypatch.setattr("fairlead_plane.resources.events.KEEP_MOST", 5)

    async def test(resources: Resources) -> None:
        about = await resources.create(config_map("one"))
        for number in range(40):
            await resources.transaction(
                lambda transaction, n=number: transaction.record_event(about, "Seen", str(n))
            )
        assert len((await resources.list(EVENT)).items) <= 5 + 8

    run(test)


def test_a_bound_pod_is_marked_and_goes_when_its_node_says_so(run) -> None:
    async def test(resources: Resources) -> None:
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p"},
            "spec": {
                "containers": [{"name": "a", "image": "i"}],
                "terminationGracePeriodSeconds": 7,
            },
        }
        pod = await resources.create(pod)
        await resources.transaction(lambda transaction: transaction.bind_pod(pod, "n", []))
        marked = await resources.delete(POD, "p")
        assert marked["metadata"]["deletionGracePeriodSeconds"] == 7
        again = await resources.delete(POD, "p", grace_period_seconds=3)
        assert again["metadata"]["deletionGracePeriodSeconds"] == 3
        await resources.delete(POD, "p", grace_period_seconds=0)
        assert await resources.find(POD, "p") is None

    run(test)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("100m", Decimal("0.1")),
        ("1.5", Decimal("1.5")),
        ("2", Decimal(2)),
        (2, Decimal(2)),
        ("1Ki", Decimal(1024)),
        ("1.5Gi", Decimal(3 * 2**29)),
        ("3M", Decimal(3_000_000)),
        ("1e3", Decimal(1000)),
        ("5E", Decimal(5) * 10**18),
        ("0", Decimal(0)),
    ],
)
def test_quantities(text, amount) -> None:
    assert parse_quantity(text) == amount


@pytest.mark.parametrize("text", ["", "x", "1 Gi", "1KiB", "--1", "1mm", None, [1]])
def test_what_is_no_quantity(text) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        parse_quantity(text)


def test_times() -> None:
    assert timestamp(0.999) == "1970-01-01T00:00:00Z"
    assert parse_timestamp("1970-01-01T00:00:01Z") == 1.0
    assert parse_timestamp("1970-01-01T01:00:01.123456789+01:00") == 1.123456789
    with pytest.raises(ValueError, match="is no RFC 3339 time"):
        parse_timestamp("yesterday")


def test_a_merge_patch_follows_its_rfc() -> None:
    # The examples of RFC 7386, appendix A.
    for target, patch, result in [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ]:
        assert merge_patch(target, patch) == result


def test_a_json_patch_follows_its_rfc() -> None:
    target = {"a": {"b": [1, 2]}, "c/d": 1}
    operations = [
        {"op": "test", "path": "/a/b/0", "value": 1},
        {"op": "add", "path": "/a/b/-", "value": 3},
        {"op": "add", "path": "/a/b/0", "value": 0},
        {"op": "replace", "path": "/c~1d", "value": 2},
        {"op": "copy", "from": "/a/b", "path": "/e"},
        {"op": "move", "from": "/a/b", "path": "/f"},
        {"op": "remove", "path": "/f/1"},
    ]
    assert json_patch(target, operations) == {"a": {}, "c/d": 2, "e": [0, 1, 2, 3], "f": [0, 2, 3]}
    assert target == {"a": {"b": [1, 2]}, "c/d": 1}
    for bad in ([{"op": "remove", "path": "/x"}], [{"op": "add", "path": "/a/b/9", "value": 1}]):
        with pytest.raises(ApiError) as refused:
            json_patch(target, bad)
        assert refused.value.code == 422


def test_a_strategic_patch_merges_lists_of_named_things() -> None:
    target = {"env": [{"name": "a", "value": "1"}, {"name": "b"}], "args": ["x"]}
    patch = {
        "env": [{"name": "b", "value": "2"}, {"name": "a", "$patch": "delete"}, {"name": "c"}],
        "args": ["y"],
        "$setElementOrder/env": [],
    }
    schema = builtin_schema("v1", "Pod").field("spec").field("containers").items
    assert strategic_merge_patch(target, patch, schema) == {
        "env": [{"name": "b", "value": "2"}, {"name": "c"}],
        "args": ["y"],
    }
