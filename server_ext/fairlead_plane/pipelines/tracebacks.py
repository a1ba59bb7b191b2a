"""What went wrong in a step, from the end of its log."""

from __future__ import annotations

import re
from typing import NamedTuple

_BEGIN = "Traceback (most recent call last):"
_FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+), in (?P<name>.*)')
_NOT_THEIRS = re.compile(r"/kfp/dsl/[a-z_]+\.py$|^<frozen |/nbclient/|/jupyter_core/utils/")
_COMPONENT = "/ephemeral_component.py"
_LOG_PREFIX = "[KFP Executor "
_LAST_LINES = 8


class Trace(NamedTuple):
    """The last traceback of a log."""

    error: str
    """Type and message of the exception; the message may have several lines."""
    frames: tuple[str, ...]
    """Lines of the frames of the user's code, outermost first."""


def find_trace(log: str) -> Trace | None:
    """Return the last traceback in a text, without the frames of kfp and of Python itself.

    Parameters
    ----------
    log : str
        End of a step's log.
    """
    lines = log.splitlines()
    begins = [index for index, line in enumerate(lines) if line == _BEGIN]
    if not begins:
        return None
    frames: list[str] = []
    theirs = False
    end = begins[-1] + 1
    while end < len(lines) and lines[end].startswith(" "):
        frame = _FRAME.fullmatch(lines[end])
        if frame is not None:
            theirs = not _NOT_THEIRS.search(frame["file"])
        if theirs and frame is not None and frame["file"].endswith(_COMPONENT):
            frames.append(f"  line {frame['line']}, in {frame['name']}")
        elif theirs:
            frames.append(lines[end])
        end += 1
    error = "\n".join(lines[end:]).strip()
    return Trace(error, tuple(frames)) if error else None


def last_words(log: str) -> str:
    """Return the last lines of a log, without those that kfp's executor writes of itself."""
    lines: list[str] = []
    inside = False
    for line in log.splitlines():
        if line.startswith(_LOG_PREFIX):
            inside = True
        elif not inside or not line.startswith((" ", "{", "}")):
            inside = False
            lines.append(line)
    return "\n".join(lines[-_LAST_LINES:]).strip()
