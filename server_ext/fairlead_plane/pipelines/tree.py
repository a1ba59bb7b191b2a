"""The tree of a run's tasks while it grows: scopes are begun, loops go round, tasks end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from fairlead.errors import SpecError

from .events import Changes
from .inputs import collect_outputs
from .iterate import iteration_inputs, loop_items
from .model import TaskSpec
from .records import (
    CACHED,
    CANCELED,
    FAILED,
    PASSED,
    PENDING,
    RUNNING,
    SUCCEEDED,
    Run,
    Task,
    Values,
    failure,
    task_id,
)
from .scopes import sum_up

Json = Any

INVALID_ARGUMENT, UNAVAILABLE = 3, 14  # google.rpc.Code
MAX_TASKS = 100_000
"""A loop that would give a run more of them fails, before it fills the disk."""


class Tree:
    """The tasks of a run, and what one pass changes of them.

    Parameters
    ----------
    run : Run
        Changed in place.
    clock : callable
        Returns the time, RFC 3339.
    changes : Changes
        Added to.

    Attributes
    ----------
    ready : deque of Task
        Tasks that nothing keeps from starting any more; some may be in it twice.
    """

    def __init__(self, run: Run, clock: Callable[[], str], changes: Changes) -> None:
        self.run = run
        self.clock = clock
        self.changes = changes
        self.ready: deque[Task] = deque()
        self._fed: set[str] = set()

    def enter(self, scope: Task) -> None:
        """Make the tasks of a scope."""
        dag = scope.component.dag
        assert dag is not None
        scope.open = len(dag.tasks)
        for name, spec in dag.tasks.items():
            task = self._create(scope, name, spec)
            task.waiting = len(spec.upstream)
            if not task.waiting:
                self.ready.append(task)

    def begin_scope(self, scope: Task) -> None:
        """Let a scope or loop run, whose inputs are known; one begun before goes on."""
        self.started_now(scope)
        self.set_state(scope, RUNNING)
        if scope.children:
            self.ready_in(scope)
        elif scope.is_loop:
            self._iterate(scope)
        else:
            self.enter(scope)

    def _iterate(self, loop: Task) -> None:
        """Make the iterations of a loop, whose inputs are known."""
        assert loop.spec is not None
        items = loop_items(loop)
        if len(self.run.tasks) + len(items) > MAX_TASKS:
            raise SpecError(
                f"The loop has {len(items)} items, and a run {MAX_TASKS} tasks at most, "
                f"of which there are {len(self.run.tasks)} already."
            )
        loop.iterations = loop.open = loop.idle = len(items)
        for index, item in enumerate(items):
            iteration = self._create(loop, str(index), loop.spec)
            iteration.iteration = index
            iteration.inputs = iteration_inputs(loop, item)
            self.changes.started.append(iteration)
        if items:
            self._feed(loop)
        else:
            self.close(loop)

    def _feed(self, loop: Task) -> None:
        """Begin iterations of a loop until as many run as may."""
        assert loop.spec is not None
        assert loop.spec.iterator is not None
        limit = loop.spec.iterator.limit or loop.open
        # An iteration that ends at once asks for the next, which is begun here all the same.
        if self.run.stopping or loop.task_id in self._fed:
            return
        self._fed.add(loop.task_id)
        while loop.idle and loop.open - loop.idle < limit:
            iteration = loop.children[str(loop.cursor)]
            loop.cursor += 1
            if iteration.state == PENDING:
                loop.idle -= 1
                self.begin_scope(iteration)
        self._fed.remove(loop.task_id)

    def _create(self, scope: Task, name: str, spec: TaskSpec) -> Task:
        path = f"{scope.path}.{name}" if scope.path else name
        now = self.clock()
        task = Task(
            task_id(self.run.run_id, path), name, path, spec.component, spec, scope,
            create_time=now,
        )  # fmt: skip
        task.history.append({"update_time": now, "state": PENDING})
        scope.children[name] = task
        self.run.tasks[task.task_id] = task
        self.changes.created.append(task)
        self.changes.tasks[task.task_id] = task
        return task

    def ready_in(self, scope: Task) -> None:
        """Queue what waits for nothing, and close scopes in which nothing is left to do."""
        if not scope.open:
            self.close(scope)
            return
        for task in list(scope.children.values()):
            if task.ended:
                continue
            if task.children and task.state == RUNNING:
                self.ready_in(task)
            elif task.not_before:
                self.run.waiting[task.task_id] = task
            elif task.iteration is None and not task.pod and not task.waiting:
                self.ready.append(task)
        if scope.is_loop and not scope.ended:
            self._feed(scope)

    def finish(self, task: Task, state: str, error: Json = None) -> None:
        """End a task, and tell those that wait for it."""
        if error is not None:
            task.error = error
        task.end_time = self.set_state(task, state, error)
        self.changes.ended.append(task)
        scope = task.parent
        assert scope is not None
        scope.open -= 1
        if not scope.open:
            self.close(scope)
        elif task.iteration is not None:
            self._feed(scope)
        else:
            assert scope.component.dag is not None
            for name in scope.component.dag.downstream[task.name]:
                below = scope.children[name]
                below.waiting -= 1
                if not below.waiting:
                    self.ready.append(below)

    def close(self, scope: Task) -> None:
        """End a scope whose tasks have all ended."""
        state, error = sum_up(scope)
        if scope.parent is not None:
            try:
                scope.outputs = collect_outputs(scope)
            except SpecError as problem:
                scope.outputs = Values()
                if state in PASSED:
                    state, error = FAILED, failure(INVALID_ARGUMENT, problem.what)
            self.finish(scope, state, error)
            return
        run = self.run
        if state == CANCELED and run.error is not None:
            state, error = FAILED, run.error  # It was stopped for that.
        run.error = error
        run.finished_at = self.set_run_state(SUCCEEDED if state == CACHED else state, error)

    def wait_for(self, what: str) -> None:
        """Note what the run waits for before it begins."""
        error = failure(UNAVAILABLE, what)
        if self.run.history and self.run.history[-1].get("error") == error:
            return
        self.set_run_state(PENDING, error)

    def started_now(self, task: Task) -> None:
        """Note when a task began, unless that is known."""
        task.start_time = task.start_time or self.clock()

    def set_state(self, task: Task, state: str, error: Json = None) -> str:
        """Set the state of a task; returns the time."""
        task.state = state
        self.changes.tasks[task.task_id] = task
        return self._note(task.history, state, error)

    def set_run_state(self, state: str, error: Json = None) -> str:
        """Set the state of the run; returns the time."""
        self.run.state = state
        self.changes.run = True
        return self._note(self.run.history, state, error)

    def _note(self, history: list[Json], state: str, error: Json) -> str:
        now = self.clock()
        entry = {"update_time": now, "state": state}
        history.append(entry if error is None else {**entry, "error": error})
        return now
