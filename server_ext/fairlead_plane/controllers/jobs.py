"""Job: pods until enough of them have succeeded."""

from __future__ import annotations

import copy
import time
from typing import NamedTuple

from ..resources import (
    JOB,
    POD,
    Json,
    Kind,
    Transaction,
    parse_timestamp,
    timestamp,
)
from . import job_rules as rules
from .base import REFUSED, Controller, Key
from .pods import (
    MOST_AT_ONCE,
    build_pod,
    condition,
    create_pod,
    delete_pod,
    is_active,
    is_leaving,
    is_ready,
    is_terminal,
    save_status,
    set_condition,
)

TRACKING = "batch.kubernetes.io/job-tracking"
"""Finalizer of a pod that is not counted yet: taken off in the transaction that counts it, so that
each pod counts once, whoever deletes it, and whenever the plane is killed."""

_NAME_LABEL = "batch.kubernetes.io/job-name"
_COMPONENT = "job-controller"


class _End(NamedTuple):
    """How a job ends."""

    type: str
    reason: str
    message: str


_COMPLETE = _End("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
_TARGETS = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}


class JobController(Controller):
    """Runs pods to completion."""

    kind = JOB
    watched = (POD,)

    def keys(self, kind: Kind, obj: Json, *, gone: bool) -> list[Key]:
        """Also of pods that nobody controls any more, and that still wait to be counted."""
        found = list(super().keys(kind, obj, gone=gone))
        metadata = obj["metadata"]
        if kind == POD and not found and TRACKING in (metadata.get("finalizers") or ()):
            found.append(
                (metadata["namespace"], (metadata.get("labels") or {}).get(_NAME_LABEL, ""))
            )
        return found

    def missing(self, transaction: Transaction, namespace: str, name: str) -> None:
        """Let the pods of a job that is gone go."""
        if name:
            selector = f"{_NAME_LABEL}={name}"
            for pod in transaction.list(POD, namespace, label_selector=selector):
                _untrack(transaction, pod)

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Count what has ended, decide, and start or stop pods."""
        return _Look(transaction, obj).run()


class _Look:
    """One look at one job."""

    def __init__(self, transaction: Transaction, job: Json) -> None:
        self._transaction = transaction
        self._job = job
        self._spec = job["spec"]
        self._pods = transaction.owned(POD, job["metadata"]["uid"])
        self._status = copy.deepcopy(job.get("status") or {})
        self._waits: list[float] = []
        self._end: _End | None = None

    def run(self) -> float | None:
        if is_leaving(self._job):
            for pod in self._pods:
                if is_terminal(pod) or is_leaving(pod):
                    _untrack(self._transaction, pod)
            return None
        for type in ("Complete", "Failed"):
            ended = condition(self._job, type)
            if ended is not None and ended["status"] == "True":
                return self._after(ended)
        if "startTime" not in self._status and not self._spec.get("suspend"):
            self._status["startTime"] = timestamp()
        self._count()
        self._end = self._end or self._target() or self._judge()
        if self._end is not None:
            self._finish(self._end)
        elif self._spec.get("suspend"):
            self._suspend()
        else:
            self._resume()
            self._manage()
        self._save()
        return min(self._waits, default=None)

    # Counting

    def _count(self) -> None:
        """Count the pods that have ended and are not counted yet."""
        done = rules.parse_indexes(self._status.get("completedIndexes", ""))
        failed = rules.parse_indexes(self._status.get("failedIndexes", ""))
        only_failed = self._spec.get("podReplacementPolicy") == "Failed"
        for number, pod in enumerate(self._pods):
            if TRACKING not in (pod["metadata"].get("finalizers") or ()):
                continue
            deleted = is_leaving(pod) and not only_failed
            if not is_terminal(pod) and not deleted:
                continue
            index = rules.index_of(pod)
            if pod["status"].get("phase") == "Succeeded":
                if not rules.is_indexed(self._job):
                    self._add("succeeded")
                elif index is not None and index < self._spec["completions"]:
                    done.add(index)
            else:
                self._count_failure(pod, index, failed)
            self._pods[number] = _untrack(self._transaction, pod)
        if rules.is_indexed(self._job):
            self._status["completedIndexes"] = rules.format_indexes(done)
            if done:
                self._status["succeeded"] = len(done)
            if self._by_index is not None:
                self._status["failedIndexes"] = rules.format_indexes(failed)

    def _count_failure(self, pod: Json, index: int | None, failed: set[int]) -> None:
        ruling = rules.rule_on(self._job, pod)
        if ruling.action == "Ignore":
            return
        self._add("failed")
        if ruling.action == "FailJob":
            self._end = self._end or _End("Failed", "PodFailurePolicy", ruling.message)
        if index is None or self._by_index is None:
            return
        if ruling.action == "FailIndex" or _failures(pod) >= self._by_index:
            failed.add(index)

    @property
    def _by_index(self) -> int | None:
        limit = self._spec.get("backoffLimitPerIndex")
        return None if limit is None else int(limit)

    def _add(self, field: str) -> None:
        self._status[field] = self._status.get(field, 0) + 1

    # Deciding

    def _target(self) -> _End | None:
        """Return the end that was decided before, while pods still stop."""
        for type, target in _TARGETS.items():
            found = condition(self._job, target)
            if found is not None and found["status"] == "True":
                return _End(type, found["reason"], found["message"])
        return None

    def _judge(self) -> _End | None:
        spec, status = self._spec, self._status
        active = [pod for pod in self._pods if is_active(pod)]
        failed, limit = status.get("failed", 0), spec["backoffLimit"]
        tried = failed
        if spec["template"]["spec"]["restartPolicy"] == "OnFailure":
            again = rules.restarts(active)
            if again and (again >= limit if limit else True):
                tried = max(tried, limit + 1)
        if tried > limit:
            return _End(
                "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
            )
        if spec.get("activeDeadlineSeconds") is not None and "startTime" in status:
            since = parse_timestamp(status["startTime"])
            left_s = since + spec["activeDeadlineSeconds"] - time.time()
            if left_s <= 0 and not spec.get("suspend"):
                return _End(
                    "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
                )
            self._waits.append(left_s)
        lost = rules.parse_indexes(status.get("failedIndexes", ""))
        most = spec.get("maxFailedIndexes")
        if most is not None and len(lost) > most:
            words = "Job has exceeded the specified maximal number of failed indexes"
            return _End("Failed", "MaxFailedIndexesExceeded", words)
        return self._judge_success(active, lost)

    def _judge_success(self, active: list[Json], lost: set[int]) -> _End | None:
        succeeded, completions = self._status.get("succeeded", 0), self._spec.get("completions")
        if completions is None:
            return _COMPLETE if succeeded and not active else None
        if lost and succeeded + len(lost) >= completions and not active:
            return _End("Failed", "FailedIndexes", "Job has failed indexes")
        policy = (self._spec.get("successPolicy") or {}).get("rules") or ()
        done = rules.parse_indexes(self._status.get("completedIndexes", ""))
        for number, rule in enumerate(policy):
            reached, wanted = len(done), completions
            if rule.get("succeededIndexes"):
                reached, wanted = rules.among(rule["succeededIndexes"], done)
            if reached >= rule.get("succeededCount", wanted):
                return _End("Complete", "SuccessPolicy", f"Matched rules at index {number}")
        return _COMPLETE if succeeded >= completions else None

    # Acting

    def _finish(self, end: _End) -> None:
        self._condition(_TARGETS[end.type], "True", end.reason, end.message)
        self._stop([pod for pod in self._pods if is_active(pod)])
        if any(not is_terminal(pod) for pod in self._pods):
            return  # it is over when its last process is
        self._condition(end.type, "True", end.reason, end.message)
        if end.type == "Complete":
            self._status["completionTime"] = timestamp()
            self._event("Completed", "Job completed")
        else:
            self._event(end.reason, end.message, type="Warning")
        if self._spec.get("ttlSecondsAfterFinished") is not None:
            self._waits.append(self._spec["ttlSecondsAfterFinished"])

    def _suspend(self) -> None:
        self._stop([pod for pod in self._pods if is_active(pod)])
        known = condition(self._job, "Suspended")
        if known is None or known["status"] != "True":
            self._condition("Suspended", "True", "JobSuspended", "Job suspended")
            self._status.pop("startTime", None)
            self._event("Suspended", "Job suspended")

    def _resume(self) -> None:
        known = condition(self._job, "Suspended")
        if known is not None and known["status"] == "True":
            self._condition("Suspended", "False", "JobResumed", "Job resumed")
            self._status["startTime"] = timestamp()
            self._event("Resumed", "Job resumed")

    def _manage(self) -> None:
        """Start what is missing, stop what is too much."""
        active = [pod for pod in self._pods if is_active(pod)]
        if self._spec.get("podReplacementPolicy") == "Failed":
            active = [pod for pod in self._pods if not is_terminal(pod)]
        completions, succeeded = self._spec.get("completions"), self._status.get("succeeded", 0)
        wanted: int = self._spec["parallelism"]
        if completions is None:
            if succeeded:
                wanted = min(wanted, len(active))
        else:
            lost = len(rules.parse_indexes(self._status.get("failedIndexes", "")))
            wanted = min(wanted, completions - succeeded - lost)
        if len(active) > wanted:
            # Those that have done least.
            active.sort(key=lambda pod: (bool(pod["spec"].get("nodeName")), is_ready(pod)))
            self._stop([pod for pod in active if not is_leaving(pod)][: len(active) - wanted])
            return
        if len(active) == wanted:
            return
        if self._by_index is None and (wait_s := rules.back_off_s(self._pods)) > 0:
            self._waits.append(wait_s)
            return
        # The event of each that is made brings the next look.
        missing = min(wanted - len(active), MOST_AT_ONCE)
        if rules.is_indexed(self._job):
            self._start_indexes(active, missing)
            return
        for _ in range(missing):
            if not self._start(None):
                return

    def _start_indexes(self, active: list[Json], count: int) -> None:
        busy = {rules.index_of(pod) for pod in active}
        busy |= rules.parse_indexes(self._status.get("completedIndexes", ""))
        busy |= rules.parse_indexes(self._status.get("failedIndexes", ""))
        for index in range(self._spec["completions"]):
            if not count:
                return
            if index in busy:
                continue
            mine = [pod for pod in self._pods if rules.index_of(pod) == index]
            wait_s = rules.back_off_s(mine) if self._by_index is not None else 0.0
            if wait_s > 0:
                self._waits.append(wait_s)
            elif not self._start(index, sum(_counts(self._job, pod) for pod in mine)):
                return
            count -= 1

    def _start(self, index: int | None, failures: int = 0) -> bool:
        pod = build_pod(self._job, self._spec["template"])
        pod["metadata"].setdefault("finalizers", []).append(TRACKING)
        if index is not None:
            _give_index(self._job, pod, index)
            if self._by_index is not None:
                pod["metadata"]["annotations"][rules.INDEX_FAILURES] = str(failures)
        if create_pod(self._transaction, self._job, pod, _COMPONENT) is None:
            return True
        self._waits.append(REFUSED)
        return False

    def _stop(self, pods: list[Json]) -> None:
        """Delete pods that are not wanted any more: neither a success nor a failure."""
        for pod in pods:
            delete_pod(self._transaction, self._job, _untrack(self._transaction, pod), _COMPONENT)
        self._pods = self._transaction.owned(POD, self._job["metadata"]["uid"])

    # Writing

    def _after(self, ended: Json) -> float | None:
        """Look after a job that is over: nothing runs or waits to be counted; it goes in time."""
        for pod in self._pods:
            stored = _untrack(self._transaction, pod)
            if is_active(stored):
                delete_pod(self._transaction, self._job, stored, _COMPONENT)
        seconds = self._spec.get("ttlSecondsAfterFinished")
        if seconds is None:
            return None
        left_s = float(parse_timestamp(ended["lastTransitionTime"]) + seconds - time.time())
        if left_s > 0:
            return left_s
        metadata = self._job["metadata"]
        self._transaction.delete(JOB, metadata["name"], metadata["namespace"])
        return None

    def _condition(self, type: str, status: str, reason: str, message: str) -> None:
        new = {"type": type, "status": status, "reason": reason, "message": message}
        before = self._status.get("conditions") or []
        self._status["conditions"] = set_condition(before, new, "lastProbeTime")

    def _event(self, reason: str, message: str, *, type: str = "Normal") -> None:
        self._transaction.record_event(self._job, reason, message, type=type, component=_COMPONENT)

    def _save(self) -> None:
        pods = self._transaction.owned(POD, self._job["metadata"]["uid"])
        active = [pod for pod in pods if is_active(pod)]
        self._status["ready"] = sum(is_ready(pod) for pod in active)
        self._status["terminating"] = sum(is_leaving(pod) and not is_terminal(pod) for pod in pods)
        self._status["uncountedTerminatedPods"] = {}
        if active:
            self._status["active"] = len(active)
        else:
            self._status.pop("active", None)
        save_status(self._transaction, self._job, self._status)


def _untrack(transaction: Transaction, pod: Json) -> Json:
    """Take the finalizer off a pod; returns it as stored, or as it was when it is gone by that."""
    finalizers = pod["metadata"].get("finalizers") or []
    if TRACKING not in finalizers:
        return pod
    left = [each for each in finalizers if each != TRACKING]
    if left:
        pod["metadata"]["finalizers"] = left
    else:
        del pod["metadata"]["finalizers"]
    return transaction.update(pod)


def _give_index(job: Json, pod: Json, index: int) -> None:
    metadata, name = pod["metadata"], job["metadata"]["name"]
    metadata["generateName"] = f"{name}-{index}-"
    metadata.setdefault("annotations", {})[rules.INDEX] = str(index)
    metadata["labels"][rules.INDEX] = str(index)
    pod["spec"].setdefault("hostname", f"{name}-{index}")
    source = {"fieldRef": {"fieldPath": f"metadata.labels['{rules.INDEX}']"}}
    for field in ("initContainers", "containers"):
        for container in pod["spec"].get(field) or ():
            env = container.setdefault("env", [])
            if all(entry["name"] != "JOB_COMPLETION_INDEX" for entry in env):
                env.append({"name": "JOB_COMPLETION_INDEX", "valueFrom": source})


def _failures(pod: Json) -> int:
    """Return how many pods of this index had failed before this one."""
    text = (pod["metadata"].get("annotations") or {}).get(rules.INDEX_FAILURES, "0")
    return int(text) if text.isdigit() else 0


def _counts(job: Json, pod: Json) -> bool:
    failed = pod["status"].get("phase") == "Failed"
    return failed and rules.rule_on(job, pod).action != "Ignore"
