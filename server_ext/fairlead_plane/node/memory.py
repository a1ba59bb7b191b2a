"""Memory limits without control groups: one sampler looks at all containers that have one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import psutil

from .processes import all_processes, relatives

log = logging.getLogger(__name__)

FASTEST_BYTES_S = 1 << 30
"""How fast a container may come near to its limit: what it has left sets the next look."""

SOONEST_S, LATEST_S = 0.1, 1.0
FIRST_TREE_S, TREE_S = 0.3, 2.0
"""Seconds until a container's processes are looked for again; else the known ones are measured."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class _Watched:
    root: int
    limit: int
    exceed: Callable[[int, set[int]], None]
    due: float = 0.0
    tree_due: float = 0.0
    pids: set[int] = field(default_factory=set)


class MemoryGuard:
    """Watches the memory of containers; costs nothing while there is none.

    Notes
    -----
    Counted is what a control group could not take back: anonymous and shared memory, and of pages
    that several processes share each one's part, so that what forks of one interpreter have in
    common counts once. Where the system does not tell, the resident size counts.
    """

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._sampling: asyncio.Task[None] | None = None

    def watch(
        self, name: str, root: int, limit: int, exceed: Callable[[int, set[int]], None]
    ) -> None:
        """Watch a container until it is forgotten, or has gone over its limit.

        Parameters
        ----------
        name : str
            Of the run.
        root : int
            Its first process; all that belongs to it counts.
        limit : int
            Bytes.
        exceed : callable
            Called once, with the bytes used and the processes that use them.
        """
        now = time.monotonic()  # a short run ends before anybody looks for its children
        self._watched[name] = _Watched(
            root, limit, exceed, due=now + SOONEST_S, tree_due=now + FIRST_TREE_S, pids={root}
        )
        if self._sampling is None:
            self._sampling = asyncio.create_task(self._sample(), name="memory")
            self._sampling.add_done_callback(_report)

    def forget(self, name: str) -> None:
        """Watch a container no more."""
        self._watched.pop(name, None)

    async def _sample(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._watched:
                now = time.monotonic()
                due = {name: each for name, each in self._watched.items() if each.due <= now}
                # In a thread: the system walks the page tables of large processes for an answer.
                found = await loop.run_in_executor(None, _measure_all, due, now)
                for name, used in found.items():
                    watched = due[name]
                    if self._watched.get(name) is not watched:
                        continue  # it ended meanwhile
                    left = watched.limit - used
                    if left < 0:
                        del self._watched[name]
                        watched.exceed(used, watched.pids)
                    wait_s = min(max(left / FASTEST_BYTES_S, SOONEST_S), LATEST_S)
                    watched.due = time.monotonic() + wait_s
                if self._watched:
                    first = min(each.due for each in self._watched.values())
                    await asyncio.sleep(max(SOONEST_S / 2, first - time.monotonic()))
        finally:
            self._sampling = None


def _report(sampling: asyncio.Task[None]) -> None:
    if not sampling.cancelled() and (error := sampling.exception()) is not None:
        log.error("memory is not watched any more", exc_info=error)


def _measure_all(due: dict[str, _Watched], now: float) -> dict[str, int]:
    """Return the bytes that each container uses."""
    stale = [each for each in due.values() if each.tree_due <= now]
    if stale:
        _find_trees(stale, now)
    used = {}
    for name, watched in due.items():
        total = _resident(watched.pids)
        if total > watched.limit:
            # Most of it may be shared or files, and a process may have ended and another one
            # have its number: looked at again before anybody is killed.
            _find_trees([watched], now)
            total = sum(map(_charged, watched.pids))
        used[name] = total
    return used


def _find_trees(containers: Iterable[_Watched], now: float) -> None:
    """Find the processes of containers."""
    processes = list(all_processes())
    for watched in containers:
        watched.pids = relatives({watched.root}, processes)
        watched.tree_due = now + TREE_S


def _resident(pids: Iterable[int]) -> int:
    """Return the sum of the resident sizes, at little cost: never less than what is charged."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, psutil.Error):
            if sys.platform == "linux":
                with open(f"/proc/{pid}/statm", "rb") as file:
                    total += int(file.read().split()[1]) * _PAGE
            else:
                total += int(psutil.Process(pid).memory_info().rss)
    return total


def _charged(pid: int) -> int:
    """Return the bytes of a process that count against the limit."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:  # no such file on this system, or it may not be read
        return _resident([pid])
    parts = {words[0]: int(words[1]) << 10 for line in lines if len(words := line.split()) == 3}
    if b"Pss_Anon:" in parts:
        return parts[b"Pss_Anon:"] + parts[b"Pss_Shmem:"]
    return parts.get(b"Pss:", 0)
