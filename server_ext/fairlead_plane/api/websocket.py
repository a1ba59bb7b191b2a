"""WebSockets: reading their upgrade request, refusing it, and their messages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import MutableMapping, Sequence
from typing import Any

from starlette.requests import ClientDisconnect

from ..resources import bad_request
from .http import Receive, Scope, Send

_BEARER = "base64url.bearer.authorization.k8s.io."
"""Begins a sub-protocol that is the client's token: a browser cannot set a header."""


def bearer_protocol(scope: Scope) -> bytes | None:
    """Return the token among the sub-protocols of an upgrade request, if one is there."""
    for protocol in scope.get("subprotocols", ()):
        if protocol.startswith(_BEARER):
            text = protocol[len(_BEARER) :]
            try:
                return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            except (binascii.Error, ValueError):
                return b""
    return None


def offered_protocols(scope: Scope) -> list[str]:
    """Return the sub-protocols that a client offers, most wanted first, without its token."""
    return [each for each in scope["subprotocols"] if not each.startswith(_BEARER)]


def choose_protocol(scope: Scope, known: Sequence[str]) -> str | None:
    """Return the first offered sub-protocol that is known; None when none was offered.

    Raises
    ------
    ApiError
        400: none of those offered is known.
    """
    offered = offered_protocols(scope)
    for protocol in offered:
        if protocol in known:
            return protocol
    if offered:
        raise bad_request(
            f"unable to upgrade: no sub-protocol of {offered} is served here; these are: "
            f"{list(known)}"
        )
    return None


def check_upgrade(scope: Scope) -> None:
    """Refuse what is no upgrade with 400; one to SPDY must offer a protocol."""
    if scope["type"] != "websocket" or (is_spdy(scope) and not scope["subprotocols"]):
        raise bad_request("Upgrade request required")


def is_spdy(scope: Scope) -> bool:
    """Tell whether the messages are the bytes of a SPDY connection."""
    return bool(scope.get("spdy"))


def refuse_by_http(send: Send) -> Send:
    """Return a `send` for an upgrade request through which HTTP answers refuse it."""

    async def translate(message: MutableMapping[str, Any]) -> None:
        if message["type"].startswith("http."):
            message = {**message, "type": f"websocket.{message['type']}"}
        await send(message)

    return translate


class WebSocket:
    """One WebSocket connection.

    Parameters
    ----------
    receive, send : callable
        Of the ASGI application.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._left = False
        self.code = 1005
        """With which the client has closed."""

    async def accept(
        self, protocol: str | None, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        """Upgrade the connection."""
        await self._tell("accept", subprotocol=protocol, headers=list(headers))

    async def receive(self) -> bytes | str | None:
        """Return the next message, or None when the client has left."""
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._left = True
                self.code = message.get("code") or 1005
                return None
            if message["type"] == "websocket.receive":
                data = message.get("bytes")
                found: bytes | str = message["text"] if data is None else data
                return found

    async def send(self, data: bytes | str) -> None:
        """Send a message; waits for a client that reads slowly."""
        await self._tell("send", **{"text" if isinstance(data, str) else "bytes": data})

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection."""
        await self._tell("close", code=code, reason=reason)

    async def _tell(self, type: str, **message: Any) -> None:
        """Send one message; ClientDisconnect when the client has left."""
        if self._left:
            raise ClientDisconnect
        try:
            await self._send({"type": f"websocket.{type}", **message})
        except OSError as error:
            raise ClientDisconnect from error
