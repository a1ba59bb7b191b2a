"""The workspace of a run: a volume that all its tasks may share (`pipelineConfig.workspace`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from ..resources import PVC, WORKFLOW, Transaction
from .model import WORKSPACE_PATH, Workspace
from .platform_volumes import claim_spec
from .problems import Reader
from .records import Run, Task

Json = Any

_VOLUME = "kfp-workspace"


def read_workspace(value: Json, path: str, reader: Reader) -> Workspace | None:
    """Read a `WorkspaceConfig`; None when there is none."""
    if not value:
        return None
    spec = reader.mapping(value, path)
    reader.fields(spec, path, ("size", "kubernetes"))
    size = reader.string(spec.get("size"), f"{path}.size")
    if not size:
        reader.problem(f"{path}.size", "is required")
    kubernetes = reader.mapping(spec.get("kubernetes"), f"{path}.kubernetes")
    patch = reader.mapping(kubernetes.get("pvcSpecPatch"), f"{path}.kubernetes.pvcSpecPatch")
    modes = reader.strings(patch.get("accessModes"), f"{path}.kubernetes.pvcSpecPatch.accessModes")
    return Workspace(size, tuple(modes), patch.get("storageClassName"))


def uses_workspace(run: Run, task: Task) -> bool:
    """Say whether a task is given a path or an artifact in the run's workspace."""
    if run.pipeline.workspace is None:
        return False
    inputs = task.inputs
    if WORKSPACE_PATH.encode() in orjson.dumps(inputs.parameters):
        return True
    return any(
        WORKSPACE_PATH in one.uri or one.metadata.get("_kfp_workspace")
        for artifacts in inputs.artifacts.values()
        for one in artifacts
    )


def ensure_claim(transaction: Transaction, run: Run, notice: Callable[[str], None]) -> str:
    """Make the claim of a run's workspace unless it is there, and return its name.

    It goes when the run is deleted.
    """
    wanted = run.pipeline.workspace
    assert wanted is not None
    name = f"{run.workflow}-{_VOLUME}"
    if transaction.find(PVC, name, run.namespace) is None:
        transaction.create(
            {
                "apiVersion": PVC.api_version,
                "kind": PVC.kind,
                "metadata": {
                    "name": name,
                    "namespace": run.namespace,
                    "ownerReferences": [
                        {
                            "apiVersion": WORKFLOW.api_version,
                            "kind": WORKFLOW.kind,
                            "name": run.workflow,
                            "uid": run.workflow_uid,
                        }
                    ],
                },
                "spec": claim_spec(
                    list(wanted.access_modes), wanted.size, wanted.storage_class, notice
                ),
            }
        )
    return name
