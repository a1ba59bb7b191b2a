"""Reading the logs of pods, whole or as they grow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, timezone
from pathlib import Path

from ..resources import Json
from .log_parts import LogParts
from .records import RunFiles, container_folder, last_attempt
from .runtime import Runtime

_BLOCK = 256 << 10


class Logs:
    """The logs of the pods of this node.

    Parameters
    ----------
    folder : Path
        With a folder for each pod.
    runtime : Runtime
        Tells when a log grows and when its run has ended.
    """

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self._folder = folder
        self._runtime = runtime
        self._readers: set[asyncio.Task[object]] = set()

    def close(self) -> None:
        """End all readers that wait for more."""
        for reader in list(self._readers):
            reader.cancel()

    async def read(
        self,
        pod: Json,
        container: str,
        *,
        follow: bool,
        previous: bool,
        timestamps: bool,
        tail_lines: int | None,
        since: float | None,
        limit_bytes: int | None,
    ) -> AsyncGenerator[bytes, None]:
        """Yield the log of one container in pieces of whole lines; see `api.pod_logs.PodLogs`."""
        folder = container_folder(self._folder, pod["metadata"]["uid"], container)
        attempt = _previous_attempt(pod, container) if previous else last_attempt(folder)
        if attempt is None:
            return
        files = RunFiles(folder, attempt)
        text = _Text(timestamps, since, limit_bytes)
        parts = LogParts(files.log)
        position = 0 if tail_lines is None else _tail(parts, tail_lines)
        while not text.full:
            # Looked at before the file: what comes between is then read in the next round.
            running = follow and self._runtime.is_running(files.id)
            data, position = _whole_lines(parts, position)
            if data:
                if piece := text.render(data):
                    yield piece
            elif not running:
                return
            else:
                await self._wait(files, position)

    async def _wait(self, files: RunFiles, position: int) -> None:
        waiting = asyncio.create_task(self._runtime.wait_log(files.id, position))
        self._readers.add(waiting)
        try:
            await waiting
        finally:
            waiting.cancel()
            self._readers.discard(waiting)


class _Text:
    """Turns log lines into what the reader asked for."""

    def __init__(self, timestamps: bool, since: float | None, limit_bytes: int | None) -> None:
        self._timestamps = timestamps
        self._since = b"" if since is None else _time(since)
        self._left = limit_bytes
        self._at_start = True  # of a line of the program

    @property
    def full(self) -> bool:
        """True when the reader has all the bytes that it wants."""
        return self._left is not None and self._left <= 0

    def render(self, data: bytes) -> bytes:
        """Return the text of whole lines of the log file."""
        pieces = []
        for line in data.split(b"\n")[:-1]:
            time, _, rest = line.partition(b" ")
            _, _, rest = rest.partition(b" ")
            tag, _, content = rest.partition(b" ")
            if time >= self._since:
                if self._timestamps and self._at_start:
                    pieces.append(time + b" ")
                pieces.append(content + (b"\n" if tag == b"F" else b""))
            self._at_start = tag == b"F"
        text = b"".join(pieces)
        if self._left is not None:
            text = text[: self._left]
            self._left -= len(text)
        return text


def read_end(path: Path, lines: int, most_bytes: int) -> str:
    """Return the last lines of a log file, and of those the last bytes."""
    data = b""
    parts = LogParts(path)
    position = _tail(parts, lines)
    text = _Text(timestamps=False, since=None, limit_bytes=None)
    while True:
        more, position = _whole_lines(parts, position)
        if not more:
            return data[-most_bytes:].decode(errors="replace")
        data += text.render(more)


def _previous_attempt(pod: Json, container: str) -> int | None:
    """Return the run that `lastState` of a container is about."""
    status = pod["status"]
    for entry in [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]:
        if entry["name"] == container:
            ended = (entry.get("lastState") or {}).get("terminated") or {}
            number = ended.get("containerID", "").rpartition("/")[2]
            return int(number) if number else None
    return None


def _time(seconds: float) -> bytes:
    """Return a time as it stands in the log, so that the two compare as text."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()


def _whole_lines(parts: LogParts, position: int) -> tuple[bytes, int]:
    """Return whole lines from a position on, and the position after them."""
    data, after = parts.read(position, _BLOCK)
    # A line is at most a fraction of a block, so a block without an end is still being written.
    end = data.rfind(b"\n") + 1
    return data[:end], after - len(data) + end


def _tail(parts: LogParts, lines: int) -> int:
    """Return the position from which on the log has so many lines of the program."""
    first, end = parts.bounds()
    position, data = end, b""
    while position > first:
        step = min(_BLOCK, position - first)
        position -= step
        data = _exactly(parts, position, step) + data
        found = _line_starts(data, whole=position == first)
        if len(found) >= lines:
            return end - len(data) + found[-lines] if lines else end
    return first


def _exactly(parts: LogParts, position: int, size: int) -> bytes:
    """Return so many bytes, from as many parts as they are in; fewer where one was dropped."""
    data, end = b"", position + size
    while position < end:
        more, position = parts.read(position, end - position)
        if not more:
            break
        data += more
    return data


def _line_starts(data: bytes, *, whole: bool) -> list[int]:
    """Return where the program's lines begin; the first line of a cut block is left out."""
    starts, start, fresh = [], 0, whole
    for line in data.split(b"\n")[:-1]:
        if fresh:
            starts.append(start)
        # After the time and the stream stands F at the end of a line, P before it.
        fresh = line.split(b" ", 3)[2:3] == [b"F"]
        start += len(line) + 1
    return starts
