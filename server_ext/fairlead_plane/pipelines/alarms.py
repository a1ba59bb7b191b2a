"""Waking a run when tasks of it are to be tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from .clock import now, seconds_between

_LONGEST_S = 3600.0


class Alarms:
    """One alarm per run; nothing of it is kept, since the times stand with the tasks.

    Parameters
    ----------
    wake : coroutine function
        Takes a run and the time that is over, RFC 3339. Must not raise.
    """

    def __init__(self, wake: Callable[[str, str], Awaitable[None]]) -> None:
        self._wake = wake
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._workers: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin, in the running event loop; alarms that were set before are dropped."""
        self._loop = asyncio.get_running_loop()

    async def close(self) -> None:
        """Wake nobody any more."""
        self._loop = None
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def set(self, run_id: str, times: Iterable[tuple[str, float]]) -> None:
        """Set the alarm of a run anew; from any thread.

        Parameters
        ----------
        times : iterable
            Times, RFC 3339, each with the seconds that lay before it when it was chosen. No
            alarm is later than that, even when the clock was set back since.
        """
        times = list(times)
        loop = self._loop
        if loop is not None and (times or run_id in self._timers):
            loop.call_soon_threadsafe(self._set, run_id, times)

    def _set(self, run_id: str, times: list[tuple[str, float]]) -> None:
        timer = self._timers.pop(run_id, None)
        if timer is not None:
            timer.cancel()
        if not times or self._loop is None:
            return
        at, wait = min(times)
        delay = min(max(0.0, seconds_between(now(), at)), wait, _LONGEST_S)
        self._timers[run_id] = self._loop.call_later(delay, self._ring, run_id, at)

    def _ring(self, run_id: str, at: str) -> None:
        del self._timers[run_id]
        worker = asyncio.ensure_future(self._wake(run_id, at))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)
