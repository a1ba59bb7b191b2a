"""The life of one pod on this node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from typing import Any

from ..resources import POD, Json, Transaction, parse_timestamp, timestamp
from . import status
from .backoff import BackOff
from .launch import Host, prepare
from .problems import HoldError
from .records import ExitRecord, RunFiles, last_attempt
from .runtime import Run, StartError
from .status import ContainerState, Verdict

log = logging.getLogger(__name__)

_START_ERROR = 128
DEADLINE_VERDICT = Verdict(
    "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
)
LOST_VERDICT = Verdict(
    status.LOST, "The process of the pod was lost with the shim that watched it."
)


class PodWorker:
    """Takes a pod of this node to its end; safe to start again over what a run before left.

    Parameters
    ----------
    host : Host
        The node.
    pod : dict
        The Pod as it is stored.
    """

    def __init__(self, host: Host, pod: Json) -> None:
        self._host = host
        self.pod = pod
        """The object as this worker knows it."""
        self.uid: str = pod["metadata"]["uid"]
        self._folder = host.folder / self.uid
        self._containers = [_restore(pod, each) for each in pod["spec"]["containers"]]
        self._runs: dict[str, Run] = {}
        self._verdict: Verdict | None = None
        self._stop = asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stopped_at = 0.0
        self._killed = False
        self.gone = False
        """True when the object has been deleted."""
        self._start_time = pod["status"].get("startTime") or timestamp()
        self._writing = asyncio.Lock()

    async def run(self) -> None:
        """See the pod through; returns when it has ended and its status says so."""
        try:
            self._set_deadline()
            lives = [
                asyncio.create_task(self._live(spec, state))
                for spec, state in zip(
                    self.pod["spec"]["containers"], self._containers, strict=True
                )
            ]
            try:
                await asyncio.gather(*lives)
            finally:
                for life in lives:
                    life.cancel()
            if self._ended_before_stop():
                self._verdict = None
            await self._write(done=True)
            if self.pod["metadata"].get("deletionTimestamp") and not self.gone:
                await self._remove()
        finally:
            for timer in (self._stopping, self._deadline):
                if timer is not None:
                    timer.cancel()

    def update(self, pod: Json) -> None:
        """Take note of a change of the object."""
        self.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            self.stop(None, grace_s=pod["metadata"].get("deletionGracePeriodSeconds"))

    def forget(self) -> None:
        """Kill the pod: its object is gone."""
        self.gone = True
        self.stop(None, grace_s=0)

    def stop(self, verdict: Verdict | None, *, grace_s: float | None = None) -> None:
        """Ask the pod's processes to end, and kill them after the grace period.

        Parameters
        ----------
        verdict : Verdict or None
            Why, for the status; None when the object is being deleted.
        grace_s : float or None
            Seconds; None takes the pod's own.
        """
        if self._verdict is None:
            self._verdict = verdict
        first = not self._stop.is_set()
        self._stopped_at = self._stopped_at or time.time()
        self._stop.set()
        grace = self.pod["spec"]["terminationGracePeriodSeconds"] if grace_s is None else grace_s
        if not first and grace_s is None:
            return
        if self._stopping is not None:
            self._stopping.cancel()
        self._stopping = asyncio.create_task(self._end_processes(grace, ask=first))

    def _set_deadline(self) -> None:
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds is not None:
            left_s = parse_timestamp(self._start_time) + seconds - time.time()
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(max(0.0, left_s), self.stop, DEADLINE_VERDICT)

    async def _end_processes(self, grace_s: float, *, ask: bool) -> None:
        if ask and grace_s > 0:
            for run in self._runs.values():
                self._host.runtime.signal(run, signal.SIGTERM)
        await asyncio.sleep(grace_s)
        self._killed = True
        for run in self._runs.values():
            self._host.runtime.signal(run, signal.SIGKILL)

    def _ended_before_stop(self) -> bool:
        """Tell whether all processes ended by themselves, just before they were asked to."""
        records = [run.ended.result() for run in self._runs.values() if run.ended.done()]
        return len(records) == len(self._containers) and all(
            not record.lost and record.finished_at < self._stopped_at for record in records
        )

    # Containers

    async def _live(self, spec: Json, state: ContainerState) -> None:
        """Run one container until it needs no further start."""
        folder = self._folder / spec["name"]
        back_off = BackOff()
        attempt = last_attempt(folder) or 0
        while True:
            state.restarts = attempt
            record = await self._attempt(spec, state, RunFiles(folder, attempt))
            if record is None:  # stopped before its start
                return
            state.state = status.terminated(record)
            if record.reason == "StartError":
                await self._write(("Failed", f"Error: {record.message}"))
            if record.lost:
                self._verdict = self._verdict or LOST_VERDICT
                self.stop(LOST_VERDICT, grace_s=0)
            if self._stop.is_set() or not self._restarts(record):
                return
            wait_s = back_off.next(record)
            state.last_state = state.state
            message = f"back-off {wait_s:.0f}s restarting failed container={spec['name']}"
            state.state = status.waiting("CrashLoopBackOff", message)
            state.restarts = attempt + 1
            await self._write(("BackOff", message) if wait_s else None)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), wait_s)
            if self._stop.is_set():
                state.state, state.last_state = state.last_state, {}
                state.restarts = attempt
                return
            attempt += 1

    async def _attempt(
        self, spec: Json, state: ContainerState, files: RunFiles
    ) -> ExitRecord | None:
        run = await self._host.runtime.adopt(files)
        if run is None:
            try:
                run = await self._launch(spec, state, files)
            except (StartError, OSError) as error:
                now = time.time()
                return ExitRecord(_START_ERROR, 0, now, now, "StartError", str(error))
            if run is None:
                return None
        self._runs[spec["name"]] = run
        state.id = run.files.id
        if self._stop.is_set():  # asked to stop before there was a process to ask
            number = signal.SIGKILL if self._killed else signal.SIGTERM
            self._host.runtime.signal(run, number)
        either: set[asyncio.Future[Any]] = {run.started, run.ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not run.ended.done():
            state.state = status.running(run.started.result())
            await self._write(("Started", f"Started container {spec['name']}"))
        return await run.ended

    async def _launch(self, spec: Json, state: ContainerState, files: RunFiles) -> Run | None:
        """Start a container as soon as all that it needs is there; None when stopped before."""
        while True:
            try:
                prepared = await prepare(self._host, self.pod, spec, files)
                break
            except HoldError as hold:
                held = status.waiting(hold.reason, hold.message)
                if state.state != held:
                    state.state = held
                    await self._write(hold.event)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), hold.retry_s)
                if self._stop.is_set():
                    return None
        if self._stop.is_set():
            return None
        return await self._host.runtime.launch(files, prepared.command, prepared.warm)

    def _restarts(self, record: ExitRecord) -> bool:
        policy = self.pod["spec"]["restartPolicy"]
        return policy == "Always" or (policy == "OnFailure" and record.exit_code != 0)

    # Status

    async def _write(self, event: tuple[str, str] | None = None, *, done: bool = False) -> None:
        """Write the status as it is now, and an Event beside it: its reason and message."""

        def change(transaction: Transaction) -> Json | None:
            pod = self._current(transaction)
            if pod is None:
                return None
            pod["status"] = status.build_status(
                pod, self._containers, self._verdict, done=done, start_time=self._start_time
            )
            pod = transaction.update_status(pod)
            if event is not None:
                kind = "Normal" if event[0] == "Started" else "Warning"
                transaction.record_event(pod, *event, type=kind, component="kubelet")
            return pod

        async with self._writing:
            pod = await self._host.resources.transaction(change)
        if pod is not None:
            self.pod = pod

    async def _remove(self) -> None:
        def change(transaction: Transaction) -> None:
            pod = self._current(transaction)
            if pod is not None:
                metadata = pod["metadata"]
                transaction.delete(
                    POD, metadata["name"], metadata["namespace"], grace_period_seconds=0
                )

        await self._host.resources.transaction(change)

    def _current(self, transaction: Transaction) -> Json | None:
        """Return the pod as stored now; None when it is gone or another has its name."""
        metadata = self.pod["metadata"]
        found = transaction.find(POD, metadata["name"], metadata["namespace"])
        return found if found is not None and found["metadata"]["uid"] == self.uid else None


def _restore(pod: Json, spec: Json) -> ContainerState:
    """Return what the status says about a container, or the state of a new one."""
    known: dict[str, Any] = next(
        (
            entry
            for entry in pod["status"].get("containerStatuses") or ()
            if entry["name"] == spec["name"]
        ),
        {},
    )
    state = ContainerState(spec["name"], spec["image"])
    if known:
        state.state = known["state"]
        state.last_state = known.get("lastState") or {}
        state.restarts = known["restartCount"]
    return state
