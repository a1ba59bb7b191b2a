"""How many replicas each ReplicaSet of a Deployment has next: pure, but for `scale_to`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..resources import Json, Transaction

Targets = dict[str, int]
"""Replicas by name of the ReplicaSet; one that is not named stays as it is."""


def bounds(spec: Json) -> tuple[int, int]:
    """Return how many pods a rolling update may have too many, and too few."""
    strategy, replicas = spec["strategy"], spec["replicas"]
    if strategy["type"] != "RollingUpdate":
        return 0, 0
    rolling = strategy.get("rollingUpdate") or {}
    surge = _share(rolling.get("maxSurge", "25%"), replicas, math.ceil)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), replicas, math.floor)
    if not surge and not unavailable:
        unavailable = 1  # else it could not move
    return surge, min(unavailable, replicas)


def roll(old: Sequence[Json], new: Json, wanted: int, surge: int, unavailable: int) -> Targets:
    """Return the next step of a rolling update."""
    targets = {_name(each): _replicas(each) for each in (*old, new)}
    room = wanted + surge - sum(targets.values())
    fresh = targets[_name(new)]
    if fresh > wanted:
        targets[_name(new)] = wanted
    elif room > 0:
        targets[_name(new)] = fresh + min(room, wanted - fresh)
    least = wanted - unavailable
    available = {_name(each): min(_available(each), _replicas(each)) for each in (*old, new)}
    # What is new and not available yet must not be counted on.
    still = sum(targets.values()) - least - (targets[_name(new)] - available[_name(new)])
    for each in old:  # broken ones first: they help nobody
        broken = min(max(still, 0), targets[_name(each)] - available[_name(each)])
        if broken > 0:
            targets[_name(each)] -= broken
            still -= broken
    spare = sum(available.values()) - least
    for each in old:
        down = min(max(spare, 0), targets[_name(each)])
        if down > 0:
            targets[_name(each)] -= down
            spare -= down
    return targets


def recreate(old: Sequence[Json], new: Json, wanted: int, *, running: bool) -> Targets:
    """Return the next step where the old pods all end before the first new one starts."""
    targets = {_name(each): 0 for each in old}
    if not running:
        targets[_name(new)] = wanted
    return targets


def is_scaled(sets: Sequence[Json], wanted: int, mark: str) -> bool:
    """Tell whether `spec.replicas` was changed since the sets were last scaled."""
    return any(
        _replicas(each)
        and (each["metadata"].get("annotations") or {}).get(mark, wanted_text) != wanted_text
        for wanted_text in (str(wanted),)
        for each in sets
    )


def rescale(
    sets: Sequence[Json], new: Json | None, wanted: int, surge: int, most_mark: str
) -> Targets:
    """Return the replicas after a change of `spec.replicas`, or of a paused Deployment.

    In the middle of a rollout each set keeps its share.
    """
    active = [each for each in sets if _replicas(each)]
    if len(active) <= 1:
        target = active[0] if active else new or (sets[-1] if sets else None)
        return {_name(target): wanted} if target is not None else {}
    total = sum(_replicas(each) for each in active)
    allowed = wanted + surge if wanted else 0
    left = allowed - total
    active.sort(key=_replicas, reverse=True)
    targets: Targets = {}
    for each in active:
        most = (each["metadata"].get("annotations") or {}).get(most_mark, "")
        before = int(most) if most.isdigit() and int(most) else total
        share = round(_replicas(each) * allowed / before) - _replicas(each)
        share = min(share, left) if left > 0 else max(share, left)
        if share * left < 0:
            share = 0
        targets[_name(each)] = max(0, _replicas(each) + share)
        left -= share
    first = _name(active[0])
    targets[first] = max(0, targets[first] + left)
    return targets


def scale_to(
    transaction: Transaction,
    deployment: Json,
    replica_set: Json,
    target: int | None,
    marks: Mapping[str, str],
) -> Json:
    """Write the replicas of a ReplicaSet and what they were counted from; tell of a change."""
    before = _replicas(replica_set)
    target = before if target is None else target
    annotations = replica_set["metadata"].get("annotations") or {}
    if target == before and (not target or {**annotations, **marks} == annotations):
        return replica_set
    replica_set["spec"]["replicas"] = target
    replica_set["metadata"]["annotations"] = {**annotations, **marks}
    stored = transaction.update(replica_set)
    if target != before:
        word = "up" if target > before else "down"
        transaction.record_event(
            deployment,
            "ScalingReplicaSet",
            f"Scaled {word} replica set {_name(replica_set)} from {before} to {target}",
            component="deployment-controller",
        )
    return stored


def _share(value: Any, total: int, rounding: Any) -> int:
    if isinstance(value, str) and value.endswith("%"):
        return int(rounding(total * int(value[:-1]) / 100))
    return int(value)


def _name(replica_set: Json) -> str:
    return str(replica_set["metadata"]["name"])


def _replicas(replica_set: Json) -> int:
    return int(replica_set["spec"]["replicas"])


def _available(replica_set: Json) -> int:
    return int((replica_set.get("status") or {}).get("availableReplicas", 0))
