"""What `pipelineConfig` of the platform spec says of a run as a whole.

Source: message `PipelineConfig` of `api/v2alpha1/pipeline_spec.proto` of kubeflow/pipelines, with
the fields that it had in kfp 2.14 and 2.15; meaning: its Argo compiler, which makes the spec of a
Workflow of them (`activeDeadlineSeconds`, `ttlStrategy`, `synchronization`).
"""

from __future__ import annotations

from typing import Any

from .model import RunConfig
from .problems import Reader

Json = Any

_MOST = 2**31 - 1
_VERSION_LIMITS = ("pipelineVersionConcurrencyLimit", "maxActiveRuns", "pipelineRunParallelism")
"""One thing, in three releases."""
_NUMBERS = (
    "activeDeadlineSeconds", "resourceTtlOnCompletion", "resourceTtlOnSuccess",
    "resourceTtlOnFailure", *_VERSION_LIMITS,
)  # fmt: skip
_TEXTS = ("semaphoreKey", "mutexName")


def read_config(config: dict[str, Json], path: str, reader: Reader) -> RunConfig:
    """Read a `PipelineConfig` but for its workspace."""
    reader.fields(config, path, ("workspace", *_NUMBERS, *_TEXTS))
    found = {name: _number(config.get(name), f"{path}.{name}", reader) for name in _NUMBERS}
    semaphore, mutex = (reader.string(config.get(name), f"{path}.{name}") for name in _TEXTS)
    ended = found["resourceTtlOnCompletion"]
    return RunConfig(
        deadline_s=found["activeDeadlineSeconds"],
        ttl_success_s=found["resourceTtlOnSuccess"] or ended or None,
        ttl_failure_s=found["resourceTtlOnFailure"] or ended or None,
        semaphore=semaphore.strip(),
        mutex=mutex.strip(),
        version_limit=next((found[name] for name in _VERSION_LIMITS if found[name]), 0),
    )


def _number(value: Json, path: str, reader: Reader) -> int:
    """Return a whole number; 0 says nothing, as in protobuf."""
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    if value is None or (whole and 0 <= value <= _MOST):
        return int(value or 0)
    reader.problem(path, "must be a whole number, 0 or more")
    return 0
