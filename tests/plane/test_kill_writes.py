"""kill -9 of the plane under writes: no accepted write is lost, no event skipped or invented."""

from __future__ import annotations

import http.client
import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from writers import PATH, Connection, Writer, read_journal

WRITERS = 3
KILLS = int(os.environ.get("FAIRLEAD_KILLS", "20"))
CAMPAIGN = 500


class Watcher(threading.Thread):
    """Follows the objects of the load from a version on, over all deaths of the plane."""

    def __init__(self, data_dir: Path, version: str) -> None:
        super().__init__(daemon=True)
        self.data_dir = data_dir
        self.version = version
        self.events: list[tuple[str, str, int, str | None]] = []
        self.problem: Any = None
        self.stopped = threading.Event()

    def run(self) -> None:
        """Watch; begin again after the last event that was seen."""
        while not self.stopped.is_set():
            connection = Connection(self.data_dir)
            try:
                self._follow(connection)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.02)  # the plane is down, or its answer was cut within a line
            finally:
                connection.close()

    def _follow(self, connection: Connection) -> None:
        made = http.client.HTTPSConnection(
            "127.0.0.1", connection.port, context=connection.tls, timeout=30
        )
        connection.open = made
        query = f"watch=1&labelSelector=load&timeoutSeconds=3&resourceVersion={self.version}"
        made.request("GET", f"{PATH}?{query}", headers=connection.headers)
        answer = made.getresponse()
        if answer.status != 200:
            self.problem = answer.read()
            self.stopped.set()
            return
        while line := answer.readline():
            if not line.endswith(b"\n"):
                return
            event = json.loads(line)
            if event["type"] == "ERROR":
                self.problem = event
                self.stopped.set()
                return
            found = event["object"]
            self.version = found["metadata"]["resourceVersion"]
            entry = (event["type"], found["metadata"]["name"], int(self.version))
            self.events.append((*entry, found.get("data", {}).get("n")))


def campaign(plane, folder: Path, kills: int, seed: int) -> None:
    chosen = random.Random(seed)
    connection = Connection(plane.data_dir)
    _, listed = connection.send("GET", PATH)
    watcher = Watcher(plane.data_dir, listed["metadata"]["resourceVersion"])
    watcher.start()
    journals = [folder / f"journal-{number}" for number in range(WRITERS)]
    firsts = [0] * WRITERS
    for _ in range(kills):
        writers = [
            Writer(plane.data_dir, number, journals[number], firsts[number])
            for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        time.sleep(chosen.uniform(0.02, 0.4))
        plane.kill()
        for writer in writers:
            writer.join(60)
        firsts = [writer.count for writer in writers]
        plane.start()
        check_objects(connection, journals)
    end = finish(connection)
    plane.wait_for(lambda: watcher.problem or seen(watcher, "end"), "the watch does not get on")
    watcher.stopped.set()
    assert watcher.problem is None
    check_events(watcher.events, journals, end)
    assert b"Traceback" not in (plane.data_dir / "plane.log").read_bytes()


def finish(connection: Connection) -> int:
    """Write one more object, so that the watch has an end; returns its version."""
    connection.close()
    body = {"metadata": {"name": "end", "labels": {"load": "1"}}}
    status, made = connection.send("POST", PATH, body)
    assert status == 201
    return int(made["metadata"]["resourceVersion"])


def seen(watcher: Watcher, name: str) -> bool:
    return any(event[1] == name for event in watcher.events)


def states(journal: list[list[Any]]) -> dict[str, tuple[list[Any], bool]]:
    """Per object the last accepted write, and whether another one was tried after it."""
    found: dict[str, tuple[list[Any], bool]] = {}
    for entry in journal:
        if entry[0] == "try":
            found[entry[1]] = (found.get(entry[1], ([None] * 4, False))[0], True)
        else:
            found[entry[1]] = (entry, False)
    return found


def check_objects(connection: Connection, journals: list[Path]) -> None:
    """Whatever was accepted is there, with its last value and its version or a later one."""
    connection.close()
    status, listed = connection.send("GET", f"{PATH}?labelSelector=load")
    assert status == 200
    there = {each["metadata"]["name"]: each for each in listed["items"]}
    newest = int(listed["metadata"]["resourceVersion"])
    for path in journals:
        for name, (entry, open_end) in states(read_journal(path)).items():
            verb, _, version, value = entry
            if version is not None:
                assert int(version) <= newest, f"versions went back: {entry}, {newest}"
            if open_end:
                continue  # killed within this write: either outcome is right
            if verb == "delete":
                assert name not in there, f"a deleted object is back: {entry}"
            else:
                assert name in there, f"lost: {entry}"
                assert there[name]["data"]["n"] == value
                assert there[name]["metadata"]["resourceVersion"] == version


def check_events(events: list[Any], journals: list[Path], end: int) -> None:
    """Every accepted write was told once, in order; nothing was told that nobody tried."""
    versions = [event[2] for event in events]
    assert versions == sorted(set(versions)), "events out of order, or told twice"
    assert versions[-1] == end
    told: dict[str, list[Any]] = {}
    for kind, name, version, value in events:
        told.setdefault(name, []).append((kind, version, value))
    types = {"create": "ADDED", "change": "MODIFIED", "delete": "DELETED"}
    tried: set[tuple[str, str]] = set()
    for path in journals:
        accepted: dict[str, list[Any]] = {}
        for verb, name, version, value in read_journal(path):
            if verb == "try":
                tried.add((name, types[version]))
            else:
                accepted.setdefault(name, []).append((types[verb], version, value))
        for name, writes in accepted.items():
            found = told.get(name, [])
            assert [each[0] for each in found][: len(writes)] == [each[0] for each in writes], name
            for (_, version, value), (kind, seen_version, seen_value) in zip(
                writes, found, strict=False
            ):
                if kind != "DELETED":
                    assert (str(seen_version), seen_value) == (version, value)
    for name, found in told.items():
        for kind, _, _ in found:
            assert name == "end" or (name, kind) in tried, f"invented: {kind} {name}"


def test_no_write_is_lost_when_the_plane_is_killed_again_and_again(own_plane, tmp_path):
    campaign(own_plane, tmp_path, KILLS, seed=1)


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_no_write_is_lost_in_a_long_campaign(own_plane, tmp_path):
    campaign(own_plane, tmp_path, max(KILLS, CAMPAIGN), seed=2)
