"""The context in use: which API server, how it is, and in which namespace we are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from fairlead.errors import FairleadError
from fairlead_server.health import BEGINNING, WELL, Health
from fairlead_server.topics.base import Place, Topic
from fairlead_server.watches import SharedWatch, WatchKey

KEY = "context"
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0


class ContextTopic(Topic):
    """One row. It asks the server once; from then on the open watches tell how it is.

    When one of them has trouble the server is asked again: for the reason, and since it may come
    back as another version.
    """

    def __init__(self, place: Place) -> None:
        self._own = BEGINNING
        self._server = self._version = ""
        self._changed = asyncio.Event()
        super().__init__(place)

    async def open(self) -> None:
        """Ask for the version, anew in each trouble. Runs until the topic is closed."""
        connection = self.place.connection
        pause_s = _FIRST_PAUSE_S
        while True:
            self._tell()
            try:
                self._server, self._version = await asyncio.to_thread(connection.version)
            except FairleadError as error:
                self._own = Health.of(error)
                self._tell()
                # A watch that comes back is sooner than our own pause.
                # Not `wait_for`: before Python 3.12 it may forget that it was cancelled.
                recovery = asyncio.create_task(self._recovery())
                try:
                    await asyncio.wait({recovery}, timeout=pause_s)
                finally:
                    recovery.cancel()
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            self._own, pause_s = WELL, _FIRST_PAUSE_S
            self._tell()
            await self._trouble()

    def on_watch(self, watch: SharedWatch, uids: Iterable[str]) -> None:
        """Hold no watch of its own."""

    def on_health(self) -> None:
        """Look again at the watches: one of them began, changed its health, or ended."""
        self._changed.set()
        self._tell()

    async def _recovery(self) -> None:
        while self._troubled() or not self._any_well():
            await self._change()

    async def _trouble(self) -> None:
        """Wait until one more watch is in trouble: that of those before is not the server's."""
        known = self._troubled()
        while not self._troubled() - known:
            known = self._troubled()
            await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _troubled(self) -> set[WatchKey]:
        watches = self.place.watches.open.items()
        return {key for key, watch in watches if watch.health.concerns_all}

    def _any_well(self) -> bool:
        return any(watch.health == WELL for watch in self.place.watches.open.values())

    def _health(self) -> Health:
        if self._own not in (WELL, BEGINNING):
            # The answer to a plain question says more than that a watch broke off.
            return self._own
        troubled = self._troubled()
        if troubled and not self._any_well():
            return self.place.watches.open[next(iter(troubled))].health
        return WELL if self._any_well() else self._own

    def _tell(self) -> None:
        connection = self.place.connection
        health = self._health()
        row = {
            **connection.place(),
            "server": self._server,
            "version": self._version,
            **health.as_dict(),
        }
        self.put({KEY: row}, ready=True, health=WELL)
