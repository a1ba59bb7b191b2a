"""Rows of objects inside of one transaction: what is read, and what is written with its event."""

from __future__ import annotations

import builtins
import sqlite3

import orjson

from . import tables
from .changes import Change
from .conversion import in_version, to_stored
from .errors import not_found
from .kinds import Json, Kind
from .registry import Registry
from .selectors import parse_selectors


class Rows:
    """Reads and raw writes of one change; the rules are those of `Transaction`.

    Objects that come out are copies: changing one changes nothing until it is written.

    Attributes
    ----------
    db : sqlite3.Connection
        For the tables of other parts, in the same transaction.
    registry : Registry
        The kinds that are served.
    changes : list of Change
        What has been written so far.
    """

    def __init__(self, db: sqlite3.Connection, registry: Registry) -> None:
        self.db = db
        self.registry = registry
        self.changes: list[Change] = []
        self._version = self._first = tables.latest_version(db)

    # Reading

    def find(self, kind: Kind, name: str, namespace: str | None = None) -> Json | None:
        """Return one object, or None. Without `namespace`: the one called `default`."""
        body = tables.find_body(self.db, kind, place(kind, namespace), name)
        return None if body is None else orjson.loads(in_version(kind, body))

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Json:
        """Return one object; ApiError 404 without it."""
        found = self.find(kind, name, namespace)
        if found is None:
            raise not_found(kind, name)
        return found

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> list[Json]:
        """Return the objects that match, by namespace and name; None lists all namespaces."""
        matches = parse_selectors(label_selector, field_selector, kind)
        cursor = tables.list_bodies(self.db, kind, namespace)
        found = (orjson.loads(in_version(kind, body)) for _, _, body in cursor)
        return [obj for obj in found if matches is None or matches(obj)]

    def owned(self, kind: Kind, owner: str) -> builtins.list[Json]:
        """Return the objects of a kind whose controller is the object with the uid `owner`."""
        rows = self.db.execute(
            "SELECT namespace, name FROM owners WHERE owner = ? AND kind = ? ORDER BY 1, 2",
            (owner, kind.storage),
        ).fetchall()
        found = (self.find(kind, name, namespace or None) for namespace, name in rows)
        return [obj for obj in found if obj is not None and controller_uid(obj) == owner]

    # Writing

    def write(self, kind: Kind, type: str, new: Json, before: Json | None) -> Json:
        """Store an object and log the change. For the methods above and the cascade."""
        metadata = new["metadata"]
        namespace: str = metadata.get("namespace", "")
        key = (kind.storage, namespace, metadata["name"])
        body = None if before is None else tables.find_body(self.db, kind, *key[1:])
        stored = self._log(kind, type, new, body)
        self.db.execute(
            """INSERT INTO objects VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (kind, namespace, name) DO UPDATE SET body = excluded.body""",
            (*key, metadata["uid"], self.changes[-1].body),
        )
        owners = metadata.get("ownerReferences") or []
        if owners != ((before or {}).get("metadata", {}).get("ownerReferences") or []):
            self.db.execute("DELETE FROM owners WHERE kind = ? AND namespace = ? AND name = ?", key)
            self.db.executemany(
                "INSERT OR IGNORE INTO owners VALUES (?, ?, ?, ?)",
                [(owner["uid"], *key) for owner in owners],
            )
        return stored

    def _log(self, kind: Kind, type: str, obj: Json, before: bytes | None) -> Json:
        self._version += 1
        obj["metadata"]["resourceVersion"] = str(self._version)
        stored = self.registry.of_resource(kind.storage) or kind
        namespace = obj["metadata"].get("namespace", "")
        body = orjson.dumps(to_stored(kind, stored, obj))
        change = Change(self._version, kind.storage, namespace, type, before, body)
        self.changes.append(change)
        tables.append_log(self.db, change)
        return obj


def controller_uid(obj: Json) -> str | None:
    """Return the uid of the owner that controls an object, or None."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return str(reference["uid"])
    return None


def place(kind: Kind, namespace: str | None) -> str:
    """Return the namespace under which an object of the kind is stored; "" for cluster kinds."""
    return (namespace or "default") if kind.namespaced else ""
