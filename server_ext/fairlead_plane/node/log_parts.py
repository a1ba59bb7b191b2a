"""The parts of a log that the shim has kept, read as one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class LogParts:
    """A log, in which positions count from the first byte that was ever written to it.

    Parameters
    ----------
    path : Path
        Of the part that is written; see `shim.output`. When there is none the log is empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def bounds(self) -> tuple[int, int]:
        """Return where what is kept begins, and where the log ends."""
        with self._open() as parts:
            if parts is None:
                return 0, 0
            return parts.starts[0], parts.starts[-1] + os.fstat(parts.current).st_size

    def read(self, position: int, size: int) -> tuple[bytes, int]:
        """Return bytes from a position on, and the position after them.

        They come from one part, and no line is in two of them. What is no longer kept is left out.
        """
        with self._open() as parts:
            if parts is None:
                return b"", position
            for start in parts.starts[:-1]:
                if data := self._read_old(start, max(0, position - start), size):
                    return data, max(position, start) + len(data)
            position = max(position, parts.starts[-1])
            data = os.pread(parts.current, size, position - parts.starts[-1])
            return data, position + len(data)

    def _read_old(self, start: int, offset: int, size: int) -> bytes:
        """Read from a part that was put away; nothing, if it ends before or has been dropped."""
        try:
            with open(f"{self._path}.{start}", "rb") as file:
                return os.pread(file.fileno(), size, offset)
        except FileNotFoundError:
            return b""

    @contextlib.contextmanager
    def _open(self) -> Iterator[_Parts | None]:
        """Open the current part, and look where it and the others begin."""
        while True:
            try:
                current = os.open(self._path, os.O_RDONLY)
            except FileNotFoundError:
                yield None
                return
            try:
                starts = self._look(os.fstat(current).st_ino)
                # A part may have been put away meanwhile; then this is not the current one.
                if os.path.samestat(os.fstat(current), os.stat(self._path)):
                    yield _Parts(starts, current)
                    return
            finally:
                os.close(current)

    def _look(self, current: int) -> list[int]:
        """Return where the parts begin, the current one, whose inode is given, last."""
        prefix = f"{self._path.name}."
        starts, own, end = [], None, 0
        for entry in os.scandir(self._path.parent):
            number = entry.name.removeprefix(prefix)
            if number == entry.name or not number.isdigit():
                continue
            if entry.inode() == current:  # It is just being put away.
                own = int(number)
                continue
            with contextlib.suppress(FileNotFoundError):
                end = max(end, int(number) + entry.stat().st_size)
                starts.append(int(number))
        return [*sorted(starts), end if own is None else own]


class _Parts(NamedTuple):
    """The parts of a log at one moment."""

    starts: list[int]
    current: int
    """File of the last."""
