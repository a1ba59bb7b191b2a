"""Event objects: what happened to other objects, for people."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from . import tables
from .kinds import EVENT, Json
from .times import parse_timestamp, timestamp

if TYPE_CHECKING:
    from .transaction import Transaction

KEEP_S = 3600
"""Seconds after which an Event is dropped, as by the real API server."""

_SAME = ("reason", "message", "type", "source")
_REMEMBERED = 64
"""How many of an object's last Events may be counted up."""

_last_stamp = 0

KEEP_MOST = 2_000
PRUNE_EVERY = 512
"""Versions between two looks at what to drop."""


def build_event(
    about: Json, reason: str, message: str, type: str, component: str, field_path: str
) -> Json:
    """Build an Event; the arguments are those of `Transaction.record_event`.

    Its name ends with the time, so that the Events of an object are listed as they came.
    """
    metadata, now = about["metadata"], timestamp()
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {
            "name": f"{metadata['name'][:230]}.{_stamp():016x}",
            "namespace": metadata.get("namespace", "default"),
            "uid": str(uuid4()),
            "creationTimestamp": now,
        },
        "involvedObject": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": metadata["name"],
            "namespace": metadata.get("namespace", ""),
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            **({"fieldPath": field_path} if field_path else {}),
        },
        "reason": reason,
        "message": message,
        "type": type,
        "source": {"component": component},
        "reportingComponent": component,
        "reportingInstance": "",
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
    }


def find_event(transaction: Transaction, event: Json) -> Json | None:
    """Return the stored Event that says the same of the same object as a new one, or None."""
    metadata = event["metadata"]
    prefix = metadata["name"].rpartition(".")[0]
    rows = transaction.db.execute(
        """SELECT body FROM objects WHERE kind = ? AND namespace = ? AND name > ? AND name < ?
           ORDER BY name DESC LIMIT ?""",
        (EVENT.storage, metadata["namespace"], f"{prefix}.", f"{prefix}/", _REMEMBERED),
    )
    message = orjson.dumps(event["message"])
    for (body,) in rows.fetchall():
        if message in body:  # most are not worth reading
            known: Json = orjson.loads(body)
            if all(known.get(field) == event[field] for field in _SAME) and all(
                known["involvedObject"].get(field) == event["involvedObject"].get(field)
                for field in ("uid", "fieldPath")
            ):
                return known
    return None


def repeat_event(known: Json) -> Json:
    """Return an Event that has happened once more."""
    return {**known, "count": known["count"] + 1, "lastTimestamp": timestamp()}


def prune_events(transaction: Transaction) -> None:
    """Drop old Events, and the oldest of too many."""
    # One is read at a time: all of them at once take some megabytes, and each look would leave
    # the heap with holes.
    known = [
        (_last_time(orjson.loads(body)), namespace, name)
        for namespace, name, body in tables.list_bodies(transaction.db, EVENT, None)
    ]
    known.sort(reverse=True)
    oldest = time.time() - KEEP_S
    for position, (last, namespace, name) in enumerate(known):
        if position >= KEEP_MOST or parse_timestamp(last) < oldest:
            transaction.remove(EVENT, transaction.get(EVENT, name, namespace))


def _stamp() -> int:
    """Return the time in nanoseconds, never the same twice; called by the one writer alone."""
    global _last_stamp
    _last_stamp = max(time.time_ns(), _last_stamp + 1)
    return _last_stamp


def _last_time(event: Json) -> str:
    last: str = event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]
    return last
