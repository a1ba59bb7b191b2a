"""How often, and after what wait, a failed task is tried again."""

from __future__ import annotations

import math
from typing import Any

from .clock import later, seconds_between
from .model import RetryPolicy
from .problems import Reader
from .records import Task

Json = Any

_LONGEST_WINDOW_S = 3600.0
_FIELDS = ("maxRetryCount", "backoffDuration", "backoffFactor", "backoffMaxDuration")


def read_policy(value: Json, path: str, reader: Reader) -> RetryPolicy:
    """Read `retryPolicy` of a task."""
    policy = reader.mapping(value, path)
    reader.fields(policy, path, _FIELDS)
    count = _number(policy, "maxRetryCount", path, reader, 0)
    if count % 1:
        reader.problem(f"{path}.maxRetryCount", "must be a whole number, 0 or more")
    window = _duration(policy, "backoffMaxDuration", path, reader)
    return RetryPolicy(
        int(count),
        _duration(policy, "backoffDuration", path, reader),
        _number(policy, "backoffFactor", path, reader, 0) or 2,
        min(window or _LONGEST_WINDOW_S, _LONGEST_WINDOW_S),
    )


def wait_s(task: Task) -> float:
    """Return how many seconds a task waits after the last of its failures."""
    assert task.spec is not None
    policy = task.spec.retry
    try:
        return policy.wait_s * policy.factor ** max(0, task.failures - 1)
    except OverflowError:
        return math.inf


def next_try(task: Task, now: str) -> str | None:
    """Return when a task that has just failed is tried again.

    Parameters
    ----------
    task : Task
        Its `failures` count this one.
    now : str
        When it failed, RFC 3339.

    Returns
    -------
    str or None
        RFC 3339; empty: at once; `None`: no more.
    """
    assert task.spec is not None
    policy = task.spec.retry
    if task.failures > policy.count:
        return None
    wait = wait_s(task)
    since = seconds_between(task.tried_since, now) if task.tried_since else 0
    if since + wait > policy.window_s:
        return None
    return later(now, wait) if wait else ""


def _number(policy: Json, name: str, path: str, reader: Reader, default: float) -> float:
    value = policy.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        words = "a whole number, 0 or more" if name == "maxRetryCount" else "a number, 0 or more"
        reader.problem(f"{path}.{name}", f"must be {words}")
        return default
    return value


def _duration(policy: Json, name: str, path: str, reader: Reader) -> float:
    """Read a duration as protobuf writes it: seconds, as "1.5s"."""
    text = policy.get(name) or "0s"
    try:
        if isinstance(text, str) and text.endswith("s") and 0 <= float(text[:-1]) < 1e9:
            return float(text[:-1])
    except ValueError:
        pass
    reader.problem(f"{path}.{name}", f'must be a duration in seconds, as "60s", not {text!r}')
    return 0.0
