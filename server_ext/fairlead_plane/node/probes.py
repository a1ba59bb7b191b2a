"""The timers of probes: when a check is due, and when its results count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from ..resources import Json
from .checks import Outcome

PERIOD_S = 10
TIMEOUT_S = 1
FAILURES = 3


class Finding(NamedTuple):
    """One result of a probe."""

    outcome: Outcome
    counts: bool
    """True when there were enough of the same one after the other."""


class Probe:
    """One probe of one run of a container.

    Parameters
    ----------
    kind : str
        `Startup`, `Liveness` or `Readiness`, as Events name it.
    spec : dict
        The probe.
    check : callable
        Makes the check, in at most so many seconds.
    """

    def __init__(
        self, kind: str, spec: Json, check: Callable[[Json, float], Awaitable[Outcome]]
    ) -> None:
        self.kind = kind
        self._spec = spec
        self._check = check

    async def findings(self, started: float) -> AsyncIterator[Finding]:
        """Yield what the checks find, one in each period, from the initial delay on.

        Parameters
        ----------
        started : float
            When the container was started, in seconds since 1970.
        """
        spec = self._spec
        period_s = spec.get("periodSeconds") or PERIOD_S
        timeout_s = spec.get("timeoutSeconds") or TIMEOUT_S
        needed = {
            True: spec.get("successThreshold") or 1,
            False: spec.get("failureThreshold") or FAILURES,
        }
        delay_s = spec.get("initialDelaySeconds") or 0
        # A clock that was set back since the start makes no probe wait longer than it says.
        await asyncio.sleep(min(delay_s, started + delay_s - time.time()))
        loop, last, same = asyncio.get_running_loop(), True, 0
        due = loop.time()
        while True:
            outcome = await self._check(spec, timeout_s)
            same = same + 1 if outcome.healthy == last else 1
            last = outcome.healthy
            yield Finding(outcome, same >= needed[last])
            # A check that took long is not made up for.
            due = max(due + period_s, loop.time())
            await asyncio.sleep(due - loop.time())

    def complain(self, outcome: Outcome) -> str:
        """Return what an Event says of a check that failed."""
        if outcome.errored:
            return f"{self.kind} probe errored and resulted in unknown state: {outcome.output}"
        return f"{self.kind} probe failed: {outcome.output}"

    @property
    def grace_s(self) -> float | None:
        """The probe's own grace period for the container that it ends, if it has one."""
        seconds: int | None = self._spec.get("terminationGracePeriodSeconds")
        return seconds
