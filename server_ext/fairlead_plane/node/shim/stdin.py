"""The standard input of a container, held open for whoever attaches."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable

FULL_BYTES = 64 << 10
"""With so much unread, nothing more is taken from a client."""


class Stdin:
    """Writes to a pipe or terminal as fast as the container reads.

    Parameters
    ----------
    file : int
        The write end; it is closed by `close`.
    selector : BaseSelector
        Of the shim's loop.
    drained : callable
        Called when more input is welcome again.
    """

    def __init__(
        self, file: int, selector: selectors.BaseSelector, drained: Callable[[], None]
    ) -> None:
        self._file = file
        self._selector = selector
        self._drained = drained
        self._unwritten = bytearray()
        self._waiting = False
        self._ending = False
        self.open = True
        os.set_blocking(file, False)

    @property
    def full(self) -> bool:
        """True when the container has to read first."""
        return len(self._unwritten) >= FULL_BYTES

    def feed(self, data: bytes) -> None:
        """Write, now or when there is room; lost when the container has closed its end."""
        if self.open and not self._ending:
            self._unwritten += data
            self._write()

    def finish(self) -> None:
        """Close when all is written: the container then reads the end of its input."""
        self._ending = True
        self._write()

    def close(self) -> None:
        """Close at once."""
        if self.open:
            self.open = False
            self._wait(False)
            self._unwritten.clear()
            os.close(self._file)

    def _write(self) -> None:
        if not self.open:
            return
        was_full = self.full
        try:
            while self._unwritten:
                written = os.write(self._file, self._unwritten[:FULL_BYTES])
                del self._unwritten[:written]
        except BlockingIOError:
            pass
        except OSError:  # nobody can read it any more
            self.close()
        if self._ending and not self._unwritten:
            self.close()
        self._wait(self.open and bool(self._unwritten))
        if was_full and not self.full:
            self._drained()

    def _wait(self, wanted: bool) -> None:
        if wanted and not self._waiting:
            self._selector.register(self._file, selectors.EVENT_WRITE, self._write)
        elif not wanted and self._waiting:
            self._selector.unregister(self._file)
        self._waiting = wanted
