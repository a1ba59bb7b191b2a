"""The frames of SPDY/3.1, as a client sends them."""

from __future__ import annotations

import asyncio
import struct
import zlib
from typing import Any

from fairlead_plane.api.streams.spdy import BUFFER_BYTES, DICTIONARY, Connection, Stream


class Client:
    """The other side of a connection."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.sent = b""
        self.streams: list[Stream] = []
        self._wanted = wanted
        self._deflate = zlib.compressobj(zdict=DICTIONARY)
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self.connection = Connection(self._send, self._open)

    async def _send(self, data: bytes) -> None:
        self.sent += data

    async def _open(self, stream: Stream) -> bool:
        self.streams.append(stream)
        return self._wanted

    def syn(self, number: int, *, flags: int = 0, **headers: str) -> bytes:
        pairs = [text.encode() for pair in headers.items() for text in pair]
        block = struct.pack("!I", len(headers))
        block += b"".join(struct.pack("!I", len(text)) + text for text in pairs)
        packed = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        body = struct.pack("!IIH", number, 0, 0) + packed
        return control(1, body, flags=flags)

    def answers(self) -> list[tuple[int, int, bytes]]:
        """What was sent: kind of the frame (0: data), its first word or stream, its body."""
        found = []
        while self.sent:
            word, length = struct.unpack_from("!II", self.sent)
            body = self.sent[8 : 8 + (length & 0xFFFFFF)]
            self.sent = self.sent[8 + len(body) :]
            if word >> 31:
                found.append((word & 0xFFFF, struct.unpack_from("!I", body)[0], body[4:]))
            else:
                found.append((0, word, body + (b"<end>" if length >> 24 & 1 else b"")))
        return found

    def headers_of(self, block: bytes) -> bytes:
        return self._inflate.decompress(block)


def control(kind: int, body: bytes, *, flags: int = 0) -> bytes:
    return struct.pack("!II", 0x80030000 | kind, flags << 24 | len(body)) + body


def data(number: int, body: bytes, *, flags: int = 0) -> bytes:
    return struct.pack("!II", number, flags << 24 | len(body)) + body


def test_the_dictionary_is_the_one_of_the_protocol() -> None:
    # Its Adler-32 is in the header of every zlib stream of SPDY/3.
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


def test_streams_open_carry_data_and_end_however_the_bytes_are_cut() -> None:
    async def main() -> None:
        client = Client()
        bytes_ = client.syn(1, streamType="data", port="80") + data(1, b"hel") + data(1, b"lo")
        bytes_ += client.syn(3, port="81", flags=1) + data(1, b"", flags=1)
        for at in range(0, len(bytes_), 5):
            assert await client.connection.feed(bytes_[at : at + 5])
        first, second = client.streams
        assert first.headers == {"streamtype": "data", "port": "80"}
        assert second.headers == {"port": "81"}
        assert [await first.receive(), await first.receive()] == [b"hello", b""]
        assert await second.receive() == b""
        await first.send(b"answer")
        await first.close()
        await first.send(b"after the end")
        replies = client.answers()
        assert [each[:2] for each in replies] == [(2, 1), (2, 3), (0, 1), (0, 1)]
        assert [each[2] for each in replies[2:]] == [b"answer", b"<end>"]
        assert client.headers_of(replies[0][2]) == b"\0\0\0\0"
        assert client.headers_of(replies[1][2]) == b"\0\0\0\0"

    asyncio.run(main())


def test_a_ping_comes_back_and_other_frames_ask_for_nothing() -> None:
    async def main() -> None:
        client = Client()
        ping = control(6, struct.pack("!I", 7))
        window, settings = control(9, bytes(8)), control(4, struct.pack("!I", 0))
        assert await client.connection.feed(settings + window + ping + control(7, bytes(8)))
        assert client.answers() == [(6, 7, b"")]

    asyncio.run(main())


def test_a_stream_that_is_not_wanted_is_reset() -> None:
    async def main() -> None:
        client = Client(wanted=False)
        assert await client.connection.feed(client.syn(1) + data(1, b"x"))
        assert [each[:2] for each in client.answers()] == [(2, 1), (3, 1)]

    asyncio.run(main())


def test_a_reset_by_the_client_ends_its_reader() -> None:
    async def main() -> None:
        client = Client()
        await client.connection.feed(client.syn(1))
        reading = asyncio.create_task(client.streams[0].receive())
        await client.connection.feed(control(3, struct.pack("!II", 1, 5)))
        assert await reading == b""

    asyncio.run(main())


def test_a_full_stream_holds_the_connection_back_until_it_is_read() -> None:
    async def main() -> None:
        client = Client()
        await client.connection.feed(client.syn(1))
        piece = b"x" * 65536
        feeding: Any = asyncio.create_task(
            client.connection.feed(data(1, piece) * (BUFFER_BYTES // len(piece) + 5))
        )
        await asyncio.sleep(0)
        assert not feeding.done()
        size = 0
        while not feeding.done():
            size += len(await client.streams[0].receive())
            await asyncio.sleep(0)
        size += len(await client.streams[0].receive()) if client.streams[0].full else 0
        assert await feeding
        assert size > BUFFER_BYTES

    asyncio.run(main())


def test_what_is_no_spdy_is_told() -> None:
    async def main() -> None:
        assert not await Client().connection.feed(struct.pack("!II", 0x80020001, 4) + bytes(4))
        assert not await Client().connection.feed(control(1, bytes(10) + b"not zlib"))
        assert not await Client().connection.feed(control(3, b""))

    asyncio.run(main())
