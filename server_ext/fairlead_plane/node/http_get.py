"""One GET over HTTP/1.1, as the kubelet's probes make it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

REDIRECTS_MOST = 10


class HttpGetError(Exception):
    """The answer is none, or the redirects do not end."""


class Url(NamedTuple):
    """Where to send a request."""

    scheme: str
    host: str
    port: int
    path: str
    """With its query."""

    def __str__(self) -> str:
        path = self.path if self.path.startswith("/") else f"/{self.path}"
        return f"{self.scheme}://{self.authority}{path}"

    @property
    def authority(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Open = Callable[[Url], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def http_get(url: Url, headers: Mapping[str, str], open: Open) -> int:
    """Send a GET and return the status of the answer; its body is not read.

    A redirect to the same host is followed; one to another host is the answer.

    Parameters
    ----------
    url : Url
        What to get.
    headers : mapping
        All that are sent; `Host` is added unless given.
    open : callable
        Connects to where a URL leads.

    Raises
    ------
    HttpGetError, OSError
        There is no whole answer.
    """
    for _ in range(REDIRECTS_MOST):
        status, location = await _get_once(url, headers, open)
        if not (300 <= status < 400 and location):
            return status
        target = urlsplit(urljoin(str(url), location))
        if target.hostname != url.host:
            return status
        port = target.port or (443 if target.scheme == "https" else 80)
        path = target.path + (f"?{target.query}" if target.query else "")
        url = Url(target.scheme, url.host, port, path or "/")
    raise HttpGetError(f"stopped after {REDIRECTS_MOST} redirects")


async def _get_once(url: Url, headers: Mapping[str, str], open: Open) -> tuple[int, str]:
    reader, writer = await open(url)
    try:
        lines = [f"GET {str(url).split(url.authority, 1)[1]} HTTP/1.1"]
        if not any(name.lower() == "host" for name in headers):
            lines.append(f"Host: {url.authority}")
        lines += [f"{name}: {value}" for name, value in headers.items() if value]
        lines.append("Connection: close")
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await writer.drain()
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise HttpGetError("EOF") from error
        except asyncio.LimitOverrunError as error:
            raise HttpGetError("net/http: server response headers exceeded the limit") from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not first.startswith("HTTP/") or len(words) < 2 or not words[1].isdigit():
        raise HttpGetError(f'net/http: HTTP/1.x transport connection broken: malformed "{first}"')
    location = next(
        (line.partition(":")[2].strip() for line in rest if line.lower().startswith("location:")),
        "",
    )
    return int(words[1]), location
