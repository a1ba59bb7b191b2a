"""Objects between the versions in which they are served and the one in which they are stored."""

from __future__ import annotations

import orjson

from .kinds import EVENT_V1, Json, Kind

# Fields of an Event: of the core group, and of `events.k8s.io`, which knows the same Events.
_EVENT_FIELDS = (
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
)


def in_version(kind: Kind, body: bytes) -> bytes:
    """Return a stored object in the version of its kind; the same bytes where it is that."""
    if not kind.converted:
        return body
    stored: Json = orjson.loads(body)
    if stored["apiVersion"] == kind.api_version:
        return body
    if kind is EVENT_V1:
        # Older writers leave it out; here the field is always there.
        stored = {"eventTime": None, **_rename(stored, {old: new for old, new in _EVENT_FIELDS})}
    return orjson.dumps({**stored, "apiVersion": kind.api_version})


def to_stored(kind: Kind, stored: Kind, obj: Json) -> Json:
    """Return an object as it is stored, its type first.

    Parameters
    ----------
    kind : Kind
        In which it is given.
    stored : Kind
        In which it is kept.
    obj : dict
        Stays as it is.
    """
    if kind is EVENT_V1:
        obj = _rename(obj, {new: old for old, new in _EVENT_FIELDS})
    # A list of built-in objects leaves the type out: it stands where it can be cut off.
    return {"apiVersion": stored.api_version, "kind": stored.kind, **_without_type(obj)}


def without_type(kind: Kind, body: bytes) -> bytes:
    """Return an object without `apiVersion` and `kind`, as items of built-in lists are."""
    head = b'{"apiVersion":"%s","kind":"%s",' % (kind.api_version.encode(), kind.kind.encode())
    if body.startswith(head):
        return b"{" + body[len(head) :]
    return orjson.dumps(_without_type(orjson.loads(body)))


def _without_type(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}


def _rename(obj: Json, names: dict[str, str]) -> Json:
    return {names.get(key, key): value for key, value in obj.items()}
