"""The conditions of a pod that a kubelet writes: reasons and words as of `status/generate.go`."""

from __future__ import annotations

from collections.abc import Sequence

from ..resources import Json


def pod_conditions(
    pod: Json, phase: str, *, incomplete: Sequence[str], unready: Sequence[str], begun: bool
) -> list[Json]:
    """Return the conditions of a pod, without their times.

    Parameters
    ----------
    pod : dict
        As stored: its readiness gates, and the conditions that others wrote for them.
    phase : str
        The pod's phase.
    incomplete : sequence of str
        Init containers that have not succeeded, and sidecars that have not started.
    unready : sequence of str
        Sidecars and main containers that are not ready.
    begun : bool
        True when a main container runs or has run.
    """
    ended = phase in ("Succeeded", "Failed")
    containers = _containers_ready(phase, unready)
    return [
        _condition("PodReadyToStartContainers", not ended),
        _initialized(phase, incomplete, begun),
        _ready(pod, containers),
        {"type": "ContainersReady", **containers},
        _condition("PodScheduled", True),
    ]


def _condition(type: str, true: bool) -> Json:
    return {"type": type, "status": "True" if true else "False"}


def _initialized(phase: str, incomplete: Sequence[str], begun: bool) -> Json:
    if phase == "Succeeded":
        return {**_condition("Initialized", True), "reason": "PodCompleted"}
    if begun or not incomplete:
        return _condition("Initialized", True)
    return {
        **_condition("Initialized", False),
        "reason": "ContainersNotInitialized",
        "message": f"containers with incomplete status: [{' '.join(incomplete)}]",
    }


def _containers_ready(phase: str, unready: Sequence[str]) -> Json:
    if phase in ("Succeeded", "Failed"):
        return {
            "status": "False",
            "reason": "PodCompleted" if phase == "Succeeded" else "PodFailed",
        }
    if unready:
        return {
            "status": "False",
            "reason": "ContainersNotReady",
            "message": f"containers with unready status: [{' '.join(unready)}]",
        }
    return {"status": "True"}


def _ready(pod: Json, containers: Json) -> Json:
    if containers["status"] == "True" and (missing := _closed_gates(pod)):
        return {
            **_condition("Ready", False),
            "reason": "ReadinessGatesNotReady",
            "message": ", ".join(missing),
        }
    return {"type": "Ready", **containers}


def _closed_gates(pod: Json) -> list[str]:
    """Say of each readiness gate that is not open why."""
    known = {each["type"]: each["status"] for each in pod["status"].get("conditions") or ()}
    said = []
    for gate in pod["spec"].get("readinessGates") or ():
        name = gate["conditionType"]
        if name not in known:
            said.append(f'corresponding condition of pod readiness gate "{name}" does not exist.')
        elif known[name] != "True":
            said.append(
                f'the status of pod readiness gate "{name}" is not "True", but {known[name]}'
            )
    return said
