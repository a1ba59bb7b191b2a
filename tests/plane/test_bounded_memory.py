"""A plane runs for weeks: what it keeps does not grow with what has come and gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from fairlead_plane.api.forms import Forms, read_form
from fairlead_plane.api.http import PIECE_BYTES, send_bytes, send_stream
from fairlead_plane.api.metrics import Metrics
from fairlead_plane.api.openapi import OpenApi
from fairlead_plane.api.paths import Target
from fairlead_plane.api.watches import watch_events
from fairlead_plane.node import environments, records, runtime
from fairlead_plane.node.environments import Environments
from fairlead_plane.resources import CONFIG_MAP, ApiError, Resources
from fairlead_plane.resources.kinds import Kind
from fairlead_plane.resources.schemas import crd_schema
from fairlead_plane.scheduler.account import NodeInfo
from fairlead_plane.scheduler.demand import read_pod
from fairlead_plane.scheduler.plan import PASSED_MOST, make_plan
from fairlead_plane.scheduler.state import State
from fairlead_plane.store import Store
from fairlead_plane.waiting import within

from .test_resources import config_map
from .test_scheduler_plan import cluster, node, pod, see


@pytest.fixture
def resources(tmp_path):
    """Return a fresh gate."""
    store = Store(tmp_path / "test.db")
    yield Resources(store)
    store.close()


def test_no_request_adds_a_series_to_the_metrics_by_a_made_up_name(shared_plane) -> None:
    for number in range(30):
        path = f"/api/v1/namespaces/default/configmaps/one/madeup{number}"
        assert shared_plane.request(path)[0] == 404
    shared_plane.request("/api/v1/namespaces/default/pods/none/log")
    text = shared_plane.request("/metrics")[1].decode()
    assert "madeup" not in text
    assert 'subresource="log"' in text


def test_the_series_of_a_kind_go_with_its_definition(resources) -> None:
    metrics = Metrics(resources)
    for number in range(20):
        kind = Kind("mine.io", "v1", f"Thing{number}", f"things{number}", True, custom=True)
        for each in (kind, CONFIG_MAP):
            target = Target(each, "default", "one", "", "")
            scope = {"type": "http", "method": "GET", "query_string": b""}
            metrics.end(metrics.begin(scope, target), 200, 0.1)
    metrics.end(metrics.begin(scope, target), 404, 0.1)
    for table in (metrics._requests, metrics._buckets, metrics._seconds, metrics._active):
        assert len(table) <= 2, table
    text = metrics.render()[0].decode()
    assert 'resource="configmaps"' in text


def test_the_digest_of_a_schema_goes_with_its_kind() -> None:
    kinds: list[Kind] = []
    schemas = {}
    documents = OpenApi(lambda: kinds, lambda kind: schemas[kind])
    for number in range(20):
        kind = Kind("mine.io", "v1", f"Thing{number}", f"things{number}", True, custom=True)
        schemas[kind] = crd_schema({"type": "object", "description": str(number)})
        kinds[:] = [kind]
        documents.digest("mine.io", "v1")
    assert [*documents._digests] == kinds


def test_the_watches_of_a_kind_leave_nothing_when_they_are_closed(resources) -> None:
    for number in range(20):
        kind = Kind("mine.io", "v1", f"Thing{number}", f"things{number}", True, custom=True)
        first, second = resources.watch(kind), resources.watch(kind)
        first.close()
        second.close()
        second.close()
    assert resources._watches == {}


def test_a_watch_holds_back_no_more_than_a_number_of_bytes(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fairlead_plane.resources.watch.BACKLOG_BYTES", 10_000)

    async def test() -> None:
        store = Store(tmp_path / "test.db")
        resources = Resources(store)
        await resources.start()
        watch = resources.watch(CONFIG_MAP)
        # One that is larger than all may be has room, and so have many that are read.
        await resources.create(config_map("large", a="x" * 20_000))
        assert (await anext(watch)).object["metadata"]["name"] == "large"
        for number in range(20):
            await resources.create(config_map(f"read{number}", a="x" * 4000))
            await anext(watch)
        for number in range(3):
            await resources.create(config_map(f"unread{number}", a="x" * 4000))
        with pytest.raises(ApiError) as expired:
            await anext(watch)
        assert expired.value.code == 410
        # What was there before is no backlog.
        watch = resources.watch(CONFIG_MAP)
        await resources.create(config_map("after"))
        assert len([await anext(watch) for _ in range(25)]) == 25
        store.close()

    asyncio.run(test())


def gang_state() -> State:
    """Return a state in which a gang has been passed by as often as it may."""
    state = cluster(node(cpu="2"))
    see(state, pod("runs", node="node"))
    see(state, pod("g0", group="g", minimum=2), pod("g1", group="g", minimum=2))
    for number in range(PASSED_MOST):
        see(state, pod(f"small{number}"))
        make_plan(state, 0.0)
        state.forget(f"small{number}")
    return state


def test_the_scheduler_forgets_a_gang_that_is_gone() -> None:
    state = gang_state()
    assert state.passed == {"default/g": PASSED_MOST}
    assert [*state.held_since] == ["default/g"]
    for uid in ("g0", "g1"):
        state.forget(uid)
    make_plan(state, 0.0)
    assert (state.passed, state.held_since) == ({}, {})


def test_a_node_forgets_the_ports_of_pods_that_are_gone() -> None:
    info = NodeInfo(node(), "gpus")
    for number in range(1000, 1020):
        manifest = pod(f"p{number}")
        manifest["spec"]["containers"][0]["ports"] = [{"containerPort": 1, "hostPort": number}]
        info.add(read_pod(manifest, number, "gpus"))
        info.remove(f"p{number}")
    assert not info._ports


def test_environments_that_failed_long_ago_are_forgotten(tmp_path, monkeypatch) -> None:
    found = Environments(tmp_path, tmp_path, {})
    monkeypatch.setattr(environments, "FORGOTTEN_S", -1.0)

    async def test() -> None:
        async def fail(*_: object) -> None:
            raise OSError("no room")

        monkeypatch.setattr(found, "_install", fail)
        for number in range(20):
            await found._build(f"key{number}", SimpleNamespace(), [])

    asyncio.run(test())
    assert len(found._failed) <= 1


def test_runs_whose_end_could_not_be_written_go_with_their_pod(tmp_path) -> None:
    found = runtime.Runtime(tmp_path)
    found._unwritten = {"a/main/0": None, "ab/main/0": None, "a/side/1": None}
    found.forget("a/")
    assert [*found._unwritten] == ["ab/main/0"]


def test_a_container_that_is_restarted_for_ever_leaves_the_files_of_its_last_runs(tmp_path) -> None:
    for number in range(12):
        for ending in ("log", "started", "exit", "message"):
            (tmp_path / f"{number}.{ending}").touch()
        records.drop_old_attempts(tmp_path)
    (tmp_path / "12.started").touch()
    assert {each.stem for each in tmp_path.iterdir()} == {"10", "11", "12"}
    assert records.last_attempt(tmp_path) == 12


def test_the_log_has_a_bound_and_standard_error_follows_it(tmp_path) -> None:
    source = """
