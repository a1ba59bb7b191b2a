"""A training job of the training operator as a TrainJob of Kubeflow Trainer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.errors import SpecError
from fairlead.kinds.frameworks import TRAINER, kind_of
from fairlead.kinds.training import RUNTIMES, PodParts, RunPolicy, training_job

Json = dict[str, Any]

_RUNTIMES = {
    "PyTorchJob": RUNTIMES["pytorch"],
    "JAXJob": RUNTIMES["jax"],
    "XGBoostJob": RUNTIMES["xgboost"],
    "MPIJob": RUNTIMES["mpi"],
}
_POD_FIELDS = (
    "serviceAccountName",
    "nodeSelector",
    "affinity",
    "tolerations",
    "volumes",
    "securityContext",
    "imagePullSecrets",
    "schedulingGates",
    "terminationGracePeriodSeconds",
)
_CONTAINER_FIELDS = (
    "name",
    "image",
    "command",
    "args",
    "env",
    "resources",
    "volumeMounts",
    "securityContext",
)
_LEFT = {
    "TFJob": "no runtime sets TF_CONFIG: the code must be told its cluster",
    "PaddleJob": "no runtime sets the variables of Paddle",
    "MXJob": "no runtime sets the variables of MXNet",
    "JAXJob": "the code sees JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID in "
    "place of COORDINATOR_ADDRESS, NUM_PROCESSES and PROCESS_ID",
    "XGBoostJob": "the code sees DMLC_TRACKER_URI, DMLC_TRACKER_PORT, DMLC_TASK_ID and "
    "DMLC_NUM_WORKER in place of MASTER_ADDR, MASTER_PORT, RANK and WORLD_SIZE",
    "PyTorchJob": "RANK and WORLD_SIZE are set by torchrun alone: the command must begin with it",
}


def to_train_job(job: Mapping[str, Any]) -> tuple[Json, list[str]]:
    """Turn a job of the training operator, or of the MPI operator, into a TrainJob.

    Returns
    -------
    tuple
        The TrainJob, and what of the job has no counterpart or is seen otherwise by its code.

    Raises
    ------
    SpecError
        It is no such job, or its replicas differ in what they run.
    """
    kind = kind_of(str(job.get("kind")))
    if kind is None or kind.api_version == TRAINER:
        raise SpecError(f"A {job.get('kind')} cannot become a TrainJob.")
    spec = job.get("spec") or {}
    replicas = {name: each or {} for name, each in (spec.get(kind.spec_key) or {}).items()}
    if not replicas:
        raise SpecError(f"spec.{kind.spec_key}: there are no replicas.")
    leading = kind.lead if kind.lead in replicas else next(iter(replicas))
    template = replicas[leading].get("template") or {}
    pod = template.get("spec") or {}
    containers = pod.get("containers") or []
    container = next((c for c in containers if c.get("name") == kind.container), None) or next(
        iter(containers), None
    )
    if container is None:
        raise SpecError(f"spec.{kind.spec_key}.{leading}.template.spec: there is no container.")
    warnings = [_LEFT[kind.kind]] if kind.kind in _LEFT and not _is_torchrun(container) else []
    for name, each in replicas.items():
        others = ((each.get("template") or {}).get("spec") or {}).get("containers") or []
        if name != leading and kind.counted and others != containers:
            warnings.append(f"{name}: its containers are those of {leading} now; they differed")
    if kind.servers and kind.servers in replicas:
        warnings.append(f"{kind.servers}: a TrainJob has no parameter servers; they are left out")
    elif kind.kind == "TFJob" and set(replicas) - {"Worker", "Chief", "Master"}:
        warnings.append("Replicas of other types than workers are left out")
    warnings += [
        f"{place}.{name}: left out, a TrainJob cannot set it"
        for place, fields, known in (
            ("pod", pod, (*_POD_FIELDS, "containers", "restartPolicy")),
            ("container", container, (*_CONTAINER_FIELDS, "ports")),
        )
        for name in fields
        if name not in known
    ]
    policy = spec.get("runPolicy") or {}
    warnings += [
        f"runPolicy.{name}: left out, a TrainJob has none"
        for name in policy
        if name not in ("activeDeadlineSeconds", "suspend", "cleanPodPolicy", "managedBy")
    ]
    if spec.get("elasticPolicy"):
        warnings.append("elasticPolicy: left out, a TrainJob does not change its size")
    counted = [kind.lead, "Worker", "Chief", "Master"] if kind.counted else ["Worker"]
    counted = [name for name in counted if name != kind.servers]
    workers = sum(each.get("replicas", 1) for name, each in replicas.items() if name in counted)
    processes = spec.get("nprocPerNode") or spec.get("slotsPerWorker")
    if processes is not None and not str(processes).isdigit():
        processes = None
    metadata = template.get("metadata") or {}
    of = job.get("metadata") or {}
    made = training_job(
        "TrainJob",
        str(of.get("name") or ""),
        PodParts(
            {n: container[n] for n in _CONTAINER_FIELDS[1:] if n in container},
            {name: pod[name] for name in _POD_FIELDS if name in pod},
            labels=metadata.get("labels") or {},
            annotations=metadata.get("annotations") or {},
        ),
        workers=workers or 1,
        processes=int(processes) if processes is not None else None,
        policy=RunPolicy(
            active_deadline_seconds=policy.get("activeDeadlineSeconds"),
            suspend=bool(policy.get("suspend")),
        ),
        runtime=_RUNTIMES.get(kind.kind, RUNTIMES[""]),
        labels=of.get("labels"),
        annotations=of.get("annotations"),
    )
    if namespace := of.get("namespace"):
        made["metadata"]["namespace"] = namespace
    return made, warnings


def _is_torchrun(container: Mapping[str, Any]) -> bool:
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    return bool(words) and str(words[0]).endswith("torchrun")
