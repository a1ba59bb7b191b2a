"""One WebSocket through the proxy."""

from __future__ import annotations

from collections import deque

import wsproto
from wsproto import events
from wsproto.utilities import ProtocolError

from ..http import Receive, Scope, Send
from ..race import first_of
from ..streams import Pipe
from ..websocket import WebSocket, offered_protocols
from .headers import Place, answer_headers, request_headers

CHUNK_BYTES = 256 << 10

_NOT_SENT = {1005: 1000, 1006: 1011, 1015: 1011}
"""Codes that stand for what happened to a connection, and may not travel themselves."""


async def forward_socket(
    pipe: Pipe, place: Place, scope: Scope, receive: Receive, send: Send
) -> None:
    """Open a WebSocket to a back end and carry the messages of both sides, until one of them ends.

    An answer that refuses the upgrade goes to the client as it is.

    Raises
    ------
    ConnectionError
        The back end did not answer. What is no WebSocket counts as that.
    """
    backend = _Backend(pipe)
    answer = await backend.open(place, scope)
    if isinstance(answer, events.RejectConnection):
        await _refuse(backend, answer, place, scope, send)
        return
    client = WebSocket(receive, send)
    headers = [
        each
        for each in answer_headers(place, scope, answer.extra_headers)
        if not each[0].startswith(b"sec-websocket-")
    ]
    await client.accept(answer.subprotocol, headers)

    async def up() -> None:
        while (message := await client.receive()) is not None:
            if isinstance(message, str):
                await backend.send(events.TextMessage(data=message))
            else:
                await backend.send(events.BytesMessage(data=message))
        await backend.send(events.CloseConnection(_NOT_SENT.get(client.code, client.code)))

    async def down() -> None:
        while True:
            message = await backend.receive()
            if isinstance(message, events.CloseConnection):
                code = _NOT_SENT.get(message.code, message.code)
                await client.close(code, message.reason or "")
                return
            await client.send(message)

    upward, downward = await first_of(up(), down())
    if not downward.cancelled() and isinstance(downward.exception(), ConnectionError):
        await client.close(1011, "the back end broke off")
        return
    for task in (upward, downward):
        if not task.cancelled() and not isinstance(task.exception(), ConnectionError):
            task.result()


async def _refuse(
    backend: _Backend, answer: events.RejectConnection, place: Place, scope: Scope, send: Send
) -> None:
    headers = answer_headers(place, scope, answer.headers)
    body = await backend.rest() if answer.has_body else b""
    headers = [each for each in headers if each[0] != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Backend:
    """The client's side of a WebSocket."""

    def __init__(self, pipe: Pipe) -> None:
        self._reader, self._writer = pipe
        self._connection = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        self._parts: list[bytes | str] = []
        self._events: deque[events.Event] = deque()

    async def open(
        self, place: Place, scope: Scope
    ) -> events.AcceptConnection | events.RejectConnection:
        headers = request_headers(place, scope)
        host = dict(scope["headers"]).get(b"host", b"localhost")
        request = events.Request(
            host=host.decode("latin-1"),
            target=place.target(scope["query_string"]).decode("latin-1"),
            subprotocols=offered_protocols(scope),
            extra_headers=[
                each
                for each in headers
                if each[0] != b"host" and not each[0].startswith(b"sec-websocket-")
            ],
        )
        await self.send(request)
        event = await self._next()
        if isinstance(event, (events.AcceptConnection, events.RejectConnection)):
            return event
        raise ConnectionError("the back end speaks no WebSocket")

    async def send(self, event: events.Event) -> None:
        try:
            self._writer.write(self._connection.send(event))
        except ProtocolError as error:  # it is closing
            raise ConnectionError(str(error)) from error
        await self._writer.drain()

    async def receive(self) -> bytes | str | events.CloseConnection:
        """Return the next whole message, or how the back end closes."""
        while True:
            event = await self._next()
            if isinstance(event, events.Message):
                self._parts.append(event.data if isinstance(event.data, str) else bytes(event.data))
                if event.message_finished:
                    empty: bytes | str = "" if isinstance(event.data, str) else b""
                    parts, self._parts = self._parts, []
                    return empty.join(parts)  # type: ignore[arg-type]
            elif isinstance(event, events.Ping):
                await self.send(event.response())
            elif isinstance(event, events.CloseConnection):
                return event

    async def rest(self) -> bytes:
        """Return the body of an answer that refuses."""
        body = b""
        while True:
            event = await self._next()
            if isinstance(event, events.RejectData):
                body += event.data
                if event.body_finished:
                    return body

    async def _next(self) -> events.Event:
        while not self._events:
            try:
                self._events.extend(self._connection.events())
                if not self._events:
                    data = await self._reader.read(CHUNK_BYTES)
                    self._connection.receive_data(data or None)
                    self._events.extend(self._connection.events())
                    if not data and not self._events:
                        raise ConnectionError("the connection was closed")
            except ProtocolError as error:
                raise ConnectionError(f"malformed WebSocket: {error}") from error
        return self._events.popleft()
