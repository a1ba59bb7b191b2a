"""The context in use: which API server, how it is, and in which namespace we are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from fairlead.errors import FairleadError
from fairlead_server.health import BEGINNING, OK, WELL, Health
from fairlead_server.topics.base import Place, Topic
from fairlead_server.watches import SharedWatch

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
                self._own, pause_s = WELL, _FIRST_PAUSE_S
            except FairleadError as error:
                self._own = Health.of(error)
                self._tell()
                with contextlib.suppress(asyncio.TimeoutError):
                    # A watch that comes back is sooner than our own pause.
                    await asyncio.wait_for(self._until(well=True), pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            self._tell()
            # The server answers: what trouble a watch has with it passes, or is its own.
            await self._until(well=True)
            await self._until(well=False)

    def on_watch(self, watch: SharedWatch, uids: Iterable[str]) -> None:
        """Hold no watch of its own."""

    def on_health(self) -> None:
        """Look again at the watches: one of them began, changed its health, or ended."""
        self._changed.set()
        self._tell()

    async def _until(self, *, well: bool) -> None:
        while self._watched() is None or (self._watched() == WELL) is not well:
            self._changed.clear()
            await self._changed.wait()

    def _watched(self) -> Health | None:
        """Tell the health of the context as its watches have it; `None` where none knows yet."""
        known = [watch.health for watch in self.place.watches.open.values()]
        for health in known:
            if health.concerns_all:
                return health
        return WELL if any(health.state == OK for health in known) else None

    def _tell(self) -> None:
        connection = self.place.connection
        # What it says to a plain question is more than that a watch broke off.
        health = (self._watched() or self._own) if self._own in (WELL, BEGINNING) else self._own
        row = {
            **connection.place(),
            "server": self._server,
            "version": self._version,
            **health.as_dict(),
        }
        self.put({KEY: row}, ready=True, health=WELL)
