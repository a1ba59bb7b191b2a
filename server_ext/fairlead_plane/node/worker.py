"""The life of one pod on this node."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

from ..resources import Json, parse_timestamp, timestamp
from . import status
from .container import Container
from .launch import Host
from .processes import end_strays
from .status import Role, Verdict
from .stored import Note, StoredPod
from .support import find_ignored

DEADLINE_VERDICT = Verdict(
    "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
)
LOST_VERDICT = Verdict(
    status.LOST, "The process of the pod was lost with the shim that watched it."
)

_JOB_LABELS = ("jobset.sigs.k8s.io/jobset-name", "training.kubeflow.org/job-name")


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
        self._pod = StoredPod(host.resources, pod, self._build_status)
        self.uid: str = pod["metadata"]["uid"]
        spec = pod["spec"]
        kinds = [(each, Role.of(each, init=True)) for each in spec.get("initContainers") or ()]
        kinds += [(each, Role.MAIN) for each in spec["containers"]]
        self._containers = [
            Container(
                host,
                self._pod,
                each,
                role,
                siblings=len(kinds),
                lost=self._lose,
                notice=self._notice,
            )
            for each, role in kinds
        ]
        self._verdict: Verdict | None = None
        self._done = False
        self._stop = asyncio.Event()
        self._deadline: asyncio.TimerHandle | None = None
        self._stopped_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gone = False
        """True when the object has been deleted."""
        self._start_time = pod["status"].get("startTime") or timestamp()

    async def run(self) -> None:
        """See the pod through; returns when it has ended and its status says so."""
        if self.pod["status"].get("phase") in ("Succeeded", "Failed"):  # and it is being deleted
            await self._pod.remove()
            return
        try:
            self._resume_end()
            self._set_deadline()
            await self._run_containers()
            if _trains(self.pod):
                folder = self._host.folder / self.uid
                await asyncio.to_thread(end_strays, folder)
            if self._ended_before_stop():
                self._verdict = None
            self._done = True
            await self._pod.write(remove=True)
        finally:
            for container in self._containers:
                container.cancel()
            if self._deadline is not None:
                self._deadline.cancel()

    @property
    def pod(self) -> Json:
        """The object as this worker knows it."""
        return self._pod.object

    def update(self, pod: Json) -> None:
        """Take note of a change of the object."""
        before, self._pod.object = self.pod, pod
        seconds = pod["spec"].get("activeDeadlineSeconds")
        if seconds != before["spec"].get("activeDeadlineSeconds"):
            self._set_deadline()
        if pod["spec"] != before["spec"]:
            specs = {each["name"]: each for each in _all_specs(pod)}
            for container in self._containers:
                container.redefine(specs[container.name])
        if pod["spec"].get("readinessGates") and self._build_status(pod) != pod["status"]:
            self._task(self._pod.write())  # somebody has opened or closed a gate
        if pod["metadata"].get("deletionTimestamp"):
            self.stop(None, grace_s=pod["metadata"].get("deletionGracePeriodSeconds"))

    def forget(self) -> None:
        """Kill the pod: its object is gone."""
        self.gone = True
        self.stop(None, grace_s=0)

    def stop(self, verdict: Verdict | None, *, grace_s: float | None = None) -> None:
        """Ask the pod's processes to end, and kill them after the grace period.

        The main containers are asked at once, each sidecar when all that was started after it
        has ended.

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
        if first or grace_s is not None:
            self._end(self._containers, self._grace_s if grace_s is None else grace_s)

    @property
    def _grace_s(self) -> float:
        return float(self.pod["spec"]["terminationGracePeriodSeconds"])

    def _resume_end(self) -> None:
        """Go on with an end that a plane of before had begun, with what is left of its grace."""
        metadata = self.pod["metadata"]
        if "deletionTimestamp" in metadata:
            left_s = parse_timestamp(metadata["deletionTimestamp"]) - time.time()
            self.stop(None, grace_s=max(0.0, left_s))

    def _set_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds is None:
            return
        left_s = parse_timestamp(self._start_time) + seconds - time.time()
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(max(0.0, left_s), self._exceed_deadline, left_s)

    def _exceed_deadline(self, left_s: float) -> None:
        """End the pod; the deadline may have passed while there was no plane."""
        if not self._stop.is_set():
            note = Note(DEADLINE_VERDICT.reason, DEADLINE_VERDICT.message)
            self._task(self._pod.write(note, changed=False))
        self.stop(DEADLINE_VERDICT, grace_s=max(0.0, self._grace_s + min(0.0, left_s)))

    def _ended_before_stop(self) -> bool:
        """Tell whether all main processes ended by themselves, just before they were asked to."""
        records = [each.record for each in self._main]
        return all(
            record is not None and not record.lost and record.finished_at < self._stopped_at
            for record in records
        )

    def _lose(self) -> None:
        self._verdict = self._verdict or LOST_VERDICT
        self.stop(LOST_VERDICT, grace_s=0)

    # Its containers

    @property
    def _main(self) -> list[Container]:
        return [each for each in self._containers if each.role is Role.MAIN]

    @property
    def _sidecars(self) -> list[Container]:
        return [each for each in self._containers if each.role is Role.SIDECAR]

    async def _run_containers(self) -> None:
        if not any(each.began for each in self._containers) and (ignored := find_ignored(self.pod)):
            message = f"This node does not honour: {'; '.join(ignored)}"
            await self._pod.write(Note("NotHonoured", message[:1024], "Warning"), changed=False)
        if self._sidecars and all(each.over for each in self._main):
            self._end(self._sidecars, self._grace_s)  # a plane of before has come so far
        if await self._initialize():
            for container in self._main:
                self._begin(container)
            await self._settled(self._main)
        # What is left are sidecars, and they do not end by themselves.
        self._end(self._sidecars, self._grace_s)
        await self._settled(self._containers)

    async def _initialize(self) -> bool:
        """Run the init containers in their order; False when the main ones must not start."""
        begun = any(each.began for each in self._main)
        for container in self._containers:
            if container.role is Role.MAIN:
                break
            self._begin(container)
            if container.role is Role.INIT:
                await self._settled([container])
                if container.state.exit_code not in (0, None):
                    return False
            elif not begun:  # else the next ones are there already, and have to be adopted
                await self._first(container.started.wait(), container.settled())
        return True

    def _begin(self, container: Container) -> None:
        if self._stop.is_set() and not container.began:
            return
        container.begin()

    def _end(self, containers: Sequence[Container], grace_s: float) -> None:
        """Let containers end, each sidecar when all after it in the pod have ended."""
        notes = []
        for position, container in enumerate(self._containers):
            if container in containers:
                after = self._containers[position + 1 :]
                turn = partial(_all_settled, after) if container.role is Role.SIDECAR else None
                if container.end(grace_s, turn) and grace_s > 0:
                    notes.append(container.note("Killing", f"Stopping container {container.name}"))
        if notes:
            self._task(self._pod.write(*notes, changed=False))

    async def _settled(self, containers: Sequence[Container]) -> None:
        await self._first(_all_settled(containers))

    async def _first(self, *awaited: Coroutine[Any, Any, Any]) -> None:
        """Wait for one of several, and raise what any part of the pod raises."""
        tasks = {asyncio.create_task(each) for each in awaited}
        try:
            await asyncio.wait({*tasks, self._failure}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if self._failure.done():
            self._failure.result()

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the event loop alone would not keep it
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._notice)

    def _notice(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self._failure.done():
            self._failure.set_exception(error)

    def _build_status(self, pod: Json) -> Json:
        return status.build_status(
            pod,
            [each.state for each in self._containers],
            self._verdict,
            done=self._done,
            start_time=self._start_time,
        )


def _trains(pod: Json) -> bool:
    """Tell whether a pod is of a training job, whose launchers may leave processes behind."""
    labels = pod["metadata"].get("labels") or {}
    return any(name in labels for name in _JOB_LABELS)


def _all_specs(pod: Json) -> list[Json]:
    return [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]


async def _all_settled(containers: Sequence[Container]) -> None:
    for container in containers:
        await container.settled()
