"""Starting a process in a session of its own, by fork and exec."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import termios
import time
from typing import Any, NamedTuple, NoReturn

from . import mounts
from .identity import own_record

BEGUN_S = 10.0
"""Seconds that a process has to make its mounts; it needs thousandths on an idle machine."""

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded here: between fork and exec there is no time for it


def reset_signals() -> None:
    """Give every signal its default action again: exec hands on what is ignored."""
    for number in signal.valid_signals():
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            # The real-time signals of the C library cannot be set, and are never ignored.
            with contextlib.suppress(OSError):
                signal.signal(number, signal.SIG_DFL)


class Beside(NamedTuple):
    """A process that has been told to begin."""

    pid: int
    record: str
    """Path of its record, which is written when it has its mounts."""


class SpawnError(Exception):
    """The program could not be started; the message is that of a container runtime."""


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies; does nothing but on Linux."""
    if sys.platform != "linux":
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def spawn(
    command: dict[str, Any],
    files: tuple[int, int, int],
    *,
    claim: int | None = None,
    terminal: bool = False,
    beside: Beside | None = None,
) -> int:
    """Start a program and return its pid, which is also its process group and session.

    Parameters
    ----------
    command : dict
        `argv`, `env` (all of it), `cwd`, `umask`, and `mounts` for `mounts.perform`.
    files : tuple of int
        Its standard input, output and errors.
    claim : int, optional
        File that gets the record of the process before the program begins.
    terminal : bool
        True when the input is a terminal, which then controls the session.
    beside : Beside, optional
        A process whose mounts the program is to see.

    Raises
    ------
    SpawnError
        There is no such program or directory, or it may not be used.
    """
    parent = os.getpid()
    result, failure = os.pipe()  # closed by the exec, or carries why there was none
    pid = os.fork()
    if pid == 0:
        os.close(result)
        _become(command, files, claim, terminal, beside, failure, parent)
    os.close(failure)
    try:
        message = b""
        while chunk := os.read(result, 4096):
            message += chunk
    finally:
        os.close(result)
    if message:
        os.waitpid(pid, 0)
        raise SpawnError(message.decode())
    return pid


def _become(
    command: dict[str, Any],
    files: tuple[int, int, int],
    claim: int | None,
    terminal: bool,
    beside: Beside | None,
    failure: int,
    parent: int,
) -> NoReturn:
    """Turn the forked child into the program; never returns."""
    try:
        os.setsid()
        if claim is not None:
            os.write(claim, own_record())
        if beside is not None:
            _wait_begun(beside)
            mounts.enter(beside.pid)
        elif command.get("mounts"):
            mounts.perform(command["mounts"])
        die_with_parent(parent)
        for target, source in enumerate(files):
            os.dup2(source, target)
        if terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        reset_signals()
        os.umask(command["umask"])
        os.chdir(command["cwd"])
        argv = command["argv"]
        try:
            os.execvpe(argv[0], argv, command["env"])
        except FileNotFoundError:
            os.write(failure, f'exec: "{argv[0]}": executable file not found in $PATH'.encode())
        except OSError as error:
            os.write(failure, f'exec: "{argv[0]}": {(error.strerror or "").lower()}'.encode())
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in a word
        os.write(failure, f"{error}".encode())
    finally:
        # Whatever happened: this copy of the shim must not go on.
        os._exit(128)


def _wait_begun(beside: Beside) -> None:
    """Wait until a process has its mounts, or has ended, or takes too long."""
    end = time.monotonic() + BEGUN_S
    while not os.path.getsize(beside.record):
        if time.monotonic() > end:
            raise TimeoutError(f"process {beside.pid} does not begin")
        os.kill(beside.pid, 0)  # ProcessLookupError: it has ended
        time.sleep(0.002)
