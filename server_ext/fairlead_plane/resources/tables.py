"""Tables of objects, their owners, and the event log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from .changes import Change
from .kinds import Kind

STATEMENTS = [
    """CREATE TABLE objects (
        kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
        uid TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, namespace, name))""",
    # For the cascade: who is owned by a uid.
    """CREATE TABLE owners (
        owner TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
        PRIMARY KEY (owner, kind, namespace, name)) WITHOUT ROWID""",
    "CREATE INDEX owners_by_object ON owners (kind, namespace, name)",
    # One row per change. `version` is the resourceVersion. `before` is the object before the
    # change: a watch with a selector must tell an object that stops matching from one that never
    # did, and the later pages of a list must show what was there at the first.
    """CREATE TABLE events (
        version INTEGER PRIMARY KEY, kind TEXT NOT NULL, namespace TEXT NOT NULL,
        type TEXT NOT NULL, before BLOB, body BLOB NOT NULL, size INTEGER NOT NULL)""",
    # Rows of before held a part of the object in `before`.
    "DELETE FROM events WHERE version < (SELECT max(version) FROM events)",
]

EVENT_LOG_ROWS = 10_000
EVENT_LOG_BYTES = 32 << 20
"""Bounds of the event log; a watch that starts before its first row is answered 410."""

COMPACT_EVERY = 512
"""Versions between two looks at the bounds."""


def latest_version(db: sqlite3.Connection) -> int:
    """Return the version of the last change; 0 in an empty store."""
    row = db.execute("SELECT max(version) FROM events").fetchone()
    return int(row[0] or 0)


def oldest_version(db: sqlite3.Connection) -> int:
    """Return the first version that the log still has; 0 in an empty store."""
    row = db.execute("SELECT min(version) FROM events").fetchone()
    return int(row[0] or 0)


def find_body(db: sqlite3.Connection, kind: Kind, namespace: str, name: str) -> bytes | None:
    """Return one object as JSON, or None."""
    row = db.execute(
        "SELECT body FROM objects WHERE kind = ? AND namespace = ? AND name = ?",
        (kind.storage, namespace, name),
    ).fetchone()
    return row[0] if row else None


def list_bodies(
    db: sqlite3.Connection, kind: Kind, namespace: str | None, after: tuple[str, str] | None = None
) -> sqlite3.Cursor:
    """Return a cursor over (namespace, name, body), ordered by namespace and name.

    Parameters
    ----------
    db : sqlite3.Connection
        The reader or the writer.
    kind : Kind
        Kind of the objects.
    namespace : str or None
        None: all namespaces.
    after : tuple of (namespace, name), optional
        Where the page before ended.
    """
    where, values = _where(kind, namespace, after)
    return db.execute(
        f"SELECT namespace, name, body FROM objects WHERE {where} ORDER BY namespace, name", values
    )


def count(db: sqlite3.Connection, kind: Kind, namespace: str | None, after: tuple[str, str]) -> int:
    """Return how many objects follow after a namespace and name."""
    where, values = _where(kind, namespace, after)
    row = db.execute(f"SELECT count(*) FROM objects WHERE {where}", values).fetchone()
    return int(row[0])


def _where(
    kind: Kind, namespace: str | None, after: tuple[str, str] | None
) -> tuple[str, list[str]]:
    where, values = "kind = ?", [kind.storage]
    if namespace is not None:
        where, values = f"{where} AND namespace = ?", [*values, namespace]
        if after is not None:
            # A pair would be compared row by row from the start on, not looked up in the index.
            where, values = f"{where} AND name > ?", [*values, after[1]]
    elif after is not None:
        where, values = f"{where} AND (namespace, name) > (?, ?)", [*values, *after]
    return where, values


def read_log(db: sqlite3.Connection, kind: Kind, since: int) -> Iterator[Change]:
    """Yield the changes of a kind after a version, oldest first."""
    rows = db.execute(
        """SELECT version, kind, namespace, type, before, body FROM events
           WHERE version > ? AND kind = ? ORDER BY version""",
        (since, kind.storage),
    )
    for row in rows:
        yield Change(*row)


def append_log(db: sqlite3.Connection, change: Change) -> None:
    """Add a change to the log, and keep the log within its bounds."""
    size = len(change.body) + len(change.before or b"")
    db.execute(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            change.version,
            change.resource,
            change.namespace,
            change.type,
            change.before,
            change.body,
            size,
        ),
    )
    if change.version % COMPACT_EVERY == 0:
        compact(db)


def compact(
    db: sqlite3.Connection, rows: int = EVENT_LOG_ROWS, size: int = EVENT_LOG_BYTES
) -> None:
    """Drop the oldest events above either bound; the newest event always stays."""
    row = db.execute(
        """SELECT max(version) FROM (
               SELECT version, row_number() OVER newest AS n, sum(size) OVER newest AS total
               FROM events WINDOW newest AS (ORDER BY version DESC))
           WHERE n > ? OR (total > ? AND n > 1)""",
        (rows, size),
    ).fetchone()
    if row[0] is not None:
        db.execute("DELETE FROM events WHERE version <= ?", (row[0],))
