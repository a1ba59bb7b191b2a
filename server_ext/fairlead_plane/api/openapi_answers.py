"""Answers at `/openapi`: media types, entity tags, and caching by hash."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

import orjson

from ..resources import ApiError
from .http import Scope, Send, send_bytes
from .openapi import OpenApi
from .openapi_protobuf import MEDIA_TYPES

_JSON = "application/json"
_WILD = ("*/*", "application/*", _JSON)
_CACHED = (b"cache-control", b"public, immutable, max-age=31536000")


class OpenApiPaths:
    """Serves the documents of OpenAPI v2 and v3: JSON, and v2 in protobuf too.

    Parameters
    ----------
    documents : OpenApi
        Builds them.
    """

    def __init__(self, documents: OpenApi) -> None:
        self._documents = documents

    async def answer(self, scope: Scope, send: Send) -> None:
        """Answer a GET below `/openapi`.

        Raises
        ------
        ApiError
            404 for another path; 406 for a client that takes none of the forms.
        """
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        place = scope["path"].strip("/").removeprefix("openapi/")
        if place not in ("v2", "v3") and not place.startswith("v3/api"):
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        protobuf = place == "v2" and any(
            media in headers.get(b"accept", "") for media in MEDIA_TYPES
        )
        if not protobuf:
            _check_media(headers.get(b"accept", ""))
        if place == "v3":
            body = orjson.dumps(await asyncio.to_thread(self._documents.index))
            await send_bytes(send, body, _JSON)
            return
        if place == "v2":
            body, digest = await asyncio.to_thread(self._documents.v2, protobuf=protobuf)
        else:
            # A thread: a document takes some ten milliseconds, and no other request waits.
            body, digest = await asyncio.to_thread(self._documents.v3, place[len("v3/") :])
        tag = f'"{digest}"'
        more = [(b"etag", tag.encode()), (b"vary", b"Accept-Encoding, Accept")]
        if parse_qs(scope["query_string"].decode("latin-1")).get("hash") == [digest]:
            more.append(_CACHED)
        media = MEDIA_TYPES[1] if protobuf else _JSON
        if headers.get(b"if-none-match") == tag:
            await send_bytes(send, b"", media, 304, more)
        else:
            await send_bytes(send, body, media, 200, more)


def _check_media(accept: str) -> None:
    wanted = [each.partition(";")[0].strip() for each in accept.split(",")]
    if accept and not any(each in _WILD for each in wanted):
        message = f"only the following media types are accepted: {_JSON}"
        raise ApiError(406, "NotAcceptable", message)
