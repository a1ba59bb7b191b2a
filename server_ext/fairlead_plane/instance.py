"""One plane per data directory: the lock, and the port that it keeps."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import socket
from pathlib import Path

# Below the range from which systems take the ports of outgoing connections (32768 on Linux, 49152
# on macOS): there another process may sit on our port by chance when the plane starts again.
_PORTS = range(16_000, 32_000)
_TRIES = 100


class HeldError(Exception):
    """Another plane serves this data directory."""


class PortError(Exception):
    """The port of this data directory cannot be had."""


class FolderError(Exception):
    """The data directory cannot be used.

    Parameters
    ----------
    folder : Path
        The data directory.
    cause : OSError
        What the system said.
    """

    def __init__(self, folder: Path, cause: OSError) -> None:
        way = "Make room on its disk" if cause.errno == errno.ENOSPC else "Make it writable"
        where = f" ({cause.filename})" if cause.filename else ""
        super().__init__(
            f"The data directory {folder} cannot be written: {cause.strerror}{where}. {way}, "
            "or choose another one by --data-dir or FAIRLEAD_DATA_DIR."
        )


class Lock:
    """The lock on a data directory; it goes with the process, however that ends.

    Raises
    ------
    HeldError
        Another process has it; the message names its pid.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            holder = os.read(self._file, 32).decode().strip()
            os.close(self._file)
            raise HeldError(
                f"The control plane of {path.parent} runs already, as process {holder}."
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next one in."""
        os.ftruncate(self._file, 0)
        os.close(self._file)


def listen(port: int | None) -> socket.socket:
    """Listen on loopback.

    Parameters
    ----------
    port : int or None
        The port kept from before; None chooses a free one.

    Raises
    ------
    PortError
        The port is taken; the message names who holds it.
    """
    if port is not None:
        try:
            return _bind(port)
        except OSError as error:
            raise PortError(
                f"Port {port} of 127.0.0.1, which this control plane keeps, is held by "
                f"{_holder(port)}. Stop that, or remove the kubeconfig of the data directory to "
                "choose a new port."
            ) from error
    for candidate in random.sample(_PORTS, _TRIES):
        try:
            return _bind(candidate)
        except OSError:
            continue  # taken: the next one
    raise PortError(f"None of {_TRIES} ports of 127.0.0.1 is free.")


def _bind(port: int) -> socket.socket:
    # With the protocol named: asyncio sets TCP_NODELAY only then, and without it every answer
    # waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Connections of the plane before may linger; this does not let two processes listen.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _holder(port: int) -> str:
    import psutil

    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:  # macOS shows other processes to root only
        return "another process"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,):
            try:
                command = " ".join(psutil.Process(connection.pid).cmdline())
            except (psutil.Error, TypeError):
                return f"process {connection.pid}"
            return f"process {connection.pid} ({command})"
    return "another process"
