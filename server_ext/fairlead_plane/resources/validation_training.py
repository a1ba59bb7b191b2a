"""Rules about training objects that the operators' definitions say in CEL, worded alike."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .causes import required, unsupported, wrong
from .errors import Cause
from .kinds import Json

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.+")
_MANAGERS = ("trainer.kubeflow.org/trainjob-controller", "kueue.x-k8s.io/multikueue")
_FIXED = {
    "activeDeadlineSeconds": "integer",
    "initializer": "object",
    "managedBy": "string",
    "runtimeRef": "object",
    "trainer": "object",
}
"""Fields of a TrainJob that do not change, and their types."""
_POLICIES = ("torch", "mpi", "jax", "xgboost", "flux")


def check_train_job(train_job: Json, existing: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a TrainJob, or with what an update changes."""
    name = train_job["metadata"].get("name", "")
    if not _NAME.fullmatch(name):
        yield wrong("<nil>", "object", "metadata.name must match RFC 1035 DNS label format")
    if len(name) > 63:
        yield wrong("<nil>", "object", "metadata.name must be no more than 63 characters")
    if "spec" not in train_job:
        yield required("spec", "")
    spec = train_job.get("spec") or {}
    for step in ("dataset", "model"):
        uri = ((spec.get("initializer") or {}).get(step) or {}).get("storageUri")
        if uri and not _URI.fullmatch(uri):
            text = "storageUri may be empty, or it must be a valid URI (scheme://...)"
            yield wrong(f"spec.initializer.{step}.storageUri", "string", text)
    manager = spec.get("managedBy")
    if manager is not None and manager not in _MANAGERS:
        text = f"ManagedBy must be {' or '.join(_MANAGERS)} if set"
        yield wrong("spec.managedBy", "string", text)
    if existing is not None:
        before = existing.get("spec") or {}
        for field, type in _FIXED.items():
            if field in spec and field in before and spec[field] != before[field]:
                yield wrong(f"spec.{field}", type, "field is immutable")
        if (status := train_job.get("status")) and "trainerStatus" in status:
            if "lastUpdatedTime" not in (status["trainerStatus"] or {}):
                text = "lastUpdatedTime is required when trainerStatus is present"
                yield wrong("status.trainerStatus", "object", text)


def check_runtime(runtime: Json, existing: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a TrainingRuntime or a ClusterTrainingRuntime."""
    if "spec" not in runtime:
        yield required("spec", "")
    spec = runtime.get("spec") or {}
    policy = spec.get("mlPolicy") or {}
    if sum(policy.get(name) is not None for name in _POLICIES) > 1:
        yield wrong("spec.mlPolicy", "object", "Only one of the policy can be configured")
    template = (spec.get("template") or {}).get("spec") or {}
    for index, job in enumerate(template.get("replicatedJobs") or ()):
        if job.get("replicas", 1) != 1:
            at = f"spec.template.spec.replicatedJobs[{index}].replicas"
            yield wrong(at, job["replicas"], "always must be 1")
    yield from _startup("spec.template.spec", template)


def check_jobset(jobset: Json, existing: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a JobSet, or with what an update changes."""
    if "spec" not in jobset:
        yield required("spec", "")
    spec = jobset.get("spec") or {}
    yield from _startup("spec", spec)
    if existing is not None:
        for field in ("failurePolicy", "network", "startupPolicy", "successPolicy"):
            before = existing["spec"].get(field)
            if field in spec and before is not None and spec[field] != before:
                yield wrong(f"spec.{field}", "object", "Value is immutable")


def check_mpi_job(job: Json, existing: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with an MPIJob."""
    at, specs = "spec.mpiReplicaSpecs", (job.get("spec") or {}).get("mpiReplicaSpecs") or {}
    types = {key.lower(): (key, spec or {}) for key, spec in specs.items()}
    for name, (key, spec) in types.items():
        if name not in ("launcher", "worker"):
            yield unsupported(at, key, ("Launcher", "Worker"))
        elif not ((spec.get("template") or {}).get("spec") or {}).get("containers"):
            yield required(
                f"{at}[{key}].template.spec.containers", "must define at least one container"
            )
    if "launcher" not in types:
        yield required(f"{at}[Launcher]", "must have Launcher replica spec")
    elif types["launcher"][1].get("replicas", 1) != 1:
        key, spec = types["launcher"]
        yield wrong(f"{at}[{key}].replicas", spec["replicas"], "must be 1")


def _startup(path: str, spec: Json) -> Iterator[Cause]:
    order = (spec.get("startupPolicy") or {}).get("startupPolicyOrder")
    if order == "InOrder" and any("dependsOn" in job for job in spec.get("replicatedJobs") or ()):
        yield wrong(path, "object", "StartupPolicy and DependsOn APIs are mutually exclusive")
