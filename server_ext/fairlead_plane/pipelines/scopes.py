"""Scopes as a whole: what they wait for, how they end, and what a retry takes up again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .records import (
    CACHED,
    CANCELED,
    FAILED,
    PENDING,
    RUNNING,
    SKIPPED,
    SUCCEEDED,
    Task,
    Values,
    failure,
)

Json = Any

_INTERNAL = 13  # google.rpc.Code


def recount(scope: Task) -> None:
    """Count again what a scope and its tasks wait for, from their states alone."""
    scope.open = sum(not task.ended for task in scope.children.values())
    if scope.is_loop:
        scope.idle = sum(task.state == PENDING for task in scope.children.values())
        scope.cursor = 0
    for task in scope.children.values():
        assert task.spec is not None
        if task.iteration is None:
            task.waiting = sum(not scope.children[name].ended for name in task.spec.upstream)
        if task.children:
            recount(task)


def reset(scope: Task) -> Iterator[Task]:
    """Make ready to run again what did not succeed in a scope; yields it.

    What succeeded is left alone, with all that is in it: there, a skipped branch is no failure.
    An iteration waits for its turn, as at first, so that no more run at once than may.
    """
    for task in scope.children.values():
        if task.state not in (FAILED, CANCELED, SKIPPED):
            continue
        task.error = None
        task.failures = task.losses = 0
        task.end_time = task.not_before = task.tried_since = ""
        if task.children and task.iteration is None:
            task.state = RUNNING
        else:
            task.state = PENDING
        if not task.children:
            task.pod = task.start_time = ""
            task.outputs = Values()
            task.iterations = None
        yield task
        yield from reset(task)


def sum_up(scope: Task) -> tuple[str, Json]:
    """Return the state of a scope from those of its tasks, and the error it ends with.

    One in which nothing had to run has succeeded, as on a cluster.
    """
    states = {task.state for task in scope.children.values()}
    if CANCELED in states:
        return CANCELED, None
    if FAILED in states:
        failed = list(_failed(scope))
        first = failed[0].error or failure(_INTERNAL, "no reason is known")
        more = f" ({len(failed) - 1} more failed)" if len(failed) > 1 else ""
        said = first["message"].partition("\n")[0]  # the task itself has the whole traceback
        message = f"Task '{failed[0].path}' failed: {said}{more}"
        return FAILED, failure(first["code"], message, first["details"])
    return (CACHED if states == {CACHED} else SUCCEEDED), None


def _failed(scope: Task) -> Iterator[Task]:
    """Yield what failed in a scope by itself, and not because of what is in it."""
    for task in scope.children.values():
        if task.state == FAILED:
            inside = list(_failed(task))
            yield from inside or [task]
