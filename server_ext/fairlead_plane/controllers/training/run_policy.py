"""`runPolicy` of a job: when it is too long or too often, and what stays when it is over."""

from __future__ import annotations

import time

from ...resources import Json, parse_timestamp

_UNLIMITED = float("inf")


def run_policy(job: Json) -> Json:
    """Return the policy of a job; an empty one where there is none."""
    found: Json = job["spec"].get("runPolicy") or {}
    return found


def is_elsewhere(job: Json) -> bool:
    """Tell whether another controller looks after a job."""
    return run_policy(job).get("managedBy") not in (None, "", "kubeflow.org/training-operator")


def deadline_s(job: Json, status: Json) -> float:
    """Return the seconds that a job may still be active; infinity without a deadline."""
    seconds = run_policy(job).get("activeDeadlineSeconds")
    if seconds is None or "startTime" not in status:
        return _UNLIMITED
    return float(parse_timestamp(status["startTime"]) + seconds - time.time())


def is_past_limit(job: Json, restarts: int) -> bool:
    """Tell whether a job has restarted more often than `backoffLimit` allows."""
    limit = run_policy(job).get("backoffLimit")
    return limit is not None and restarts > limit


def expires_s(job: Json, status: Json) -> float:
    """Return the seconds after which a job that is over is deleted; infinity for never."""
    seconds = run_policy(job).get("ttlSecondsAfterFinished")
    if seconds is None or "completionTime" not in status:
        return _UNLIMITED
    return float(parse_timestamp(status["completionTime"]) + seconds - time.time())
