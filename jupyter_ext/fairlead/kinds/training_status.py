"""How a training job of any kind stands, told from the job and its pods. Pure.

The operators tell it differently: the v1 kinds by conditions that never say Pending, TrainJob by
conditions that never say Running. One state for all is made here, with the reason why something
waits or has failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Json = Mapping[str, Any]

JOB_NAME_LABELS = ("training.kubeflow.org/job-name", "jobset.sigs.k8s.io/jobset-name")
"""Labels of a pod that name its job: of kubeflow.org, and of trainer.kubeflow.org."""

State = Literal["PENDING", "RUNNING", "RESTARTING", "SUSPENDED", "SUCCEEDED", "FAILED"]

_TYPE_LABELS = (
    "training.kubeflow.org/replica-type",
    "training.kubeflow.org/job-role",
    "jobset.sigs.k8s.io/replicatedjob-name",
)
_INDEX_LABELS = (
    "training.kubeflow.org/replica-index",
    "batch.kubernetes.io/job-completion-index",
)
_STATES: dict[str, State] = {
    "Failed": "FAILED",
    "Succeeded": "SUCCEEDED",
    "Complete": "SUCCEEDED",
    "Suspended": "SUSPENDED",
    "Restarting": "RESTARTING",
    "Running": "RUNNING",
}
"""Of a condition that holds; the first that does counts."""
_PHASES: dict[str, State] = {
    "Pending": "PENDING",
    "Running": "RUNNING",
    "Succeeded": "SUCCEEDED",
    "Failed": "FAILED",
}


@dataclass(frozen=True)
class Replica:
    """One pod of a job.

    Attributes
    ----------
    name : str
        Of the pod.
    type : str
        In lower case, `master`, `worker`, `launcher`, `node`.
    index : int
        Among those of its type.
    state : str
        PENDING, RUNNING, SUCCEEDED or FAILED.
    message : str
        Why it waits, or how it failed; empty where neither.
    restarts : int
        Of its containers, together.
    started_at, finished_at : str or None
        RFC 3339.
    """

    name: str
    type: str
    index: int
    state: State
    message: str = ""
    restarts: int = 0
    started_at: str | None = None
    finished_at: str | None = None


@dataclass(frozen=True)
class JobStatus:
    """A job with its replicas.

    Attributes
    ----------
    state : str
        PENDING, RUNNING, RESTARTING, SUSPENDED, SUCCEEDED or FAILED.
    message : str
        Why it waits or has failed; empty where neither.
    wanted : int
        How many replicas it asks for.
    replicas : tuple of Replica
        Those that there are, in the order of type and index.
    """

    state: State
    message: str
    wanted: int
    created_at: str | None
    started_at: str | None
    finished_at: str | None
    replicas: tuple[Replica, ...] = field(default=())

    @property
    def running(self) -> int:
        """How many replicas run."""
        return sum(replica.state == "RUNNING" for replica in self.replicas)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self) | {"replicas": [asdict(replica) for replica in self.replicas]}


def job_status(job: Json, pods: Iterable[Json]) -> JobStatus:
    """Tell how a job stands.

    Parameters
    ----------
    job : mapping
        The object, of any training kind.
    pods : iterable of mapping
        Pods of its namespace; those that are not its own are left out.
    """
    own = (replica_of(pod) for pod in pods if is_pod_of(pod, job))
    replicas = tuple(sorted(own, key=lambda one: (_order(one.type), one.type, one.index)))
    status = job.get("status") or {}
    conditions = {
        each["type"]: each for each in status.get("conditions") or () if each["status"] == "True"
    }
    state: State = next((_STATES[name] for name in _STATES if name in conditions), "PENDING")
    if state == "PENDING" and any(one.state == "RUNNING" for one in replicas):
        state = "RUNNING"
    end: Json = next(
        (conditions[n] for n in ("Failed", "Succeeded", "Complete") if n in conditions), {}
    )
    starts = [one.started_at for one in replicas if one.started_at]
    return JobStatus(
        state=state,
        message=_message(state, end, replicas),
        wanted=wanted_replicas(job) or len(replicas),
        created_at=job["metadata"].get("creationTimestamp"),
        started_at=status.get("startTime") or min(starts, default=None),
        finished_at=status.get("completionTime") or end.get("lastTransitionTime"),
        replicas=replicas,
    )


def is_pod_of(pod: Json, job: Json) -> bool:
    """Tell whether a pod is one of a job's; two kinds may have jobs of one name."""
    metadata, wanted = pod["metadata"], job["metadata"]
    labels = metadata.get("labels") or {}
    if wanted["name"] not in (labels.get(name) for name in JOB_NAME_LABELS):
        return False
    for owner in metadata.get("ownerReferences") or ():
        # Between a pod and a TrainJob or an MPIJob stand a JobSet and a Job.
        if owner.get("controller") and owner["kind"] != "Job":
            return bool(owner["uid"] == wanted.get("uid"))
    # A v1 job has no Job between.
    by_jobset: bool = JOB_NAME_LABELS[1] in labels
    return by_jobset == bool(job["kind"] == "TrainJob")


