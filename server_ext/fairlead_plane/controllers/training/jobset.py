"""JobSet: jobs that start, end and fail together."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable

from ...resources import (
    FOREGROUND,
    JOB,
    JOB_SET,
    PVC,
    SERVICE,
    ApiError,
    Json,
    Kind,
    Transaction,
    parse_timestamp,
)
from ..base import REFUSED, Controller
from ..pods import condition, is_leaving, save_status
from .conditions import put_condition
from .jobset_children import (
    ATTEMPT,
    JOB_NAME,
    build_claims,
    build_jobs,
    build_service,
    replicated_jobs,
)
from .jobset_rules import Verdict, rule_on_failures

_COMPONENT = "jobset"
_DONE = ("Completed", "Failed")


class JobSetController(Controller):
    """Runs the jobs of JobSets."""

    kind = JOB_SET
    watched = (JOB,)

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Start what may start, judge what has ended."""
        return None if is_leaving(obj) else _Look(transaction, obj).run()


class _Look:
    """One look at one JobSet."""

    def __init__(self, transaction: Transaction, jobset: Json) -> None:
        self._transaction = transaction
        self._jobset = jobset
        self._spec = jobset["spec"]
        self._status = copy.deepcopy(jobset.get("status") or {})
        self._restarts: int = self._status.get("restarts", 0)
        self._refused = False
        owned = transaction.owned(JOB, jobset["metadata"]["uid"])
        self._jobs = [job for job in owned if not is_leaving(job) and self._is_current(job)]
        self._old = [job for job in owned if not is_leaving(job) and not self._is_current(job)]
        self._going = [job for job in owned if is_leaving(job)]

    def run(self) -> float | None:
        for type in _DONE:
            ended = condition(self._jobset, type)
            if ended is not None and ended["status"] == "True":
                return self._after(ended)
        self._delete(self._old)
        self._count()
        verdict = self._judge()
        if verdict is None:
            self._act()
        self._save()
        return REFUSED if self._refused else None

    def _is_current(self, job: Json) -> bool:
        labels = job["metadata"].get("labels") or {}
        return bool(labels.get(ATTEMPT) == str(self._restarts))

    # Judging

    def _judge(self) -> Verdict | None:
        failed = [job for job in self._jobs if _ended(job, "Failed")]
        if failed:
            verdict = rule_on_failures(self._jobset, failed, self._status)
            if verdict.action == "fail":
                self._finish("Failed", verdict)
            elif verdict.action == "restart":
                self._restarts += 1
                self._restart(verdict, self._jobs)
            else:
                self._restart(verdict, failed)
            return verdict
        if self._succeeded():
            verdict = Verdict("complete", "AllJobsCompleted", "jobset completed successfully")
            self._finish("Completed", verdict)
            return verdict
        return None

    def _succeeded(self) -> bool:
        policy = self._spec.get("successPolicy") or {}
        targets = policy.get("targetReplicatedJobs") or [
            each["name"] for each in replicated_jobs(self._jobset)
        ]
        wanted = sum(
            each.get("replicas", 1)
            for each in replicated_jobs(self._jobset)
            if each["name"] in targets
        )
        done = sum(_ended(job, "Complete") for job in self._jobs if _part(job) in targets)
        return done >= (1 if policy.get("operator") == "Any" else wanted)

    def _restart(self, verdict: Verdict, jobs: Iterable[Json]) -> None:
        self._status["restarts"] = self._restarts
        if verdict.counts:
            counted = self._status.get("restartsCountTowardsMax", 0)
            self._status["restartsCountTowardsMax"] = counted + 1
        self._delete(jobs)
        self._event(verdict.reason, f"jobs are started again: {verdict.message}", "Warning")

    def _finish(self, type: str, verdict: Verdict) -> None:
        self._status["terminalState"] = type
        self._condition(type, "True", verdict.reason, verdict.message)
        kind = "Normal" if type == "Completed" else "Warning"
        self._event(verdict.reason, verdict.message, kind)
        self._delete(job for job in self._jobs if not _is_over(job))

    def _after(self, ended: Json) -> float | None:
        """Look after a JobSet that is over: nothing runs any more; it goes in time."""
        self._delete(job for job in self._jobs if not _is_over(job))
        self._count()
        self._save()
        seconds = self._spec.get("ttlSecondsAfterFinished")
        if seconds is None:
            return None
        left_s = float(parse_timestamp(ended["lastTransitionTime"]) + seconds - time.time())
        if left_s > 0:
            return left_s
        metadata = self._jobset["metadata"]
        self._transaction.delete(JOB_SET, metadata["name"], metadata["namespace"])
        return None

    # Acting

    def _act(self) -> None:
        suspended = bool(self._spec.get("suspend"))
        known = condition(self._jobset, "Suspended")
        was = known is not None and known["status"] == "True"
        if suspended and not was:
            self._condition("Suspended", "True", "SuspendedJobs", "jobset is suspended")
            self._event("SuspendedJobs", "jobset is suspended")
        elif was and not suspended:
            self._condition("Suspended", "False", "ResumeJobs", "jobset is resumed")
            self._event("ResumeJobs", "jobset is resumed")
        self._make_surroundings()
        in_order = (self._spec.get("startupPolicy") or {}).get("startupPolicyOrder") == "InOrder"
        for replicated in replicated_jobs(self._jobset):
            if not self._may_start(replicated):
                continue
            self._keep(replicated, suspended)
            if in_order and not suspended and not self._has_started(replicated["name"]):
                message = "startup policy in order starting"
                self._condition("StartupPolicyInProgress", "True", "InProgress", message)
                return
        if in_order and not suspended:
            message = "all replicated jobs have started"
            self._condition("StartupPolicyInProgress", "False", "Completed", message)

    def _may_start(self, replicated: Json) -> bool:
        """Tell whether what a job depends on is there."""
        for each in replicated.get("dependsOn") or ():
            jobs = [job for job in self._jobs if _part(job) == each["name"]]
            if each["status"] == "Complete":
                ready = bool(jobs) and all(_ended(job, "Complete") for job in jobs)
            else:
                ready = self._has_started(each["name"])
            if not ready:
                return False
        return True

    def _has_started(self, name: str) -> bool:
        status = next(each for each in self._counts if each["name"] == name)
        wanted = next(
            each.get("replicas", 1)
            for each in replicated_jobs(self._jobset)
            if each["name"] == name
        )
        return bool(status["ready"] + status["succeeded"] >= wanted)

    def _keep(self, replicated: Json, suspended: bool) -> None:
        """Make the jobs of an entry, and let them run or wait."""
        names = {job["metadata"]["name"]: job for job in self._jobs}
        busy = {job["metadata"]["name"] for job in (*self._going, *self._old)}
        for job in build_jobs(self._jobset, replicated, self._restarts):
            name = job["metadata"]["name"]
            found = names.get(name)
            if found is None and name not in busy:
                # Of an attempt before: the event of its end brings the next look.
                self._make(job)
            elif found is not None and not _is_over(found):
                self._tune(found, job, suspended)

    def _tune(self, found: Json, wanted: Json, suspended: bool) -> None:
        """Suspend or resume a job; one that was suspended takes the template of now."""
        if bool(found["spec"].get("suspend")) == suspended:
            return
        changed = {**found, "spec": {**found["spec"], "suspend": suspended}}
        if not suspended and "startTime" not in (found.get("status") or {}):
            own, new = found["spec"]["template"], wanted["spec"]["template"]
            labels = own["metadata"]["labels"]
            changed["spec"]["template"] = {
                **new,
                "metadata": {
                    **new["metadata"],
                    "labels": {**labels, **new["metadata"]["labels"]},
                },
            }
        self._transaction.update(changed)

    def _make_surroundings(self) -> None:
        service = build_service(self._jobset)
        if service is not None and self._find(SERVICE, service) is None:
            self._make(service)
        for claim in build_claims(self._jobset):
            if self._find(PVC, claim) is None:
                self._make(claim)

    def _find(self, kind: Kind, obj: Json) -> Json | None:
        metadata = obj["metadata"]
        return self._transaction.find(kind, metadata["name"], metadata["namespace"])

    def _make(self, obj: Json) -> None:
        try:
            self._transaction.create(obj)
        except ApiError as error:
            self._refused = True
            self._event("JobCreationFailed", error.message, "Warning")

    def _delete(self, jobs: Iterable[Json]) -> None:
        for job in jobs:
            metadata = job["metadata"]
            self._transaction.delete(
                JOB, metadata["name"], metadata["namespace"], propagation=FOREGROUND
            )

    # Writing

    def _count(self) -> None:
        counts = []
        for replicated in replicated_jobs(self._jobset):
            jobs = [job for job in self._jobs if _part(job) == replicated["name"]]
            live = [job for job in jobs if not _is_over(job)]
            counts.append(
                {
                    "name": replicated["name"],
                    "ready": sum(_is_ready(job) for job in live),
                    "succeeded": sum(_ended(job, "Complete") for job in jobs),
                    "failed": sum(_ended(job, "Failed") for job in jobs),
                    "active": sum(bool(_status(job).get("active")) for job in live),
                    "suspended": sum(bool(job["spec"].get("suspend")) for job in live),
                }
            )
        self._counts = counts
        self._status["replicatedJobsStatus"] = counts

    def _condition(self, type: str, status: str, reason: str, message: str) -> None:
        put_condition(self._status, type, status, reason, message)

    def _event(self, reason: str, message: str, type: str = "Normal") -> None:
        self._transaction.record_event(
            self._jobset, reason, message, type=type, component=_COMPONENT
        )

    def _save(self) -> None:
        self._status.setdefault("restarts", self._restarts)
        save_status(self._transaction, self._jobset, self._status)


def _part(job: Json) -> str:
    name: str = (job["metadata"].get("labels") or {}).get(JOB_NAME, "")
    return name


def _status(job: Json) -> Json:
    return job.get("status") or {}


def _ended(job: Json, type: str) -> bool:
    found = condition(job, type)
    return found is not None and bool(found["status"] == "True")


def _is_over(job: Json) -> bool:
    return _ended(job, "Complete") or _ended(job, "Failed")


def _is_ready(job: Json) -> bool:
    """Tell whether as many pods of a job are ready, or done, as run at once."""
    status, spec = _status(job), job["spec"]
    wanted = min(spec.get("parallelism", 1), spec.get("completions") or spec.get("parallelism", 1))
    return bool(status.get("ready", 0) + status.get("succeeded", 0) >= wanted)
