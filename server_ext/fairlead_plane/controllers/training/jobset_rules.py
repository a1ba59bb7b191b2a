"""What the failure of a job means to its JobSet, by `spec.failurePolicy`; pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...resources import Json
from ..pods import condition
from .jobset_children import JOB_NAME


class Verdict(NamedTuple):
    """What is to be done about a JobSet."""

    action: str
    """`complete`, `fail`, `restart` (all jobs) or `restart-job` (the failed ones)."""
    reason: str
    message: str
    counts: bool = True
    """True: a restart that counts towards `maxRestarts`."""


def rule_on_failures(jobset: Json, failed: Sequence[Json], status: Json) -> Verdict:
    """Return what follows from failed jobs.

    Parameters
    ----------
    jobset : dict
        With its failure policy.
    failed : sequence of dict
        Jobs that have failed, at least one.
    status : dict
        Of the JobSet: how often it was started again.
    """
    first = min(failed, key=lambda job: str((condition(job, "Failed") or {})["lastTransitionTime"]))
    name = first["metadata"]["name"]
    policy = jobset["spec"].get("failurePolicy")
    if policy is None:
        message = "jobset failed due to one or more job failures"
        return Verdict("fail", "FailedJobs", f"{message} (first failed job: {name})")
    rule = next((each for each in policy.get("rules") or () if _fits(each, first)), None)
    action = "RestartJobSet" if rule is None else rule["action"]
    why = f"job {name} has failed"
    if action == "FailJobSet":
        message = f"jobset failed due to a FailJobSet failure policy action: {why}"
        return Verdict("fail", "FailJobSetFailurePolicyAction", message)
    counts = not action.endswith("IgnoreMaxRestarts")
    most = policy.get("maxRestarts", 0)
    if counts and status.get("restartsCountTowardsMax", 0) >= most:
        message = "jobset failed due to reaching max number of restarts"
        return Verdict("fail", "ReachedMaxRestarts", f"{message} (first failed job: {name})")
    kind = "restart" if action.startswith("RestartJobSet") else "restart-job"
    return Verdict(kind, f"{action}FailurePolicyAction", why, counts)


def _fits(rule: Json, job: Json) -> bool:
    targets = rule.get("targetReplicatedJobs") or ()
    if targets and (job["metadata"].get("labels") or {}).get(JOB_NAME) not in targets:
        return False
    failed = condition(job, "Failed") or {}
    reasons = rule.get("onJobFailureReasons") or ()
    if reasons and failed.get("reason") not in reasons:
        return False
    patterns = rule.get("onJobFailureMessagePatterns") or ()
    message = failed.get("message", "")
    return not patterns or any(re.search(each, message) for each in patterns)
