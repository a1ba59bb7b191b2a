"""Writers that record what was accepted, a watcher that resumes, and what both must agree on."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

from .conftest import END_S, RunningPlane
from .writers import Connection

Json = dict[str, Any]
Key = tuple[str, str]
"""Collection and name of an object."""

NAMESPACE = "load"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
KINDS = {
    f"{CORE}/configmaps": ("v1", "ConfigMap"),
    f"{CORE}/secrets": ("v1", "Secret"),
    f"{CORE}/serviceaccounts": ("v1", "ServiceAccount"),
    f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases": (
        "coordination.k8s.io/v1",
        "Lease",
    ),
    f"/apis/load.example/v1/namespaces/{NAMESPACE}/marbles": ("load.example/v1", "Marble"),
}
DEFINITION: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "marbles.load.example"},
    "spec": {
        "group": "load.example",
        "scope": "Namespaced",
        "names": {"plural": "marbles", "singular": "marble", "kind": "Marble"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }
        ],
    },
}
SELECTED = "?labelSelector=load"
SHARED = "shared"
"""Name of an object of each kind that all writers patch."""

NAMES = 6
"""Names of each kind that a writer creates, changes and deletes."""

MERGE = {"Content-Type": "application/merge-patch+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}

LOST = (OSError, http.client.HTTPException)
"""What a client sees when the plane dies under it."""


class Write(NamedTuple):
    """A write that was accepted, or that was under way when the plane died."""

    key: Key
    type: str
    """Of its event."""
    field: str
    token: str
    """The annotation that it sets, and to what; a deletion sets none."""
    uid: str
    """Of the object that it changes; empty for one that it creates."""
    version: int
    """0 for a deletion, whose answer names none, and for a write without an answer."""


class Writer:
    """Writes until the plane dies; its names are written by nobody else, but the shared ones."""

    def __init__(self, number: int, seed: str) -> None:
        self.number = number
        self.field = f"writer-{number}"
        self.chance = random.Random(f"{seed}-{number}")
        self.count = 0
        self.accepted: list[Write] = []
        self.under_way: Write | None = None
        self.error: BaseException | None = None
        self.known: dict[Key, Json] = {}
        """What is there now."""

    def run(self, plane: RunningPlane) -> None:
        """Write until the connection is lost, or until an answer is wrong (`error`)."""
        try:
            api = Connection(plane.data_dir)
            with contextlib.closing(api):
                while True:
                    self._write(api)
        except LOST:
            return
        except BaseException as error:
            self.error = error

    def learn(self, found: dict[Key, Json]) -> None:
        """Take what there is now of what this writer may change."""
        own = f"w{self.number}-"
        self.known = {key: found[key] for key in found if key[1].startswith((own, SHARED))}

    def touch(self, api: Connection, path: str) -> int:
        """Change the shared object of a kind; return the version of that."""
        self.count += 1
        key, token = (path, SHARED), f"{self.number}.{self.count}"
        status, answer = self._request(api, "merge", key, {}, token)
        assert status == 200, answer
        metadata = answer["metadata"]
        version = int(metadata["resourceVersion"])
        self.accepted.append(Write(key, "MODIFIED", self.field, token, metadata["uid"], version))
        return version

    def _write(self, api: Connection) -> None:
        self.count += 1
        token = f"{self.number}.{self.count}"
        path = self.chance.choice(list(KINDS))
        shared = self.chance.random() < 0.2
        key = (path, SHARED if shared else f"w{self.number}-{self.chance.randrange(NAMES)}")
        before = self.known.get(key)
        verb = "create"
        if before is not None:
            verb = "merge" if shared else self.chance.choice(["put", "merge", "json", "delete"])
        type = {"create": "ADDED", "delete": "DELETED"}.get(verb, "MODIFIED")
        uid = "" if before is None else before["metadata"]["uid"]
        write = Write(key, type, self.field, token, uid, 0)
        self.under_way = write
        status, answer = self._request(api, verb, key, before, token)
        assert status == (201 if verb == "create" else 200), (verb, key, status, answer)
        self.under_way = None
        if verb == "delete":
            del self.known[key]
            self.accepted.append(write)
            return
        self.known[key] = answer
        assert answer["metadata"]["annotations"][self.field] == token
        version = int(answer["metadata"]["resourceVersion"])
        self.accepted.append(write._replace(uid=answer["metadata"]["uid"], version=version))

    def _request(
        self, api: Connection, verb: str, key: Key, before: Json | None, token: str
    ) -> tuple[int, Json]:
        path, name = key
        here = f"{path}/{name}"
        # Some need several pages of the database, and of the network.
        weight = "x" * self.chance.choice([0, 10, 3_000, 30_000])
        annotations = {self.field: token, "weight": weight}
        if before is None:
            return api.send("POST", path, build(path, name, annotations))
        if verb == "put":
            metadata = {**before["metadata"], "annotations": annotations}
            return api.send("PUT", here, {**before, "metadata": metadata})
        if verb == "merge":
            body: Any = {"metadata": {"annotations": annotations}}
            return api.send("PATCH", here, body, **MERGE)
        if verb == "json":
            body = [{"op": "replace", "path": "/metadata/annotations", "value": annotations}]
            return api.send("PATCH", here, body, **JSON_PATCH)
        return api.send("DELETE", here)


def build(path: str, name: str, annotations: Json) -> Json:
    """Build an object of the load."""
    api_version, kind = KINDS[path]
    metadata = {"name": name, "labels": {"load": "yes"}, "annotations": annotations}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


class Watcher:
    """Follows one kind, and goes on at its last version when the plane is there again."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.last = 0
        self.events: list[tuple[str, Json]] = []
        self.error: BaseException | None = None
        self._heard = threading.Condition()

    def run(self, plane: RunningPlane) -> None:
        """Read events until the connection is lost."""
        try:
            for type, obj in self._read(plane):
                assert type in ("ADDED", "MODIFIED", "DELETED"), (type, obj)
                version = int(obj["metadata"]["resourceVersion"])
                assert version > self.last, f"{self.path}: {version} came after {self.last}"
                with self._heard:
                    self.events.append((type, obj))
                    self.last = version
                    self._heard.notify_all()
        except LOST:
            return
        except BaseException as error:
            self.error = error

    def _read(self, plane: RunningPlane) -> Iterator[tuple[str, Json]]:
        with contextlib.closing(Connection(plane.data_dir)) as api:
            answer = api.begin("GET", f"{self.path}{SELECTED}&watch=1&resourceVersion={self.last}")
            assert answer.status == 200, answer.read()
            while line := answer.readline():
                if not line.endswith(b"\n"):
                    return  # cut by the kill
                event = json.loads(line)
                yield event["type"], event["object"]

    def wait_for(self, version: int) -> None:
        """Wait until the event of a version has come."""
        with self._heard:
            came = self._heard.wait_for(lambda: self.error or self.last >= version, END_S)
        if self.error:
            raise self.error
        assert came, f"{self.path}: {version} did not come; the last one was {self.last}"


