"""HTTP over TLS on one socket, by uvicorn's protocol in the plane's own event loop."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from urllib.parse import unquote

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from .api import AsgiApp
from .api.http import PIECE_BYTES
from .joined import JoinedWrites
from .upgrade import SpdyConnection, wants_spdy

KEEP_ALIVE_S = 300
"""Idle seconds after which a connection is closed: a new one costs a TLS handshake."""

MOST_MESSAGE_BYTES = 128 << 20
"""Largest message of a WebSocket; a kernel's can be that large."""

DRAIN_S = 3.0
"""Seconds that requests get to finish at a stop."""


class _Protocol(HttpToolsProtocol):
    """Says nothing to what is no HTTP: without the token nobody gets an answer of ours."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a client."""
        transport.set_write_buffer_limits(high=PIECE_BYTES)
        self._joined = JoinedWrites(transport, self.loop)
        super().connection_made(self._joined)  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep nothing of a client that has left, however it did."""
        # Else the timer would, when the connection was reset.
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Send the whole answer now: a client waits for it, and the event loop can wait."""
        self._joined.flush()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Close the connection."""
        self.transport.close()

    def _should_upgrade(self) -> bool:
        # A WebSocket begins with GET; anything else that asks for one gets an answer in words.
        is_get: bool = self.scope["method"] == "GET"
        return wants_spdy(self) or (is_get and self._readable() and super()._should_upgrade())

    def _readable(self) -> bool:
        """Tell whether wsproto can read the headers of a WebSocket; else it fails."""
        return all(
            value.isascii() for name, value in self.headers if name.startswith(b"sec-websocket-")
        )

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, to a WebSocket or to SPDY."""
        self.transport = self._joined.release()
        if not wants_spdy(self):
            super().handle_websocket_upgrade()
            return
        raw_path, _, query = self.url.partition(b"?")
        scope = {
            **self.scope,
            "path": unquote(raw_path.decode("latin-1")),
            "raw_path": raw_path,
            "query_string": query,
        }
        self.connections.discard(self)
        SpdyConnection(self.config.loaded_app, self.server_state, scope).take_over(self.transport)


class HttpServer:
    """Serves one ASGI application.

    Notes
    -----
    `uvicorn.Server` would wake up ten times a second and take over the signals; only its
    protocol and its state are used.
    """

    def __init__(self, app: AsgiApp, listener: socket.socket, tls: ssl.SSLContext) -> None:
        self._listener = listener
        self._tls = tls
        self._config = uvicorn.Config(
            app,
            http=_Protocol,
            # Not the default one: it refuses a sub-protocol with "/" in it.
            ws="wsproto",
            ws_max_size=MOST_MESSAGE_BYTES,
            # A ping would find a client gone that only waits until a pod reads what it has sent;
            # and over loopback the end of a client is always seen.
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        # The application logs its failures itself, with their causes; an answer that is cut off
        # because the plane stops is none.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self._config.load()
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to answer."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Protocol(self._config, self._state, {}),
            sock=self._listener,
            ssl=self._tls,
        )

    async def stop(self) -> None:
        """Take no new connection, let requests finish, then cut what is left."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        tasks = list(self._state.tasks)
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=DRAIN_S)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)


def server_tls(certificate: str, key: str) -> ssl.SSLContext:
    """Return the TLS settings of the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context
