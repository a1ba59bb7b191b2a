"""The server's side of SPDY/3.1, as far as port-forwarding needs it.

Notes
-----
The protocol is draft-mbelshe-httpbis-spdy-00, with the session window of 3.1. The library of
kubectl keeps no windows and sends none, so neither do we wait for them: the connection below
holds back a sender that is too fast, and a full stream holds back the connection.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections import deque
from collections.abc import Awaitable, Callable

_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _HEADERS = 1, 2, 3, 4, 6, 7, 8
_FIN = 1
_VERSION = 0x8003
_REFUSED, _PROTOCOL_ERROR = 3, 1
_HEAD = struct.Struct("!II")

BUFFER_BYTES = 1 << 20
"""What one stream keeps unread before all others have to wait."""

MOST_FRAME_BYTES = 64 << 10

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language "
    "accept-ranges age allow authorization cache-control connection content-base content-encoding "
    "content-language content-length content-location content-md5 content-range content-type date "
    "etag expect expires from host if-match if-modified-since if-none-match if-range "
    "if-unmodified-since last-modified location max-forwards pragma proxy-authenticate "
    "proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status"
).split()
_WORDS += ["200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"]
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, "
    "Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch"
    "charset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(struct.pack("!I", len(word)) + word.encode() for word in _WORDS)
DICTIONARY += _TAIL.encode()
"""With which the header blocks of both directions are compressed (2.6.10.1 of the draft)."""


class ProtocolError(Exception):
    """What came is no SPDY/3.1."""


class Stream:
    """One stream that the client has opened.

    Attributes
    ----------
    headers : dict
        Its names in lower case.
    """

    def __init__(self, connection: Connection, number: int, headers: dict[str, str]) -> None:
        self.number = number
        self.headers = headers
        self._connection = connection
        self._received: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._closed = False
        self._changed = asyncio.Event()

    @property
    def full(self) -> bool:
        """True when the reader has to take something first."""
        return self._size > BUFFER_BYTES and not self._closed

    @property
    def done(self) -> bool:
        """True when neither side sends any more."""
        return self._ended and self._closed

    def feed(self, data: bytes, *, last: bool) -> None:
        """Take what came for it."""
        if data and not self._ended and not self._closed:
            self._received.append(data)
            self._size += len(data)
        self._ended = self._ended or last
        self._changed.set()

    async def receive(self) -> bytes:
        """Return data, or nothing at the end of what the client sends."""
        while not self._received and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        if not self._received:
            return b""
        data = b"".join(self._received)
        self._received.clear()
        self._size = 0
        self._connection.drained()
        return data

    async def send(self, data: bytes) -> None:
        """Send data; waits for a client that reads slowly."""
        for start in range(0, len(data), MOST_FRAME_BYTES):
            if self._closed:
                return
            await self._connection.send_data(self.number, data[start : start + MOST_FRAME_BYTES])

    async def close(self) -> None:
        """Send nothing more, and keep nothing of what still comes."""
        if self._closed:
            return
        self._closed = True
        self._received.clear()
        self._size = 0
        self._connection.drained()
        await self._connection.send_data(self.number, b"", flags=_FIN)

    def reset(self) -> None:
        """Take note that the client gives the stream up."""
        self._ended = self._closed = True
        self._changed.set()


class Connection:
    """A SPDY connection.

    Parameters
    ----------
    send : callable
        Sends bytes to the client; waits when it reads slowly.
    opened : callable
        Called with each new stream; answers whether it is wanted.
    """

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        opened: Callable[[Stream], Awaitable[bool]],
    ) -> None:
        self._send = send
        self._opened = opened
        self._data = bytearray()
        self._streams: dict[int, Stream] = {}
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)
        self._room = asyncio.Event()
        # A header block continues the compression of the one before: they go out in that order.
        self._replying = asyncio.Lock()

    async def feed(self, data: bytes) -> bool:
        """Take bytes of the client; False when they are no SPDY/3.1."""
        self._data += data
        at = 0
        try:
            while len(self._data) - at >= 8:
                word, length = _HEAD.unpack_from(self._data, at)
                flags, length = length >> 24, length & 0xFFFFFF
                if len(self._data) - at - 8 < length:
                    break
                body = bytes(memoryview(self._data)[at + 8 : at + 8 + length])
                at += 8 + length
                await self._take(word, flags, body)
        except (ProtocolError, zlib.error, struct.error, UnicodeDecodeError):
            return False
        del self._data[:at]
        return True

    async def send_data(self, number: int, data: bytes, *, flags: int = 0) -> None:
        """Send one data frame."""
        await self._send(_HEAD.pack(number, flags << 24 | len(data)) + data)
        stream = self._streams.get(number)
        if stream is not None and stream.done:
            del self._streams[number]

    def drained(self) -> None:
        """Take note that a stream has room again."""
        self._room.set()

    async def _take(self, word: int, flags: int, body: bytes) -> None:
        if not word >> 31:
            await self._take_data(word, flags, body)
            return
        if word >> 16 != _VERSION:
            raise ProtocolError(hex(word))
        kind = word & 0xFFFF
        if kind == _SYN_STREAM:
            await self._take_stream(flags, body)
        elif kind == _RST_STREAM:
            stream = self._streams.pop(struct.unpack_from("!I", body)[0] & 0x7FFFFFFF, None)
            if stream is not None:
                stream.reset()
        elif kind == _PING:
            await self._control(_PING, body)
        elif kind == _HEADERS:
            self._inflate.decompress(body[4:])
        # The rest, settings and windows among it, asks for nothing.

    async def _take_data(self, number: int, flags: int, body: bytes) -> None:
        stream = self._streams.get(number)
        if stream is None:
            return  # it was on its way when the stream was closed
        stream.feed(body, last=bool(flags & _FIN))
        if stream.done:
            self._streams.pop(number, None)
        while stream.full:
            self._room.clear()
            await self._room.wait()

    async def _take_stream(self, flags: int, body: bytes) -> None:
        number = struct.unpack_from("!I", body)[0] & 0x7FFFFFFF
        headers = _read_headers(self._inflate.decompress(body[10:]))
        stream = Stream(self, number, headers)
        self._streams[number] = stream
        if flags & _FIN:
            stream.feed(b"", last=True)
        # The reply comes before any data of ours.
        async with self._replying:
            block = self._deflate.compress(struct.pack("!I", 0))
            block += self._deflate.flush(zlib.Z_SYNC_FLUSH)
            await self._control(_SYN_REPLY, struct.pack("!I", number) + block)
        if not await self._opened(stream):
            del self._streams[number]
            await self._control(_RST_STREAM, struct.pack("!II", number, _REFUSED))

    async def _control(self, kind: int, body: bytes) -> None:
        await self._send(_HEAD.pack(_VERSION << 16 | kind, len(body)) + body)


def _read_headers(block: bytes) -> dict[str, str]:
    """Read a header block; of a name's several values, parted by NUL, the first counts."""
    headers = {}
    (count,) = struct.unpack_from("!I", block)
    at = 4
    for _ in range(count):
        pair = []
        for _ in range(2):
            (size,) = struct.unpack_from("!I", block, at)
            pair.append(block[at + 4 : at + 4 + size].decode())
            at += 4 + size
        headers[pair[0].lower()] = pair[1].partition("\0")[0]
    return headers
