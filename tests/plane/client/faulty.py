"""Two proxies that disturb: one below TLS, as networks do, and one at HTTP, as servers do."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml


class Fault(NamedTuple):
    """What happens to one connection after so many bytes of the server's.

    `cut`, `half-close`, `corrupt`, `swap` (of two pieces), `delay` or `none`.
    """

    kind: str
    after: int = 0


class FaultyLine:
    """Passes bytes to an API server and back; each connection has the next fault, then none."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def plan(self, faults: list[Fault]) -> None:
        """Set the faults of the connections to come, and end those that are open."""
        with self._lock:
            self._faults = list(faults)
        self.cut_all()

    def cut_all(self) -> None:
        """End every open connection, without a word."""
        with self._lock:
            open_ones, self._sockets = self._sockets, []
        for each in open_ones:
            _reset(each)

    def close(self) -> None:
        """Stop."""
        self._listener.close()
        self.cut_all()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                fault = self._faults.pop(0) if self._faults else Fault("none")
                self.connections += 1
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                _reset(near)
                continue
            with self._lock:
                self._sockets += [near, far]
            threading.Thread(target=self._pass, args=(near, far), daemon=True).start()
            threading.Thread(target=self._disturb, args=(far, near, fault), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    @staticmethod
    def _disturb(source: socket.socket, target: socket.socket, fault: Fault) -> None:
        passed, held = 0, b""
        with contextlib.suppress(OSError):
            while data := _receive(source, held):
                if data is held:  # nothing came to swap it with
                    target.sendall(held)
                    held = b""
                    continue
                reached = passed <= fault.after < passed + len(data)
                at = fault.after - passed
                passed += len(data)
                if reached and fault.kind == "cut":
                    target.sendall(data[:at])
                    _reset(target)
                    return
                if reached and fault.kind == "half-close":
                    target.sendall(data[:at])
                    target.shutdown(socket.SHUT_WR)
                    return
                if reached and fault.kind == "corrupt":
                    data = data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :]
                if reached and fault.kind == "swap":
                    held = data
                    continue
                if fault.kind == "delay" and passed > fault.after:
                    time.sleep(0.02)
                target.sendall(data + held)
                held = b""
            target.shutdown(socket.SHUT_WR)


def _receive(source: socket.socket, held: bytes) -> bytes:
    """Return what comes next; what is held, when nothing comes for a moment."""
    source.settimeout(0.1 if held else None)
    try:
        return source.recv(4096)
    except TimeoutError:
        return held


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


class Answer(NamedTuple):
    """What the server says instead of the API server: a status, or a way to spoil a stream.

    A watch that is spoilt passes `lines` lines first.
    """

    kind: str
    """`429`, `500`, `502`, `503`, `504`, or of a watch `end`, `break`, `gone`, `garbage`."""
    lines: int = 0
    retry_after: str = ""


class _Quiet(http.server.ThreadingHTTPServer):
    """Says nothing of clients that leave.

    A traceback is printed by parsing its lines, and on Python 3.11 a parser in another thread
    fails at that with `SystemError: AST constructor recursion depth mismatch`.
    """

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let it be."""


class FaultyServer:
    """Speaks plain HTTP before an API server, and answers wrongly as planned."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        self._server = urlsplit(config["clusters"][0]["cluster"]["server"])
        self._tls = ssl._create_unverified_context()
        self._answers: list[Answer] = []
        self._lock = threading.Lock()
        self.asked: list[tuple[str, str]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                return

            def handle_any(self) -> None:
                with contextlib.suppress(ConnectionError):
                    outer._handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        self._http = _Quiet(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port: int = self._http.server_port
        # Looks often whether it is to stop: each test has a server of its own.
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def plan(self, answers: list[Answer]) -> None:
        """Set what the requests to come are answered with; those after them pass."""
        with self._lock:
            self._answers = list(answers)
            self.asked = []

    def close(self) -> None:
        """Stop."""
        self._http.shutdown()
        self._http.server_close()

    def _handle(self, request: http.server.BaseHTTPRequestHandler) -> None:
        watch = "watch=1" in request.path
        with self._lock:
            self.asked.append((request.command, request.path))
            fitting = self._answers and (watch or self._answers[0].kind.isdigit())
            answer = self._answers.pop(0) if fitting else None
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length)
        if answer is not None and answer.kind.isdigit():
            self._refuse(request, answer)
            return
        far = http.client.HTTPSConnection(
            self._server.hostname or "", self._server.port, context=self._tls, timeout=120
        )
        kept = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "connection")}
        far.request(request.command, request.path, body or None, kept)
        found = far.getresponse()
        request.send_response(found.status)
        request.send_header("Content-Type", found.headers.get("Content-Type", ""))
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        if watch:
            self._stream(request, found, answer)
        else:
            _chunk(request, found.read())
            _chunk(request, b"")
        far.close()

    @staticmethod
    def _refuse(request: http.server.BaseHTTPRequestHandler, answer: Answer) -> None:
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": int(answer.kind),
        }
        body = json.dumps({**status, "message": "planned"}).encode()
        request.send_response(int(answer.kind))
        if answer.retry_after:
            request.send_header("Retry-After", answer.retry_after)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    @staticmethod
    def _stream(
        request: http.server.BaseHTTPRequestHandler,
        found: http.client.HTTPResponse,
        answer: Answer | None,
    ) -> None:
        for number, line in enumerate(iter(found.readline, b"")):
            if answer is None or number < answer.lines:
                _chunk(request, line)
                continue
            if answer.kind == "break":
                _chunk(request, line[: len(line) // 2])
                request.close_connection = True
                return
            if answer.kind == "garbage":
                _chunk(request, b'{"type":"ADDED","object":{"metadata":\x00\n')
            if answer.kind == "gone":
                status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "planned"}
                _chunk(request, json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
            break
        _chunk(request, b"")


def _chunk(request: http.server.BaseHTTPRequestHandler, data: bytes) -> None:
    request.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if data else b"0\r\n\r\n")
    request.wfile.flush()


def write_kubeconfig(source: Path, target: Path, server: str, name: str = "disturbed") -> Path:
    """Write a kubeconfig for the same user at another address."""
    config = yaml.safe_load(source.read_text())
    config["clusters"][0]["cluster"]["server"] = server
    config["contexts"][0]["name"] = name
    config["current-context"] = name
    target.write_text(yaml.safe_dump(config))
    return target


def port_of(kubeconfig: Path) -> int:
    """Read where the API server listens."""
    found = re.search(r"127\.0\.0\.1:(\d+)", kubeconfig.read_text())
    assert found
    return int(found[1])


@contextlib.contextmanager
def writing(work: Callable[[], None]) -> Iterator[threading.Thread]:
    """Do some work in a thread meanwhile; its exception is raised at the end."""
    raised: list[BaseException] = []

    def body() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    yield thread
    thread.join()
    if raised:
        raise raised[0]
