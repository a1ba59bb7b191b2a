"""Which process a pid means: pids come back, start times do not."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time


def process_identity(pid: int) -> str | None:
    """Return what tells this process from any other that ever had its pid.

    Returns
    -------
    str or None
        None when the process is gone, or on a system without /proc.

    Notes
    -----
    Boot id and start time in clock ticks (proc(5), field 22 of `stat`): unlike a time of day
    they do not move when the clock is set.
    """
    if sys.platform != "linux":
        return None
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The command's name, in parentheses, may hold anything; fields count after it.
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in (b"Z", b"X"):
        return None
    with open("/proc/sys/kernel/random/boot_id") as file:
        return f"{file.read().strip()}:{fields[19].decode()}"


def own_record() -> bytes:
    """Return the record of this process, by which others find it again."""
    pid = os.getpid()
    record = {"pid": pid, "identity": process_identity(pid), "time": time.time()}
    return json.dumps(record).encode()


def write_record(path: str, content: bytes) -> None:
    """Write a file whole or not at all."""
    draft = f"{path}.draft"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        rest = memoryview(content)
        while rest:  # a disk that is nearly full takes a part, and then says so
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)
    os.rename(draft, path)


def complain(text: str) -> None:
    """Write a line to the error output; where even that cannot be written, work goes on."""
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode(errors="replace"))
