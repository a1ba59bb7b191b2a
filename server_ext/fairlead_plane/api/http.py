"""Reading requests and writing answers."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    MutableMapping,
)
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from ..resources import ApiError, Json, bad_request
from ..resources.depth import DEEPEST, check_depth
from ..resources.schemas.protobuf import MEDIA_TYPE, decode_protobuf
from .yaml_bodies import load_yaml

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_WARNINGS = "fairlead.warnings"
_YAML = "application/yaml"
_MEDIA = ("", "application/json", _YAML, MEDIA_TYPE)

MAX_BODY_BYTES = 3 << 20
"""Largest body of an object, as of the real API server."""


PIECE_BYTES = 1 << 16
"""Most of an answer that is handed over at once: then it waits for a client that reads slowly, and
the buffers of the connection, which never shrink, stay small."""


def read_flag(query: Mapping[str, str], name: str) -> bool:
    """Read a boolean of the query as Kubernetes does: set, unless it says `false` or `0`."""
    return name in query and query[name].lower() not in ("false", "0")


def read_query(scope: Scope) -> dict[str, str]:
    """Return the query of a request; of a name that comes twice, the last value."""
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


async def read_body(request: Request) -> bytes:
    """Read the body; ApiError 413 when it is too large."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            message = f"Request entity too large: limit is {MAX_BODY_BYTES}"
            raise ApiError(413, "RequestEntityTooLarge", message)
        chunks.append(chunk)
    return b"".join(chunks)


async def read_json(request: Request) -> Any:
    """Read the body: JSON, or YAML or protobuf where its type says so; None when it is empty.

    Raises
    ------
    ApiError
        400 for a body that cannot be read; 415 for another type.
    """
    return _parse(request, await read_body(request))[0]


async def read_object(request: Request) -> tuple[Json, bytes]:
    """Read the body as one object, as `read_json`; returns its JSON text as well, if it is JSON."""
    found, text = _parse(request, await read_body(request))
    if not isinstance(found, dict):
        raise bad_request("the object provided is unrecognized: a JSON object is needed")
    return found, text


def _parse(request: Request, body: bytes) -> tuple[Any, bytes]:
    if not body:
        return None, b""
    media = request.headers.get("content-type", "").partition(";")[0].strip()
    if media not in _MEDIA:
        message = (
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(_MEDIA[1:])
        )
        raise ApiError(415, "UnsupportedMediaType", message)
    if media == _YAML:
        return load_yaml(body), b""
    try:
        if media == MEDIA_TYPE:
            return decode_protobuf(body), b""
        return load_json(body), body
    except ValueError as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from error


def load_json(body: bytes) -> Any:
    """Read JSON; ValueError for what is none, ApiError 400 for what is nested too deeply."""
    found = orjson.loads(body)
    if body.count(b"{") + body.count(b"[") > DEEPEST:
        check_depth(found)
    return found


def warn(request: Request, texts: Iterable[str]) -> None:
    """Let the answer to a request carry warnings, which clients show to their user."""
    request.scope.setdefault(_WARNINGS, []).extend(texts)


def warning_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the headers of the warnings of a request."""
    # A field's name is the client's own, and may hold what no header can.
    texts = (re.sub(r"[\x00-\x1f\x7f]", "", text) for text in scope.get(_WARNINGS, ()))
    quoted = (re.sub(r'(["\\\\])', r"\\\1", text) for text in texts)
    return [(b"warning", f'299 - "{text}"'.encode()) for text in quoted]


async def send_json(send: Send, content: Json, code: int = 200, more: Headers = ()) -> None:
    """Answer with JSON."""
    await send_bytes(send, orjson.dumps(content), "application/json", code, more)


async def send_bytes(
    send: Send, body: bytes, content_type: str, code: int = 200, more: Headers = ()
) -> None:
    """Answer with a whole body, and with more headers than all answers have."""
    headers = [
        *more,
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    if not any(name == b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"no-cache, private"))
    await send({"type": "http.response.start", "status": code, "headers": headers})
    for start in range(0, len(body), PIECE_BYTES) or (0,):
        end = start + PIECE_BYTES
        left = end < len(body)
        await send({"type": "http.response.body", "body": body[start:end], "more_body": left})


async def send_stream(
    receive: Receive, send: Send, chunks: AsyncGenerator[bytes, None], content_type: str
) -> None:
    """Answer with chunks as they come, until they end or the client leaves.

    The iterator is closed in both cases. An exception from it ends the connection without the
    last chunk, so that the client can tell a cut answer from a whole one.
    """
    headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-cache, private")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def pump() -> None:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    pumping, leaving = asyncio.create_task(pump()), asyncio.create_task(left())
    try:
        await asyncio.wait({pumping, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if pumping.done():
            pumping.result()
    finally:
        for task in (pumping, leaving):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await chunks.aclose()  # cut off between two chunks it would still be there
