"""The status of a Deployment: pure functions."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..resources import Json, parse_timestamp
from . import rollout
from .pods import set_condition

_UPDATED = "lastUpdateTime"
_NO_DEADLINE = 2**31 - 1


def build_status(obj: Json, sets: Sequence[Json], new: Json | None) -> tuple[Json, float | None]:
    """Build the status.

    Returns
    -------
    tuple of (dict, float or None)
        The status, and the seconds until the progress deadline may be over.
    """
    before = obj.get("status") or {}
    wanted: int = obj["spec"]["replicas"]
    replicas = _sum(sets, "replicas")
    counts = {
        "replicas": replicas,
        "updatedReplicas": _sum([new] if new else [], "replicas"),
        "readyReplicas": _sum(sets, "readyReplicas"),
        "availableReplicas": _sum(sets, "availableReplicas"),
    }
    asked = sum(int(each["spec"]["replicas"]) for each in sets)
    counts["unavailableReplicas"] = max(0, asked - counts["availableReplicas"])
    status: Json = {"observedGeneration": obj["metadata"]["generation"]}
    status |= {name: count for name, count in counts.items() if count}
    if "collisionCount" in before:
        status["collisionCount"] = before["collisionCount"]
    conditions = before.get("conditions") or []
    least = wanted - rollout.bounds(obj["spec"])[1]
    enough = counts["availableReplicas"] >= least
    conditions = set_condition(
        conditions,
        {
            "type": "Available",
            "status": "True" if enough else "False",
            "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            "message": f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        },
        _UPDATED,
    )
    conditions = _failure(conditions, sets)
    if obj["spec"].get("paused"):
        return {**status, "conditions": conditions}, None
    conditions, after_s = _progress(obj, before, counts, conditions, new)
    return {**status, "conditions": conditions}, after_s


def _failure(conditions: list[Json], sets: Sequence[Json]) -> list[Json]:
    for each in sets:
        for found in (each.get("status") or {}).get("conditions") or ():
            if found["type"] == "ReplicaFailure":
                new = {key: found[key] for key in ("type", "status", "reason", "message")}
                return set_condition(conditions, new, _UPDATED)
    return [each for each in conditions if each["type"] != "ReplicaFailure"]


def _progress(
    obj: Json, before: Json, counts: dict[str, int], conditions: list[Json], new: Json | None
) -> tuple[list[Json], float | None]:
    wanted = obj["spec"]["replicas"]
    name = new["metadata"]["name"] if new else obj["metadata"]["name"]
    title = f'ReplicaSet "{name}"'
    old = next((each for each in conditions if each["type"] == "Progressing"), None)
    complete = new is not None and all(
        counts[field] == wanted for field in ("replicas", "updatedReplicas", "availableReplicas")
    )
    if complete:
        words = f"{title} has successfully progressed."
        return _set(conditions, "True", "NewReplicaSetAvailable", words), None
    deadline_s = obj["spec"].get("progressDeadlineSeconds", _NO_DEADLINE)
    moved = (
        old is None
        or _has_moved(before, counts)
        or before.get("observedGeneration") != obj["metadata"]["generation"]
    )
    if old is not None and old["reason"] == "ProgressDeadlineExceeded" and not moved:
        return conditions, None
    if moved:
        if old is None:
            words = f"Created new replica set {name!r}".replace("'", '"')
            return _set(conditions, "True", "NewReplicaSetCreated", words), deadline_s
        kept = [each for each in conditions if each["type"] != "Progressing"]
        renewed = _set(kept, "True", "ReplicaSetUpdated", f"{title} is progressing.")
        if old["status"] == "True":
            renewed[-1]["lastTransitionTime"] = old["lastTransitionTime"]
        return renewed, deadline_s
    assert old is not None
    if old["reason"] == "NewReplicaSetAvailable":
        return conditions, None  # a pod was lost after the rollout: no rollout to time
    left_s = parse_timestamp(old[_UPDATED]) + deadline_s - time.time()
    if left_s <= 0 and deadline_s < _NO_DEADLINE:
        words = f"{title} has timed out progressing."
        return _set(conditions, "False", "ProgressDeadlineExceeded", words), None
    return conditions, left_s if deadline_s < _NO_DEADLINE else None


def _has_moved(before: Json, counts: dict[str, int]) -> bool:
    old = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    return bool(
        counts["updatedReplicas"] > before.get("updatedReplicas", 0)
        or counts["replicas"] - counts["updatedReplicas"] < old
        or counts["readyReplicas"] > before.get("readyReplicas", 0)
        or counts["availableReplicas"] > before.get("availableReplicas", 0)
    )


def _set(conditions: list[Json], status: str, reason: str, message: str) -> list[Json]:
    new = {"type": "Progressing", "status": status, "reason": reason, "message": message}
    return set_condition(conditions, new, _UPDATED)


def _sum(sets: Sequence[Json], field: str) -> int:
    return sum(int((each.get("status") or {}).get(field, 0)) for each in sets)
