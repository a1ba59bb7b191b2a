"""`pods/portforward`: connections to ports of a pod, several in one stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.requests import ClientDisconnect

from ...resources import ApiError, Json, bad_request
from ..http import Receive, Scope, Send
from ..websocket import WebSocket, check_upgrade, choose_protocol, is_spdy
from .channels import BASE64, PLAIN, V4, V4_BASE64, Channels
from .spdy import Connection, Stream

SPDY = "portforward.k8s.io"
SPDY_TUNNEL = "SPDY/3.1+portforward.k8s.io"
"""The frames of a SPDY connection in the messages of the WebSocket: `kubectl` since 1.30."""

CHUNK_BYTES = 64 << 10

_CHANNELS = (V4, V4_BASE64, PLAIN, BASE64)

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Ports(Protocol):
    """Who can reach the ports of pods; the node can."""

    async def connect(self, pod: Json, port: int | str, tls: Any = None) -> Pipe:
        """Connect to a port of a pod.

        Raises
        ------
        ApiError
            503: none of the pod's processes listens there. 400: no port has this name.
        """
        ...


async def answer_forward(
    ports: Ports,
    pod: Json,
    query: Mapping[str, list[str]],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer one request; returns when all its connections are closed, or the client has left."""
    phase = pod["status"].get("phase", "")
    if phase != "Running":
        raise bad_request(
            f"unable to forward port because pod is not running. Current status={phase}"
        )
    check_upgrade(scope)
    spdy = is_spdy(scope)
    protocol = choose_protocol(scope, (SPDY,) if spdy else (SPDY_TUNNEL, *_CHANNELS))
    socket = WebSocket(receive, send)
    if spdy or protocol == SPDY_TUNNEL:
        await socket.accept(protocol)
        await _Tunnel(ports, pod, socket).serve()
        return
    wanted = [_port(text) for value in query.get("ports", ()) for text in value.split(",")]
    if not wanted:
        raise bad_request('query parameter "ports" is required')
    await socket.accept(protocol)
    await _serve_channels(ports, pod, wanted, Channels(socket, protocol))
    await socket.close()


def _port(text: str) -> int:
    if text.isdigit() and 0 < int(text) < 1 << 16:
        return int(text)
    raise bad_request(f'invalid port "{text}": a number from 1 to 65535 is needed')


def failure(pod: Json, port: int, error: ApiError) -> bytes:
    """Return what the error stream of a connection says, as a kubelet words it."""
    uid = pod["metadata"]["uid"]
    return f"error forwarding port {port} to pod {uid}, uid : {error.message}".encode()


# Channels: two for each port, one with its data and one with its error


async def _serve_channels(ports: Ports, pod: Json, wanted: list[int], channels: Channels) -> None:
    for index, port in enumerate(wanted):
        # Each channel begins with its port.
        for channel in (2 * index, 2 * index + 1):
            await channels.send(channel, port.to_bytes(2, "little"))
    inputs: list[asyncio.Queue[bytes]] = [asyncio.Queue(16) for _ in wanted]
    lives = [
        asyncio.create_task(_serve_port(ports, pod, port, 2 * index, inputs[index], channels))
        for index, port in enumerate(wanted)
    ]

    async def listen() -> None:
        while (piece := await channels.receive()) is not None:
            index, is_error = divmod(piece.channel, 2)
            if not is_error and index < len(wanted) and piece.data and not lives[index].done():
                await _put(inputs[index], piece.data, lives[index])

    listening = asyncio.create_task(listen())
    ending: asyncio.Future[Any] = asyncio.gather(*lives)
    try:
        await asyncio.wait({listening, ending}, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            ending.result()
    finally:
        listening.cancel()
        ending.cancel()
        await asyncio.gather(listening, *lives, return_exceptions=True)


async def _put(queue: asyncio.Queue[bytes], data: bytes, reader: asyncio.Task[None]) -> None:
    """Wait for room in a queue as long as somebody reads from it."""
    putting = asyncio.create_task(queue.put(data))
    try:
        await asyncio.wait({putting, reader}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        putting.cancel()


async def _serve_port(
    ports: Ports,
    pod: Json,
    port: int,
    channel: int,
    given: asyncio.Queue[bytes],
    channels: Channels,
) -> None:
    try:
        reader, writer = await ports.connect(pod, port)
    except ApiError as error:
        await channels.send(channel + 1, failure(pod, port, error))
        return

    async def write() -> None:
        while True:
            writer.write(await given.get())
            await writer.drain()

    writing = asyncio.create_task(write())
    try:
        while data := await reader.read(CHUNK_BYTES):
            await channels.send(channel, data)
    except OSError as error:
        await channels.send(channel + 1, f"error copying from pod port {port}: {error}".encode())
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        writer.close()


# SPDY: two streams for each connection, one with its data and one with its error


class _Tunnel:
    """One SPDY connection, bare or inside of a WebSocket."""

    def __init__(self, ports: Ports, pod: Json, socket: WebSocket) -> None:
        self._ports = ports
        self._pod = pod
        self._socket = socket
        self._errors: dict[str, Stream] = {}
        self._lives: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        connection = Connection(self._socket.send, self._open)
        try:
            while (message := await self._socket.receive()) is not None:
                data = message.encode() if isinstance(message, str) else message
                if not await connection.feed(data):
                    await self._socket.close(1002, "not SPDY/3.1")
                    return
        finally:
            for life in self._lives:
                life.cancel()
            await asyncio.gather(*self._lives, return_exceptions=True)

    async def _open(self, stream: Stream) -> bool:
        """Take a new stream of the client; False refuses it."""
        kind, request = stream.headers.get("streamtype"), stream.headers.get("requestid", "")
        if kind == "error":
            self._errors[request] = stream
            return True
        error_stream = self._errors.pop(request, None)
        port = stream.headers.get("port", "")
        if kind != "data" or error_stream is None or not port.isdigit():
            return False
        life = asyncio.create_task(self._live(int(port), stream, error_stream))
        self._lives.add(life)
        life.add_done_callback(self._lives.discard)
        return True

    async def _live(self, port: int, stream: Stream, error_stream: Stream) -> None:
        # The end of the client is the end of all of them, and `serve` sees it.
        with contextlib.suppress(ClientDisconnect):
            await self._serve_stream(port, stream, error_stream)

    async def _serve_stream(self, port: int, stream: Stream, error_stream: Stream) -> None:
        try:
            reader, writer = await self._ports.connect(self._pod, port)
        except ApiError as error:
            await error_stream.send(failure(self._pod, port, error))
            await error_stream.close()
            await stream.close()
            return

        async def write() -> None:
            while data := await stream.receive():
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()

        async def read() -> None:
            while data := await reader.read(CHUNK_BYTES):
                await stream.send(data)
            await stream.close()

        writing, reading = asyncio.create_task(write()), asyncio.create_task(read())
        try:
            # The pod's end is the end; a client that has sent all may still read.
            await asyncio.wait({reading})
            problem = reading.exception()
            if isinstance(problem, OSError):
                text = f"error copying from local connection to remote stream: {problem}"
                await error_stream.send(text.encode())
            elif problem is not None:
                raise problem
            await stream.close()
            await error_stream.close()
        finally:
            for task in (writing, reading):
                task.cancel()
            await asyncio.gather(writing, reading, return_exceptions=True)
            with contextlib.suppress(ConnectionError):
                writer.close()
