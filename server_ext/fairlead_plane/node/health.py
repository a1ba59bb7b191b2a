"""What the probes of a container do to it: started, ready, killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..resources import Json
from .checks import Checks, Outcome
from .probes import Finding, Probe
from .status import ContainerState, Role
from .stored import Note, StoredPod, field_path


class Health:
    """The probes of one container; nothing runs for one that has none.

    Parameters
    ----------
    checks : Checks
        Makes the checks.
    pod : StoredPod
        The pod; its status and Events say what is found.
    spec : dict
        The container.
    state : ContainerState
        Gets `started` and `ready`.
    final : Event
        Set when the container is to end for good: only its readiness is asked for then.
    fail : callable
        Called when the container has to be killed, with the grace period of the probe, if it
        has one.
    """

    def __init__(
        self,
        checks: Checks,
        pod: StoredPod,
        spec: Json,
        state: ContainerState,
        *,
        final: asyncio.Event,
        fail: Callable[[float | None], None],
    ) -> None:
        self._checks = checks
        self._pod = pod
        self._spec = spec
        self._state = state
        self._final = final
        self._fail = fail
        self._probes = {
            kind: Probe(kind, spec[field], self._check)
            for kind in ("Startup", "Liveness", "Readiness")
            if spec.get(field := f"{kind.lower()}Probe")
        }

    @property
    def any(self) -> bool:
        """True when the container has a probe."""
        return bool(self._probes)

    def begin(self) -> None:
        """Note that the container runs: without probes it is started and ready."""
        self._state.started = "Startup" not in self._probes
        self._state.ready = "Readiness" not in self._probes

    async def watch(self, began: float, started: Callable[[], None]) -> None:
        """Make the checks until cancelled.

        Parameters
        ----------
        began : float
            When the container was started, in seconds since 1970.
        started : callable
            Called when its startup probe has succeeded.
        """
        if not self._state.started:
            if not await self._watch_start(self._probes["Startup"], began):
                return
            started()
        await asyncio.gather(
            *(
                watch(self._probes[kind], began)
                for kind, watch in (
                    ("Liveness", self._watch_life),
                    ("Readiness", self._watch_readiness),
                )
                if kind in self._probes
            )
        )

    async def _watch_start(self, probe: Probe, began: float) -> bool:
        async for finding in probe.findings(began):
            if self._final.is_set():
                break
            if finding.outcome.healthy:
                if finding.counts:
                    self._state.started = True
                    await self._pod.write()
                    return True
            elif await self._complain(probe, finding):
                break
        return False

    async def _watch_life(self, probe: Probe, began: float) -> None:
        async for finding in probe.findings(began):
            if self._final.is_set():
                return
            if not finding.outcome.healthy and await self._complain(probe, finding):
                return

    async def _watch_readiness(self, probe: Probe, began: float) -> None:
        async for finding in probe.findings(began):
            healthy = finding.outcome.healthy
            turned = finding.counts and self._state.ready != healthy
            if turned:
                self._state.ready = healthy
            if not healthy:
                await self._pod.write(self._unhealthy(probe, finding.outcome), changed=turned)
            elif turned:
                await self._pod.write()

    async def _complain(self, probe: Probe, finding: Finding) -> bool:
        """Record a failure; True when it was the last one that the container is given."""
        notes = [self._unhealthy(probe, finding.outcome)]
        if finding.counts:
            name = self._state.name
            message = f"Container {name} failed {probe.kind.lower()} probe"
            policy = self._pod.object["spec"]["restartPolicy"]
            if policy != "Never" or self._state.role is Role.SIDECAR:
                message += ", will be restarted"
            notes.append(self._note("Killing", message))
        await self._pod.write(*notes, changed=False)
        if finding.counts:
            self._fail(probe.grace_s)
        return finding.counts

    def _unhealthy(self, probe: Probe, outcome: Outcome) -> Note:
        return self._note("Unhealthy", probe.complain(outcome), "Warning")

    def _note(self, reason: str, message: str, type: str = "Normal") -> Note:
        return Note(reason, message, type, field_path(self._state.role, self._state.name))

    async def _check(self, probe: Json, timeout_s: float) -> Outcome:
        return await self._checks.probe(self._pod.object, self._spec, probe, timeout_s)