def replica_of(pod: Json) -> Replica:
    """Tell how a pod of a job stands."""
    labels = pod["metadata"].get("labels") or {}
    status = pod.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or ()), *_main(status)]
    ended = [
        each["state"]["terminated"]
        for each in _main(status)
        if (each.get("state") or {}).get("terminated")
    ]
    state = _PHASES.get(status.get("phase", ""), "PENDING")
    return Replica(
        name=pod["metadata"]["name"],
        type=next((labels[name] for name in _TYPE_LABELS if name in labels), ""),
        index=int(next((labels[name] for name in _INDEX_LABELS if name in labels), 0)),
        state=state,
        message=_why(state, status, containers),
        restarts=sum(each.get("restartCount", 0) for each in containers),
        started_at=status.get("startTime"),
        finished_at=max((one["finishedAt"] for one in ended if one.get("finishedAt")), default=None)
        if state in ("SUCCEEDED", "FAILED")
        else None,
    )


def wanted_replicas(job: Json) -> int:
    """Tell how many replicas a job asks for; 0 where the object does not say."""
    spec = job.get("spec") or {}
    for name, types in spec.items():
        if name.endswith("ReplicaSpecs"):
            return sum((each or {}).get("replicas", 1) for each in types.values())
    jobs = (job.get("status") or {}).get("jobsStatus") or ()
    counted = sum(each.get(name, 0) for each in jobs for name in ("active", "succeeded", "failed"))
    return int((spec.get("trainer") or {}).get("numNodes") or counted)


def exit_words(terminated: Json) -> str:
    """Say how a container ended: its code, and the signal that it stands for."""
    code = terminated.get("exitCode", 0)
    words = f"exit code {code}"
    if terminated.get("reason") == "OOMKilled":
        words += ", out of memory"
    elif code > 128:
        words += f", signal {code - 128}"
    message = str(terminated.get("message") or "").strip()
    return f"{words}: {message}" if message else words


def _main(status: Json) -> list[Json]:
    return list(status.get("containerStatuses") or ())


def _order(kind: str) -> int:
    first = ("launcher", "chief", "master", "scheduler", "server", "ps")
    return first.index(kind) if kind in first else len(first)


def _why(state: State, status: Json, containers: Iterable[Json]) -> str:
    """Say why a pod waits, or how it failed."""
    for each in containers:
        now = each.get("state") or {}
        waiting, terminated = now.get("waiting"), now.get("terminated")
        if state != "FAILED" and waiting and waiting.get("message"):
            return str(waiting["message"])
        if state == "FAILED" and terminated and terminated.get("exitCode"):
            return exit_words(terminated)
    if state == "FAILED":
        return str(status.get("message") or status.get("reason") or "")
    if state == "PENDING":
        for condition in status.get("conditions") or ():
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return str(condition.get("message") or "")
    return ""


def _message(state: State, end: Json, replicas: tuple[Replica, ...]) -> str:
    if state == "FAILED":
        failed = next((one for one in replicas if one.state == "FAILED" and one.message), None)
        reasons = [str(end.get("message") or "")]
        if failed:
            reasons.append(f"{failed.name}: {failed.message}")
        return "\n".join(filter(None, reasons))
    if state in ("PENDING", "RUNNING", "RESTARTING"):
        waits = (one for one in replicas if one.state == "PENDING" and one.message)
        return next((f"{one.name}: {one.message}" for one in waits), "")
    return ""
