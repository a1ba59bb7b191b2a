"""ReplicaSet: as many pods of one template as it says."""

from __future__ import annotations

from ..resources import POD, REPLICA_SET, Json, Transaction
from .base import REFUSED, Controller
from .pods import (
    MOST_AT_ONCE,
    adopt,
    available_in_s,
    build_pod,
    create_pod,
    delete_pod,
    is_active,
    is_leaving,
    is_ready,
    is_terminal,
    save_status,
    set_condition,
)

_COMPONENT = "replicaset-controller"
_COST = "controller.kubernetes.io/pod-deletion-cost"


class ReplicaSetController(Controller):
    """Creates what is missing, deletes what is too much."""

    kind = REPLICA_SET
    watched = (POD,)

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Bring the number of pods to `spec.replicas`."""
        spec = obj["spec"]
        pods = adopt(transaction, obj, POD)
        active = [pod for pod in pods if is_active(pod)]
        wanted: int = spec["replicas"]
        error = None
        if not is_leaving(obj):
            for pod in pods:
                # Ended with the plane, not by itself: its replacement takes over.
                if is_terminal(pod) and pod["status"].get("reason") == "NodeShutdown":
                    transaction.delete(POD, pod["metadata"]["name"], pod["metadata"]["namespace"])
            for _ in range(min(wanted - len(active), MOST_AT_ONCE)):
                error = create_pod(transaction, obj, build_pod(obj, spec["template"]), _COMPONENT)
                if error is not None:
                    break
            if len(active) > wanted:
                active.sort(key=_worth)
                for pod in active[: len(active) - wanted]:
                    delete_pod(transaction, obj, pod, _COMPONENT)
                active = active[len(active) - wanted :]
        waits = [available_in_s(pod, spec.get("minReadySeconds") or 0) for pod in active]
        status: Json = {"replicas": len(active)}
        labels = set((spec["template"]["metadata"].get("labels") or {}).items())
        counts = {
            "fullyLabeledReplicas": sum(
                labels <= set((pod["metadata"].get("labels") or {}).items()) for pod in active
            ),
            "readyReplicas": sum(is_ready(pod) for pod in active),
            "availableReplicas": sum(wait_s == 0 for wait_s in waits),
        }
        status |= {name: count for name, count in counts.items() if count}
        status["observedGeneration"] = obj["metadata"]["generation"]
        if error is not None:
            failure = {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": error.message,
            }
            before = obj.get("status", {}).get("conditions") or []
            status["conditions"] = set_condition(before, failure)
        save_status(transaction, obj, status)
        if error is not None:
            return REFUSED
        return min((wait_s for wait_s in waits if 0 < wait_s < float("inf")), default=None)


def _worth(pod: Json) -> tuple[object, ...]:
    """Order pods by what is lost with them, least first; of equals the youngest goes first."""
    metadata = pod["metadata"]
    cost = (metadata.get("annotations") or {}).get(_COST, "0")
    phase = {"Running": 2, "Pending": 0}.get(pod["status"].get("phase", ""), 1)
    return (
        bool(pod["spec"].get("nodeName")),
        phase,
        is_ready(pod),
        int(cost) if cost.lstrip("-").isdigit() else 0,
        _older_last(metadata["creationTimestamp"]),
    )


def _older_last(created: str) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in created)
