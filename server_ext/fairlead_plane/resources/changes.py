"""Rows of the event log on their way from a transaction to the watches."""

from __future__ import annotations

from functools import cached_property

import orjson

from .kinds import Json


class Change:
    """One row of the event log.

    Attributes
    ----------
    version : int
        The resourceVersion.
    resource : str
        `Kind.storage` of the object.
    namespace : str
        Empty for kinds without.
    type : str
        `ADDED`, `MODIFIED` or `DELETED`.
    before : bytes or None
        The object before the change, as JSON; None when it is new.
    body : bytes
        The object after it, or at its end, as JSON.
    """

    def __init__(
        self,
        version: int,
        resource: str,
        namespace: str,
        type: str,
        before: bytes | None,
        body: bytes,
    ) -> None:
        self.version = version
        self.resource = resource
        self.namespace = namespace
        self.type = type
        self.before = before
        self.body = body

    # Parsed once, however many watches with selectors look at it.

    @cached_property
    def object(self) -> Json:
        """The object; not to be changed."""
        found: Json = orjson.loads(self.body)
        return found

    @cached_property
    def object_before(self) -> Json | None:
        """The object before the change; not to be changed."""
        found: Json | None = None if self.before is None else orjson.loads(self.before)
        return found


def event_line(type: str, body: bytes) -> bytes:
    """Return an event as a line of a watch."""
    return b'{"type":"%s","object":%s}\n' % (type.encode(), body)
