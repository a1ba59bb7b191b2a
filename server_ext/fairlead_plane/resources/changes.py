"""Rows of the event log on their way from a transaction to the watches."""

from __future__ import annotations

from typing import NamedTuple

from .kinds import Json, Kind


class Change(NamedTuple):
    """One row of the event log, on its way to the watches."""

    version: int
    kind: Kind
    namespace: str
    type: str
    before: Json | None
    """The object before the change, or None when it is new."""
    body: bytes


def selectable(obj: Json) -> Json:
    """Keep what selectors can read."""
    metadata = obj["metadata"]
    kept: Json = {
        "metadata": {
            key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata
        }
    }
    for field, keys in (("spec", ("nodeName", "restartPolicy")), ("status", ("phase",))):
        part = obj.get(field)
        if isinstance(part, dict):
            kept[field] = {key: part[key] for key in keys if key in part}
    for field in ("type", "reason", "involvedObject"):
        if field in obj:
            kept[field] = obj[field]
    return kept
