"""Event objects: what happened to other objects, for people."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from .kinds import EVENT, Json
from .times import parse_timestamp, timestamp

if TYPE_CHECKING:
    from .transaction import Transaction

KEEP_S = 3600
"""Seconds after which an Event is dropped, as by the real API server."""

KEEP_MOST = 2_000
PRUNE_EVERY = 512
"""Versions between two looks at what to drop."""


def build_event(about: Json, reason: str, message: str, type: str, component: str) -> Json:
    """Build an Event; the arguments are those of `Transaction.record_event`."""
    metadata, now = about["metadata"], timestamp()
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {
            "name": f"{metadata['name'][:230]}.{secrets.token_hex(8)}",
            "namespace": metadata.get("namespace", "default"),
        },
        "involvedObject": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": metadata["name"],
            "namespace": metadata.get("namespace", ""),
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "reason": reason,
        "message": message,
        "type": type,
        "source": {"component": component},
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
    }


def prune_events(transaction: Transaction) -> None:
    """Drop old Events, and the oldest of too many."""
    events = transaction.list(EVENT)
    events.sort(key=lambda event: event["metadata"]["creationTimestamp"], reverse=True)
    oldest = time.time() - KEEP_S
    for position, event in enumerate(events):
        born = parse_timestamp(event["metadata"]["creationTimestamp"])
        if position >= KEEP_MOST or born < oldest:
            transaction.remove(EVENT, event)
