"""MPIJob: a launcher that starts processes on its workers."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable
from typing import ClassVar

from ...resources import (
    CONFIG_MAP,
    JOB,
    MPI_JOB,
    MPI_JOB_V2,
    POD,
    SERVICE,
    ApiError,
    Json,
    Kind,
    Transaction,
    parse_timestamp,
    timestamp,
)
from ..base import REFUSED, Controller, Key
from ..pods import condition, is_active, is_leaving, save_status, set_condition
from . import mpi_children as children
from .mpi_children import LAUNCHER, PREFIX, WORKER, is_second

_COMPONENT = "mpi-job-controller"


class MpiJobController(Controller):
    """MPIJobs of the training operator: the launcher is a pod."""

    kind = MPI_JOB
    watched: ClassVar[tuple[Kind, ...]] = (POD,)

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Keep launcher and workers, and tell how the job stands."""
        manager = (obj["spec"].get("runPolicy") or {}).get("managedBy")
        if is_leaving(obj) or (manager and not manager.startswith("kubeflow.org/")):
            return None  # another one's, as Kueue's over many clusters
        return _Look(transaction, obj, self.kind).run()


class MpiJobV2Controller(MpiJobController):
    """MPIJobs of the MPI operator: the launcher is a Job."""

    kind = MPI_JOB_V2
    watched = (POD, JOB)

    def keys(self, kind: Kind, obj: Json, *, gone: bool) -> Iterable[Key]:
        """Also of the launcher's pods, which its Job owns."""
        found = [*super().keys(kind, obj, gone=gone)]
        metadata = obj["metadata"]
        known = metadata.get("labels") or {}
        if kind == POD and known.get(f"{PREFIX}/operator-name") == "mpi-operator":
            found.append((metadata["namespace"], known.get(f"{PREFIX}/job-name", "")))
        return found


