"""The streams of a command over SPDY: a stream of its own for each, named by its headers."""

from __future__ import annotations

import asyncio

from ...resources import bad_request
from ..websocket import WebSocket
from .channels import Piece
from .spdy import Connection, Stream

NAMES = ("stdin", "stdout", "stderr", "error", "resize")
"""By number of the channel in a WebSocket."""

OPEN_S = 30.0
"""Seconds that a client has to open its streams, as in a kubelet."""


class SpdyChannels:
    """The streams of one connection.

    Parameters
    ----------
    socket : WebSocket
        Accepted; its messages are the bytes of the connection.
    wanted : set of str
        Streams that the client is going to open.
    """

    def __init__(self, socket: WebSocket, wanted: set[str]) -> None:
        self._socket = socket
        self._wanted = wanted
        self._connection = Connection(socket.send, self._take)
        self._streams: dict[str, Stream] = {}
        self._complete = asyncio.Event()
        self._pieces: asyncio.Queue[Piece] = asyncio.Queue(1)
        self._feeding: asyncio.Task[None] | None = None
        self._pumps: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Wait until the client has opened its streams.

        Raises
        ------
        ApiError
            It does not.
        """
        self._feeding = asyncio.create_task(self._feed())
        complete = asyncio.create_task(self._complete.wait())
        try:
            await asyncio.wait(
                {complete, self._feeding}, timeout=OPEN_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            complete.cancel()
        if not self._complete.is_set():
            missing = sorted(self._wanted - set(self._streams))
            raise bad_request(f"the client did not open its streams: {', '.join(missing)}")
        for channel in (0, 4):
            if stream := self._streams.get(NAMES[channel]):
                self._pumps.append(asyncio.create_task(self._pump(channel, stream)))

    async def receive(self) -> Piece | None:
        """Return what comes next; None when the client has left."""
        assert self._feeding is not None
        getting = asyncio.create_task(self._pieces.get())
        try:
            await asyncio.wait({getting, self._feeding}, return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()

    async def send(self, channel: int, data: bytes) -> None:
        """Send on one stream."""
        if stream := self._streams.get(NAMES[channel]):
            await stream.send(data)

    async def close(self) -> None:
        """End all streams, and the connection."""
        for stream in self._streams.values():
            await stream.close()
        await self._socket.close()

    async def stop(self) -> None:
        """Read no more."""
        tasks = [*self._pumps, *([self._feeding] if self._feeding else ())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _feed(self) -> None:
        while (message := await self._socket.receive()) is not None:
            data = message.encode() if isinstance(message, str) else message
            if not await self._connection.feed(data):
                return

    async def _take(self, stream: Stream) -> bool:
        name = stream.headers.get("streamtype", "")
        if name not in self._wanted:
            return False
        self._streams[name] = stream
        if self._wanted <= set(self._streams):
            self._complete.set()
        return True

    async def _pump(self, channel: int, stream: Stream) -> None:
        while data := await stream.receive():
            await self._pieces.put(Piece(channel, data))
        await self._pieces.put(Piece(channel, b"", closed=True))
