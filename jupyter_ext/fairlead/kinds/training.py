"""Manifests of training jobs, of every kind of Kubeflow. Pure: arguments in, manifest out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fairlead.errors import SpecError
from fairlead.kinds.frameworks import TRAINER, V1, TrainingKind, find_kind

Json = dict[str, Any]

MANAGER = "fairlead.dev/train"
"""Owner of the patches of a TrainJob's runtime that are made here."""

NO_SIDECAR = {"sidecar.istio.io/inject": "false"}
"""A mesh's proxy never ends, so a pod with one never completes; and it refuses other ports."""

KUEUE_QUEUE = "kueue.x-k8s.io/queue-name"
"""Label of a job: the LocalQueue of Kueue that it waits in."""

VOLCANO_QUEUE = "scheduling.volcano.sh/queue-name"
"""Annotation of a TrainJob: the queue of Volcano, for which it has no field."""

RUNTIMES = {
    "pytorch": "torch-distributed",
    "jax": "jax-distributed",
    "xgboost": "xgboost-distributed",
    "mpi": "openmpi-distributed",
    "": "plainml-distributed",
}
"""Of a TrainJob, by framework: the names that Kubeflow Trainer gives its runtimes."""

_PATCHABLE = (
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
"""Fields of a pod that a TrainJob may set over its runtime."""

_CONTAINER_PATCHABLE = ("volumeMounts", "securityContext")
_TRAINER_FIELDS = ("image", "command", "args", "env")


@dataclass(frozen=True)
class RunPolicy:
    """What happens to a job around its training; absent where None.

    Attributes
    ----------
    clean_pod_policy : str
        `Running` ends the replicas that are left when the job has ended and keeps those that have
        ended themselves, with their logs; `All`; `None`.
    ttl_seconds_after_finished, active_deadline_seconds, backoff_limit : int or None
        As Kubernetes has them.
    suspend : bool
        Make it without pods; it starts when it is resumed.
    min_available : int or None
        How many pods must fit before any starts; default: all.
    queue, priority_class : str
        Of the scheduler.
    schedule_timeout_seconds : int or None
        How long a gang may wait.
    """

    clean_pod_policy: str = "Running"
    ttl_seconds_after_finished: int | None = None
    active_deadline_seconds: int | None = None
    backoff_limit: int | None = None
    suspend: bool = False
    min_available: int | None = None
    queue: str = ""
    priority_class: str = ""
    schedule_timeout_seconds: int | None = None

    def manifest(self) -> Json:
        """Return it as `runPolicy`."""
        scheduling = _given(
            minAvailable=self.min_available,
            queue=self.queue or None,
            priorityClass=self.priority_class or None,
            scheduleTimeoutSeconds=self.schedule_timeout_seconds,
        )
        return _given(
            cleanPodPolicy=self.clean_pod_policy,
            ttlSecondsAfterFinished=self.ttl_seconds_after_finished,
            activeDeadlineSeconds=self.active_deadline_seconds,
            backoffLimit=self.backoff_limit,
            suspend=self.suspend or None,
            schedulingPolicy=scheduling or None,
        )


@dataclass(frozen=True)
class PodParts:
    """What a job's pods are.

    Attributes
    ----------
    container : mapping
        Fields of the container that trains, without its name.
    spec : mapping
        Further fields of the pods.
    labels, annotations : mapping
        Of the pods.
    lead_container : mapping
        Fields that the container of the leading replica has otherwise; only an MPIJob's launcher
        and an MXJob's scheduler are different.
    """

    container: Mapping[str, Any]
    spec: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    lead_container: Mapping[str, Any] | None = None


def training_job(
    kind: str,
    name: str,
    parts: PodParts,
    *,
    workers: int = 1,
    servers: int = 0,
    evaluator: bool = False,
    elastic: tuple[int, int] | None = None,
    max_restarts: int | None = None,
    processes: int | str | None = None,
    restart_policy: str = "",
    policy: RunPolicy | None = None,
    runtime: str = "",
    api_version: str = "",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Json:
    """Build the manifest of a training job.

    Parameters
    ----------
    kind : str
        `PyTorchJob`, or its framework; see `find_kind`.
    name : str
        Of the object.
    workers : int
        Replicas that train, all together: of a PyTorchJob or XGBoostJob the first is the Master.
    servers : int
        Parameter servers beside them, for TFJob, PaddleJob and MXJob.
    evaluator : bool
        A TFJob's Evaluator beside them.
    elastic : tuple of int, optional
        Least and most workers of a PyTorchJob or PaddleJob that may change its size. It has no
        Master then.
    max_restarts : int, optional
        How often an elastic job may start its workers anew.
    processes : int or str, optional
        Processes in each replica: `nprocPerNode`, `numProcPerNode`, `slotsPerWorker`.
    restart_policy : str, optional
        `Never`, `OnFailure`, `Always` or `ExitCode`; default: that of the kind.
    runtime : str, optional
        Of a TrainJob; default: `torch-distributed`.
    api_version : str, optional
        Of an MPIJob: `kubeflow.org/v1` for the training operator's; default: `v2beta1`.
    labels, annotations : mapping, optional
        Of the job.

    Raises
    ------
    SpecError
        The kind cannot do what is asked; the message names the argument.
    """
    found = find_kind(kind)
    _check(found, workers, servers, evaluator, elastic, processes)
    metadata = _given(name=name, labels=dict(labels or {}) or None)
    policy = policy or RunPolicy()
    noted = dict(annotations or {})
    if policy.queue and found.api_version == TRAINER:
        noted[VOLCANO_QUEUE] = policy.queue
    if noted:
        metadata["annotations"] = noted
    version = api_version or found.api_version
    job: Json = {"apiVersion": version, "kind": found.kind, "metadata": metadata}
    if found.api_version == TRAINER:
        job["spec"] = _train_job(parts, workers, processes, policy, runtime, restart_policy)
        return job
    if found.kind != "MPIJob" and version != found.api_version:
        raise SpecError(f"api_version: {found.kind} has no version {version}.")
    replicas = _replicas(found, workers, servers, evaluator, elastic)
    spec: Json = {
        found.spec_key: {
            each: _replica(found, each, count, parts, restart_policy)
            for each, count in replicas.items()
        },
        "runPolicy": policy.manifest(),
    }
    if found.kind == "PyTorchJob" and processes is not None:
        spec["nprocPerNode"] = str(processes)
    if found.kind == "MPIJob":
        spec["slotsPerWorker"] = int(processes or 1)
        if version == V1:
            spec["mainContainer"] = found.container
    if found.kind == "MXJob":
        spec["jobMode"] = "MXTrain"
    if elastic:
        least, most = elastic
        spec["elasticPolicy"] = _given(
            minReplicas=least,
            maxReplicas=most,
            maxRestarts=max_restarts,
            rdzvBackend="c10d" if found.kind == "PyTorchJob" else None,
        )
    job["spec"] = spec
    return job


def _check(
    kind: TrainingKind,
    workers: int,
    servers: int,
    evaluator: bool,
    elastic: tuple[int, int] | None,
    processes: int | str | None,
) -> None:
    if workers < 1:
        raise SpecError(f"workers: {workers} is less than 1.")
    if servers < 0 or (servers and not kind.servers):
        raise SpecError(
            f"servers: a {kind.kind} has no parameter servers."
            if servers > 0
            else f"servers: {servers} is less than 0.",
            hint="TFJob, PaddleJob and MXJob have.",
        )
    if evaluator and kind.kind != "TFJob":
        raise SpecError(f"evaluator: a {kind.kind} has none.", hint="TFJob has.")
    if elastic is not None:
        if kind.kind not in ("PyTorchJob", "PaddleJob"):
            raise SpecError(
                f"elastic: a {kind.kind} cannot change its size.",
                hint="PyTorchJob and PaddleJob can.",
            )
        if not 1 <= elastic[0] <= workers <= elastic[1]:
            raise SpecError(
                f"elastic: {workers} workers are not within {elastic[0]} to {elastic[1]}.",
                hint="elastic=(least, most), with the number to begin with in `workers`.",
            )
    if processes is not None and kind.kind not in ("PyTorchJob", "MPIJob", "TrainJob"):
        raise SpecError(
            f"processes: a {kind.kind} has one process in each replica.",
            hint="Ask for more workers.",
        )
    if isinstance(processes, str) and kind.kind != "PyTorchJob":
        raise SpecError(f"processes: a {kind.kind} takes a number, not '{processes}'.")


def _replicas(
    kind: TrainingKind,
    workers: int,
    servers: int,
    evaluator: bool,
    elastic: tuple[int, int] | None,
) -> dict[str, int]:
    """Return how many replicas there are of each type."""
    found: dict[str, int] = {}
    if kind.lead and not elastic:
        found[kind.lead] = 1
        workers -= kind.counted
    if servers:
        found[kind.servers] = servers
    if workers:
        found["Worker"] = workers
    if evaluator:
        found["Evaluator"] = 1
    return found


def _replica(kind: TrainingKind, of: str, count: int, parts: PodParts, restart_policy: str) -> Json:
    container = dict(parts.container)
    if of == kind.lead and parts.lead_container is not None:
        container = {**container, **parts.lead_container}
        container = {name: value for name, value in container.items() if value is not None}
    elif kind.kind == "MPIJob" and of != kind.lead:
        # Its workers wait for the launcher, which says what runs on them.
        container.pop("command", None)
        container.pop("args", None)
    if container.get("image", "") == "":
        container["image"] = kind.image
    metadata = _given(
        labels=dict(parts.labels) or None, annotations={**NO_SIDECAR, **parts.annotations}
    )
    replica: Json = {"replicas": count}
    if restart_policy:
        replica["restartPolicy"] = restart_policy
    spec = {"containers": [{"name": kind.container, **container}], **parts.spec}
    replica["template"] = {"metadata": metadata, "spec": spec}
    return replica


def _train_job(
    parts: PodParts,
    workers: int,
    processes: int | str | None,
    policy: RunPolicy,
    runtime: str,
    restart_policy: str,
) -> Json:
    absent = {
        "ttl_seconds_after_finished": policy.ttl_seconds_after_finished is not None,
        "backoff_limit": policy.backoff_limit is not None,
        "min_available": policy.min_available is not None,
        "schedule_timeout_seconds": policy.schedule_timeout_seconds is not None,
        "priority_class": bool(policy.priority_class),
        "restart_policy": bool(restart_policy),
    }
    for name, asked in absent.items():
        if asked:
            raise SpecError(
                f"{name}: a TrainJob has no such field.", hint="It is its runtime that says so."
            )
    container = dict(parts.container)
    trainer = {name: container.pop(name) for name in _TRAINER_FIELDS if container.get(name)}
    trainer["numNodes"] = workers
    if processes is not None:
        trainer["numProcPerNode"] = processes
    if resources := container.pop("resources", None):
        trainer["resourcesPerNode"] = resources
    pod = {name: value for name, value in parts.spec.items() if value}
    for name in (*container, *pod):
        if name not in (*_CONTAINER_PATCHABLE, *_PATCHABLE, *_TRAINER_FIELDS):
            raise SpecError(
                f"{name}: a TrainJob cannot set it over its runtime.",
                hint="Make a TrainingRuntime that has it.",
            )
    patched = {name: container[name] for name in _CONTAINER_PATCHABLE if container.get(name)}
    if patched:
        pod["containers"] = [{"name": "node", **patched}]
    metadata = _given(
        labels=dict(parts.labels) or None, annotations={**NO_SIDECAR, **parts.annotations}
    )
    template = _given(metadata=metadata, spec=pod or None)
    return _given(
        runtimeRef={"name": runtime or RUNTIMES["pytorch"]},
        trainer=trainer,
        suspend=policy.suspend or None,
        activeDeadlineSeconds=policy.active_deadline_seconds,
        runtimePatches=[patch_of(template)],
    )


def patch_of(template: Mapping[str, Any], jobs: Sequence[str] = ("node",)) -> Json:
    """Return a patch of the pods of some of a runtime's jobs, as a TrainJob has them."""
    replicated = [{"name": job, "template": {"spec": {"template": template}}} for job in jobs]
    return {
        "manager": MANAGER,
        "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": replicated}}},
    }


def _given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
