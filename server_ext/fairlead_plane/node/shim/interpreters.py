"""The warm interpreters as the shim sees them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from pathlib import Path
from typing import Any

from .frames import Unpacker, pack
from .spawn import SpawnError, reset_signals

_SCRIPT = str(Path(__file__).with_name("warm.py"))


class Interpreter:
    """One warm interpreter, a child of the shim.

    Parameters
    ----------
    name : str
        By which forks ask for it.
    path : str
        The Python to start.
    modules : list of str
        What it imports before it is warm.
    env : dict
        All its variables; those that Python reads at its start are then those of every fork.

    Attributes
    ----------
    hello : dict or None
        What it says about itself once it is warm.
    forks : set of str
        Names of the runs that it has forked and that have not ended.
    gone : bool
        True when the process has ended.

    Raises
    ------
    SpawnError
        It cannot be started.
    """

    def __init__(self, name: str, path: str, modules: list[str], env: dict[str, str]) -> None:
        self.name = name
        self.env = env
        self.hello: dict[str, Any] | None = None
        self.forks: set[str] = set()
        self.gone = False
        self._unpacker = Unpacker()
        self.channel, other = socket.socketpair()
        parent = os.getpid()
        failure_read, failure_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                os.setsid()
                null = os.open(os.devnull, os.O_RDWR)
                for target in (0, 1):  # its errors go where the shim's go
                    os.dup2(null, target)
                reset_signals()
                os.set_inheritable(other.fileno(), True)
                argv = [path, _SCRIPT, str(other.fileno()), str(parent), *modules]
                os.execve(path, argv, env)
            except OSError as error:
                os.write(failure_write, f'exec: "{path}": {error.strerror}'.encode())
            finally:
                os._exit(128)
        other.close()
        os.close(failure_write)
        message = os.read(failure_read, 4096)
        os.close(failure_read)
        if message:
            self.channel.close()
            raise SpawnError(message.decode())

    def fork(self, name: str, body: bytes, files: tuple[int, int, int]) -> None:
        """Ask for a fork; `files` are those for its record, its output and its errors."""
        message = pack({"id": name}, body)
        # The files travel with the first bytes, which the other side reads by themselves.
        socket.send_fds(self.channel, [message[:8]], list(files))
        self.channel.sendall(message[8:])
        self.forks.add(name)

    def hear(self) -> list[dict[str, Any]]:
        """Return what it has to say now; sets `gone` at its end."""
        try:
            data = self.channel.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self.gone = True
            return []
        messages = [header for header, _ in self._unpacker.feed(data)]
        for message in messages:
            self.forks.discard(message.get("ended", ""))
        return messages

    def retire(self) -> None:
        """Let it end when its last fork has ended."""
        self.channel.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Let it end at once, when its forks have been killed."""
        if self.hello is None:
            os.kill(self.pid, signal.SIGKILL)  # it is still importing
            return
        # Not killed: the fork that waits for the next request would be left to nobody.
        with contextlib.suppress(OSError):
            self.retire()
