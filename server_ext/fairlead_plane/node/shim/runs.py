"""One run of one container: its files, its process, its output, its end."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

from .identity import write_record
from .output import LogFile

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
    """

    def __init__(self, id: str, prefix: str) -> None:
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

    def open_pipes(self) -> tuple[int, int]:
        """Make the pipes of the output and return their write ends."""
        ends = []
        for name in ("stdout", "stderr"):
            read, write = os.pipe()
            os.set_blocking(read, False)
            self.streams[read] = name
            ends.append(write)
        return ends[0], ends[1]

    def read(self, stream: int) -> bool:
        """Log what has come on one stream; False at its end."""
        try:
            data = os.read(stream, CHUNK_BYTES)
        except BlockingIOError:
            return True
        if data:
            self.log.feed(self.streams[stream], data)
        return bool(data)

    def drain(self) -> None:
        """Log all that is left in the pipes, without waiting for those who escaped the group."""
        for stream in self.streams:
            while True:
                try:
                    data = os.read(stream, CHUNK_BYTES)
                except BlockingIOError:
                    break
                if not data:
                    break
                self.log.feed(self.streams[stream], data)

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
        for stream in self.streams:
            os.close(stream)
        self.streams.clear()
        record = {**result, "started_at": self.started, "finished_at": time.time()}
        try:
            write_record(f"{self.prefix}.exit", json.dumps(record).encode())
        except OSError as error:  # a full disk; the plane is told all the same
            print(f"{self.prefix}.exit: {error}", file=sys.stderr)
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
