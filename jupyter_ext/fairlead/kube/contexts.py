"""Contexts: which API server, as whom, in which namespace.

This is the one place that knows that a context can be started: `local` is the embedded control
plane, which is started when it is first needed and when a connection to it is refused.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from fairlead.errors import ClusterError
from fairlead.kube.credentials import entry, read_kubeconfig
from fairlead.settings import data_dir

EMBEDDED_CONTEXT = "local"
START_TIMEOUT_S = 60
_ALREADY_RUNNING = 3
_LOOK_AGAIN_S = 0.05


@dataclass(frozen=True)
class Context:
    """A kubeconfig context.

    Attributes
    ----------
    name : str
        Name of the context in its kubeconfig.
    kubeconfig : Path
        The file that holds it.
    startable : bool
        Whether `start` can bring its API server up.
    """

    name: str
    kubeconfig: Path
    startable: bool

    @property
    def namespace(self) -> str:
        """The context's namespace, `default` where it names none."""
        config = read_kubeconfig(self.kubeconfig)
        chosen = entry(config, "contexts", self.name, self.kubeconfig)
        return str(chosen.get("namespace") or "default")

    def ready(self) -> bool:
        """Whether the kubeconfig is there; the API server may still be down."""
        return self.kubeconfig.exists()

    def start(self) -> None:
        """Start the embedded control plane and wait until it serves; nothing if it does already.

        Raises
        ------
        ClusterError
            It did not start; the message holds what it printed.
        """
        start_plane()


def load_context(name: str | None = None) -> Context:
    """Return the context called `name`.

    Parameters
    ----------
    name : str, optional
        A context of the kubeconfig named by `KUBECONFIG`, else of `~/.kube/config`. Default, and
        under the name `local`: the embedded control plane of this data directory.
    """
    if name is None or name == EMBEDDED_CONTEXT:
        return Context(EMBEDDED_CONTEXT, data_dir() / "kubeconfig", startable=True)
    path = Path(os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()
    entry(read_kubeconfig(path), "contexts", name, path)
    return Context(name, path, startable=False)


def start_plane() -> None:
    """Run `python -m fairlead_plane` in a session of its own and wait until it is ready.

    Several callers may do so at once: one of their processes becomes the plane, all wait for it.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if _spawn_plane(deadline):
            return
        # Another one holds the lock: it serves soon, or goes.
        while time.monotonic() < deadline:
            if _serves():
                return
            time.sleep(_LOOK_AGAIN_S)
            if plane_pid() is None:
                break
    raise _silent()


def _spawn_plane(deadline: float) -> bool:
    """Start a plane; returns whether it serves, false where another one holds the lock."""
    read_end, write_end = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "fairlead_plane", "--ready-fd", str(write_end)],
            pass_fds=[write_end],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )
    finally:
        os.close(write_end)
    with os.fdopen(read_end, "rb", buffering=0) as ready:
        # The pipe closes without a word when the process ends before it serves.
        if not select.select([ready], [], [], max(deadline - time.monotonic(), 0))[0]:
            raise _silent()
        if ready.read(1):
            _let_go(process)
            return True
    said = process.communicate()[1].decode(errors="replace").strip()
    if process.returncode != _ALREADY_RUNNING:
        raise ClusterError(
            f"The control plane did not start: {said or f'exit code {process.returncode}'}",
            hint=f"Read {data_dir() / 'plane.log'}.",
        )
    return False


def _serves() -> bool:
    """Whether something listens where the kubeconfig says that the plane does."""
    path = data_dir() / "kubeconfig"
    if not path.exists():
        return False
    cluster = entry(read_kubeconfig(path), "clusters", "fairlead", path)
    address = urlsplit(cluster["server"])
    try:
        socket.create_connection((address.hostname, address.port), timeout=1).close()
    except OSError:
        return False
    return True


def _silent() -> ClusterError:
    return ClusterError(
        f"The control plane did not answer within {START_TIMEOUT_S} s.",
        hint=f"Read {data_dir() / 'plane.log'}.",
    )


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Leave a running plane to itself: it outlives us; should it end first, it is no zombie."""
    if process.stderr is not None:
        process.stderr.close()
    threading.Thread(target=process.wait, name="fairlead-plane-reaper", daemon=True).start()


def plane_pid() -> int | None:
    """Return the process id of the control plane of this data directory, `None` if it is down."""
    try:
        pid = int((data_dir() / "lock").read_text().strip() or 0)
    except (FileNotFoundError, ValueError):
        return None
    try:
        # The file outlives a killed plane, and its number may be another process by now.
        alive = "fairlead_plane" in psutil.Process(pid).cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return pid if alive else None


def stop_plane(timeout_s: float = 60) -> bool:
    """Stop the control plane and what it runs; returns whether there was one.

    Raises
    ------
    ClusterError
        It still runs after `timeout_s`.
    """
    pid = plane_pid()
    if pid is None:
        return False
    process = psutil.Process(pid)
    process.terminate()
    try:
        process.wait(timeout_s)
    except psutil.TimeoutExpired as error:
        raise ClusterError(
            f"The control plane (process {pid}) still runs after {timeout_s:g} s.",
            hint=f"Read {data_dir() / 'plane.log'}.",
        ) from error
    return True
