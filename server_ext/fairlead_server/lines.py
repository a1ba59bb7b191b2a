"""Logs over HTTP, line by line as they come."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from tornado.iostream import StreamClosedError

from fairlead.errors import FairleadError
from fairlead_server.base import FairleadHandler

_TEXT = "text/plain; charset=utf-8"


@runtime_checkable
class _Closes(Protocol):
    def close(self) -> None: ...


class LinesHandler(FairleadHandler):
    """Sends lines, and lets go of them when their reader has left."""

    _lines: Iterable[str] = ()

    @property
    def follow(self) -> bool:
        """Whether the reader wants what is still to come: `?follow=1`."""
        return self.get_query_argument("follow", "0") == "1"

    async def send(self, lines: Iterable[str]) -> None:
        """Send lines as text as they come, until they end."""
        self.set_header("Content-Type", _TEXT)
        self._lines = lines
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        _pump(lines, asyncio.get_running_loop(), queue)
        while (line := await queue.get()) is not None:
            self.write(f"{line}\n")
            try:
                await self.flush()
            except StreamClosedError:
                return
        self.finish(set_content_type=_TEXT)

    def on_connection_close(self) -> None:
        """Let go of the log when its reader has left."""
        if isinstance(self._lines, _Closes):
            self._lines.close()


def _pump(
    lines: Iterable[str], loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[str | None]
) -> None:
    """Put lines into a queue as they come, and `None` at the end.

    A daemon thread: one of the loop's own would keep the server from ending while a log is open.
    """

    def run() -> None:
        try:
            for line in lines:
                loop.call_soon_threadsafe(queue.put_nowait, line)
        except FairleadError as error:
            loop.call_soon_threadsafe(queue.put_nowait, f"[the log broke off: {error.what}]")
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=run, name="fairlead-log", daemon=True).start()
