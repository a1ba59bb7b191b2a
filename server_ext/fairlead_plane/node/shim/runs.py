"""One run of one container: its files, its process, its output, its end."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import struct
import termios
import time
from collections.abc import Callable
from typing import Any

from .identity import complain, write_record
from .output import LogFile
from .stdin import Stdin

CHUNK_BYTES = 64 << 10


class Claimed(Exception):
    """The run was started before; it is never started twice."""


def claim(prefix: str) -> int:
    """Take the right to start a run, once and for all, and return the file of its record.

    The file is there before the process is: whatever dies in between, nobody starts it again.

    Raises
    ------
    Claimed
        Somebody has it.
    """
    try:
        return os.open(f"{prefix}.started", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Claimed(prefix) from error


class Run:
    """A run that is going on.

    Parameters
    ----------
    id : str
        Name of the run, given by the plane.
    prefix : str
        Beginning of the names of its files: `.log`, `.started`, `.exit`.
    hear : callable
        Called with all output: run, stream, data.
    """

    def __init__(self, id: str, prefix: str, hear: Callable[[Run, str, bytes], None]) -> None:
        self.id = id
        self.prefix = prefix
        self.pid = 0
        self.started = time.time()
        self.log = LogFile(f"{prefix}.log")
        self.follow_from: int | None = None
        """Size of the log at which the plane wants to hear of more; None: it does not ask."""
        self.partial_since: float | None = None
        """When the first part of a line came that is not in the log."""
        # Read ends, by name of the stream; the write ends go to the process alone.
        self.streams: dict[int, str] = {}
        self.world: dict[str, Any] = {}
        """What a process beside it shares: `env`, `cwd`, `umask`."""
        self.execs: dict[int, str | None] = {}
        """Processes beside it: pid -> identity."""
        self.stdin: Stdin | None = None
        self.stdin_once = False
        """True: the input ends with the first client that wrote to it."""
        self._terminal: int | None = None
        self._hear: Callable[[Run, str, bytes], None] = hear

    def open_files(
        self, command: dict[str, Any], make_stdin: Callable[[Run, int], Stdin]
    ) -> tuple[int, int, int]:
        """Make the pipes, or the terminal, of a process; return its ends.

        Parameters
        ----------
        command : dict
            `tty`, `stdin` and `stdin_once` as in a container's spec; absent is false.
        make_stdin : callable
            Takes the end into which input is written.
        """
        self.world = {name: command[name] for name in ("env", "cwd", "umask")}
        self.stdin_once = command.get("stdin_once", False)
        wants_input = command.get("stdin", False)
        if command.get("tty"):
            self._terminal, slave = os.openpty()
            os.set_blocking(self._terminal, False)
            self.streams[self._terminal] = "stdout"
            if wants_input:
                self.stdin = make_stdin(self, os.dup(self._terminal))
            return slave, os.dup(slave), os.dup(slave)
        if wants_input:
            stdin, write = os.pipe()
            self.stdin = make_stdin(self, write)
        else:
            stdin = os.open(os.devnull, os.O_RDONLY)
        ends = [stdin]
        for name in ("stdout", "stderr"):
            read, write = os.pipe()
            os.set_blocking(read, False)
            self.streams[read] = name
            ends.append(write)
        return ends[0], ends[1], ends[2]

    def resize(self, width: int, height: int) -> None:
        """Set the size of the terminal, in characters; nothing happens without one."""
        if self._terminal in self.streams:
            size = struct.pack("HHHH", height, width, 0, 0)
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)

    def read(self, stream: int) -> bool:
        """Log what has come on one stream; False at its end."""
        try:
            data = os.read(stream, CHUNK_BYTES)
        except BlockingIOError:
            return True
        except OSError:  # EIO: no process has the terminal open
            return False
        if data:
            self.log.feed(self.streams[stream], data)
            self._hear(self, self.streams[stream], data)
        return bool(data)

    def drain(self) -> None:
        """Log all that is left in the pipes, without waiting for those who escaped the group."""
        for stream, name in self.streams.items():
            with contextlib.suppress(OSError):  # empty, or a terminal without a process
                while data := os.read(stream, CHUNK_BYTES):
                    self.log.feed(name, data)
                    self._hear(self, name, data)

    def signal(self, number: int) -> None:
        """Send a signal to the whole process group."""
        if self.pid:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                # A fork that has not made its group yet.
                try:
                    os.kill(self.pid, number)
                except ProcessLookupError:
                    pass

    def end(self, result: dict[str, Any]) -> dict[str, Any]:
        """Write the whole log and then the exit record, and return the record."""
        self.drain()
        self.log.close()
        if self.stdin is not None:
            self.stdin.close()
        for stream in self.streams:
            os.close(stream)
        self.streams.clear()
        record = {**result, "started_at": self.started, "finished_at": time.time()}
        try:
            write_record(f"{self.prefix}.exit", json.dumps(record).encode())
        except OSError as error:  # a full disk; the plane is told all the same
            complain(f"{self.prefix}.exit: {error}")
            record["unwritten"] = True
        return record


def result_of(status: int) -> dict[str, Any]:
    """Return exit code and signal as Kubernetes shows them, from a wait status."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return {"exit_code": 128 - code, "signal": -code}
    return {"exit_code": code, "signal": 0}


def kill_leftovers(pid: int) -> None:
    """Kill what is left of a process group whose leader has ended, as a container's end does."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # nothing is left; macOS says EPERM for a group of zombies
