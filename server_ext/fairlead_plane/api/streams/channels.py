"""Several streams in one WebSocket: each message begins with the number of its stream.

    [v4|v5.]channel.k8s.io              one byte, then data
    [v4.]base64.channel.k8s.io          a digit, then data in base64, as text

Notes
-----
`k8s.io/apimachinery/pkg/util/httpstream/wsstream` and `.../remotecommand` describe them. v5 adds a
message that closes one stream: 255 and its number.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from ..websocket import WebSocket

PLAIN = "channel.k8s.io"
BASE64 = "base64.channel.k8s.io"
V4 = "v4.channel.k8s.io"
V4_BASE64 = "v4.base64.channel.k8s.io"
V5 = "v5.channel.k8s.io"

_CLOSE = 255


class Piece(NamedTuple):
    """What came on one stream."""

    channel: int
    data: bytes
    closed: bool = False
    """True: nothing more will come on it."""


class Channels:
    """The streams of one WebSocket.

    Parameters
    ----------
    socket : WebSocket
        Accepted.
    protocol : str or None
        Its sub-protocol; None stands for the oldest.
    first : int
        Stream on which `open` sends.
    """

    def __init__(self, socket: WebSocket, protocol: str | None, first: int = 0) -> None:
        self._socket = socket
        self._first = first
        self._base64 = protocol in (BASE64, V4_BASE64)
        self._closes = protocol == V5

    async def open(self) -> None:
        """Send a first, empty message: it says that the connection stands."""
        await self.send(self._first, b"")

    async def close(self) -> None:
        """Close the WebSocket."""
        await self._socket.close()

    async def stop(self) -> None:
        """Do nothing: nothing is read ahead."""

    async def receive(self) -> Piece | None:
        """Return what comes next; None when the client has left or breaks the protocol."""
        while True:
            message = await self._socket.receive()
            if message is None:
                return None
            if self._base64:
                piece = _from_base64(message)
                if piece is None:
                    return None
                return piece
            data = message.encode() if isinstance(message, str) else message
            if not data:
                continue
            if self._closes and data[0] == _CLOSE:
                if len(data) != 2:
                    return None
                return Piece(data[1], b"", closed=True)
            return Piece(data[0], data[1:])

    async def send(self, channel: int, data: bytes) -> None:
        """Send on one stream."""
        if self._base64:
            await self._socket.send(f"{channel}{base64.b64encode(data).decode()}")
        else:
            await self._socket.send(bytes((channel,)) + data)


def _from_base64(message: bytes | str) -> Piece | None:
    text = message if isinstance(message, str) else message.decode("latin-1")
    try:
        return Piece(int(text[:1]), base64.b64decode(text[1:], validate=True))
    except (binascii.Error, ValueError):
        return None
