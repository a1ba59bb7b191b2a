"""What the engine is told, what it asks, and what it decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .model import Executor
from .records import Artifact, Task, Values

Json = Any


@dataclass(frozen=True, slots=True)
class Started:
    """The pod of a task runs."""

    task_id: str
    pod: str
    at: str


@dataclass(frozen=True, slots=True)
class Held:
    """The pod of a task cannot run yet."""

    task_id: str
    pod: str
    reason: str
    """What it waits for, in words."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The pod of a task has ended, or is gone."""

    task_id: str
    pod: str
    at: str
    ok: bool
    outputs: Values
    error: Json = None
    lost: bool = False
    """The node lost the process; it is no fault of the task."""
    stopped: bool = False
    """The node was shut down, or the pod deleted; the task starts again, however often."""
    alive: bool = False
    """The pod is still there, and would wait for ever: it is to be deleted."""
    started_at: str = ""


@dataclass(frozen=True, slots=True)
class Terminate:
    """Somebody asks the run to stop."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Somebody asks an ended run to try again what did not succeed."""


@dataclass(frozen=True, slots=True)
class Resume:
    """The engine has started and read the run back."""


@dataclass(frozen=True, slots=True)
class Due:
    """The time is over that some tasks waited to be tried again."""

    at: str
    """RFC 3339; of those that waited until then or before."""


Event = Started | Held | Ended | Terminate | Retry | Resume | Due


@dataclass(frozen=True, slots=True)
class CacheHit:
    """Outputs that an earlier task with the same key left, unchanged."""

    outputs: Values
    origin: str
    """The earlier task, in words."""


@dataclass(frozen=True, slots=True)
class Cache:
    """What the engine asks of what is known from before."""

    key: Callable[[Task, Executor], str]
    find: Callable[[str], CacheHit | str]
    """Returns a hit, or in words why there is none."""
    imported: Callable[[Artifact, bool], Artifact] = lambda artifact, reimport: artifact
    """Takes an artifact that is imported, and whether it must be a new one; returns the one that
    is known of it, or the same with what its file says."""


@dataclass(slots=True)
class Changes:
    """What one pass decided; to be committed as one."""

    tasks: dict[str, Task] = field(default_factory=dict)
    """All tasks that changed, by id."""
    created: list[Task] = field(default_factory=list)
    started: list[Task] = field(default_factory=list)
    """Tasks whose inputs are now known."""
    restarted: list[Task] = field(default_factory=list)
    """Those of them that had been started before."""
    launches: list[Task] = field(default_factory=list)
    """Tasks that need a pod."""
    deletions: list[str] = field(default_factory=list)
    """Pods to delete."""
    artifacts: list[Artifact] = field(default_factory=list)
    """New ones."""
    ended: list[Task] = field(default_factory=list)
    """Tasks whose outputs are now known; they may fill the cache."""
    run: bool = False
    """The run's own state changed."""

    def __bool__(self) -> bool:
        return bool(self.tasks or self.run or self.deletions)
