"""What a failed replica means, by the restart policy of its type; pure functions."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

from ...resources import Json
from ..job_rules import finished_at
from .contract import Contract

Ruling = Literal["restart", "fail"]

RESTARTS_ANNOTATION = "fairlead.dev/restarts"
"""On the Service of a replica: how often its pod was made again."""

_FIRST_WAIT_S, _MOST_WAIT_S = 10.0, 300.0
_RETRYABLE = 128
"""Exit codes from here on are signals."""

# The plane stopped, or its machine: not the replica's own failure.
_NOT_ITS_OWN = ("NodeShutdown", "NodeLost")


def is_lost(pod: Json) -> bool:
    """Tell whether a pod failed because the plane or its machine stopped."""
    return pod["status"].get("reason") in _NOT_ITS_OWN


def rule_on(contract: Contract, policy: str, pod: Json) -> Ruling:
    """Return what becomes of a replica whose pod has failed."""
    if is_lost(pod) or policy in ("OnFailure", "Always"):
        return "restart"
    if policy == "ExitCode" and exit_code(contract, pod) >= _RETRYABLE:
        return "restart"
    return "fail"


def exit_code(contract: Contract, pod: Json) -> int:
    """Return the exit code of the framework's container; 0 where it did not end."""
    for status in pod["status"].get("containerStatuses") or ():
        ended = (status.get("state") or {}).get("terminated")
        if status["name"] == contract.shape.container and ended:
            return int(ended["exitCode"])
    return 0


def wait_s(pod: Json, made_again: int) -> float:
    """Return the seconds until a failed pod is made again: none at first, then as the kubelet."""
    if not made_again or is_lost(pod):
        return 0.0
    wait: float = min(_FIRST_WAIT_S * 2 ** min(made_again - 1, 20), _MOST_WAIT_S)
    return min(wait, max(0.0, finished_at(pod) + wait - time.time()))


def count_made_again(service: Json | None) -> int:
    """Return how often the pod behind a Service was made again."""
    annotations = ((service or {}).get("metadata") or {}).get("annotations") or {}
    return int(annotations.get(RESTARTS_ANNOTATION, 0))


def count_restarts(pods: Iterable[Json]) -> int:
    """Return how often the containers of these pods were started again in place."""
    return sum(
        status.get("restartCount", 0)
        for pod in pods
        for status in pod["status"].get("containerStatuses") or ()
    )
