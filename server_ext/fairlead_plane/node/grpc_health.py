"""One call of `grpc.health.v1.Health/Check`: as much of HTTP/2 as that needs, and no more.

Headers are sent uncompressed and those of the answer are not read: what counts is its message.
"""

from __future__ import annotations

import asyncio
import struct
from typing import NamedTuple

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GO_AWAY = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7
_END_STREAM = _ACK = 0x1
_END_HEADERS, _PADDED = 0x4, 0x8
_STREAM = 1
_ANSWER_MOST = 4096

STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


class GrpcError(Exception):
    """The server gave no answer that says how it is."""


class _Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    body: bytes


async def check_health(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, authority: str, service: str
) -> str:
    """Ask a gRPC server how a service is.

    Parameters
    ----------
    reader, writer
        A new connection to the server.
    authority : str
        Host and port.
    service : str
        Name of the service; empty for the server as a whole.

    Returns
    -------
    str
        One of `STATUSES`.

    Raises
    ------
    GrpcError, OSError
        There is no answer; a server without this service gives none.
    """
    name = service.encode()
    request = b"\x0a" + _varint(len(name)) + name if name else b""
    headers = _headers(
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", "kube-probe/1.32"),
    )
    writer.write(
        _PREFACE
        + _frame(_SETTINGS, 0, 0, b"")
        + _frame(_HEADERS, _END_HEADERS, _STREAM, headers)
        + _frame(_DATA, _END_STREAM, _STREAM, struct.pack("!BI", 0, len(request)) + request)
    )
    answer = b""
    while True:
        frame = await _read(reader)
        if frame.kind == _SETTINGS and not frame.flags & _ACK:
            writer.write(_frame(_SETTINGS, _ACK, 0, b""))
        elif frame.kind == _PING and not frame.flags & _ACK:
            writer.write(_frame(_PING, _ACK, 0, frame.body))
        elif frame.kind == _GO_AWAY:
            raise GrpcError("the server closed the connection")
        elif frame.stream == _STREAM:
            if frame.kind == _RESET:
                raise GrpcError("the server reset the call")
            if frame.kind == _DATA:
                answer += _unpadded(frame)
            if frame.kind in (_DATA, _HEADERS) and frame.flags & _END_STREAM:
                return _parse(answer)
        if len(answer) > _ANSWER_MOST:
            raise GrpcError("the answer is too long")


def _parse(answer: bytes) -> str:
    if len(answer) < 5:
        raise GrpcError(
            "the server answered without a health status: it does not implement the grpc health "
            "protocol (grpc.health.v1.Health), or does not know the service"
        )
    message = answer[5:]
    # HealthCheckResponse has one field, an enum; zero is left out on the wire.
    number = message[1] if len(message) >= 2 and message[0] == 0x08 else 0
    return STATUSES[number] if number < len(STATUSES) else str(number)


async def _read(reader: asyncio.StreamReader) -> _Frame:
    try:
        head = await reader.readexactly(9)
        body = await reader.readexactly(int.from_bytes(head[:3], "big"))
    except asyncio.IncompleteReadError as error:
        raise GrpcError("the server closed the connection: it may not speak HTTP/2") from error
    return _Frame(head[3], head[4], int.from_bytes(head[5:], "big") & 0x7FFFFFFF, body)


def _unpadded(frame: _Frame) -> bytes:
    if not frame.flags & _PADDED:
        return frame.body
    return frame.body[1 : len(frame.body) - frame.body[0]]


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body


def _headers(*fields: tuple[str, str]) -> bytes:
    """Encode headers as literals that enter no table; all are shorter than 127 bytes."""
    block = b""
    for name, value in fields:
        block += b"\x00" + bytes((len(name),)) + name.encode()
        block += bytes((len(value),)) + value.encode()
    return block


def _varint(number: int) -> bytes:
    encoded = b""
    while number > 0x7F:
        encoded += bytes((number & 0x7F | 0x80,))
        number >>= 7
    return encoded + bytes((number,))
