"""The files that a run leaves: names, and how to read them."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import NamedTuple

import orjson

KEPT_ATTEMPTS = 2


class RunFiles(NamedTuple):
    """One run of one container of one pod: the files of its n-th start."""

    folder: Path
    """Of the container: `pods/<uid>/containers/<container>`."""
    attempt: int

    @property
    def id(self) -> str:
        """Name of the run for the shim."""
        pod, _, container = str(self.folder).rsplit("/", 3)[1:]
        return f"{pod}/{container}/{self.attempt}"

    @property
    def prefix(self) -> str:
        """What the names of its files begin with."""
        return f"{self.folder}/{self.attempt}"

    @property
    def log(self) -> Path:
        """Its output."""
        return Path(f"{self.prefix}.log")

    @property
    def message(self) -> Path:
        """What it says of its end."""
        return Path(f"{self.prefix}.message")

    def read_exit(self) -> ExitRecord | None:
        """Return how it ended, or None while it has not."""
        content = _read(f"{self.prefix}.exit")
        return None if content is None else parse_exit(orjson.loads(content))

    def read_started(self) -> StartRecord | None:
        """Return the process that was started, or None when none was."""
        content = _read(f"{self.prefix}.started")
        if content is None:
            return None
        if not content:  # claimed, and then the shim died before there was a process
            return StartRecord(0, None, 0.0)
        found = orjson.loads(content)
        return StartRecord(found["pid"], found["identity"], found["time"])

    def mark_oom(self) -> None:
        """Note that it is killed for its memory, before it is."""
        Path(f"{self.prefix}.oom").touch()

    def explain(self, record: ExitRecord) -> ExitRecord:
        """Add what was noted to how it ended."""
        if record.signal == signal.SIGKILL and os.path.exists(f"{self.prefix}.oom"):
            return record._replace(reason="OOMKilled")
        return record


class StartRecord(NamedTuple):
    """A process that was started."""

    pid: int
    """0: none was."""
    identity: str | None
    time: float


class ExitRecord(NamedTuple):
    """How a run ended."""

    exit_code: int
    signal: int
    started_at: float
    finished_at: float
    reason: str = ""
    message: str = ""
    lost: bool = False
    """True: it was killed with the shim, or nobody knows how it ended."""


def parse_exit(record: dict[str, object]) -> ExitRecord:
    """Read the record that the shim wrote."""
    known = {key: value for key, value in record.items() if key in ExitRecord._fields}
    lost = {"exit_code": 137, "signal": 9, "started_at": 0.0, "finished_at": 0.0}
    return ExitRecord(**{**lost, **known})  # type: ignore[arg-type]


def container_folder(pods: Path, uid: str, name: str) -> Path:
    """Return the folder of the runs of a container; `pods` has a folder for each pod."""
    return Path(f"{pods}/{uid}/containers/{name}")


def last_attempt(folder: Path) -> int | None:
    """Return the number of the last start of a container, or None before the first."""
    attempts = [int(path.stem) for path in folder.glob("*.started")]
    return max(attempts, default=None)


def drop_old_attempts(folder: Path) -> None:
    """Remove what the runs of a container have left, but for the newest that clients can ask for.

    A kubelet keeps the one before the current; here also one more, for who reads it meanwhile.
    """
    files = [(path.name.partition(".")[0], path) for path in folder.iterdir()]
    attempts = sorted({int(number) for number, _ in files if number.isdigit()})
    for number, path in files:
        if number.isdigit() and int(number) not in attempts[-KEPT_ATTEMPTS:]:
            path.unlink(missing_ok=True)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
