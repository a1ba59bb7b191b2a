"""Event objects: what happened to other objects, for people."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

from .kinds import EVENT, Json
from .times import parse_timestamp, timestamp

if TYPE_CHECKING:
    from .transaction import Transaction

KEEP_S = 3600
"""Seconds after which an Event is dropped, as by the real API server."""

KEEP_MOST = 2_000
PRUNE_EVERY = 512
"""Versions between two looks at what to drop."""


def build_event(
    about: Json, reason: str, message: str, type: str, component: str, field_path: str
) -> Json:
    """Build an Event; the arguments are those of `Transaction.record_event`.

    The name follows from what is said about what: the same again is the same Event.
    """
    metadata, now = about["metadata"], timestamp()
    said = "\0".join((metadata["uid"], reason, message, type, component, field_path))
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {
            "name": f"{metadata['name'][:230]}.{sha256(said.encode()).hexdigest()[:16]}",
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


def repeat_event(known: Json) -> Json:
    """Return an Event that has happened once more."""
    return {**known, "count": known["count"] + 1, "lastTimestamp": timestamp()}


def prune_events(transaction: Transaction) -> None:
    """Drop old Events, and the oldest of too many."""
    events = transaction.list(EVENT)
    events.sort(key=_last_time, reverse=True)
    oldest = time.time() - KEEP_S
    for position, event in enumerate(events):
        if position >= KEEP_MOST or parse_timestamp(_last_time(event)) < oldest:
            transaction.remove(EVENT, event)


def _last_time(event: Json) -> str:
    last: str = event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]
    return last
