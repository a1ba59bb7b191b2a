"""Connections upgraded to SPDY: what clients ask for that know no WebSockets for it."""

from __future__ import annotations

import asyncio
import http
from collections import deque
from collections.abc import MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from .api import AsgiApp

PROTOCOL = b"spdy/3.1"

_NAMES = b"x-stream-protocol-version"
_MOST_CHUNKS = 16


class SpdyConnection(asyncio.Protocol):
    """Carries the bytes of an upgraded connection as the messages of a WebSocket.

    So the application has one kind of stream: its scope says `spdy`, its sub-protocols are the
    stream protocols that the client offers.

    Parameters
    ----------
    app : callable
        The ASGI application.
    state : ServerState
        Of the server: its connections and tasks.
    scope : dict
        Of the request, complete but for what is said here.
    """

    def __init__(self, app: AsgiApp, state: ServerState, scope: MutableMapping[str, Any]) -> None:
        offered = [
            word.strip().decode("latin-1")
            for name, value in scope["headers"]
            if name == _NAMES
            for word in value.split(b",")
        ]
        self._scope = {**scope, "type": "websocket", "spdy": True, "subprotocols": offered}
        self._app = app
        self._state = state
        self._transport: asyncio.Transport | None = None
        self._received: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self._paused = False

    def take_over(self, transport: asyncio.Transport) -> None:
        """Take the connection from the HTTP protocol and run the application."""
        self._transport = transport
        transport.set_protocol(self)
        self._state.connections.add(self)  # type: ignore[arg-type]
        task = asyncio.get_running_loop().create_task(self._run())
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def shutdown(self) -> None:
        """End, as the server stops."""
        self._end()
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Keep what has come, and read no more when that is much."""
        self._received.append(data)
        self._arrived.set()
        if len(self._received) > _MOST_CHUNKS and not self._paused and self._transport:
            self._paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application."""
        self._state.connections.discard(self)
        self._end()

    def pause_writing(self) -> None:
        """Let the application wait."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let the application go on."""
        self._writable.set()

    def _end(self) -> None:
        self._ended = True
        self._arrived.set()
        self._writable.set()

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception:
            # It has logged its failure itself; the client sees the connection end.
            return
        finally:
            self.shutdown()

    async def _receive(self) -> MutableMapping[str, Any]:
        while not self._received:
            if self._ended:
                return {"type": "websocket.disconnect", "code": 1006}
            self._arrived.clear()
            await self._arrived.wait()
        data = b"".join(self._received)
        self._received.clear()
        if self._paused and self._transport:
            self._paused = False
            self._transport.resume_reading()
        return {"type": "websocket.receive", "bytes": data}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        await self._writable.wait()
        if self._ended or self._transport is None:
            raise ConnectionResetError("the client has left")
        kind = message["type"].removeprefix("websocket.")
        if kind == "accept":
            chosen = (_NAMES, (message["subprotocol"] or "").encode())
            headers = [(b"connection", b"Upgrade"), (b"upgrade", b"SPDY/3.1"), chosen]
            self._transport.write(_head(101, headers))
        elif kind == "send":
            self._transport.write(message["bytes"])
        elif kind == "close":
            self._transport.close()
        elif kind == "http.response.start":
            headers = [*message["headers"], (b"connection", b"close")]
            self._transport.write(_head(message["status"], headers))
        elif kind == "http.response.body":
            self._transport.write(message.get("body", b""))
            if not message.get("more_body"):
                self._transport.close()


def wants_spdy(protocol: HttpToolsProtocol) -> bool:
    """Tell whether a request asks to be upgraded to SPDY."""
    return protocol._get_upgrade() == PROTOCOL


def _head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}".encode()]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"
