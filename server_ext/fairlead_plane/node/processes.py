"""Which processes of this machine belong to a pod."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from .leftovers import is_alive
from .records import RunFiles, last_attempt

_ROUNDS = 10


def container_processes(folder: Path) -> set[int]:
    """Return the first process of each container that runs; `folder` is the pod's own."""
    found = set()
    for container in {path.parent for path in folder.glob("containers/*/*.started")}:
        attempt = last_attempt(container)
        record = None if attempt is None else RunFiles(container, attempt).read_started()
        if record is not None and is_alive(record):
            found.add(record.pid)
    return found


def pod_processes(folder: Path) -> Iterator[int]:
    """Yield the processes of a pod, those that are easy to tell first.

    Parameters
    ----------
    folder : Path
        The pod's own, named by its uid.

    Notes
    -----
    Children, and members of their sessions and groups, are the pod's. So is a process that left
    all of these, as a daemon does, but still has the pod's mounts or its variables.
    """
    roots = container_processes(folder)
    if not roots:
        return
    yield from roots
    processes = list(all_processes())
    near = relatives(roots, processes)
    yield from near - roots
    if sys.platform == "linux":
        others = (each.pid for each in processes if each.pid not in near)
        yield from _strays(others, roots, folder)


def relatives(roots: Iterable[int], processes: Sequence[Process]) -> set[int]:
    """Return processes with their descendants and the members of their sessions and groups."""
    near, size = set(roots), 0
    while size != len(near):
        size = len(near)
        near |= {each.pid for each in processes if near & {each.parent, each.group, each.session}}
    return near


class Process(NamedTuple):
    """A process and what it belongs to."""

    pid: int
    parent: int
    group: int
    session: int


def all_processes() -> Iterator[Process]:
    """Yield all processes of this machine."""
    if sys.platform != "linux":
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                pid = each.pid
                yield Process(pid, each.ppid(), os.getpgid(pid), os.getsid(pid))
        return
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The command's name, in parentheses, may hold anything; fields count after it.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has just ended
        yield Process(int(name), int(fields[1]), int(fields[2]), int(fields[3]))


def end_strays(folder: Path) -> None:
    """Kill what a pod that has ended has left behind in sessions of its own.

    On a cluster the end of a container is the end of all its processes. Launchers of training,
    torchrun and MPI's daemons, start each process in a session of its own; when they are killed
    themselves nobody ends these.

    Parameters
    ----------
    folder : Path
        The pod's own, named by its uid: processes are told by its name in their variables.
    """
    mark = f"/{folder.name}/"
    for _ in range(_ROUNDS):  # one may start another while we look
        found = [each.pid for each in all_processes() if _has_mark(each.pid, mark)]
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _has_mark(pid: int, mark: str) -> bool:
    if sys.platform == "linux":
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                return mark.encode() in file.read()
        except OSError:
            return False  # another user's, or it has just ended
    with contextlib.suppress(psutil.Error, OSError):
        return any(mark in value for value in psutil.Process(pid).environ().values())
    return False


def _strays(pids: Iterable[int], roots: Iterable[int], folder: Path) -> Iterator[int]:
    mounts = {_mounts(root) for root in roots} - {_mounts(os.getpid()), None}
    mark = f"/{folder.name}/"
    for pid in pids:
        if (mounts and _mounts(pid) in mounts) or _has_mark(pid, mark):
            yield pid


def _mounts(pid: int) -> int | None:
    try:
        return os.stat(f"/proc/{pid}/ns/mnt").st_ino
    except OSError:
        return None
