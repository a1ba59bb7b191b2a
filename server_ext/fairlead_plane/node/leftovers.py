"""Ending processes that nobody watches any more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import psutil

from .records import StartRecord
from .shim.identity import process_identity

WAIT_S = 5.0
"""Longest wait for a killed process to go."""

STEP_S = 0.01

_CLOCK_SLACK_S = 2.0


def is_alive(record: StartRecord) -> bool:
    """Tell whether the recorded process, and not another of its pid, is there."""
    if not record.pid:
        return False
    if record.identity is not None:
        return process_identity(record.pid) == record.identity
    try:
        process = psutil.Process(record.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - record.time) < _CLOCK_SLACK_S
    except psutil.Error:
        return False


async def end_group(record: StartRecord) -> None:
    """Kill the process group of a recorded process and wait until its leader is gone.

    Does nothing when the pid means another process today.
    """
    if not record.pid:
        return
    alive = is_alive(record)
    if not alive and psutil.pid_exists(record.pid) and process_identity(record.pid) is not None:
        return  # another process has the pid, and therefore no group of ours is left
    # A group outlives its leader, and its number is not given again before it is empty.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(record.pid, signal.SIGKILL)
    for _ in range(round(WAIT_S / STEP_S)):
        if not is_alive(record):
            break
        await asyncio.sleep(STEP_S)
