"""The shim's loop: requests of the plane, output and ends of processes."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import Any

from .frames import Header, Unpacker, pack
from .identity import complain, own_record, write_record
from .interpreters import Interpreter
from .runs import Claimed, Run, claim, kill_leftovers, result_of
from .spawn import SpawnError, spawn
from .stdin import Stdin
from .streams import Streams

PARTIAL_S = 0.25
"""Seconds that the first part of a line waits for its end before it is shown."""

ALONE_S = 10.0
"""Seconds without a plane and without a run after which the shim ends."""

START_ERROR = 128
"""Exit code of a container that could not be started, as containerd reports it."""


class Shim:
    """Starts runs for the plane and sees them to their end, with or without it.

    Parameters
    ----------
    folder : str
        For the socket and the record of the shim.
    """

    def __init__(self, folder: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._runs: dict[str, Run] = {}
        self._exec: dict[int, Run] = {}
        self._interpreters: dict[str, Interpreter] = {}
        self._retired: list[Interpreter] = []
        self._plane: socket.socket | None = None
        self._unpacker = Unpacker()
        self._alone_since = time.monotonic()
        self._stopped = False
        self._watch_children()
        self._listener = self._listen(folder)

    def serve(self) -> None:
        """Work until told to stop, or until nobody needs the shim any more."""
        while not self._stopped:
            for key, _ in self._selector.select(self._timeout()):
                key.data()
            self._reap()
            self._flush()
            idle = self._plane is None and not self._runs
            if idle and time.monotonic() - self._alone_since > ALONE_S:
                break
            if not idle:
                self._alone_since = time.monotonic()
        self._end_all()

    def _end_all(self) -> None:
        """Kill what still runs and take leave of all children, so that none is left a zombie."""
        for run in self._runs.values():
            run.signal(signal.SIGKILL)
        self._streams.kill_all()
        for interpreter in (*self._interpreters.values(), *self._retired):
            interpreter.end()
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()

    # The plane

    def _listen(self, folder: str) -> socket.socket:
        path = os.path.join(folder, "socket")
        if len(os.fsencode(path)) > 100:  # the system's limit is 104 to 108
            path = os.path.join(tempfile.mkdtemp(prefix="fairlead-"), "socket")
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen(4)
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._streams = Streams(self._selector, self._runs, f"{path}.s")
        record = {**json.loads(own_record()), "socket": path}
        write_record(os.path.join(folder, "record"), json.dumps(record).encode())
        return listener

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        # A new plane takes over from one that is gone: what that one had asked for comes first, or
        # the greeting would leave out what is about to start.
        if self._plane is not None:
            self._plane.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while self._plane is not None:
                    self._hear(self._plane)
        self._leave_plane()
        self._plane, self._unpacker = connection, Unpacker()
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._hear(connection))
        runs = {run.id: {"pid": run.pid, "time": run.started} for run in self._runs.values()}
        warm = {
            name: {"hello": each.hello, "env": each.env}
            for name, each in self._interpreters.items()
            if each.hello
        }
        self._tell({"event": "hello", "pid": os.getpid(), "runs": runs, "warm": warm})

    def _hear(self, connection: socket.socket) -> None:
        if connection is not self._plane:
            return  # it was left in the same round
        try:
            data = connection.recv(1 << 20)
        except ConnectionError:
            data = b""
        if not data:
            self._leave_plane()
            return
        for header, body in self._unpacker.feed(data):
            try:
                _OPERATIONS[header["op"]](self, header, body)
            except Exception:
                # The boundary of one request: the pods of the others must not die of it.
                complain(traceback.format_exc())

    def _leave_plane(self) -> None:
        if self._plane is None:
            return
        self._selector.unregister(self._plane)
        self._plane.close()
        self._plane = None
        for run in self._runs.values():
            run.follow_from = None

    def _tell(self, header: Header) -> None:
        if self._plane is None:
            return
        try:
            self._plane.sendall(pack(header))
        except ConnectionError:
            self._leave_plane()

    # Requests

    def _start(self, header: Header, body: bytes) -> None:
        name, prefix = header["id"], header["prefix"]
        try:
            claimed = claim(prefix)
        except Claimed:
            self._repeat(name, prefix)
            return
        failed = {"exit_code": START_ERROR, "signal": 0, "reason": "StartError"}
        try:
            run = Run(name, prefix, self._streams.feed)
            command = json.loads(body)
            files = run.open_files(command, self._make_stdin)
        except OSError as error:  # no room for the log, or no files left
            os.close(claimed)
            self._tell({"event": "ended", "id": name, "record": {**failed, "message": str(error)}})
            return
        self._runs[name] = run
        try:
            if not self._fork(header, body, (claimed, *files[1:])):
                run.pid = spawn(command, files, claim=claimed, terminal=command.get("tty", False))
                self._exec[run.pid] = run
                self._begun(run)
        except (SpawnError, OSError) as error:
            self._end(run, {**failed, "message": str(error)})
        finally:
            for file in (claimed, *files):
                os.close(file)
        for stream in run.streams:
            self._selector.register(stream, selectors.EVENT_READ, self._reader(run, stream))

    def _make_stdin(self, run: Run, file: int) -> Stdin:
        return Stdin(file, self._selector, lambda: self._streams.drained(run))

    def _fork(self, header: Header, body: bytes, files: tuple[int, int, int]) -> bool:
        """Start a run from its warm interpreter; False when there is none."""
        interpreter = self._interpreters.get(header.get("warm") or "")
        if interpreter is None:
            return False
        try:
            interpreter.fork(header["id"], body, files)
        except ConnectionError:
            return False  # it has just ended, so it did not get the request
        return True

    def _repeat(self, name: str, prefix: str) -> None:
        """Answer a request that was made before as it was answered then."""
        run = self._runs.get(name)
        if run is not None:
            self._begun(run)
            return
        try:
            with open(f"{prefix}.exit", "rb") as file:
                record = json.load(file)
        except FileNotFoundError:
            record = {"lost": True}  # claimed by a shim that is gone
        self._tell({"event": "ended", "id": name, "record": record})

    def _begun(self, run: Run) -> None:
        if run.pid:
            self._tell({"event": "started", "id": run.id, "pid": run.pid, "time": run.started})

    def _signal(self, header: Header, body: bytes) -> None:
        run = self._runs.get(header["id"])
        if run is not None:
            run.signal(header["signal"])

    def _follow(self, header: Header, body: bytes) -> None:
        """Tell once when the log is longer than the plane has read, or has ended."""
        run = self._runs.get(header["id"])
        if run is None or run.log.size > header["size"]:
            self._tell({"event": "log", "id": header["id"]})
        else:
            run.follow_from = header["size"]

    def _warm(self, header: Header, body: bytes) -> None:
        name = header["interpreter"]
        old = self._interpreters.pop(name, None)
        if old is not None:
            old.retire()
            self._retired.append(old)
        try:
            interpreter = Interpreter(name, header["path"], header["modules"], json.loads(body))
        except SpawnError as error:
            self._tell({"event": "cold", "interpreter": name, "message": str(error)})
            return
        self._interpreters[name] = interpreter
        self._selector.register(
            interpreter.channel, selectors.EVENT_READ, lambda: self._hear_warm(interpreter)
        )

    def _retire(self, header: Header, body: bytes) -> None:
        interpreter = self._interpreters.pop(header["interpreter"], None)
        if interpreter is not None:
            interpreter.retire()
            self._retired.append(interpreter)

    def _stop(self, header: Header, body: bytes) -> None:
        self._stopped = True

    # Processes

    def _watch_children(self) -> None:
        read, write = os.pipe()
        for end in (read, write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._selector.register(read, selectors.EVENT_READ, lambda: os.read(read, 4096))

    def _reader(self, run: Run, stream: int) -> Callable[[], None]:
        def read() -> None:
            if stream in run.streams and not run.read(stream):
                self._selector.unregister(stream)
                os.close(stream)
                del run.streams[stream]
            self._tell_growth(run)

        return read

    def _tell_growth(self, run: Run) -> None:
        if run.follow_from is not None and run.log.size > run.follow_from:
            run.follow_from = None
            self._tell({"event": "log", "id": run.id})

    def _reap(self) -> None:
        while True:  # also interpreters that were taken leave of before they had ended
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            run = self._exec.pop(pid, None)
            if run is not None:
                self._end(run, result_of(status))
            else:
                self._streams.reaped(pid, status)

    def _hear_warm(self, interpreter: Interpreter) -> None:
        for message in interpreter.hear():
            if "hello" in message:
                interpreter.hello = message["hello"]
                told = {"event": "warm", "interpreter": interpreter.name}
                self._tell({**told, "hello": interpreter.hello})
            elif "started" in message:
                run = self._runs[message["started"]]
                run.pid = message["pid"]
                self._begun(run)
            else:
                self._end(self._runs[message["ended"]], result_of(message["status"]))
        if interpreter.gone:
            self._lose(interpreter)

    def _lose(self, interpreter: Interpreter) -> None:
        """Account for a warm interpreter that has ended, and with it all that it had forked."""
        self._selector.unregister(interpreter.channel)
        interpreter.channel.close()
        for name in interpreter.forks:
            if name in self._runs:
                self._end(self._runs[name], {"exit_code": 137, "signal": 9, "lost": True})
        if interpreter in self._retired:
            self._retired.remove(interpreter)
        elif self._interpreters.get(interpreter.name) is interpreter:
            del self._interpreters[interpreter.name]
            message = "the interpreter ended while it was made warm"
            self._tell({"event": "cold", "interpreter": interpreter.name, "message": message})

    def _end(self, run: Run, result: dict[str, Any]) -> None:
        if run.pid:
            kill_leftovers(run.pid)
        for stream in run.streams:
            if stream in self._selector.get_map():
                self._selector.unregister(stream)
        record = run.end(result)
        self._streams.run_ended(run, result)
        self._runs.pop(run.id, None)
        self._tell({"event": "ended", "id": run.id, "record": record})

    # Time

    def _timeout(self) -> float | None:
        if any(run.log.waiting for run in self._runs.values()):
            return PARTIAL_S
        return ALONE_S if self._plane is None else None

    def _flush(self) -> None:
        now = time.monotonic()
        for run in self._runs.values():
            if not run.log.waiting:
                run.partial_since = None
            elif run.partial_since is None:
                run.partial_since = now
            elif now - run.partial_since >= PARTIAL_S:
                run.log.flush(final=False)
                run.partial_since = None
                self._tell_growth(run)


_OPERATIONS = {
    "start": Shim._start,
    "signal": Shim._signal,
    "follow": Shim._follow,
    "warm": Shim._warm,
    "retire": Shim._retire,
    "stop": Shim._stop,
}


def main() -> None:
    """Run the shim in the folder of the first argument."""
    os.chdir("/")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends by request, or by SIGKILL
    shim = Shim(sys.argv[1])
    os.write(1, b"ready\n")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.close(null)
    shim.serve()
