"""CronJob: a Job at each of its times."""

from __future__ import annotations

import copy
import time
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from ..resources import (
    CRON_JOB,
    JOB,
    ApiError,
    Json,
    Transaction,
    parse_timestamp,
    timestamp,
)
from .base import Controller
from .pods import condition, is_leaving, owner_reference, save_status

_COMPONENT = "cronjob-controller"
_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"

LOOK_AGAIN_S = 600.0
"""Longest wait in one piece: a machine that sleeps stops the clock that waits are measured by."""

_MISSED_MOST = 100  # times that are looked at one by one


class CronJobController(Controller):
    """Starts Jobs in time, each time once, and keeps as many old ones as asked."""

    kind = CRON_JOB
    watched = (JOB,)

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Start the Job that is due, clean up, and return the seconds to the next time."""
        if is_leaving(obj):
            return None
        jobs = transaction.owned(JOB, obj["metadata"]["uid"])
        obj = self._note(transaction, obj, jobs)
        self._clean_up(transaction, obj, jobs)
        if obj["spec"].get("suspend"):
            return None
        try:
            due, following = _times(obj, time.time())
        except ValueError as error:
            words = f"unparseable schedule: {obj['spec']['schedule']!r}: {error}"
            self._event(transaction, obj, "UnparseableSchedule", words, type="Warning")
            return None
        if due is not None:
            self._start(transaction, obj, jobs, due)
        return min(max(following - time.time(), 0.01), LOOK_AGAIN_S)

    def _start(self, transaction: Transaction, obj: Json, jobs: list[Json], due: float) -> None:
        spec = obj["spec"]
        deadline_s = spec.get("startingDeadlineSeconds")
        if deadline_s is not None and time.time() - due > deadline_s:
            return
        running = [job for job in jobs if not _ended(job)]
        if running and spec["concurrencyPolicy"] == "Forbid":
            words = "Not starting job because prior execution is running and concurrency policy is"
            self._event(transaction, obj, "JobAlreadyActive", f"{words} Forbid")
            return
        if spec["concurrencyPolicy"] == "Replace":
            for job in running:
                self._delete(transaction, obj, job)
        job = _build_job(obj, due)
        name = job["metadata"]["name"]
        try:
            if transaction.find(JOB, name, obj["metadata"]["namespace"]) is None:
                transaction.create(job)
                self._event(transaction, obj, "SuccessfulCreate", f"Created job {name}")
        except ApiError as error:
            words = f"Error creating job: {error.message}"
            self._event(transaction, obj, "FailedCreate", words, type="Warning")
            return
        status = {**(obj.get("status") or {}), "lastScheduleTime": timestamp(due)}
        obj = save_status(transaction, obj, status)
        self._note(transaction, obj, transaction.owned(JOB, obj["metadata"]["uid"]))

    def _note(self, transaction: Transaction, obj: Json, jobs: list[Json]) -> Json:
        """Write which Jobs run, and when one last succeeded."""
        status = copy.deepcopy(obj.get("status") or {})
        active = [
            {
                "apiVersion": JOB.api_version,
                "kind": JOB.kind,
                "name": job["metadata"]["name"],
                "namespace": job["metadata"]["namespace"],
                "uid": job["metadata"]["uid"],
                "resourceVersion": job["metadata"]["resourceVersion"],
            }
            for job in jobs
            if not _ended(job)
        ]
        known = {each["uid"] for each in status.get("active") or ()}
        if known != {each["uid"] for each in active}:
            for uid in known - {each["uid"] for each in active}:
                job = next((each for each in jobs if each["metadata"]["uid"] == uid), None)
                if job is not None:
                    words = f"Saw completed job: {job['metadata']['name']}"
                    words += f", condition: {_ended(job)}"
                    self._event(transaction, obj, "SawCompletedJob", words)
            if active:
                status["active"] = active
            else:
                status.pop("active", None)
        times = [
            job["status"]["completionTime"]
            for job in jobs
            if _ended(job) == "Complete" and "completionTime" in job["status"]
        ]
        if times:
            status["lastSuccessfulTime"] = max(times)
        return save_status(transaction, obj, status)

    def _clean_up(self, transaction: Transaction, obj: Json, jobs: list[Json]) -> None:
        """Delete the oldest ended Jobs beyond those that are kept."""
        for type, field in (
            ("Complete", "successfulJobsHistoryLimit"),
            ("Failed", "failedJobsHistoryLimit"),
        ):
            ended = [job for job in jobs if _ended(job) == type]
            ended.sort(key=lambda job: (job["metadata"]["creationTimestamp"], _scheduled(job)))
            for job in ended[: max(0, len(ended) - obj["spec"][field])]:
                self._delete(transaction, obj, job)

    def _delete(self, transaction: Transaction, obj: Json, job: Json) -> None:
        metadata = job["metadata"]
        if transaction.find(JOB, metadata["name"], metadata["namespace"]) is not None:
            transaction.delete(JOB, metadata["name"], metadata["namespace"])
            self._event(transaction, obj, "SuccessfulDelete", f"Deleted job {metadata['name']}")

    def _event(
        self, transaction: Transaction, obj: Json, reason: str, words: str, type: str = "Normal"
    ) -> None:
        transaction.record_event(obj, reason, words, type=type, component=_COMPONENT)


def _times(obj: Json, now: float) -> tuple[float | None, float]:
    """Return the last time that has passed without a Job, and the next; ValueError for no times."""
    from croniter import croniter  # loaded by the first CronJob

    spec, status = obj["spec"], obj.get("status") or {}
    if len(spec["schedule"].split()) != 5 and not spec["schedule"].startswith("@"):
        raise ValueError("expected exactly 5 fields")
    zone = ZoneInfo(spec["timeZone"]) if spec.get("timeZone") else None
    local = zone or datetime.now().astimezone().tzinfo or timezone.utc
    since = parse_timestamp(status.get("lastScheduleTime") or obj["metadata"]["creationTimestamp"])
    if spec.get("startingDeadlineSeconds") is not None:
        since = max(since, now - spec["startingDeadlineSeconds"])
    times = croniter(spec["schedule"], datetime.fromtimestamp(since, local))
    due = None
    for _ in range(_MISSED_MOST):
        moment: float = times.get_next(float)
        if moment > now:
            return due, moment
        due = moment
    # Long asleep: only the last of many missed times counts.
    times = croniter(spec["schedule"], datetime.fromtimestamp(now, local))
    due = float(times.get_prev(float))
    times = croniter(spec["schedule"], datetime.fromtimestamp(now, local))
    return due, float(times.get_next(float))


def _build_job(obj: Json, due: float) -> Json:
    template, metadata = obj["spec"]["jobTemplate"], obj["metadata"]
    given = template.get("metadata") or {}
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": {
            "name": f"{metadata['name']}-{int(due) // 60}",
            "namespace": metadata["namespace"],
            "labels": dict(given.get("labels") or {}),
            "annotations": {**(given.get("annotations") or {}), _AT: timestamp(due)},
            "ownerReferences": [owner_reference(obj)],
        },
        "spec": copy.deepcopy(template["spec"]),
    }


def _ended(job: Json) -> str:
    for type in ("Complete", "Failed"):
        found = condition(job, type)
        if found is not None and found["status"] == "True":
            return type
    return ""


def _scheduled(job: Json) -> str:
    return str((job["metadata"].get("annotations") or {}).get(_AT, ""))
