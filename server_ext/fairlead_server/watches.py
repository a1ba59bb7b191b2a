"""One watch per kind, namespace and context, shared by all that need its objects.

A watch begins with its first user and ends with its last. Everything here runs on the server's
loop but the follower's thread, which hands over what it learns and never waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from fairlead.errors import FairleadError
from fairlead.kube import SYNCED, Follower, KubeClient, ResourceType, WatchEvent
from fairlead_server.health import BEGINNING, RECONNECTING, WELL, Health

_FIRST_PAUSE_S = 15.0
_LONGEST_PAUSE_S = 300.0

Json = dict[str, Any]
Listener = Callable[[Iterable[str]], None]
"""Told the uids that changed; none of them where only the health did."""


class WatchKey(NamedTuple):
    """What is watched within a context; namespace `None` for all of them."""

    kind: ResourceType
    namespace: str | None


class SharedWatch:
    """The objects of one kind as the API server last told, and who wants to know of changes.

    Attributes
    ----------
    objects : dict
        By uid.
    listed : bool
        Whether the objects have been read once; they stay while the server is away.
    health : Health
        How the watch is now.
    """

    def __init__(self, kube: KubeClient, key: WatchKey) -> None:
        self.objects: dict[str, Json] = {}
        self.listed = False
        self.health = BEGINNING
        self.listeners: list[Listener] = []
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._told = _Told()
        self._closed = threading.Event()
        self._kube, self._key = kube, key
        self._follower = self._new_follower()
        threading.Thread(target=self._run, name="fairlead-watch", daemon=True).start()

    def close(self) -> None:
        """End the watch."""
        self._closed.set()
        self._follower.close()

    # -- in a thread of its own -------------------------------------------------------------------

    def _new_follower(self) -> Follower:
        kind, namespace = self._key
        return Follower(self._kube, kind, namespace, on_health=self._on_health)

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                for event in self._follower:
                    self._on_event(event)
                return
            except FairleadError as error:
                # Refused from the start: the kind may be installed, or the right be given, later.
                self._tell_health(Health.of(error))
            if self._closed.wait(pause_s):
                return
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            self._follower = self._new_follower()
            if self._closed.is_set():
                return

    def _on_event(self, event: WatchEvent) -> None:
        with self._lock:
            if event.type == SYNCED:
                self._told.listed = True
            else:
                uid = event.object["metadata"]["uid"]
                self._told.objects[uid] = None if event.type == "DELETED" else event.object
        self._wake()

    def _on_health(self, health: str, why: str) -> None:
        self._tell_health(WELL if health == WELL.state else Health(RECONNECTING, why))

    def _tell_health(self, health: Health) -> None:
        with self._lock:
            self._told.health = health
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self._told.awaited:
                return
            self._told.awaited = True
        try:
            self._loop.call_soon_threadsafe(self._take)
        except RuntimeError:
            # The server's loop has ended, and with it everybody who could want to know.
            self._follower.close()

    # -- on the loop ------------------------------------------------------------------------------

    def _take(self) -> None:
        with self._lock:
            told, self._told = self._told, _Told()
        self.listed = self.listed or told.listed
        for uid, found in told.objects.items():
            if found is None:
                self.objects.pop(uid, None)
            else:
                self.objects[uid] = found
        if told.health is not None:
            self.health = told.health
        for listener in tuple(self.listeners):
            listener(told.objects)


class _Told:
    """What the thread has learnt since the loop last looked: per object only the latest."""

    def __init__(self) -> None:
        self.objects: dict[str, Json | None] = {}
        self.listed = False
        self.health: Health | None = None
        self.awaited = False


class Watches:
    """The watches of one context that somebody needs now."""

    def __init__(self, kube: KubeClient, on_health: Callable[[], None] = lambda: None) -> None:
        self._kube = kube
        self._watches: dict[WatchKey, SharedWatch] = {}
        self._on_health = on_health

    @property
    def open(self) -> Mapping[WatchKey, SharedWatch]:
        """The watches that run."""
        return self._watches

    def acquire(self, key: WatchKey, listener: Listener) -> SharedWatch:
        """Return the watch of `key`, begun if nobody had it, and tell `listener` of its changes."""
        watch = self._watches.get(key)
        if watch is None:
            watch = self._watches[key] = SharedWatch(self._kube, key)
            watch.listeners.append(lambda _: self._on_health())
        watch.listeners.append(listener)
        return watch

    def release(self, key: WatchKey, listener: Listener) -> None:
        """Let go of a watch; it ends with its last listener."""
        watch = self._watches[key]
        watch.listeners.remove(listener)
        # The first listener is ours.
        if len(watch.listeners) == 1:
            del self._watches[key]
            watch.close()
            self._on_health()

    def close(self) -> None:
        """End all of them."""
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()
