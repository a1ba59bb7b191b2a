"""What is written to a connection in one go of the event loop leaves it in one piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

_ENOUGH_BYTES = 1 << 16
"""Sent at once: who writes without end is told by the transport to wait."""


class JoinedWrites:
    """A transport that joins writes: head and body of an answer are one record and one packet.

    Parameters
    ----------
    transport : asyncio.Transport
        The one behind it; all else is its own.
    loop : asyncio.AbstractEventLoop
        Where it lives.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._soon: Callable[..., Any] = loop.call_soon
        self._waiting: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send with what else is written before the event loop goes on."""
        if not self._waiting:
            self._soon(self.flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= _ENOUGH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what has been written."""
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._size = 0
            self._transport.write(data)

    def close(self) -> None:
        """Send what has been written, then close."""
        self.flush()
        self._transport.close()

    def release(self) -> asyncio.Transport:
        """Return the transport behind, for another protocol that takes the connection over."""
        self.flush()
        return self._transport
