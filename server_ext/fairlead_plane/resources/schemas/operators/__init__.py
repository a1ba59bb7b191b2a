"""Schemas and columns of the operators' kinds that the plane serves itself.

As the CustomResourceDefinitions of the operators say them, in short: a file per group. Parts that
are Kubernetes' own, such as a pod template, are references to the built-in definitions. What the
definitions say in CEL is said in Python, in `validation_training`, since the engine of CEL is not
there for every Python.
"""

from __future__ import annotations

from functools import cache

from ...kinds import TRAINING_JOBS, Json, Kind
from ..schema import Schema, crd_schema

_COLUMNS: dict[tuple[str, str], tuple[tuple[str, str, str], ...]] = {
    ("jobset.x-k8s.io", "JobSet"): (
        ("TerminalState", "string", ".status.terminalState"),
        ("Restarts", "string", ".status.restarts"),
        ("Completed", "string", '.status.conditions[?(@.type=="Completed")].status'),
        ("Suspended", "string", ".spec.suspend"),
        ("Age", "date", ".metadata.creationTimestamp"),
    ),
    ("kubeflow.org", "MPIJob"): (
        ("Age", "date", ".metadata.creationTimestamp"),
        ("State", "string", ".status.conditions[-1:].type"),
    ),
    ("trainer.kubeflow.org", "TrainJob"): (
        ("State", "string", ".status.conditions[-1:].type"),
        ("Age", "date", ".metadata.creationTimestamp"),
    ),
}
"""Of a group and kind: name, type and path of each column, as `additionalPrinterColumns`."""


@cache
def operator_schema(kind: Kind) -> Schema | None:
    """Return the schema of an operator's kind; None for other kinds."""
    if not kind.custom:
        return None
    # Imported here: each is built when the first object of its group is read.
    if kind.kind == "MPIJob":
        from . import mpi as group
    elif kind.group == "jobset.x-k8s.io":
        from . import jobset as group  # type: ignore[no-redef]
    elif kind.group == "trainer.kubeflow.org":
        from . import trainer as group  # type: ignore[no-redef]
    elif kind.group == "kubeflow.org":
        from . import training as group  # type: ignore[no-redef]
    else:
        return None
    raw = group.schemas().get((kind.version, kind.kind))
    return None if raw is None else crd_schema(raw)


def operator_columns(kind: Kind) -> list[Json]:
    """Return the columns that `kubectl get` shows of a kind, as a definition has them."""
    found = _COLUMNS.get((kind.group, kind.kind), ())
    if kind in TRAINING_JOBS:
        found = _COLUMNS["trainer.kubeflow.org", "TrainJob"]
    return [{"name": name, "type": type, "jsonPath": path} for name, type, path in found]
