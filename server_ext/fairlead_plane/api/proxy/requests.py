"""One HTTP request through the proxy, streamed both ways."""

from __future__ import annotations

import asyncio

import h11

from ...resources import bad_request
from ..http import Receive, Scope, Send
from ..streams import Pipe
from .headers import Place, answer_headers, request_headers
from .pages import PageRewriter

CHUNK_BYTES = 256 << 10

MOST_HEAD_BYTES = 256 << 10
"""Most bytes of all headers of an answer."""


class Left(Exception):
    """The client has left."""


async def forward_request(
    pipe: Pipe, place: Place, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send a request to a back end and its answer to the client.

    Raises
    ------
    ConnectionError
        The back end did not answer, or broke off. What is no HTTP counts as that.
    """
    reader, writer = pipe
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD_BYTES)
    headers = request_headers(place, scope)
    given = dict(scope["headers"])
    if b"transfer-encoding" in given:
        headers.append((b"transfer-encoding", b"chunked"))
    elif b"content-length" in given:
        headers.append((b"content-length", given[b"content-length"]))
    # One request for each connection: who listens is looked at for each of them.
    headers.append((b"connection", b"close"))
    try:
        head = h11.Request(
            method=scope["method"], target=place.target(scope["query_string"]), headers=headers
        )
    except h11.LocalProtocolError as error:
        raise bad_request(f"the request cannot be passed on: {error}") from error
    uploading = asyncio.create_task(_upload(connection, head, writer, receive))
    answering = asyncio.create_task(_answer(connection, reader, place, scope, send))
    try:
        await asyncio.wait({uploading, answering}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            # It ends only when the client has left, or by a mistake of ours.
            uploading.result()
        await answering
    except Left:
        return
    except h11.RemoteProtocolError as error:
        raise ConnectionError(f"malformed HTTP response: {error}") from error
    finally:
        for task in (uploading, answering):
            task.cancel()
        await asyncio.gather(uploading, answering, return_exceptions=True)


async def _upload(
    connection: h11.Connection, head: h11.Request, writer: asyncio.StreamWriter, receive: Receive
) -> None:
    """Send the request; then wait until the client leaves, which is raised."""
    try:
        writer.write(connection.send(head) or b"")
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Left
            if body := message.get("body"):
                writer.write(connection.send(h11.Data(data=body)) or b"")
                await writer.drain()
            more = message.get("more_body", False)
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()
    except ConnectionError:
        pass  # the answer says more
    while (await receive())["type"] != "http.disconnect":
        pass
    raise Left


async def _answer(
    connection: h11.Connection,
    reader: asyncio.StreamReader,
    place: Place,
    scope: Scope,
    send: Send,
) -> None:
    page: PageRewriter | None = None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(CHUNK_BYTES))
        elif isinstance(event, h11.Response):
            headers = answer_headers(place, scope, event.headers)
            page = PageRewriter.wanted(place, scope, event.status_code, headers)
            if page is not None:
                headers = page.headers
            await send(
                {"type": "http.response.start", "status": event.status_code, "headers": headers}
            )
        elif isinstance(event, h11.Data):
            data = bytes(event.data)
            body = data if page is None else page.feed(data)
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
        elif isinstance(event, h11.EndOfMessage):
            rest = b"" if page is None else page.finish()
            await send({"type": "http.response.body", "body": rest})
            return
        elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            raise ConnectionError("the connection was closed without an answer")
