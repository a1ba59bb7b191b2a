"""The state machine of a run: state and events in, new states and pods to start out.

No file and no database is touched here. Whatever has become possible is worked off in
one pass, so that a chain of cached tasks takes one pass however long it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fairlead.errors import SpecError

from .cache import never_cached
from .events import (
    Cache,
    CacheHit,
    Changes,
    Due,
    Ended,
    Event,
    Held,
    Resume,
    Retry,
    Started,
    Terminate,
)
from .expressions import holds
from .importers import import_artifact
from .inputs import declared_values, resolve_inputs
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
)
from .retries import next_try
from .scopes import recount, reset
from .tree import INVALID_ARGUMENT, Tree

Json = Any

MAX_LOSSES = 3
"""So often a task starts again after its node lost it; one that takes the node down must end."""

_NO_RETRY = (
    "Its retry policy has no effect: KFP tries steps again, not pipelines. Give it to the steps."
)
_CANCELLED, _DEADLINE_EXCEEDED = 1, 4  # google.rpc.Code


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

    Notes
    -----
    A pending run is begun, unless it waits for others: `run.waits_for`.
    """
    step = _Pass(run, cache, clock, changes or Changes())
    for event in events:
        step.handle(event)
    if run.state == PENDING:
        step.begin()
    step.settle()
    return step.changes


