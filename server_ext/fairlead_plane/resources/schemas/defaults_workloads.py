"""Defaults of the built-in kinds that run pods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..kinds import Json
from .defaults_pod import each, fill, fill_template, part

_SHARE = "25%"
# The label that names the job of a pod, with the older name that clients still select by.
_JOB_LABELS = ("controller-uid", "job-name")
_JOB_PREFIX = "batch.kubernetes.io"


def _spec(obj: Json) -> Json:
    """Return the spec with its pod template filled in."""
    spec = part(obj, "spec")
    fill_template(spec.get("template"))
    return spec


def _deployment(obj: Json) -> None:
    spec = _spec(obj)
    spec.setdefault("replicas", 1)
    strategy = spec.setdefault("strategy", {})
    if isinstance(strategy, dict):
        fill(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", _SHARE)
            rolling.setdefault("maxSurge", _SHARE)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def _replica_set(obj: Json) -> None:
    _spec(obj).setdefault("replicas", 1)


def _replication_controller(obj: Json) -> None:
    spec = _spec(obj)
    spec.setdefault("replicas", 1)
    labels = part(part(spec, "template"), "metadata").get("labels")
    if labels:
        fill(spec, selector=dict(labels))
        fill(obj["metadata"], labels=dict(labels))


def _stateful_set(obj: Json) -> None:
    spec = _spec(obj)
    fill(spec, podManagementPolicy="OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if isinstance(strategy, dict):
        fill(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    fill(retention, whenDeleted="Retain", whenScaled="Retain")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    for claim in each(spec, "volumeClaimTemplates"):
        fill(claim, apiVersion="v1", kind="PersistentVolumeClaim")
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
        claim.setdefault("status", {}).setdefault("phase", "Pending")


def _daemon_set(obj: Json) -> None:
    spec = _spec(obj)
    strategy = spec.setdefault("updateStrategy", {})
    if isinstance(strategy, dict):
        fill(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)


def _job(obj: Json) -> None:
    spec = _spec(obj)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    forever = 2**31 - 1
    spec.setdefault("backoffLimit", forever if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    policy = spec.get("podFailurePolicy")
    spec.setdefault("podReplacementPolicy", "Failed" if policy else "TerminatingOrFailed")
    for rule in each(policy, "rules"):
        for pattern in each(rule, "onPodConditions"):
            fill(pattern, status="True")
    if not spec.get("manualSelector") and "selector" not in spec:
        _select_own_pods(obj, spec)
    labels = part(part(spec, "template"), "metadata").get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def _select_own_pods(obj: Json, spec: Json) -> None:
    """Give a new job a selector that finds its own pods alone."""
    metadata = obj["metadata"]
    template = spec.get("template")
    if not isinstance(template, dict) or "uid" not in metadata:
        return
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    if not isinstance(labels, dict):
        return
    for name, value in zip(_JOB_LABELS, (metadata["uid"], metadata["name"]), strict=True):
        labels[name] = labels[f"{_JOB_PREFIX}/{name}"] = value
    key = f"{_JOB_PREFIX}/{_JOB_LABELS[0]}"
    spec["selector"] = {"matchLabels": {key: metadata["uid"]}}


def _cron_job(obj: Json) -> None:
    spec = part(obj, "spec")
    fill(spec, concurrencyPolicy="Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    fill_template(part(part(spec, "jobTemplate"), "spec").get("template"))


def _autoscaler(obj: Json) -> None:
    spec = part(obj, "spec")
    spec.setdefault("minReplicas", 1)
    if obj.get("apiVersion") == "autoscaling/v1":
        spec.setdefault("targetCPUUtilizationPercentage", 80)
    elif not spec.get("metrics"):
        target: dict[str, Any] = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


DEFAULTS: dict[tuple[str, str], Callable[[Json], None]] = {
    ("", "ReplicationController"): _replication_controller,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    ("batch", "CronJob"): _cron_job,
    ("batch", "Job"): _job,
}
