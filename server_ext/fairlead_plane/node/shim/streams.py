"""Processes beside a run, and clients attached to it: each has a connection of its own to the shim.

A connection begins with one message of the plane, and ends what it stands for when it is closed:

    exec    argv, and the files of the new process; answered by `started`, then `ended`
    attach  then frames both ways: input, size of the terminal; output, `ended`
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
from collections.abc import Mapping
from typing import Any

from .frames import Header, Unpacker, pack
from .identity import process_identity
from .runs import Run, result_of
from .spawn import Beside, SpawnError, spawn
from .stdin import Stdin

MOST_UNSENT_BYTES = 16 << 20
"""An attached client that is so far behind is left: the pod must not wait for it."""

_FILES_MOST = 3


class Streams:
    """All such connections.

    Parameters
    ----------
    selector : BaseSelector
        Of the shim's loop; its data are functions to call.
    runs : mapping
        The runs that go on, by name.
    path : str
        Where to listen.
    """

    def __init__(
        self, selector: selectors.BaseSelector, runs: Mapping[str, Run], path: str
    ) -> None:
        self._selector = selector
        self._runs = runs
        self._execs: dict[int, _Connection] = {}
        self._attached: dict[str, list[_Connection]] = {}
        if os.path.exists(path):
            os.unlink(path)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(64)
        self._listener.setblocking(False)
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def reaped(self, pid: int, status: int) -> None:
        """Take note of the end of a child that is no run."""
        connection = self._execs.pop(pid, None)
        if connection is None:
            return
        # What it has left in the background goes on, as in a container, until the run ends.
        if connection.run is not None and not _has_members(pid):
            connection.run.execs.pop(pid, None)
        connection.pid = 0
        connection.tell({"event": "ended", **result_of(status)})
        connection.finish()

    def feed(self, run: Run, stream: str, data: bytes) -> None:
        """Hand output of a run to all who are attached to it."""
        for connection in tuple(self._attached.get(run.id, ())):
            connection.tell({"stream": stream}, data)
            if connection.unsent > MOST_UNSENT_BYTES:
                connection.tell({"event": "slow"})
                connection.finish()

    def run_ended(self, run: Run, result: Mapping[str, Any]) -> None:
        """End what belongs to a run: a container's end is the end of all its processes."""
        for pid, identity in run.execs.items():
            # A pid that means another process by now is none of ours, and neither is its group.
            if process_identity(pid) in (identity, None):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
        run.execs.clear()
        for connection in self._attached.pop(run.id, ()):
            connection.tell({"event": "ended", "exit_code": result["exit_code"]})
            connection.finish()

    def kill_all(self) -> None:
        """Kill all processes; their children's end is awaited by the caller."""
        for pid in self._execs:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        _Connection(self, self._selector, connection)

    def begin(self, connection: _Connection, header: Header, body: bytes) -> None:
        """Do what the first message asks for."""
        run = self._runs.get(header["id"])
        if run is None or not run.pid:
            connection.tell({"event": "failed", "reason": "NotRunning"})
            connection.finish()
            return
        connection.run = run
        if header["op"] == "attach":
            connection.stdin = run.stdin if header["stdin"] else None
            self._attached.setdefault(run.id, []).append(connection)
            connection.tell({"event": "started"})
            return
        try:
            pid = _spawn(connection, run, json.loads(body), tty=header["tty"])
        except (SpawnError, OSError) as error:
            connection.tell({"event": "failed", "reason": "StartError", "message": str(error)})
            connection.finish()
        else:
            connection.pid = pid
            self._execs[pid] = connection
            run.execs[pid] = process_identity(pid)
            connection.tell({"event": "started", "pid": pid})
        finally:
            connection.close_files()

    def leave(self, connection: _Connection) -> None:
        """Forget a connection that is closed, and end what it stood for."""
        if connection.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(connection.pid, signal.SIGKILL)
        run = connection.run
        if run is None:
            return
        attached = self._attached.get(run.id, [])
        if connection in attached:
            attached.remove(connection)
            if connection.stdin is not None and run.stdin_once:
                connection.stdin.finish()

    def hear(self, connection: _Connection, header: Header, body: bytes) -> None:
        """Take one frame of an attached client."""
        run = connection.run
        assert run is not None
        if header["op"] == "resize":
            run.resize(header["width"], header["height"])
        elif connection.stdin is None:
            return
        elif header["op"] == "input":
            connection.stdin.feed(body)
        elif header["op"] == "eof" and run.stdin_once:
            connection.stdin.finish()

    def drained(self, run: Run) -> None:
        """Read again from those who write to a container."""
        for connection in self._attached.get(run.id, ()):
            connection.listen()