class _Pass(Tree):
    def __init__(self, run: Run, cache: Cache, clock: Callable[[], str], changes: Changes) -> None:
        super().__init__(run, clock, changes)
        self.cache = cache
        self.launched: set[str] = set()
        self.names = run.names()

    def begin(self) -> None:
        """Make the tasks of the root scope, or take them up again."""
        root = self.run.root
        if self.run.waits_for:
            self.wait_for(self.run.waits_for)
            return
        self.set_run_state(RUNNING)
        if root.children:
            recount(root)
            self.ready_in(root)
        else:
            self.enter(root)

    def handle(self, event: Event) -> None:
        """Apply one event."""
        if isinstance(event, Terminate):
            self._terminate()
        elif isinstance(event, Retry):
            self._retry()
        elif isinstance(event, Resume):
            if self.run.state != PENDING:
                recount(self.run.root)
                self.ready_in(self.run.root)
        elif isinstance(event, Due):
            self._due(event)
        else:
            task = self._waiting_for(event)
            if task is not None:
                if isinstance(event, Started):
                    self._started(task, event)
                elif isinstance(event, Held):
                    self._held(task, event)
                else:
                    self._ended(task, event)

    def settle(self) -> None:
        """Start whatever is ready, until nothing is; stop what has been active for too long."""
        deadline = self.run.deadline
        if deadline and deadline <= self.clock():
            self._expire()
        while self.ready:
            self._start(self.ready.popleft())

    def _waiting_for(self, event: Started | Held | Ended) -> Task | None:
        task = self.run.tasks.get(event.task_id)
        if task is None or task.ended or task.pod != event.pod:
            return None
        return task

    def _start(self, task: Task) -> None:
        spec, scope = task.spec, task.parent
        assert spec is not None
        assert scope is not None
        if task.state != PENDING or task.pod or task.not_before or task.task_id in self.launched:
            return
        if self.run.stopping:
            self.finish(task, CANCELED)
            return
        if not spec.always and not all(
            scope.children[name].state in PASSED for name in spec.upstream
        ):
            self.finish(task, SKIPPED)
            return
        try:
            task.inputs = resolve_inputs(task, self._names_of(task))
            self.changes.started.append(task)
            if len(task.history) > 1:
                self.changes.restarted.append(task)
            if spec.condition is not None and not self._holds(task, spec):
                task.reason = f"The condition `{spec.condition.text}` does not hold."
                self.finish(task, SKIPPED)
            elif task.component.dag is not None:
                if spec.retry.count:
                    task.reason = _NO_RETRY
                self.begin_scope(task)
            elif task.component.importer is not None:
                self._import(task)
            else:
                self._execute(task, spec, task.component)
        except SpecError as error:
            self.finish(task, FAILED, failure(INVALID_ARGUMENT, error.what))

    def _holds(self, task: Task, spec: TaskSpec) -> bool:
        assert spec.condition is not None
        artifacts = {
            name: {"artifacts": [one.runtime() for one in made]}
            for name, made in task.inputs.artifacts.items()
        }
        return holds(spec.condition, declared_values(spec, task.inputs.parameters), artifacts)

    def _names_of(self, task: Task) -> dict[str, str]:
        return {
            **self.names, "pipeline_task_name": task.name, "pipeline_task_uuid": task.task_id,
        }  # fmt: skip

    def _import(self, task: Task) -> None:
        assert task.component.importer is not None
        artifact = import_artifact(task, self._names_of(task))
        artifact = self.cache.imported(artifact, task.component.importer.reimport)
        task.outputs = Values(artifacts={artifact.name: [artifact]})
        task.reason = "Nothing ran: the artifact was there."
        self.started_now(task)
        self._record(task)
        self.finish(task, SUCCEEDED)

    def _execute(self, task: Task, spec: TaskSpec, component: Component) -> None:
        assert component.executor is not None
        if not spec.use_cache:
            task.reason = "Caching is off for this task."
        elif reason := never_cached(self.run, task):
            task.reason = reason
        else:
            task.cache_key = self.cache.key(task, component.executor)
            found = self.cache.find(task.cache_key)
            if isinstance(found, CacheHit):
                task.outputs = found.outputs
                task.start_time = self.clock()
                task.reason = f"Same code, inputs and environment as {found.origin}."
                self.finish(task, CACHED)
                return
            task.reason = found
        self._launch(task)

    def _launch(self, task: Task) -> None:
        self.launched.add(task.task_id)
        task.attempt += 1
        task.pod = task.not_before = ""
        task.start_time = task.end_time = ""
        self.changes.launches.append(task)
        self.changes.tasks[task.task_id] = task

    def _held(self, task: Task, event: Held) -> None:
        if event.reason != task.held:
            task.held = event.reason
            self.changes.tasks[task.task_id] = task

    def _started(self, task: Task, event: Started) -> None:
        if task.state == PENDING:
            task.held = ""
            task.start_time = event.at
            self.set_state(task, RUNNING)

    def _ended(self, task: Task, event: Ended) -> None:
        assert task.spec is not None
        task.held = ""
        task.start_time = task.start_time or event.started_at or event.at
        if event.ok:
            task.outputs = event.outputs
            self._record(task)
            self.finish(task, SUCCEEDED)
            return
        task.failed_pods.append(task.pod)
        if event.alive:
            self.changes.deletions.append(task.pod)
        if self.run.stopping:
            task.outputs = event.outputs
            self._record(task)
            self.finish(task, CANCELED, failure(_CANCELLED, "The run was stopped."))
            return
        if event.lost:
            task.losses += 1
        again = event.stopped or (event.lost and task.losses <= MAX_LOSSES)
        if again:
            self.set_state(task, PENDING, event.error)
            self._launch(task)
            return
        if not event.lost and self._try_again(task, event.error):
            return
        task.outputs = event.outputs
        self._record(task)
        self.finish(task, FAILED, event.error)

    def _try_again(self, task: Task, error: Json) -> bool:
        """Let a task that has failed by itself run again, as its retry policy says."""
        task.failures += 1
        task.tried_since = task.tried_since or task.start_time
        at = next_try(task, self.clock())
        if at is None:
            return False
        self.set_state(task, PENDING, error)
        if not at:
            self._launch(task)
            return True
        task.pod = ""
        task.not_before = at
        self.run.waiting[task.task_id] = task
        return True

    def _due(self, event: Due) -> None:
        """Start again the tasks that waited until a time."""
        for task in list(self.run.waiting.values()):
            if task.not_before <= event.at:
                del self.run.waiting[task.task_id]
                if task.not_before and not task.ended:
                    self._launch(task)

    def _record(self, task: Task) -> None:
        for artifacts in task.outputs.artifacts.values():
            self.changes.artifacts.extend(artifacts)

    def _expire(self) -> None:
        """Stop a run that has failed by that alone."""
        seconds = self.run.pipeline.config.deadline_s
        message = f"The run was active for {seconds} s, as long as its deadline allows."
        self.run.error = failure(_DEADLINE_EXCEEDED, message)
        self._terminate()

    def _terminate(self) -> None:
        if self.run.state not in (PENDING, RUNNING):
            return
        if not self.run.root.children:
            self.run.finished_at = self.set_run_state(CANCELED)
            return
        self.set_run_state(CANCELING)
        for task in list(self.run.root.walk()):
            if task.ended or task.open:
                continue
            if task.pod:
                self.changes.deletions.append(task.pod)
            else:
                task.not_before = ""
                self.finish(task, CANCELED)
        self.run.waiting.clear()

    def _retry(self) -> None:
        if self.run.state not in (FAILED, CANCELED):
            return
        self.run.error = None
        self.run.finished_at = ""
        for task in reset(self.run.root):
            self.set_state(task, task.state)
        self.run.state = PENDING  # It begins in this pass, or waits for others as at first.
