"""The end of a container's run: hook, signal, and kill when the grace period is over."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ..resources import Json
from .checks import Checks
from .runtime import Run, Runtime
from .status import Role
from .stored import Note, StoredPod, field_path

log = logging.getLogger(__name__)

LEAST_GRACE_S = 2.0
"""Seconds between SIGTERM and SIGKILL when hooks have used up the grace period, as of a kubelet."""

Turn = Callable[[], Awaitable[None]]


class Hooks:
    """The hooks of one container.

    Parameters
    ----------
    checks : Checks
        Does what they ask for.
    pod : StoredPod
        The pod, which is told of failures.
    spec : dict
        The container.
    role : Role
        What it is to the pod.
    """

    def __init__(self, checks: Checks, pod: StoredPod, spec: Json, role: Role) -> None:
        self._checks = checks
        self._pod = pod
        self._spec = spec
        self._path = field_path(role, spec["name"])
        self._hooks: Json = spec.get("lifecycle") or {}

    @property
    def any_post_start(self) -> bool:
        """True when there is something to do after its start."""
        return "postStart" in self._hooks

    async def post_start(self) -> bool:
        """Do what comes after its start; False when it failed, and the container must end."""
        if await self._do("postStart"):
            return True
        # As a kubelet: what a hook printed may be secret, and Events are read by many.
        await self._pod.write(
            Note("FailedPostStartHook", "PostStartHook failed", "Warning", self._path),
            Note("Killing", "FailedPostStartHook", "Normal", self._path),
            changed=False,
        )
        return False

    async def pre_stop(self) -> None:
        """Do what comes before its end."""
        if "preStop" in self._hooks and not await self._do("preStop"):
            note = Note("FailedPreStopHook", "PreStopHook failed", "Warning", self._path)
            await self._pod.write(note, changed=False)

    async def _do(self, name: str) -> bool:
        outcome = await self._checks.hook(self._pod.object, self._spec, self._hooks[name])
        if not outcome.healthy:
            title = self._pod.title
            log.warning("%s of container %s of %s: %s", name, self._spec["name"], title, outcome)
        return outcome.healthy


class Ending:
    """Ends the runs of one container.

    Parameters
    ----------
    runtime : Runtime
        Sends the signals.
    hooks : Hooks
        Of the container.
    task : callable
        Starts work of the container.
    """

    def __init__(
        self,
        runtime: Runtime,
        hooks: Hooks,
        task: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._runtime = runtime
        self._hooks = hooks
        self._task = task
        self._killing: asyncio.Task[None] | None = None
        self._asked = False
        self.deadline = 0.0
        """When it is killed, by the monotonic clock."""

    @property
    def active(self) -> bool:
        """True while a run is being ended."""
        return self._killing is not None

    def begin(self, run: Run | None, deadline: float, turn: Turn | None = None) -> None:
        """End a run, or change when it is killed.

        Parameters
        ----------
        run : Run or None
            None: there is none yet; the deadline is kept for it.
        deadline : float
            By the monotonic clock.
        turn : callable, optional
            What it waits for before it is asked, as long as there is time.
        """
        self.deadline = deadline
        if self._killing is not None:
            self._killing.cancel()
        if run is not None and not run.ended.done():
            self._killing = self._task(self._kill(run, turn))

    def clear(self) -> None:
        """Forget the run, which has ended or is nobody's concern any more."""
        if self._killing is not None:
            self._killing.cancel()
        self._killing, self._asked = None, False

    async def _kill(self, run: Run, turn: Turn | None) -> None:
        if self._left_s > 0:
            if not self._asked:
                await until(run.ended, self._hooks.pre_stop(), self._left_s)
                if turn is not None:
                    await until(run.ended, turn(), self._left_s)
                self._runtime.signal(run, signal.SIGTERM)
                self._asked = True
            await asyncio.wait({run.ended}, timeout=max(self._left_s, LEAST_GRACE_S))
        if not run.ended.done():
            self._runtime.signal(run, signal.SIGKILL)

    @property
    def _left_s(self) -> float:
        return max(0.0, self.deadline - time.monotonic())


async def until(
    ended: asyncio.Future[Any], other: Awaitable[Any], timeout_s: float | None = None
) -> None:
    """Wait for something, but not longer than a run lasts; raises what it raises."""
    waiting = asyncio.ensure_future(other)
    try:
        await asyncio.wait({ended, waiting}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            waiting.result()
    finally:
        waiting.cancel()
