"""Tasks that make or delete a PersistentVolumeClaim: done by the plane itself, without a pod."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from fairlead.errors import SpecError

from ..resources import PVC, Transaction
from .platform_volumes import claim_spec
from .records import Run, Task, Values

Json = Any

_CREATE, _DELETE = "argostub/createpvc", "argostub/deletepvc"
CLAIM_IMAGES = frozenset((_CREATE, _DELETE))
"""Images that stand for these tasks; there is nothing in them to run."""


def perform(
    transaction: Transaction, run: Run, task: Task, notice: Callable[[str], None]
) -> Values:
    """Do what a claim task asks for, and return its outputs.

    Raises
    ------
    SpecError
        The claim is not to be named so, or not there.
    ApiError
        It is refused.
    """
    executor = task.component.executor
    assert executor is not None
    inputs = task.inputs.parameters
    if executor.image == _DELETE:
        name = str(inputs.get("pvc_name") or "")
        if not name or transaction.find(PVC, name, run.namespace) is None:
            raise SpecError(
                f"There is no PersistentVolumeClaim '{name}' in namespace '{run.namespace}'."
            )
        transaction.delete(PVC, name, run.namespace)
        return Values()
    claim = _build(run, inputs, notice)
    name = str(inputs.get("pvc_name") or "")
    if name and task.spec is not None and task.spec.use_cache:
        # On a cluster the run before has left the answer in the cache, with the claim itself.
        known = transaction.find(PVC, name, run.namespace)
        if known is not None and known["spec"].get("volumeName") == claim["spec"].get("volumeName"):
            notice(f"The PersistentVolumeClaim '{name}' is there already; it is taken as it is.")
            return Values({"name": name})
    created = transaction.create(claim)
    return Values({"name": created["metadata"]["name"]})


def _build(run: Run, inputs: dict[str, Json], notice: Callable[[str], None]) -> Json:
    name, suffix = inputs.get("pvc_name") or "", inputs.get("pvc_name_suffix") or ""
    if name and suffix:
        raise SpecError("Give `pvc_name` or `pvc_name_suffix`, not both.")
    storage_class = inputs.get("storage_class_name")
    volume = inputs.get("volume_name")
    spec = claim_spec(inputs["access_modes"], inputs["size"], storage_class or None, notice)
    if volume:
        # One that is there already, made by hand: it has the class that was asked for.
        spec |= {"volumeName": volume, "storageClassName": storage_class or ""}
    if inputs.get("data_source"):
        raise SpecError(
            "`data_source` is not supported by this control plane: it makes no snapshots. "
            "Copy the files in a step."
        )
    return {
        "apiVersion": PVC.api_version,
        "kind": PVC.kind,
        "metadata": {
            "name": name or f"{uuid.uuid4()}{suffix}",
            "namespace": run.namespace,
            "annotations": inputs.get("annotations") or {},
        },
        "spec": spec,
    }