class _Look:
    """One look at one MPIJob."""

    def __init__(self, transaction: Transaction, job: Json, kind: Kind) -> None:
        self._transaction = transaction
        self._job = job
        self._kind = kind
        metadata = job["metadata"]
        self._name: str = metadata["name"]
        self._namespace: str = metadata["namespace"]
        self._where = f"MPIJob {self._namespace}/{self._name}"
        self._policy: Json = job["spec"].get("runPolicy") or {}
        self._status = copy.deepcopy(job.get("status") or {})
        self._waits: list[float] = []
        pods = transaction.owned(POD, metadata["uid"])
        self._workers = {
            pod["metadata"]["name"]: pod for pod in pods if _role(pod) == WORKER.lower()
        }
        launcher_kind = JOB if is_second(job) else POD
        self._launcher = transaction.find(launcher_kind, f"{self._name}-launcher", self._namespace)

    def run(self) -> float | None:
        if self._is_over():
            return self._after()
        if "conditions" not in self._status:
            self._condition("Created", "True", "Created", f"{self._where} is created.")
        suspended = bool(self._policy.get("suspend"))
        if suspended:
            self._suspend()
        else:
            self._resume()
            self._make()
        self._tell()
        if self._is_over():
            self._end_workers()
        save_status(self._transaction, self._job, self._status)
        return min(self._waits, default=None)

    def _is_over(self) -> bool:
        return any(_holds(self._status, type) for type in ("Succeeded", "Failed"))

    # Acting

    def _make(self) -> None:
        running = [name for name, pod in self._workers.items() if _phase(pod) == "Running"]
        wanted = [(CONFIG_MAP, children.build_config(self._job, running))]
        wanted.append((SERVICE, children.build_service(self._job)))
        workers = range(children.worker_count(self._job))
        made = [children.build_worker(self._job, index) for index in workers]
        wanted += [(POD, worker) for worker in made]
        names = {worker["metadata"]["name"] for worker in made}
        for name, pod in self._workers.items():
            if name not in names and is_active(pod):
                self._delete(POD, name)
        if self._launcher is None and self._may_launch(len(made)):
            kind = JOB if is_second(self._job) else POD
            wanted.append((kind, children.build_launcher(self._job)))
        for kind, obj in wanted:
            self._put(kind, obj)

    def _may_launch(self, workers: int) -> bool:
        if self._job["spec"].get("launcherCreationPolicy") != "WaitForWorkersReady":
            return True
        ready = sum(_holds(pod["status"], "Ready") for pod in self._workers.values())
        return ready >= workers

    def _put(self, kind: Kind, obj: Json) -> None:
        name = obj["metadata"]["name"]
        found = self._transaction.find(kind, name, self._namespace)
        try:
            if found is None:
                self._transaction.create(obj)
            elif kind == CONFIG_MAP and found.get("data") != obj["data"]:
                self._transaction.update({**found, "data": obj["data"]})
        except ApiError as error:
            self._waits.append(REFUSED)
            message = f"{obj['kind'].lower()} {name} created failed: {error.message}"
            self._event("MPIJobFailed", message, "Warning")

    def _suspend(self) -> None:
        if is_second(self._job):
            if self._launcher is None:
                self._put(CONFIG_MAP, children.build_config(self._job, ()))
                self._put(JOB, children.build_launcher(self._job))
            self._pause_launcher(True)
        elif self._launcher is not None and is_active(self._launcher):
            self._delete(POD, f"{self._name}-launcher")
            self._launcher = None
        for name, pod in self._workers.items():
            if is_active(pod):
                self._delete(POD, name)
        self._workers = {}
        self._status.pop("startTime", None)
        if self._condition("Suspended", "True", "Suspended", "MPIJob suspended"):
            self._condition(
                "Running", "False", "Suspended", f"{self._where} is suspended.", told=False
            )

    def _resume(self) -> None:
        if _holds(self._status, "Suspended"):
            self._condition("Suspended", "False", "Resumed", "MPIJob resumed")
        self._status.setdefault("startTime", timestamp())
        if is_second(self._job):
            self._pause_launcher(False)

    def _pause_launcher(self, suspend: bool) -> None:
        job = self._launcher
        if job is not None and bool(job["spec"].get("suspend")) != suspend:
            changed = {**job, "spec": {**job["spec"], "suspend": suspend}}
            self._launcher = self._transaction.update(changed)

    # Telling

    def _tell(self) -> None:
        counts = _counts(self._workers.values())
        launchers = self._launcher_pods()
        told = _counts(launchers)
        self._status["replicaStatuses"] = {LAUNCHER: told}
        if children.worker_count(self._job):
            self._status["replicaStatuses"][WORKER] = counts
        if self._launcher is None:
            return
        end = self._end(launchers)
        if end is not None:
            succeeded, reason, message = end
            self._status["completionTime"] = timestamp()
            type = "Succeeded" if succeeded else "Failed"
            if _holds(self._status, "Running"):
                self._condition("Running", "False", type, f"{self._where} is running.", told=False)
            self._condition(type, "True", reason, message)
        elif told.get("active") and counts.get("active", 0) >= children.worker_count(self._job):
            self._condition("Running", "True", "Running", f"{self._where} is running.")

    def _end(self, pods: list[Json]) -> tuple[bool, str, str] | None:
        """Return how the launcher has ended: whether well, why, and in words; None while not."""
        done = (True, "Succeeded", f"{self._where} successfully completed.")
        assert self._launcher is not None
        if is_second(self._job):
            if _holds(self._launcher.get("status") or {}, "Complete"):
                return done
            failed = condition(self._launcher, "Failed")
            if failed is None or failed["status"] != "True":
                return None
            last = max(
                (pod for pod in pods if _phase(pod) == "Failed"),
                key=lambda pod: str(pod["metadata"]["creationTimestamp"]),
                default=None,
            )
            words = failed["message"]
            if last is not None and last["status"].get("message"):
                words = f"{words}: {last['status']['message']}"
            return False, failed["reason"], words
        phase = _phase(self._launcher)
        if phase == "Succeeded":
            return done
        if phase == "Failed":
            return False, "Failed", f"{self._where} has failed"
        return self._overrun()

    def _overrun(self) -> tuple[bool, str, str] | None:
        """Return the end of a v1 job that has run, or been restarted, for too long."""
        assert self._launcher is not None
        limit, seconds = self._policy.get("backoffLimit"), self._policy.get("activeDeadlineSeconds")
        restarts = sum(
            each.get("restartCount", 0)
            for each in self._launcher["status"].get("containerStatuses") or ()
        )
        words = None
        if limit is not None and restarts > limit:
            words = (
                f"MPIJob {self._name} has failed because it has reached the specified backoff limit"
            )
        if seconds is not None and "startTime" in self._status:
            left_s = parse_timestamp(self._status["startTime"]) + seconds - time.time()
            if left_s > 0:
                self._waits.append(left_s)
            else:
                words = (
                    f"MPIJob {self._name} has failed because it was active longer than "
                    "specified deadline"
                )
        if words is None:
            return None
        self._delete(POD, f"{self._name}-launcher")
        return False, "Failed", words

    def _after(self) -> float | None:
        self._end_workers()
        seconds = self._policy.get("ttlSecondsAfterFinished")
        if seconds is None or is_second(self._job):
            return None
        left_s = float(parse_timestamp(self._status["completionTime"]) + seconds - time.time())
        if left_s > 0:
            return left_s
        self._transaction.delete(self._kind, self._name, self._namespace)
        return None

    def _end_workers(self) -> None:
        """End the workers of a job that is over; who says nothing has no use for idle ones."""
        policy = self._policy.get("cleanPodPolicy") or self._job["spec"].get("cleanPodPolicy")
        if policy == "None":
            return
        for name, pod in self._workers.items():
            if is_leaving(pod) or (policy != "All" and not is_active(pod)):
                continue
            self._delete(POD, name)
        workers = (self._status.get("replicaStatuses") or {}).get(WORKER)
        if workers:
            workers.pop("active", None)

    def _launcher_pods(self) -> list[Json]:
        if self._launcher is None:
            return []
        if not is_second(self._job):
            return [self._launcher]
        return self._transaction.owned(POD, self._launcher["metadata"]["uid"])

    def _delete(self, kind: Kind, name: str) -> None:
        self._transaction.delete(kind, name, self._namespace)

    def _condition(
        self, type: str, value: str, word: str, message: str, *, told: bool = True
    ) -> bool:
        """Set a condition, and tell of it once; tells whether it has changed."""
        reason = word if word.startswith(("BackoffLimit", "Deadline")) else f"MPIJob{word}"
        known = next((c for c in self._status.get("conditions") or () if c["type"] == type), None)
        new = {"type": type, "status": value, "reason": reason, "message": message}
        if known is not None and all(known.get(key) == each for key, each in new.items()):
            return False
        before = self._status.get("conditions") or []
        self._status["conditions"] = set_condition(before, new, "lastUpdateTime")
        if told:
            self._event(reason, message, "Warning" if type == "Failed" else "Normal")
        return True

    def _event(self, reason: str, message: str, type: str = "Normal") -> None:
        self._transaction.record_event(self._job, reason, message, type=type, component=_COMPONENT)


def _role(pod: Json) -> str:
    role: str = (pod["metadata"].get("labels") or {}).get(f"{PREFIX}/job-role", "")
    return role


def _phase(pod: Json) -> str:
    phase: str = pod["status"].get("phase", "")
    return phase


def _holds(status: Json, type: str) -> bool:
    return any(
        each["type"] == type and each["status"] == "True" for each in status.get("conditions") or ()
    )


def _counts(pods: Iterable[Json]) -> Json:
    words = {"Running": "active", "Succeeded": "succeeded", "Failed": "failed"}
    found: Json = {}
    for pod in pods:
        word = words.get(_phase(pod))
        if word:
            found[word] = found.get(word, 0) + 1
    return found
