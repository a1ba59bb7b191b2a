"""What a container says of its own end: the file at its `terminationMessagePath`."""

from __future__ import annotations

import os
from pathlib import Path

from ..resources import Json
from .logs import read_end
from .records import ExitRecord, RunFiles

DEFAULT_PATH = "/dev/termination-log"

# As of the kubelet: most bytes of one message and of all of a pod, and what is taken of the log.
_MOST_BYTES = 4096
_POD_MOST_BYTES = 12 << 10
_LOG_LINES, _LOG_BYTES = 80, 2048


def message_path(spec: Json) -> str:
    """Return where a container's program finds the file."""
    path: str = spec.get("terminationMessagePath") or DEFAULT_PATH
    return path


def redirect(text: str, spec: Json, files: RunFiles) -> str:
    """Let a word of a command, or a variable, name the file of this run instead of the path.

    Processes of this machine share /dev, and covering it would cost more than most steps do. So a
    program that has the path from its own code alone does not reach the file.
    """
    path = message_path(spec)
    if path not in text:
        return text
    files.folder.mkdir(parents=True, exist_ok=True)
    files.message.touch()
    return text.replace(path, str(files.message))


def add_message(record: ExitRecord, spec: Json, files: RunFiles, containers: int) -> ExitRecord:
    """Add what a container wrote, or by its policy the end of its log, to how it ended.

    Parameters
    ----------
    record : ExitRecord
        How it ended.
    spec : dict
        The container.
    files : RunFiles
        Of the run.
    containers : int
        How many containers of the pod share the room for messages.
    """
    message = _read_tail(files.message, min(_MOST_BYTES, _POD_MOST_BYTES // containers))
    fallback = spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
    if not message and fallback and record.exit_code != 0:
        message = read_end(files.log, _LOG_LINES, _LOG_BYTES)
    if not message:
        return record
    return record._replace(message=f"{record.message}: {message}" if record.message else message)


def _read_tail(path: Path, most: int) -> str:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            return file.read(most).decode(errors="replace")
    except OSError:
        return ""