import logging, os, pathlib, sys
from fairlead_plane import logfile
logfile.MOST_BYTES = 2000
errors = logfile.LogFile(pathlib.Path(sys.argv[1]))
logging.basicConfig(handlers=[errors])
errors.take_stderr()
for number in range(500):
    logging.error("line %d", number)
os.write(2, b"the interpreter itself")
"""
    path = tmp_path / "plane.log"
    subprocess.run([sys.executable, "-c", source, str(path)], check=True)
    assert path.read_text().endswith("the interpreter itself")
    assert {each.name for each in tmp_path.iterdir()} == {"plane.log", "plane.log.1"}
    assert all(each.stat().st_size < 3000 for each in tmp_path.iterdir())
    assert "line 499" in path.read_text()


async def steps(number: int) -> None:
    """Let the event loop go on so many times."""
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.mark.parametrize("later", range(6))
def test_a_watch_ends_when_its_client_leaves_just_as_an_event_comes(tmp_path, later) -> None:
    async def test() -> None:
        store = Store(tmp_path / "test.db")
        resources = Resources(store)
        await resources.start()
        forms = Forms(resources.registry)
        target = Target(CONFIG_MAP, "default", None, "", "")
        lines = watch_events(resources, target, {}, forms, read_form("", {}))
        left = asyncio.Event()

        async def receive() -> dict[str, str]:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(_: object) -> None:
            await asyncio.sleep(0)

        answer = asyncio.create_task(send_stream(receive, send, lines, "application/json"))
        await steps(20)
        assert len(resources._watches) == 1
        left.set()
        await steps(later)
        # Here and now, in this very step of the loop.
        await resources.transaction(lambda change: change.create(config_map("one")), short=True)
        await steps(20)
        assert answer.done()
        assert resources._watches == {}
        store.close()

    asyncio.run(test())


@pytest.mark.parametrize("later", range(6))
def test_a_wait_with_an_end_is_cancelled_even_when_it_has_just_ended(later) -> None:
    async def test() -> None:
        event = asyncio.Event()

        async def wait_for_ever() -> None:
            while True:
                with contextlib.suppress(asyncio.TimeoutError):
                    await within(event.wait(), 60)
                    event.clear()

        task = asyncio.create_task(wait_for_ever())
        await steps(5)
        event.set()
        await steps(later)
        task.cancel()
        await steps(10)
        assert task.cancelled()

    asyncio.run(test())


def test_a_wait_with_an_end_returns_raises_and_is_late() -> None:
    ended = []

    async def last() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("yes")

    async def fail() -> None:
        raise OSError("refused")

    async def test() -> None:
        assert await within(asyncio.sleep(0, "result"), 60) == "result"
        with pytest.raises(OSError, match="refused"):
            await within(fail(), 60)
        with pytest.raises(asyncio.TimeoutError):
            await within(last(), 0.01)

    asyncio.run(test())
    assert ended == ["yes"]


def test_large_answers_and_long_watches_are_handed_over_in_pieces(tmp_path) -> None:
    sent: list[bytes] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message.get("body", b""))

    async def test() -> None:
        for size in (0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES):
            sent.clear()
            body = os.urandom(size)
            await send_bytes(send, body, "text/plain")
            assert b"".join(sent) == body
            assert max(map(len, sent)) <= PIECE_BYTES
        store = Store(tmp_path / "test.db")
        resources = Resources(store)
        await resources.start()
        for number in range(40):
            await resources.create(config_map(f"m{number:02}", a="x" * 10_000))
        target = Target(CONFIG_MAP, "default", None, "", "")
        lines = watch_events(resources, target, {}, Forms(resources.registry), read_form("", {}))
        pieces: list[bytes] = []
        while b"".join(pieces).count(b"\n") < 40:
            pieces.append(await anext(lines))
        assert max(map(len, pieces)) < PIECE_BYTES + 11_000
        await lines.aclose()
        assert resources._watches == {}
        store.close()

    asyncio.run(test())
