"""The state machine of a run: state and events in, new states and pods to start out.

No file and no database is touched here. Whatever has become possible is worked off in
one pass, so that a chain of cached tasks takes one pass however long it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from fairlead.errors import SpecError

from .events import (
    Cache,
    CacheHit,
    Changes,
    Ended,
    Event,
    Resume,
    Retry,
    Started,
    Terminate,
)
from .inputs import collect_outputs, resolve_inputs
from .model import Component, TaskSpec
from .records import (
    CACHED,
    CANCELED,
    CANCELING,
    FAILED,
    PASSED,
    PENDING,
    RUNNING,
    SKIPPED,
    SUCCEEDED,
    Run,
    Task,
    Values,
    failure,
    task_id,
)

Json = Any

MAX_LOSSES = 3
"""So often a task starts again after its node lost it; one that takes the node down must end."""

_INVALID_ARGUMENT, _INTERNAL, _CANCELLED = 3, 13, 1  # google.rpc.Code


def advance(
    run: Run,
    events: Iterable[Event],
    cache: Cache,
    clock: Callable[[], str],
    changes: Changes | None = None,
) -> Changes:
    """Apply events to a run and work off all that becomes possible.

    Parameters
    ----------
    run : Run
        Changed in place. One that has no children yet is begun.
    events : iterable of Event
        Those of pods that a task no longer waits for are ignored.
    cache : Cache
        Asked once for each container task that is about to start.
    clock : callable
        Returns the time, RFC 3339.
    changes : Changes, optional
        What an earlier part of the same pass decided; it is added to.
    """
    step = _Pass(run, cache, clock, changes or Changes())
    if not run.root.children:
        step.begin()
    for event in events:
        step.handle(event)
    step.settle()
    return step.changes


class _Pass:
    def __init__(self, run: Run, cache: Cache, clock: Callable[[], str], changes: Changes) -> None:
        self.run = run
        self.cache = cache
        self.clock = clock
        self.changes = changes
        self.ready: deque[Task] = deque()
        self.names = {
            "pipeline_job_name": run.workflow,
            "pipeline_job_resource_name": run.workflow,
            "pipeline_job_uuid": run.run_id,
            "pipeline_root": run.pipeline_root,
            "pipeline_job_create_time_utc": run.created_at,
            "pipeline_job_schedule_time_utc": run.scheduled_at or run.created_at,
        }

    def begin(self) -> None:
        """Make the tasks of the root scope."""
        self._enter(self.run.root)
        self._run_state(RUNNING)

    def handle(self, event: Event) -> None:
        """Apply one event."""
        if isinstance(event, Terminate):
            self._terminate()
        elif isinstance(event, Retry):
            self._retry()
        elif isinstance(event, Resume):
            recount(self.run.root)
            self._ready_in(self.run.root)
        else:
            task = self._waiting_for(event)
            if task is not None:
                if isinstance(event, Started):
                    self._started(task, event)
                else:
                    self._ended(task, event)

    def settle(self) -> None:
        """Start whatever is ready, until nothing is."""
        while self.ready:
            self._start(self.ready.popleft())

    def _waiting_for(self, event: Started | Ended) -> Task | None:
        task = self.run.tasks.get(event.task_id)
        if task is None or task.ended or task.pod != event.pod:
            return None
        return task

    def _enter(self, scope: Task) -> None:
        dag = scope.component.dag
        assert dag is not None
        scope.open = len(dag.tasks)
        prefix = f"{scope.path}." if scope.path else ""
        now = self.clock()
        for name, spec in dag.tasks.items():
            path = prefix + name
            task = Task(
                task_id(self.run.run_id, path), name, path, spec.component, spec, scope,
                create_time=now, waiting=len(spec.upstream),
            )  # fmt: skip
            task.history.append({"update_time": now, "state": PENDING})
            scope.children[name] = task
            self.run.tasks[task.task_id] = task
            self.changes.created.append(task)
            self.changes.tasks[task.task_id] = task
            if not task.waiting:
                self.ready.append(task)

    def _start(self, task: Task) -> None:
        spec, scope = task.spec, task.parent
        assert spec is not None
        assert scope is not None
        if task.state != PENDING or task.pod:
            return
        if self.run.stopping:
            self._finish(task, CANCELED)
            return
        if not spec.always and not all(
            scope.children[name].state in PASSED for name in spec.upstream
        ):
            self._finish(task, SKIPPED)
            return
        try:
            task.inputs = resolve_inputs(
                task,
                {**self.names, "pipeline_task_name": task.name, "pipeline_task_uuid": task.task_id},
            )
        except SpecError as error:
            self._finish(task, FAILED, failure(_INVALID_ARGUMENT, error.what))
            return
        self.changes.started.append(task)
        if task.attempt:
            self.changes.restarted.append(task)
        if task.component.dag is not None:
            task.start_time = self.clock()
            self._state(task, RUNNING)
            self._enter(task)
        else:
            self._execute(task, spec, task.component)

    def _execute(self, task: Task, spec: TaskSpec, component: Component) -> None:
        assert component.executor is not None
        if not spec.use_cache:
            task.reason = "Caching is off for this task."
        else:
            task.cache_key = self.cache.key(task, component.executor)
            found = self.cache.find(task.cache_key)
            if isinstance(found, CacheHit):
                task.outputs = found.outputs
                task.start_time = self.clock()
                task.reason = f"Same code, inputs and environment as {found.origin}."
                self._finish(task, CACHED)
                return
            task.reason = found
        self._launch(task)

    def _launch(self, task: Task) -> None:
        task.attempt += 1
        task.pod = ""
        task.start_time = task.end_time = ""
        self.changes.launches.append(task)
        self.changes.tasks[task.task_id] = task

    def _started(self, task: Task, event: Started) -> None:
        if task.state == PENDING:
            task.start_time = event.at
            self._state(task, RUNNING)

    def _ended(self, task: Task, event: Ended) -> None:
        assert task.spec is not None
        task.start_time = task.start_time or event.started_at or event.at
        if event.ok:
            task.outputs = event.outputs
            self._record(task)
            self._finish(task, SUCCEEDED)
            return
        task.failed_pods.append(task.pod)
        if self.run.stopping:
            task.outputs = event.outputs
            self._record(task)
            self._finish(task, CANCELED, failure(_CANCELLED, "The run was stopped."))
            return
        if event.lost:
            task.losses += 1
        again = event.stopped or (event.lost and task.losses <= MAX_LOSSES)
        if not again and not event.lost:
            task.failures += 1
            again = task.failures <= task.spec.max_retries
        if again:
            self._state(task, PENDING, event.error)
            self._launch(task)
            return
        task.outputs = event.outputs
        self._record(task)
        self._finish(task, FAILED, event.error)

    def _record(self, task: Task) -> None:
        for artifacts in task.outputs.artifacts.values():
            self.changes.artifacts.extend(artifacts)

    def _terminate(self) -> None:
        if self.run.state not in (PENDING, RUNNING):
            return
        self._run_state(CANCELING)
        for task in list(self.run.root.walk()):
            if task.ended or (task.component.dag is not None and task.children):
                continue
            if task.pod:
                self.changes.deletions.append(task.pod)
            else:
                self._finish(task, CANCELED)

    def _retry(self) -> None:
        if self.run.state not in (FAILED, CANCELED):
            return
        self.run.error = None
        self.run.finished_at = ""
        for task in self.run.root.walk():
            if task.state not in (FAILED, CANCELED, SKIPPED):
                continue
            task.error = None
            task.failures = task.losses = 0
            task.end_time = ""
            if not task.children:
                task.pod = ""
                task.outputs = Values()
                task.start_time = ""
            self._state(task, RUNNING if task.children else PENDING)
        recount(self.run.root)
        self._run_state(RUNNING)
        self._ready_in(self.run.root)

    def _ready_in(self, scope: Task) -> None:
        """Queue what waits for nothing, and close scopes in which nothing is left to do."""
        for task in scope.children.values():
            if task.state == PENDING and not task.pod and not task.waiting:
                self.ready.append(task)
            elif task.children and not task.ended:
                self._ready_in(task)
        if not scope.open:
            self._close(scope)

    def _finish(self, task: Task, state: str, error: Json = None) -> None:
        """End a task, and tell those that wait for it."""
        if error is not None:
            task.error = error
        task.end_time = self._state(task, state, error)
        self.changes.ended.append(task)
        scope = task.parent
        assert scope is not None
        assert scope.component.dag is not None
        for name in scope.component.dag.downstream[task.name]:
            below = scope.children[name]
            below.waiting -= 1
            if not below.waiting:
                self.ready.append(below)
        scope.open -= 1
        if not scope.open:
            self._close(scope)

    def _close(self, scope: Task) -> None:
        """End a scope whose tasks have all ended."""
        state, error = _sum(scope)
        if scope.parent is not None:
            scope.outputs = collect_outputs(scope)
            self._finish(scope, state, error)
            return
        run = self.run
        run.error = error
        run.finished_at = self._run_state(SUCCEEDED if state == CACHED else state, error)

    def _state(self, task: Task, state: str, error: Json = None) -> str:
        """Set the state of a task; returns the time."""
        task.state = state
        self.changes.tasks[task.task_id] = task
        return self._note(task.history, state, error)

    def _run_state(self, state: str, error: Json = None) -> str:
        """Set the state of the run; returns the time."""
        self.run.state = state
        self.changes.run = True
        return self._note(self.run.history, state, error)

    def _note(self, history: list[Json], state: str, error: Json) -> str:
        now = self.clock()
        entry = {"update_time": now, "state": state}
        history.append(entry if error is None else {**entry, "error": error})
        return now


def recount(scope: Task) -> None:
    """Count again what a scope and its tasks wait for, from their states alone."""
    scope.open = sum(not task.ended for task in scope.children.values())
    for task in scope.children.values():
        assert task.spec is not None
        task.waiting = sum(not scope.children[name].ended for name in task.spec.upstream)
        if task.children:
            recount(task)


def _sum(scope: Task) -> tuple[str, Json]:
    """Return the state of a scope from those of its tasks, and the error it ends with."""
    states = {task.state for task in scope.children.values()}
    if CANCELED in states:
        return CANCELED, None
    if FAILED in states:
        failed = [task for task in scope.children.values() if task.state == FAILED]
        first = failed[0].error or failure(_INTERNAL, "no reason is known")
        more = f" ({len(failed) - 1} more failed)" if len(failed) > 1 else ""
        message = f"Task '{failed[0].path}' failed: {first['message']}{more}"
        return FAILED, failure(first["code"], message, first["details"])
    if states in ({CACHED}, {SKIPPED}):
        return states.pop(), None
    return SUCCEEDED, None
