"""What the training operator's webhooks refuse of the v1 kinds, in their words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .causes import forbidden_field, required, unsupported, wrong
from .errors import Cause
from .kinds import Json

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_NAME_TEXT = (
    "should match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character "
    "(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_MANAGERS = ("kubeflow.org/training-operator", "kueue.x-k8s.io/multikueue")
_POLICIES = ("Always", "OnFailure", "Never", "ExitCode")
_CLEAN = ("All", "Running", "None")


class Shape(NamedTuple):
    """What the replicas of a kind look like.

    Attributes
    ----------
    key : str
        The field of the spec that has them.
    types : tuple of str
        Names of the replica types, those first that others wait for.
    container : str
        The container that each replica must have.
    single : tuple of str
        Types of which there is one.
    needed : tuple of str
        Types that must be there.
    """

    key: str
    types: tuple[str, ...]
    container: str
    single: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


SHAPES = {
    "TFJob": Shape(
        "tfReplicaSpecs", ("Chief", "Master", "PS", "Worker", "Evaluator"), "tensorflow",
        ("Chief", "Master", "Evaluator"),
    ),
    "PyTorchJob": Shape("pytorchReplicaSpecs", ("Master", "Worker"), "pytorch", ("Master",)),
    "PaddleJob": Shape("paddleReplicaSpecs", ("Master", "Worker"), "paddle"),
    "MXJob": Shape(
        "mxReplicaSpecs",
        ("Scheduler", "Server", "Worker", "TunerTracker", "TunerServer", "Tuner"), "mxnet",
        ("Scheduler",),
    ),
    "XGBoostJob": Shape(
        "xgbReplicaSpecs", ("Master", "Worker"), "xgboost", ("Master",), ("Master",)
    ),
    "JAXJob": Shape("jaxReplicaSpecs", ("Worker",), "jax", (), ("Worker",)),
}  # fmt: skip
"""By kind, of kubeflow.org/v1."""


def fold_type(shape: Shape, name: str) -> str:
    """Return the name of a replica type as it is written; keys are taken in any case."""
    return next((each for each in shape.types if each.lower() == name.lower()), name)


def check_training_job(job: Json, existing: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a job of the training operator, or with what an update changes."""
    shape, spec = SHAPES[job["kind"]], job.get("spec") or {}
    name = job["metadata"].get("name", "")
    if name and (not _NAME.fullmatch(name) or len(name) > 63):
        yield wrong("metadata.name", name, _NAME_TEXT)
    yield from _run_policy(spec.get("runPolicy") or {}, existing)
    if spec.get("elasticPolicy") and job["kind"] == "PyTorchJob":
        if spec["elasticPolicy"].get("nProcPerNode") is not None and spec.get("nprocPerNode"):
            text = f"{shape.key} must not be used with spec.elasticPolicy.nProcPerNode"
            yield forbidden_field("spec.nprocPerNode", text)
    at, given = f"spec.{shape.key}", spec.get(shape.key) or {}
    if not given:
        yield required(at, "must be specified")
    found: set[str] = set()
    for key, replica in given.items():
        type, path = fold_type(shape, key), f"{at}[{key}]"
        if type not in shape.types:
            yield unsupported(path, key, shape.types)
            continue
        if type in found:
            yield forbidden_field(path, f"there is {type} in another case beside it")
        found.add(type)
        yield from _replica(shape, type, path, replica or {})
    for type in shape.needed:
        if given and type not in found:
            yield required(f"{at}[{type}]", "must be present")


def _replica(shape: Shape, type: str, path: str, replica: Json) -> Iterator[Cause]:
    count = replica.get("replicas")
    if count is not None and count < 0:
        yield wrong(f"{path}.replicas", count, "must be greater than or equal to 0")
    if type in shape.single and count not in (None, 1):
        yield forbidden_field(f"{path}.replicas", "must be 1")
    policy = replica.get("restartPolicy")
    if policy and policy not in _POLICIES:
        yield unsupported(f"{path}.restartPolicy", policy, _POLICIES)
    inner = f"{path}.template.spec.containers"
    containers = ((replica.get("template") or {}).get("spec") or {}).get("containers") or []
    if not containers:
        yield required(inner, "must be specified")
        return
    for index, container in enumerate(containers):
        if not container.get("image"):
            yield required(f"{inner}[{index}].image", "must be required")
    if all(container.get("name") != shape.container for container in containers):
        yield required(inner, f"must have at least one container with name {shape.container}")


def _run_policy(policy: Json, existing: Json | None) -> Iterator[Cause]:
    at = "spec.runPolicy"
    manager, clean = policy.get("managedBy"), policy.get("cleanPodPolicy")
    if manager and manager not in _MANAGERS:
        yield unsupported(f"{at}.managedBy", manager, _MANAGERS)
    if clean and clean not in _CLEAN:
        yield unsupported(f"{at}.cleanPodPolicy", clean, _CLEAN)
    if existing is None:
        return
    before = (existing.get("spec") or {}).get("runPolicy") or {}
    if before.get("managedBy") != manager:
        yield wrong(f"{at}.managedBy", manager, "field is immutable")
    queue = (policy.get("schedulingPolicy") or {}).get("queue")
    if (before.get("schedulingPolicy") or {}).get("queue", queue) != queue:
        yield wrong(f"{at}.schedulingPolicy.queue", queue, "field is immutable")
