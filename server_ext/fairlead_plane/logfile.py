"""The log of the plane, `plane.log`, which does not grow for ever."""

from __future__ import annotations

import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

MOST_BYTES = 8 << 20
"""Size of the log; one older part of the same size is kept beside it, as `plane.log.1`."""


class LogFile(RotatingFileHandler):
    """Writes the log, and lets what the interpreter itself says follow it.

    Parameters
    ----------
    path : Path
        The file; it is made when missing.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=MOST_BYTES, backupCount=1)
        self._has_stderr = False

    def take_stderr(self) -> None:
        """Let the standard error of this process go here from now on."""
        self._has_stderr = True
        self._lead_stderr()

    def doRollover(self) -> None:
        """Begin a new file."""
        super().doRollover()
        self._lead_stderr()

    def _lead_stderr(self) -> None:
        if self._has_stderr and self.stream is not None:
            os.dup2(self.stream.fileno(), 2)
