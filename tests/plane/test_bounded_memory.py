"""A plane runs for weeks: what it keeps does not grow with what has come and gone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace

import pytest

from fairlead_plane.api.metrics import Metrics
from fairlead_plane.api.openapi import OpenApi
from fairlead_plane.api.paths import Target
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
