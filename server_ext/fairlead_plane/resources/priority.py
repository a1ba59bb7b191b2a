"""Admission of a pod's priority: from the name of a PriorityClass to a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import forbidden
from .kinds import POD, PRIORITY_CLASS, Json

if TYPE_CHECKING:
    from .transaction import Transaction


def admit_priority(transaction: Transaction, pod: Json) -> None:
    """Fill in `spec.priority` and `spec.preemptionPolicy` of a new pod, in place.

    Raises
    ------
    ApiError
        403 when the class does not exist, or when a number is given that is not its value.
    """
    spec, metadata = pod["spec"], pod["metadata"]
    name = spec.get("priorityClassName")
    if name:
        found = transaction.find(PRIORITY_CLASS, name)
        if found is None:
            why = f"no PriorityClass with name {name} was found"
            raise forbidden(POD, metadata["name"], why)
    else:
        found = _default(transaction)
        if found is not None:
            spec["priorityClassName"] = name = found["metadata"]["name"]
    value = int(found["value"]) if found is not None else 0
    given = spec.get("priority")
    if given is not None and given != value:
        why = (
            f"the integer value of priority ({given}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name"
        )
        raise forbidden(POD, metadata["name"], why)
    spec["priority"] = value
    policy = (found or {}).get("preemptionPolicy") or "PreemptLowerPriority"
    spec.setdefault("preemptionPolicy", policy)


def _default(transaction: Transaction) -> Json | None:
    """Return the class for pods that name none: of several, the one with the lowest value."""
    classes = [each for each in transaction.list(PRIORITY_CLASS) if each.get("globalDefault")]
    return min(classes, key=lambda each: int(each["value"]), default=None)
