"""What all topics share: rows, health, and the watches that they hold while they are open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fairlead.errors import FairleadError
from fairlead.kube import ResourceType
from fairlead_server.backend import Connection
from fairlead_server.health import BEGINNING, Health
from fairlead_server.watches import Listener, SharedWatch, Watches, WatchKey

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0

Json = dict[str, Any]
Changed = Callable[[Iterable[str]], None]
"""Told the keys of the rows that changed; none where only the health did."""


@dataclass(frozen=True)
class Place:
    """Where a topic is: the connection, its watches, and where to log."""

    connection: Connection
    watches: Watches
    log: logging.Logger


class Topic:
    """Rows by key, kept up to date while somebody looks.

    Attributes
    ----------
    rows : dict
        Plain JSON by key.
    ready : bool
        Whether the rows have been complete once.
    health : Health
        How it is with what the rows are made from.
    viewers : list of callable
        Told of changes, on the loop.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.rows: dict[str, Json] = {}
        self.ready = False
        self.health = BEGINNING
        self.viewers: list[Changed] = []
        self._held: dict[WatchKey, Listener] = {}
        self._task = asyncio.get_running_loop().create_task(self._begin())

    def close(self) -> None:
        """Let go of everything."""
        self._task.cancel()
        for key, listener in self._held.items():
            self.place.watches.release(key, listener)
        self._held.clear()

    async def open(self) -> None:
        """Ask what must be known first, then `hold` the watches. Tried again where it fails."""
        raise NotImplementedError

    def on_watch(self, watch: SharedWatch, uids: Iterable[str]) -> None:
        """Bring the rows up to date with a watch that changed."""
        raise NotImplementedError

    def hold(self, kind: ResourceType, namespace: str | None) -> SharedWatch:
        """Follow the objects of a kind until `close` or `let_go`."""
        key = WatchKey(kind, namespace)

        def listen(uids: Iterable[str]) -> None:
            self.on_watch(watch, uids)

        watch = self.place.watches.acquire(key, listen)
        self._held[key] = listen
        if watch.listed:
            # Somebody else has it already: it tells us nothing of what it told before.
            asyncio.get_running_loop().call_soon(partial(self._catch_up, key, watch))
        return watch

    def let_go(self, kind: ResourceType, namespace: str | None) -> None:
        """Follow the objects of a kind no longer."""
        key = WatchKey(kind, namespace)
        self.place.watches.release(key, self._held.pop(key))

    def put(self, rows: dict[str, Json | None], *, ready: bool, health: Health) -> None:
        """Take new rows, `None` for those that are gone; viewers hear of what differs."""
        changed = [key for key, row in rows.items() if self.rows.get(key) != row]
        for key in changed:
            row = rows[key]
            if row is None:
                del self.rows[key]
            else:
                self.rows[key] = row
        if changed or (ready, health) != (self.ready, self.health):
            self.ready, self.health = self.ready or ready, health
            for viewer in tuple(self.viewers):
                viewer(changed)

    def _catch_up(self, key: WatchKey, watch: SharedWatch) -> None:
        if key in self._held:
            self.on_watch(watch, tuple(watch.objects))

    async def _begin(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                await self.open()
                return
            except FairleadError as error:
                self.put({}, ready=False, health=Health.of(error))
                self.place.log.info("%s: %s", type(self).__name__, error.what)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
