"""The embedded control plane as a process: found, started, stopped."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import psutil

from fairlead.errors import ClusterError
from fairlead.kube.kubeconfig import load_kubeconfig
from fairlead.settings import data_dir

START_TIMEOUT_S = 60
EMBEDDED_ENTRY = "local"
"""Name of the context in the kubeconfig that the control plane writes."""
_ALREADY_RUNNING = 3
_LOOK_AGAIN_S = 0.05


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
    config = load_kubeconfig(data_dir() / "kubeconfig")
    if EMBEDDED_ENTRY not in config.contexts:
        return False
    cluster = config.cluster_of(EMBEDDED_ENTRY).values
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
