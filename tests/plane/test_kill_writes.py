"""A plane is killed again and again under writers: what it accepted stays, and watches go on."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable

import pytest

from .conftest import END_S, RunningPlane
from .kill_load import (
    DEFINITION,
    KINDS,
    NAMESPACE,
    SELECTED,
    SHARED,
    Key,
    Ledger,
    Watcher,
    Writer,
    build,
)
from .writers import Connection

WRITERS = 4
KILLS = int(os.environ.get("FAIRLEAD_KILLS", "20"))
SEED = os.environ.get("FAIRLEAD_KILLS_SEED", "1")


def start_all(runs: list[Callable[[RunningPlane], None]], plane: RunningPlane):
    threads = [threading.Thread(target=run, args=(plane,), daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    return threads


def join_all(threads: list[threading.Thread], parts: list[Writer] | list[Watcher]) -> None:
    for thread in threads:
        thread.join(END_S)
        assert not thread.is_alive()
    for part in parts:
        if part.error is not None:
            raise part.error


def list_all(api: Connection) -> tuple[dict[Key, dict], int]:
    found, version = {}, 0
    for path, (api_version, kind) in KINDS.items():
        status, answer = api.send("GET", path + SELECTED)
        assert status == 200, answer
        version = max(version, int(answer["metadata"]["resourceVersion"]))
        for obj in answer["items"]:
            # Items of a list may come without them, and events have them.
            whole = {"apiVersion": api_version, "kind": kind, **obj}
            found[(path, obj["metadata"]["name"])] = whole
    return found, version


def campaign(plane: RunningPlane, kills: int) -> None:
    chance = random.Random(SEED)
    with contextlib.closing(Connection(plane.data_dir)) as api:
        assert api.send("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})[0] == 201
        definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        assert api.send("POST", definitions, DEFINITION)[0] == 201
        writers = [Writer(number, SEED) for number in range(WRITERS)]
        watchers = [Watcher(path) for path in KINDS]
        ledger = Ledger()
        for path in KINDS:
            assert api.send("POST", path, build(path, SHARED, {}))[0] == 201
        found, version = list_all(api)
        ledger.objects, ledger.highest = dict(found), version
    for watcher in watchers:
        watcher.last = version
    watching = start_all([watcher.run for watcher in watchers], plane)

    accepted = lost = 0
    for _ in range(kills):
        for writer in writers:
            writer.learn(found)
        writing = start_all([writer.run for writer in writers], plane)
        time.sleep(chance.uniform(0.0, 0.6))
        plane.kill()
        join_all(writing, writers)
        join_all(watching, watchers)
        accepted += sum(len(writer.accepted) for writer in writers)
        lost += sum(writer.under_way is not None for writer in writers)

        if chance.random() < 0.2:  # once more, while it starts
            os.close(plane.begin())
            time.sleep(chance.uniform(0.0, 0.8))
            plane.kill()
        plane.start()
        watching = start_all([watcher.run for watcher in watchers], plane)
        with contextlib.closing(Connection(plane.data_dir)) as api:
            found, version = list_all(api)
            seen = max(watcher.last for watcher in watchers)
            assert version >= seen, f"a watch saw {seen}, and the plane is at {version} now"
            # A last event of each kind: when that is here, all before it must be.
            for number, watcher in enumerate(watchers):
                watcher.wait_for(writers[number % WRITERS].touch(api, watcher.path))
            found, version = list_all(api)
        ledger.check(writers, watchers)
        assert ledger.objects == found

    print(
        f"{kills} kills: {accepted} writes accepted, {lost} under way; {ledger.events} events "
        f"seen by {len(watchers)} watches, none lost, none invented; version {ledger.highest}"
    )
    plane.kill()
    join_all(watching, watchers)
    with contextlib.closing(sqlite3.connect(plane.data_dir / "fairlead.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert "Traceback" not in plane.log


@pytest.mark.timeout(1800)
def test_no_write_is_lost_when_the_plane_is_killed_again_and_again(own_plane) -> None:
    campaign(own_plane, KILLS)


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_no_write_is_lost_in_a_long_campaign(own_plane) -> None:
    campaign(own_plane, max(KILLS, 500))
