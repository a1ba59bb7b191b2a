"""What differs between the kinds of the training operator, as data and pure functions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...resources import Json, Kind
from ...resources.validation_training_jobs import SHAPES, Shape, fold_type

Values = dict[str, Any]
"""Variables by name: text, or a dict that is the `valueFrom` of one."""


class Address(NamedTuple):
    """Where a replica is reached on this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


Addresses = Mapping[tuple[str, int], Address]
"""By replica type and index: every replica that the job asks for."""


class Counts(NamedTuple):
    """The replicas of one type."""

    wanted: int
    active: int
    succeeded: int
    failed: int


class Progress(NamedTuple):
    """How far a job is."""

    counts: dict[str, Counts]
    """By type."""
    first_worker_done: bool
    """True when the pod of worker 0 has succeeded."""


@dataclass(frozen=True)
class Contract:
    """What one kind of job promises to its replicas.

    Attributes
    ----------
    kind : Kind
        The kind.
    port_name, port : str, int
        The port through which replicas meet on a cluster; here each has one of its own.
    restart_policy : str
        Of replicas that name none.
    succeeded, running : callable
        From the job and its progress: whether it is done, and whether it runs.
    environment : callable
        From job, type, index and addresses to the variables of one replica.
    extra : callable
        The same, for the names that the other generation of the operator gives; set only where
        the manifest does not set them.
    master : callable
        From the types that there are, a type and an index: whether this replica has the role
        `master`.
    qualified : bool
        True where the operator's messages name the namespace, too.
    main_only : bool
        True: only the container that is named for the framework gets the variables.
    """

    kind: Kind
    port_name: str
    port: int
    restart_policy: str
    succeeded: Callable[[Json, Progress], bool]
    running: Callable[[Json, Progress], bool]
    environment: Callable[[Json, str, int, Addresses], Values]
    extra: Callable[[Json, str, int, Addresses], Values] = lambda *_: {}
    master: Callable[[set[str], str, int], bool] = lambda types, type, index: type == "Master"
    qualified: bool = False
    main_only: bool = False

    @property
    def shape(self) -> Shape:
        """Its replica types."""
        return SHAPES[self.kind.kind]

    def replicas(self, job: Json) -> dict[str, Json]:
        """Return the replica specs of a job by type, defaults in place, in the order of types."""
        given = {
            fold_type(self.shape, key): spec or {}
            for key, spec in job["spec"][self.shape.key].items()
        }
        defaults = {"replicas": 1, "restartPolicy": self.restart_policy}
        return {
            type: {**defaults, **{k: v for k, v in given[type].items() if v not in (None, "")}}
            for type in self.shape.types
            if type in given
        }


def loopback(index: int) -> str:
    """Return an address of this machine alone, another one for each index where there are many."""
    if sys.platform != "linux":
        return "127.0.0.1"
    return f"127.0.{index // 250}.{index % 250 + 1}"


def decider(*types: str) -> Callable[[Progress], Counts]:
    """Return what finds the replicas that decide: of the first type that a job has, or workers."""

    def find(progress: Progress) -> Counts:
        counts = progress.counts
        return counts.get(next((each for each in types if each in counts), "Worker"), _NONE)

    return find


_NONE = Counts(0, 0, 0, 0)


def all_done(*types: str) -> Callable[[Json, Progress], bool]:
    """Return the rule that a job is done when its deciding replicas are; see `decider`."""
    find = decider(*types)
    return lambda job, progress: find(progress).succeeded >= find(progress).wanted > 0


def any_active(*types: str) -> Callable[[Json, Progress], bool]:
    """Return the rule that a job runs when one of its deciding replicas does; see `decider`."""
    find = decider(*types)
    return lambda job, progress: find(progress).active > 0
