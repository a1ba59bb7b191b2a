"""Output of a process as log lines, in the format of the container runtimes.

    2026-01-31T12:00:00.123456789Z stdout F a whole line
    2026-01-31T12:00:01.123456789Z stderr P the first part of a line

A log is kept in parts, so that it does not grow for ever: `0.log`, which is written, and before it
`0.log.<position>`, each named after the position in the whole log at which it begins.

Notes
-----
Format: Kubernetes CRI logging (`kubelet/pkg/cri/remote/.../logs.go` reads it). Parts: a kubelet's
`containerLogMaxSize` and `containerLogMaxFiles`, with its defaults.
"""

from __future__ import annotations

import os
import time

from .identity import complain

MAX_LINE_BYTES = 16 << 10
"""A longer line is written in parts, as by containerd."""

MAX_PART_BYTES = 10 << 20
MAX_PARTS = 5
"""With the one that is written."""


class LogFile:
    """Appends the output of one process to its log."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = _open(path)
        self._partial = {"stdout": bytearray(), "stderr": bytearray()}
        self.size = os.fstat(self._file).st_size
        """Of the whole log, with the parts that are gone."""
        self._start = 0
        self._parts: list[str] = []
        self._broken = False

    def feed(self, stream: str, data: bytes) -> None:
        """Write the lines that are whole now; the rest waits for its end."""
        partial = self._partial[stream]
        partial += data
        *lines, rest = bytes(partial).split(b"\n")
        partial[:] = rest
        entries: list[bytes] = []
        prefix = self._prefix(stream)
        for line in lines:
            while len(line) > MAX_LINE_BYTES:
                entries.append(prefix + b"P " + line[:MAX_LINE_BYTES])
                line = line[MAX_LINE_BYTES:]
            entries.append(prefix + b"F " + line)
        while len(partial) >= MAX_LINE_BYTES:
            entries.append(prefix + b"P " + bytes(partial[:MAX_LINE_BYTES]))
            del partial[:MAX_LINE_BYTES]
        self._write(entries)

    @property
    def waiting(self) -> bool:
        """True when a part of a line has come that is not in the file."""
        return any(self._partial.values())

    def flush(self, *, final: bool) -> None:
        """Write the parts of lines that have come.

        Parameters
        ----------
        final : bool
            True: nothing follows, so a part is the whole line.
        """
        entries = []
        for stream, partial in self._partial.items():
            if partial:
                tag = b"F " if final else b"P "
                entries.append(self._prefix(stream) + tag + bytes(partial))
                partial.clear()
        self._write(entries)

    def close(self) -> None:
        """Write what is left and close the file."""
        self.flush(final=True)
        os.close(self._file)

    def _prefix(self, stream: str) -> bytes:
        now = time.time_ns()
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 1_000_000_000))
        return f"{seconds}.{now % 1_000_000_000:09d}Z {stream} ".encode()

    def _begin_part(self) -> None:
        """Put the part away that is full, begin another, and drop the oldest."""
        part, fresh = f"{self._path}.{self._start}", f"{self._path}.new"
        try:
            file = _open(fresh)
            os.link(self._path, part)
            os.rename(fresh, self._path)  # At no moment is there no current part.
        except OSError as error:  # what is there is written on
            complain(f"a log cannot be rotated: {error}")
            return
        os.close(self._file)
        self._file, self._start = file, self.size
        self._parts.append(part)
        while len(self._parts) >= MAX_PARTS:
            try:
                os.unlink(self._parts.pop(0))
            except OSError as error:
                complain(f"an old part of a log cannot be removed: {error}")

    def _write(self, entries: list[bytes]) -> None:
        if not entries:
            return
        if self.size - self._start >= MAX_PART_BYTES:
            self._begin_part()
        view = memoryview(b"\n".join(entries) + b"\n")
        try:
            while view:
                written = os.write(self._file, view)
                self.size += written
                view = view[written:]
        except OSError as error:  # a full disk: the step goes on, its output is lost
            if not self._broken:
                complain(f"a log cannot be written: {error}")
            self._broken = True


def _open(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
