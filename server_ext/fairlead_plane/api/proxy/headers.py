"""What changes in headers on the way through the proxy, as in the real API server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from ..http import Scope

Headers = list[tuple[bytes, bytes]]

# Between two neighbours only (RFC 9110, 7.6.1). The length of a body is the framing's affair, too.
_HOP_BY_HOP = frozenset(
    (
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    )
)  # fmt: skip
_OURS = frozenset((b"authorization", b"expect"))
"""The plane's token is no business of a pod; uvicorn has answered `expect`."""

_CORS = frozenset(
    b"access-control-allow-" + each for each in (b"credentials", b"headers", b"methods", b"origin")
)
"""A pod must not open the API server to the pages of others."""


class Place(NamedTuple):
    """Where a back end stands."""

    prefix: str
    """Path of the proxy, without a slash at its end."""
    path: str
    """Path below it, encoded as the client has written it."""

    def target(self, query: bytes) -> bytes:
        """Return the request target for the back end."""
        return self.path.encode("latin-1") + (b"?" + query if query else b"")


def request_headers(place: Place, scope: Scope) -> Headers:
    """Return the headers for the back end, without those that say how long the body is."""
    headers = _without(scope["headers"], _OURS | {b"content-length"})
    given = dict(scope["headers"])
    client = (scope.get("client") or ("",))[0].encode()
    before = given.get(b"x-forwarded-for")
    ours = {
        b"x-forwarded-for": before + b", " + client if before else client,
        b"x-forwarded-uri": (place.prefix + place.path).encode("latin-1"),
        b"x-forwarded-host": given.get(b"host", b""),
        b"x-forwarded-proto": b"https",
    }
    return [*(each for each in headers if each[0] not in ours), *ours.items()]


def answer_headers(place: Place, scope: Scope, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers for the client."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    return [
        (name, rewrite_url(place, host, value.decode("latin-1")).encode("latin-1"))
        if name == b"location"
        else (name, value)
        for name, value in _without(headers, _CORS)
    ]


def rewrite_url(place: Place, host: str, text: str) -> str:
    """Return a link of a back end as it leads to the same place through the proxy.

    Parameters
    ----------
    host : str
        By which the client, and so the back end, knows the proxy.
    text : str
        A relative link, and one to somewhere else, stay as they are.
    """
    try:
        url = urlsplit(text)
    except ValueError:
        return text
    if (url.netloc and url.netloc != host) or not url.path.startswith("/"):
        return text
    path = url.path
    if path != place.prefix and not path.startswith(f"{place.prefix}/"):
        path = place.prefix + path
    return urlunsplit(("", "", path, url.query, url.fragment))


def _without(headers: Iterable[tuple[bytes, bytes]], more: frozenset[bytes]) -> Headers:
    headers = [(name.lower(), value) for name, value in headers]
    named = {
        word.strip().lower()
        for name, value in headers
        if name == b"connection"
        for word in value.split(b",")
    }
    dropped = _HOP_BY_HOP | more | named
    return [
        each
        for each in headers
        if each[0] not in dropped and not each[0].startswith(b"impersonate-")
    ]
