"""Raw HTTP for the fuzz campaign: what no client library would send."""

from __future__ import annotations

import contextlib
import socket
import ssl
from pathlib import Path
from typing import NamedTuple

ANSWER_S = 60
STREAM_S = 0.05
"""Seconds that are waited for more of an answer that need not end."""


class Wire(NamedTuple):
    """A request as it goes out."""

    pieces: tuple[bytes, ...]
    method: str
    what: str
    """For a person."""
    endless: bool = False
    """True: its answer need not end, or need not begin: some is read, and the connection closed."""
    status: bool = True
    """True: an error must be a Status of Kubernetes."""


class Reply(NamedTuple):
    """What came back; the code is 0 when the connection was closed."""

    code: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection that is kept alive, and made anew when it has been closed.

    Parameters
    ----------
    port : int
        Of the plane.
    ca : Path
        Whom it trusts.
    """

    def __init__(self, port: int, ca: Path) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cafile=str(ca))
        self._socket: ssl.SSLSocket | None = None
        self._rest = b""

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    def send(self, wire: Wire) -> Reply:
        """Send a request and read its answer."""
        if self._socket is None:
            raw = socket.create_connection(("127.0.0.1", self._port), timeout=ANSWER_S)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = self._tls.wrap_socket(raw, server_hostname="127.0.0.1")
        self._socket.settimeout(STREAM_S if wire.endless else ANSWER_S)
        reply = Reply(0, {}, b"")
        try:
            # A server may answer and close before it has read all.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
                for piece in wire.pieces:
                    self._socket.sendall(piece)
            reply = self._read(wire)
        except TimeoutError:
            if not wire.endless:
                raise
        except (EOFError, ConnectionResetError, BrokenPipeError, ssl.SSLError):
            self.close()
        if wire.endless or reply.code < 200 or reply.headers.get("connection") == "close":
            self.close()
        return reply

    def _read(self, wire: Wire) -> Reply:
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        code = int(lines[0].split(" ")[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name:
                headers[name.lower()] = value.strip()
        if wire.method == "HEAD" or code in (204, 304):
            return Reply(code, headers, b"")
        if code == 101 or (wire.endless and "content-length" not in headers):
            with contextlib.suppress(TimeoutError, EOFError, ConnectionResetError, ssl.SSLError):
                self._more()
            return Reply(code, headers, b"")
        if "content-length" in headers:
            return Reply(code, headers, self._exactly(int(headers["content-length"])))
        body = b""
        while size := int(self._until(b"\r\n").strip() or b"0", 16):
            body += self._exactly(size)
            self._exactly(2)
        self._exactly(2)
        return Reply(code, headers, body)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._more()
        found, _, self._rest = self._rest.partition(mark)
        return found + mark

    def _exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._more()
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _more(self) -> None:
        assert self._socket is not None
        chunk = self._socket.recv(1 << 16)
        if not chunk:
            raise EOFError
        self._rest += chunk
