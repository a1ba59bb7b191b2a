"""Links of HTML pages, rewritten as by the real API server to lead through the proxy."""

from __future__ import annotations

import html
import re
import zlib

from ..http import Scope
from .headers import Headers, Place, rewrite_url

MOST_PAGE_BYTES = 8 << 20
"""A longer page goes through as it is: it is data, and would have to be held here."""

# What is no markup inside, then start tags. Scripts and comments keep their text.
_TAGS = re.compile(
    rb"<!--.*?-->|(<(script|style|textarea|title|xmp)\b[^>]*>)(.*?)(?=</\2|\Z)|(<[a-zA-Z][^<>]*>)",
    re.DOTALL | re.IGNORECASE,
)
_LINKS = re.compile(
    rb"(\s(?:href|src|action|formaction|poster|background|cite|codebase|data|icon|longdesc|manifest"
    rb"|profile|usemap)\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)",
    re.IGNORECASE,
)


class PageRewriter:
    """Rewrites the links of one page; holds it until it is whole.

    Attributes
    ----------
    headers : list
        Of the answer, without a length.
    """

    def __init__(self, place: Place, host: str, headers: Headers, encoding: bytes) -> None:
        self._place = place
        self._host = host
        self._gzip = encoding == b"gzip"
        self._held: list[bytes] | None = []
        self._size = 0
        self.headers = [each for each in headers if each[0] not in (b"content-length", b"etag")]

    @classmethod
    def wanted(
        cls, place: Place, scope: Scope, status: int, headers: Headers
    ) -> PageRewriter | None:
        """Return a rewriter for an answer that is an HTML page, else None."""
        given = dict(headers)
        kind = given.get(b"content-type", b"").partition(b";")[0].strip().lower()
        encoding = given.get(b"content-encoding", b"").lower()
        if kind != b"text/html" or encoding not in (b"", b"identity", b"gzip"):
            return None
        if scope["method"] == "HEAD" or status in (204, 206, 304):
            return None
        if int(given.get(b"content-length", b"0")) > MOST_PAGE_BYTES:
            return None
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        return cls(place, host, headers, encoding)

    def feed(self, data: bytes) -> bytes:
        """Take a piece of the page; return what can be sent already."""
        if self._held is None:
            return data
        self._held.append(data)
        self._size += len(data)
        if self._size <= MOST_PAGE_BYTES:
            return b""
        held, self._held = self._held, None
        return b"".join(held)

    def finish(self) -> bytes:
        """Return the rest of the page."""
        if self._held is None:
            return b""
        page = b"".join(self._held)
        if not self._gzip:
            return self.rewrite(page)
        unpacker = zlib.decompressobj(31)
        try:
            text = unpacker.decompress(page, MOST_PAGE_BYTES)
        except zlib.error:
            return page  # what it is, its reader has to say
        if unpacker.unconsumed_tail or not unpacker.eof:
            return page
        packer = zlib.compressobj(wbits=31)
        return packer.compress(self.rewrite(text)) + packer.flush()

    def rewrite(self, page: bytes) -> bytes:
        """Return a page with its links changed."""
        return _TAGS.sub(self._tag, page)

    def _tag(self, found: re.Match[bytes]) -> bytes:
        if tag := found[4]:
            return _LINKS.sub(self._link, tag)
        if tag := found[1]:
            return _LINKS.sub(self._link, tag) + found[3]
        return found[0]

    def _link(self, found: re.Match[bytes]) -> bytes:
        value = found[2].decode("latin-1")
        quote = value[0] if value[0] in "\"'" else ""
        link = html.unescape(value.strip(quote) if quote else value)
        changed = rewrite_url(self._place, self._host, link)
        if changed == link:
            return found[0]
        return found[1] + f'"{html.escape(changed)}"'.encode("latin-1", "xmlcharrefreplace")
