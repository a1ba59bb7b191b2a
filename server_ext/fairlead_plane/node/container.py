"""The life of one container of a pod: its starts, one after the other, and how it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Coroutine
from typing import Any

from fairlead.names import TASK_LABEL

from ..resources import Json, parse_quantity
from ..waiting import within
from .backoff import BackOff, duration
from .ending import Ending, Hooks, Turn, until
from .health import Health
from .launch import Host, Prepared, prepare
from .problems import HoldError
from .records import ExitRecord, RunFiles, container_folder, drop_old_attempts, last_attempt
from .runtime import Run, StartError
from .status import ContainerState, Role, running, terminated, waiting
from .stored import Note, StoredPod, field_path
from .support import refuse_unsupported
from .termination import add_message

_START_ERROR = 128

SHORT_S = 0.03
"""A pipeline step that ends sooner is written once, with its start and its end: what it did in
between nobody has seen, and to write it takes as long as to do it."""


class Container:
    """Runs one container until it needs no further start; safe to begin over what was left.

    Parameters
    ----------
    host : Host
        The node.
    pod : StoredPod
        The pod that it belongs to.
    spec : dict
        Its entry of `containers` or `initContainers`.
    role : Role
        What it is to the pod.
    siblings : int
        How many containers the pod has, this one among them.
    lost : callable
        Called when a run was lost with the shim.
    notice : callable
        Called with each task of the container that has ended, maybe by an exception.
    """

    def __init__(
        self,
        host: Host,
        pod: StoredPod,
        spec: Json,
        role: Role,
        *,
        siblings: int,
        lost: Callable[[], None],
        notice: Callable[[asyncio.Task[None]], None],
    ) -> None:
        self._host = host
        self._pod = pod
        self._spec = spec
        self._siblings = siblings
        self._lost = lost
        self._notice = notice
        self.name: str = spec["name"]
        self.role = role
        self.state = restore(pod.object, spec, role)
        self._folder = container_folder(host.folder, pod.uid, self.name)
        self._left = last_attempt(self._folder)
        """Number of the last run that a plane of before has left; None when there is none."""
        self._path = field_path(role, self.name)
        self.started = asyncio.Event()
        """Set when it has started once: its turn is over among the init containers."""
        if self.state.is_started:
            self.started.set()
        self.run: Run | None = None
        """The run that goes on, or the last one."""
        self._life: asyncio.Task[None] | None = None
        self._final = asyncio.Event()
        self._turn: Turn | None = None
        self._hooks = Hooks(host.checks, pod, spec, role)
        self._ending = Ending(host.runtime, self._hooks, self._task)
        self._health = Health(
            host.checks, pod, spec, self.state, final=self._final, fail=self._fail
        )
        self._watching: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start or adopt it, and go on until it needs no further start."""
        self._life = self._task(self._live())

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"container {self.name}")
        task.add_done_callback(self._notice)
        return task

    async def settled(self) -> None:
        """Wait until it has ended, and will not be started again; at once when it never began."""
        if self._life is not None:
            await asyncio.wait({self._life})

    def cancel(self) -> None:
        """Leave it to itself: nothing of it is watched any more."""
        self._ending.clear()
        for task in (self._life, self._watching):
            if task is not None:
                task.cancel()

    @property
    def alive(self) -> bool:
        """True while it has a process."""
        return self.run is not None and not self.run.ended.done()

    @property
    def record(self) -> ExitRecord | None:
        """How its last run ended; None while it goes on, or before the first."""
        return self.run.ended.result() if self.run is not None and self.run.ended.done() else None

    @property
    def began(self) -> bool:
        """True when a run of it was ever started, by this plane or one before."""
        return self._left is not None or self.run is not None

    @property
    def over(self) -> bool:
        """True when its last run has ended and needs no restart, by the records on disk."""
        if self._left is None:
            return False
        record = RunFiles(self._folder, self._left).read_exit()
        return record is not None and not self._restarts(record)

    def redefine(self, spec: Json) -> None:
        """Take note of a change of its spec, of which only the image may change."""
        if spec["image"] != self._spec["image"]:
            self._spec = spec
            self._task(self._replace())

    @property
    def _stale(self) -> bool:
        """True when it runs with another image than its spec names now."""
        return self.role is not Role.INIT and self.state.image != self._spec["image"]

    async def _replace(self) -> None:
        """Restart it, whatever the policy of its pod, if it is stale."""
        if self._stale and self.alive and not self._final.is_set():
            message = f"Container {self.name} definition changed, will be restarted"
            await self._pod.write(self.note("Killing", message), changed=False)
            self._fail()

    # Its end

    def end(self, grace_s: float, turn: Turn | None = None) -> bool:
        """Let it end for good: ask its process, and kill it after the grace period.

        Parameters
        ----------
        grace_s : float
            Seconds; 0 kills at once. A second call can only bring the end nearer.
        turn : callable, optional
            What it waits for before its process is asked, as long as the grace period lasts.

        Returns
        -------
        bool
            True when there is a process that is asked with this call.
        """
        deadline = time.monotonic() + grace_s
        if self._ending.active:  # it is being killed already, for a restart
            deadline = min(deadline, self._ending.deadline)
        first = not self._final.is_set()
        if first or deadline < self._ending.deadline:
            self._final.set()
            self._turn = turn
            self._ending.begin(self.run, deadline, turn)
        return first and self.alive

    def _fail(self, grace_s: float | None = None) -> None:
        """Kill the run that goes on; the container may be started again."""
        if not self._final.is_set():
            grace = self._pod.object["spec"]["terminationGracePeriodSeconds"]
            self._ending.begin(self.run, time.monotonic() + (grace if grace_s is None else grace_s))

    # Its runs

    async def _live(self) -> None:
        state = self.state
        back_off = BackOff()
        # A start that failed before there was a process leaves no file, but counts.
        attempt = max(self._left or 0, state.restarts)
        while True:
            state.restarts = attempt
            record = await self._attempt(RunFiles(self._folder, attempt))
            if record is None:  # ended before its start
                return
            ended = state.state = terminated(record, state.id)
            state.started = state.ready = False
            notes = []
            if record.reason == "StartError":
                notes.append(self.note("Failed", f"Error: {record.message}", "Warning"))
            if record.lost:
                self._lost()
            if self._final.is_set() or not (self._restarts(record) or self._stale):
                if notes or self._siblings > 1:  # else its end is written with the pod's
                    await self._pod.write(*notes)
                return
            wait_s = back_off.next(record)
            if wait_s:
                title = self._pod.title
                state.last_state = ended
                state.state = waiting(
                    "CrashLoopBackOff",
                    f"back-off {duration(wait_s)} restarting failed container={self.name} "
                    f"pod={title}",
                )
                message = f"Back-off restarting failed container {self.name} in pod {title}"
                notes.append(self.note("BackOff", message, "Warning"))
            await self._pod.write(*notes)
            await self._rest(wait_s)
            if self._final.is_set():
                state.state = ended
                return
            state.last_state = ended
            drop_old_attempts(self._folder)
            attempt += 1

    async def _attempt(self, files: RunFiles) -> ExitRecord | None:
        """Start or adopt one run and see it to its end; None when it was not started."""
        runtime = self._host.runtime
        run = await runtime.adopt(files)
        try:
            if run is None:
                prepared = await self._prepare(files)
                if prepared is None or self._final.is_set():
                    return None
                self.state.image = self._spec["image"]
                run = await runtime.launch(files, prepared.command, prepared.warm)
        except (StartError, OSError) as error:
            self.state.id = ""
            now = time.time()
            return ExitRecord(_START_ERROR, 0, now, now, "StartError", str(error))
        known = self.state.running and self.state.id == files.id
        self.run, self.state.id = run, files.id
        if self._final.is_set():  # asked to end before there was a process to ask
            self._ending.begin(run, self._ending.deadline, self._turn)
        either: set[asyncio.Future[Any]] = {run.started, run.ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not run.ended.done():
            self._guard(run)
            await self._show_running(run, known=known)
            await self._replace()
        elif run.started.done() and not known:  # over before it was seen to run
            self._pod.keep(*self._started_notes())
        try:
            record = run.files.explain(await run.ended)
            return add_message(record, self._spec, run.files, self._siblings)
        finally:
            self._host.memory.forget(files.id)
            self._ending.clear()
            if self._watching is not None:
                self._watching.cancel()

    def _guard(self, run: Run) -> None:
        """Watch the memory of a run, if it is limited."""
        limit = ((self._spec.get("resources") or {}).get("limits") or {}).get("memory")
        if limit is None or not run.pid:
            return

        def exceed(used: int, pids: set[int]) -> None:
            run.files.mark_oom()  # first: what is killed may be read by the next plane
            self._host.runtime.signal(run, signal.SIGKILL)
            for pid in pids:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            message = (
                f"Container {self.name} used {used >> 20}Mi of memory, more than its limit of "
                f"{limit}, and was killed"
            )
            self._task(self._pod.write(self.note("OOMKilled", message, "Warning"), changed=False))

        self._host.memory.watch(run.files.id, run.pid, int(parse_quantity(limit)), exceed)

    async def _prepare(self, files: RunFiles) -> Prepared | None:
        """Make all that a start needs, as soon as it is there; None when ended before."""
        told: tuple[str, str] | None = None
        while True:
            try:
                refuse_unsupported(self._pod.object, self._spec)
                return await prepare(self._host, self._pod.object, self._spec, files)
            except HoldError as hold:
                held = waiting(hold.reason, hold.message)
                if self.state.state != held or told != hold.event:
                    notes = [self.note(*hold.event, hold.type)] if told != hold.event else []
                    self.state.state, told = held, hold.event
                    await self._pod.write(*notes)
                await self._rest(hold.retry_s)
                if self._final.is_set():
                    return None

    async def _rest(self, seconds: float) -> None:
        """Wait, but not when it is to end."""
        with contextlib.suppress(asyncio.TimeoutError):
            await within(self._final.wait(), seconds)

    async def _show_running(self, run: Run, *, known: bool) -> None:
        """Say that a run goes on, when its `postStart` hook is done, and watch its health.

        A run that the status says to be running has come so far on a plane of before.
        """
        notes = []
        if not known:
            notes = self._started_notes()
            if self._hooks.any_post_start:
                await self._pod.write(*notes, changed=False)
                notes = []
                await until(run.ended, self._post_start())
                if run.ended.done() or self._ending.active:
                    return
            self._health.begin()
        began = run.started.result()
        self.state.state = running(began)
        if notes and TASK_LABEL in (self._pod.object["metadata"].get("labels") or ()):
            self._pod.keep(*notes)
            notes = []
            await asyncio.wait({run.ended}, timeout=SHORT_S)
            if run.ended.done():
                return
        await self._pod.write(*notes)
        if self.state.started:
            self.started.set()
        if self._health.any:
            self._watching = self._task(self._health.watch(began, self.started.set))

    def _started_notes(self) -> list[Note]:
        return [
            self.note("Created", f"Created container: {self.name}"),
            self.note("Started", f"Started container {self.name}"),
        ]

    async def _post_start(self) -> None:
        if not await self._hooks.post_start():
            self._fail()

    def _restarts(self, record: ExitRecord) -> bool:
        policy = self._pod.object["spec"]["restartPolicy"]
        if self.role is Role.SIDECAR:
            return True
        if self.role is Role.INIT or policy == "OnFailure":
            return policy != "Never" and record.exit_code != 0
        return bool(policy == "Always")

    def note(self, reason: str, message: str, type: str = "Normal") -> Note:
        """Return an Event about this container."""
        return Note(reason, message, type, self._path)


def restore(pod: Json, spec: Json, role: Role) -> ContainerState:
    """Return what the status says about a container, or the state of a new one."""
    state = ContainerState(spec["name"], spec["image"], role)
    if pod["spec"].get("initContainers"):
        state.state = waiting("PodInitializing")
    status = pod["status"]
    field = "containerStatuses" if role is Role.MAIN else "initContainerStatuses"
    for entry in status.get(field) or ():
        if entry["name"] == state.name:
            state.image = entry["image"]
            state.state = entry["state"]
            state.last_state = entry.get("lastState") or {}
            state.restarts = entry["restartCount"]
            state.id = entry.get("containerID", "").partition("://")[2]
            state.ready, state.started = entry["ready"], bool(entry.get("started"))
    return state
