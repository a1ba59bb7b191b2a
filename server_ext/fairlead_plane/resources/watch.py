"""Watches: what happens to the objects of one kind, in order, from a version on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import orjson

from .changes import Change, event_line
from .conversion import in_version
from .errors import expired
from .kinds import Json, Kind
from .selectors import Matcher

BACKLOG = 20_000
BACKLOG_BYTES = 32 << 20
"""Events that wait for a slow reader, and the size of their objects; with more the watch ends and
the reader lists again. What existed at the start of the watch is not counted."""


class WatchEvent:
    """One event.

    Attributes
    ----------
    type : str
        `ADDED`, `MODIFIED` or `DELETED`.
    body : bytes
        The object as JSON.
    """

    __slots__ = ("body", "type")

    def __init__(self, type: str, body: bytes) -> None:
        self.type = type
        self.body = body

    @property
    def object(self) -> Json:
        """The object; a copy of its own at each reading."""
        found: Json = orjson.loads(self.body)
        return found

    @property
    def line(self) -> bytes:
        """The event as the API sends it; made at each reading, so that none waits in two forms."""
        return event_line(self.type, self.body)


class Watch:
    """Asynchronous iterator over events; ends by `close`.

    Raises ApiError 410 from the iteration when the reader fell too far behind.

    Parameters
    ----------
    kind, namespace
        What is watched; None: all namespaces.
    matches : callable or None
        The selectors.
    after : int
        The version from which on events are of interest.
    close : callable
        Takes the watch out of those that are told of changes.
    """

    def __init__(
        self,
        kind: Kind,
        namespace: str | None,
        matches: Matcher | None,
        after: int,
        close: Callable[[Watch], None],
    ) -> None:
        self.kind = kind
        self.namespace = namespace
        self._matches = matches
        self._after = after
        self._close = close
        self._events: deque[WatchEvent] = deque()
        self._room = BACKLOG_BYTES
        self._wake = asyncio.Event()
        self._closed = False
        self._overrun = False

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> WatchEvent:
        while not self._events:
            if self._overrun:
                raise expired("the watch fell behind the events; list again")
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        event = self._events.popleft()
        self._room = min(self._room + len(event.body), BACKLOG_BYTES)
        return event

    async def wait(self, seconds: float) -> None:
        """Wait until there is an event or the end, for so many seconds at most."""
        # Not `asyncio.wait_for`: before Python 3.12 it forgets that it was cancelled when an event
        # comes at the same time, and the watch of a client that has left would never end.
        self._wake.clear()
        if self._events or self._closed:
            return
        timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    @property
    def idle(self) -> bool:
        """True when every event so far has been read."""
        return not self._events

    @property
    def closed(self) -> bool:
        """True when no more events come."""
        return self._closed

    def close(self) -> None:
        """End the iteration after the events that are already here."""
        self._closed = True
        self._wake.set()
        self._close(self)

    def start(self, bodies: list[bytes]) -> None:
        """Begin with objects that exist already."""
        for body in bodies:
            self._events.append(WatchEvent("ADDED", body))

    def offer(self, change: Change) -> None:
        """Take a change of the watched kind if it is new, in the namespace, and selected."""
        if change.version <= self._after or self._closed:
            return
        self._after = change.version
        if self.namespace is not None and change.namespace != self.namespace:
            return
        type = self._type(change)
        if type is None:
            return
        event = WatchEvent(type, in_version(self.kind, change.body))
        # One alone always has room: an object may be larger than what is left to all.
        if len(self._events) >= BACKLOG or (self._events and self._room < len(event.body)):
            self._overrun = True
            self._events.clear()
            self.close()
            return
        self._room -= len(event.body)
        self._events.append(event)
        self._wake.set()

    def _type(self, change: Change) -> str | None:
        if self._matches is None:
            return change.type
        before = change.object_before
        was = before is not None and self._matches(before)
        if change.type != "DELETED" and self._matches(change.object):
            return "MODIFIED" if was else "ADDED"
        return "DELETED" if was else None
