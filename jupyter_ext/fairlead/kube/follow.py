"""Following a kind of object: every change once, none lost, none made up, over any disturbance."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from fairlead.errors import FairleadError
from fairlead.kube.retry import Backoff
from fairlead.kube.stream import Stream
from fairlead.kube.types import ResourceType, WatchEvent

if TYPE_CHECKING:
    from fairlead.kube.client import KubeClient

Json = dict[str, Any]

SYNCED = "SYNCED"
"""Type of the event that follows each list: from here on, the known objects are complete."""

_WATCH_S = 240
_GONE = 410
_NOT_WORTH_WAITING = frozenset({400, 403, 404, 405, 422})
_SAY_NOTHING_OF_THE_VERSION = frozenset({None, 401, 429, 502, 503})
_WATCH_TRIES = 2
"""Enough to start a control plane that was killed; the longer waiting is done here, and told."""
_LONG_S = 5.0
"""A watch that stood this long was a good one, also when nothing happened."""


class Follower:
    """The objects of a kind, listed and then watched for ever.

    Iterating yields `WatchEvent`s: `ADDED`, `MODIFIED` and `DELETED` with the object (for a
    deletion, its last known state), and `SYNCED` with an empty object when a list is through.
    It ends after `close`. Only one thread iterates.

    A watch that breaks off is resumed after the last version that was seen. Where the server no
    longer has that version, or does not take it, everything is listed again and compared with what
    is known, so that what came, changed or went meanwhile is told, a deletion as `DELETED`.

    Parameters
    ----------
    namespace : str, optional
        Default: all namespaces.
    on_health : callable, optional
        Told `("ok", "")` when the watch stands and `("reconnecting", why)` when it does not, each
        change once, from the thread that iterates.

    Raises
    ------
    FairleadError
        While iterating: the first list is refused in a way that waiting does not change, for
        example because the kind is not served, or may not be listed.
    """

    def __init__(
        self,
        client: KubeClient,
        resource_type: ResourceType,
        namespace: str | None = None,
        label_selector: str = "",
        *,
        on_health: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._client = client
        self._type = resource_type
        self._namespace = namespace
        self._selector = label_selector
        self._on_health = on_health
        self._health = ("", "")
        self._known: dict[tuple[str, str], Json] = {}
        self._version: str | None = None
        self._synced = False
        self._backoff = Backoff()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._stream: Stream[WatchEvent] | None = None
        self._events = self._follow()

    def __iter__(self) -> Iterator[WatchEvent]:
        return self

    def __next__(self) -> WatchEvent:
        return next(self._events)

    @property
    def objects(self) -> list[Json]:
        """The objects as last told, those that the iteration has come to."""
        with self._lock:
            return list(self._known.values())

    def close(self) -> None:
        """End the iteration, also of a thread that waits for its next event."""
        self._closed.set()
        with self._lock:
            stream = self._stream
        if stream is not None:
            stream.close()

    def _follow(self) -> Iterator[WatchEvent]:
        while not self._closed.is_set():
            try:
                if self._version is None:
                    yield from self._list()
                else:
                    yield from self._watch(self._version)
            except FairleadError as error:
                if not self._synced and error.code in _NOT_WORTH_WAITING:
                    raise
                if error.code not in _SAY_NOTHING_OF_THE_VERSION:
                    self._version, stale = None, self._version is not None
                    if stale and error.code == _GONE:
                        continue
                self._tell("reconnecting", error.what)
                self._closed.wait(self._backoff.next(error.retry_after_s))

    def _list(self) -> Iterator[WatchEvent]:
        """Tell in what way a list differs from what is known."""
        found, version = self._client.list_with_version(
            self._type, self._namespace, label_selector=self._selector
        )
        listed = {_key(item): item for item in found}
        for key, known in list(self._known.items()):
            if key not in listed or _uid(listed[key]) != _uid(known):
                yield self._remove(key, known)
        for key, item in listed.items():
            yield from self._put(key, item)
        self._version = version
        self._synced = True
        self._backoff.reset()
        self._tell("ok", "")
        yield WatchEvent(SYNCED, {})

    def _watch(self, version: str) -> Iterator[WatchEvent]:
        stream = self._client.watch(
            self._type,
            self._namespace,
            label_selector=self._selector,
            resource_version=version,
            timeout_s=_WATCH_S,
            attempts=_WATCH_TRIES,
        )
        with self._lock:
            self._stream = stream
        if self._closed.is_set():
            stream.close()
        # The server has taken the version. The pauses stay long until something is heard: it may
        # end every watch at once.
        self._tell("ok", "")
        heard, since = False, time.monotonic()
        try:
            for event in stream:
                if not heard:
                    heard = True
                    self._backoff.reset()
                yield from self._take(event)
                if self._closed.is_set():
                    return
        finally:
            stream.close()
        if not heard and time.monotonic() - since < _LONG_S:
            self._closed.wait(self._backoff.next())

    def _take(self, event: WatchEvent) -> Iterator[WatchEvent]:
        """Tell an event of the stream, unless it is known already."""
        item = event.object
        version = item["metadata"]["resourceVersion"]
        if event.type != "BOOKMARK":
            key = _key(item)
            known = self._known.get(key)
            if event.type == "DELETED":
                if known is not None and _uid(known) == _uid(item):
                    yield self._remove(key, item)
            else:
                if known is not None and _uid(known) != _uid(item):
                    yield self._remove(key, known)
                yield from self._put(key, item)
        self._version = version

    def _put(self, key: tuple[str, str], item: Json) -> Iterator[WatchEvent]:
        known = self._known.get(key)
        if known is not None and _version(known) == _version(item):
            return
        with self._lock:
            self._known[key] = item
        yield WatchEvent("ADDED" if known is None else "MODIFIED", item)

    def _remove(self, key: tuple[str, str], item: Json) -> WatchEvent:
        with self._lock:
            del self._known[key]
        return WatchEvent("DELETED", item)

    def _tell(self, health: str, why: str) -> None:
        if (health, why) != self._health and not self._closed.is_set():
            self._health = (health, why)
            self._on_health(health, why)


def _key(item: Json) -> tuple[str, str]:
    metadata = item["metadata"]
    return str(metadata.get("namespace") or ""), str(metadata["name"])


def _uid(item: Json) -> Any:
    return item["metadata"].get("uid")


def _version(item: Json) -> Any:
    return item["metadata"].get("resourceVersion")
