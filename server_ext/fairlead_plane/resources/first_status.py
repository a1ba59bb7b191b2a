"""The status that a new object starts with."""

from __future__ import annotations

import copy

from .conditions import merge_conditions
from .kinds import NAMESPACE, POD, PVC, SERVICE, Json, Kind

# What the types of other kinds hold when nothing has written their status yet.
_EMPTY: dict[tuple[str, str], Json] = {
    ("", "PersistentVolume"): {"phase": "Pending"},
    ("", "ReplicationController"): {"replicas": 0},
    ("", "ResourceQuota"): {},
    ("apps", "DaemonSet"): {
        "currentNumberScheduled": 0,
        "desiredNumberScheduled": 0,
        "numberMisscheduled": 0,
        "numberReady": 0,
    },
    ("apps", "Deployment"): {},
    ("apps", "ReplicaSet"): {"replicas": 0},
    ("apps", "StatefulSet"): {"replicas": 0, "availableReplicas": 0},
    ("autoscaling", "HorizontalPodAutoscaler"): {"currentReplicas": 0, "desiredReplicas": 0},
    ("batch", "CronJob"): {},
    ("batch", "Job"): {},
    ("networking.k8s.io", "Ingress"): {"loadBalancer": {}},
    ("policy", "PodDisruptionBudget"): {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "disruptionsAllowed": 0,
        "expectedPods": 0,
    },
}


def first_status(kind: Kind, obj: Json) -> Json | None:
    """Return the status of a new object, or None where a kind starts without one."""
    if kind is POD:
        return {"phase": "Pending", "qosClass": _quality(obj), **_gated(obj)}
    if kind is NAMESPACE:
        return {"phase": "Active"}
    if kind is PVC:
        return {"phase": "Pending"}
    if kind is SERVICE:
        return {"loadBalancer": {}}
    found = _EMPTY.get((kind.group, kind.kind))
    return None if found is None else copy.deepcopy(found)


def _gated(obj: Json) -> Json:
    """Say why a pod with scheduling gates waits; nothing for others."""
    if not obj["spec"].get("schedulingGates"):
        return {}
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    }
    return {"conditions": merge_conditions([], [condition])}


def _quality(obj: Json) -> str:
    """Class of service: `Guaranteed`, `Burstable` or `BestEffort`, by requests and limits."""
    resources = [container.get("resources") or {} for container in obj["spec"]["containers"]]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= set(each.get("limits") or {})
        and all(each["requests"].get(name) == amount for name, amount in each["limits"].items())
        for each in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"