class Ledger:
    """What the events say there is, and whether they, the writers and the lists agree."""

    def __init__(self) -> None:
        self.objects: dict[Key, Json] = {}
        self.highest = 0
        self.events = 0

    def check(self, writers: list[Writer], watchers: list[Watcher]) -> None:
        """Compare the new events with the new writes, one by one."""
        accepted = [write for writer in writers for write in writer.accepted]
        by_version = {write.version: write for write in accepted if write.version}
        deleted = {write.uid: write for write in accepted if not write.version}
        assert len(by_version) + len(deleted) == len(accepted), "a version was given twice"
        under_way = [writer.under_way for writer in writers if writer.under_way]
        for writer in writers:
            versions = [write.version for write in writer.accepted if write.version]
            assert versions == sorted(versions), "versions went back"

        news = sorted(
            ((int(obj["metadata"]["resourceVersion"]), watcher.path, type, obj)
            for watcher in watchers for type, obj in watcher.events),
            key=lambda each: each[0],
        )  # fmt: skip
        highest = self.highest
        for version, path, type, obj in news:
            assert version > highest, f"version {version} was used before (up to {highest})"
            highest = version
            key = (path, obj["metadata"]["name"])
            write = (
                deleted.pop(obj["metadata"]["uid"], None)
                if type == "DELETED"
                else by_version.pop(version, None)
            )
            if write is None:
                write = next((each for each in under_way if self._explains(each, key, obj)), None)
                assert write, f"nobody asked for {type} {key} at {version}: {obj['metadata']}"
                under_way.remove(write)
            assert (write.key, write.type) == (key, type)
            assert type == "DELETED" or self._explains(write, key, obj)
            self._apply(type, key, obj)
        assert not by_version, f"accepted, and no event: {by_version}"
        assert not deleted, f"deleted, and no event: {deleted}"
        self.highest = highest
        self.events += len(news)
        for writer in writers:
            writer.accepted, writer.under_way = [], None
        for watcher in watchers:
            watcher.events.clear()

    @staticmethod
    def _explains(write: Write, key: Key, obj: Json) -> bool:
        if write.type == "DELETED":
            return (write.key, write.uid) == (key, obj["metadata"]["uid"])
        return write.key == key and obj["metadata"]["annotations"].get(write.field) == write.token

    def _apply(self, type: str, key: Key, obj: Json) -> None:
        before = self.objects.get(key)
        assert (before is None) == (type == "ADDED"), f"{type} of {key}, which was {before}"
        if before is not None:
            assert before["metadata"]["uid"] == obj["metadata"]["uid"]
        if type == "DELETED":
            del self.objects[key]
        else:
            self.objects[key] = obj
