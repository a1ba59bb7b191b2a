"""Lists as they were at an earlier version, from the event log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from . import tables
from .errors import expired
from .kinds import Json, Kind

Row = tuple[str, str, bytes]
"""Namespace, name and body of an object."""


def list_at(
    db: sqlite3.Connection,
    kind: Kind,
    namespace: str | None,
    version: int,
    after: tuple[str, str] | None,
) -> Iterator[Row]:
    """Yield the objects that there were at a version, by namespace and name.

    Parameters
    ----------
    db : sqlite3.Connection
        Inside of one read transaction.
    kind, namespace, after
        As of `tables.list_bodies`.
    version : int
        At most the latest one.

    Raises
    ------
    ApiError
        410 when the log does not reach back so far.
    """
    if version >= tables.latest_version(db):
        yield from tables.list_bodies(db, kind, namespace, after)
        return
    if version < tables.oldest_version(db) - 1:
        raise expired(f"The resourceVersion for the provided list is too old: {version}")
    before = _before(db, kind, namespace, version, after)
    missing = sorted(before)
    for where, name, body in tables.list_bodies(db, kind, namespace, after):
        key = (where, name)
        while missing and missing[0] < key:
            yield from _row(missing[0], before[missing.pop(0)])
        if missing and missing[0] == key:
            yield from _row(key, before[missing.pop(0)])
        elif key not in before:
            yield where, name, body
    for key in missing:
        yield from _row(key, before[key])


def _before(
    db: sqlite3.Connection,
    kind: Kind,
    namespace: str | None,
    version: int,
    after: tuple[str, str] | None,
) -> dict[tuple[str, str], bytes | None]:
    """Return what has changed since a version as it was then; None for what was not there."""
    found: dict[tuple[str, str], bytes | None] = {}
    for change in tables.read_log(db, kind, version):
        key = (change.namespace, _name(change.object))
        if (namespace is None or change.namespace == namespace) and (after is None or key > after):
            found.setdefault(key, change.before)
    return found


def _row(key: tuple[str, str], body: bytes | None) -> Iterator[Row]:
    if body is not None:
        yield (*key, body)


def _name(obj: Json) -> str:
    name: str = obj["metadata"]["name"]
    return name