class _Connection:
    """One exec or one attached client.

    Attributes
    ----------
    run : Run or None
        What it belongs to; None before its first message.
    files : list of int
        What came with that message.
    pid : int
        The process of an exec; 0: none runs.
    stdin : Stdin or None
        Where an attached client may write.
    """

    def __init__(
        self, streams: Streams, selector: selectors.BaseSelector, connection: socket.socket
    ) -> None:
        self._streams = streams
        self._selector = selector
        self._socket = connection
        self._unpacker = Unpacker()
        self._unsent = bytearray()
        self._events = 0
        self._begun = False
        self._finishing = False
        self._closed = False
        self.run: Run | None = None
        self.files: list[int] = []
        self.pid = 0
        self.stdin: Stdin | None = None
        connection.setblocking(False)
        self.listen()

    @property
    def unsent(self) -> int:
        """Bytes that the plane has not taken."""
        return len(self._unsent)

    def tell(self, header: Header, body: bytes = b"") -> None:
        """Send a message, now or when there is room."""
        if not self._closed and not self._finishing:
            self._unsent += pack(header, body)
            self._flush()

    def finish(self) -> None:
        """Close when all is sent."""
        self._finishing = True
        self._flush()

    def close_files(self) -> None:
        """Close the files that came with the first message."""
        for file in self.files:
            os.close(file)
        self.files = []

    def listen(self) -> None:
        """Wait for what this connection can do now."""
        if self._closed:
            return
        # Nothing is read that the container has no room for: the client waits, not the shim.
        reads = self.stdin is None or not self.stdin.full
        events = reads * selectors.EVENT_READ | bool(self._unsent) * selectors.EVENT_WRITE
        if events == self._events:
            return
        if self._events:
            self._selector.unregister(self._socket)
        if events:
            self._selector.register(self._socket, events, self._work)
        self._events = events

    def _work(self) -> None:
        self._flush()
        if not self._closed and not self._finishing:
            self._receive()

    def _flush(self) -> None:
        if self._closed:
            return
        try:
            if self._unsent:
                sent = self._socket.send(self._unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            pass
        except OSError:  # the plane is gone
            self._close()
            return
        if self._finishing and not self._unsent:
            self._close()
        else:
            self.listen()

    def _receive(self) -> None:
        try:
            data, files, _, _ = socket.recv_fds(self._socket, 1 << 16, _FILES_MOST)
        except BlockingIOError:
            return
        except OSError:
            data, files = b"", []
        for file in files:
            os.set_inheritable(file, False)
        self.files += files
        if not data:
            self._close()
            return
        for header, body in self._unpacker.feed(data):
            if self._begun:
                self._streams.hear(self, header, body)
            else:
                self._begun = True
                self._streams.begin(self, header, body)
        self.listen()

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._events:
            self._selector.unregister(self._socket)
        self._socket.close()
        self.close_files()
        self._streams.leave(self)


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _spawn(connection: _Connection, run: Run, argv: list[str], *, tty: bool) -> int:
    """Start a process that sees what the run's own process sees."""
    command = {**run.world, "argv": argv}
    if tty:
        command["env"] = {"TERM": "xterm", **command["env"]}
    stdin, stdout, stderr = connection.files
    beside = Beside(run.pid, f"{run.prefix}.started")
    return spawn(command, (stdin, stdout, stderr), terminal=tty, beside=beside)
