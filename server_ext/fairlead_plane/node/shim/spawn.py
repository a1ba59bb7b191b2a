"""Starting a process in a session of its own, by fork and exec."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from typing import Any, NoReturn

from .identity import own_record

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded here: between fork and exec there is no time for it


def reset_signals() -> None:
    """Give every signal its default action again: exec hands on what is ignored."""
    for number in signal.valid_signals():
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            # The real-time signals of the C library cannot be set, and are never ignored.
            with contextlib.suppress(OSError):
                signal.signal(number, signal.SIG_DFL)


class SpawnError(Exception):
    """The program could not be started; the message is that of a container runtime."""


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies; does nothing but on Linux."""
    if sys.platform != "linux":
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def spawn(command: dict[str, Any], claim: int, stdout: int, stderr: int) -> int:
    """Start a program and return its pid, which is also its process group and session.

    Parameters
    ----------
    command : dict
        `argv`, `env` (all of it), `cwd`, `umask`.
    claim : int
        File that gets the record of the process before the program begins.
    stdout, stderr : int
        Its output.

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
        _become(command, claim, stdout, stderr, failure, parent)
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
    command: dict[str, Any], claim: int, stdout: int, stderr: int, failure: int, parent: int
) -> NoReturn:
    """Turn the forked child into the program; never returns."""
    try:
        os.setsid()
        die_with_parent(parent)
        os.write(claim, own_record())
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (stdout, 1), (stderr, 2)):
            os.dup2(source, target)
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
    except OSError as error:
        os.write(failure, f"{error}".encode())
    finally:
        # Whatever happened: this copy of the shim must not go on.
        os._exit(128)
