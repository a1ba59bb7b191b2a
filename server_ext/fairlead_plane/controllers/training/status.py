"""Status of a job of the training operator: conditions and counts, as the operator writes them."""

from __future__ import annotations

from collections.abc import Mapping

from ...resources import Json, timestamp

ENDS = ("Succeeded", "Failed")


def is_true(status: Json, type: str) -> bool:
    """Tell whether a condition holds."""
    conditions = status.get("conditions") or ()
    return any(each["type"] == type and each["status"] == "True" for each in conditions)


def is_over(status: Json) -> bool:
    """Tell whether a job has ended."""
    return any(is_true(status, type) for type in ENDS)


def set_condition(
    status: Json, type: str, reason: str, message: str, *, holds: bool = True
) -> bool:
    """Set a condition of a job, in place; return whether it is news.

    Parameters
    ----------
    status : dict
        Gets the condition.
    type, reason, message : str
        The condition.
    holds : bool
        Its status.

    Notes
    -----
    The newest condition stands last, which `kubectl get` shows as the state. Running and
    Restarting replace each other, an end makes Running false, and nothing follows a failure.
    """
    conditions, value = status.get("conditions") or [], "True" if holds else "False"
    if is_true(status, "Failed"):
        return False
    known = next((each for each in conditions if each["type"] == type), None)
    if known and (known["status"], known["reason"]) == (value, reason):
        return False
    now = timestamp()
    replaced = {"Restarting": "Running", "Running": "Restarting"}.get(type)
    kept = [dict(each) for each in conditions if each["type"] not in (type, replaced)]
    if type in ENDS:
        for each in kept:
            if each["type"] == "Running" and each["status"] == "True":
                each |= {"status": "False", "lastUpdateTime": now, "lastTransitionTime": now}
    same = known is not None and known["status"] == value
    new = {
        "type": type,
        "status": value,
        "reason": reason,
        "message": message,
        "lastUpdateTime": now,
        "lastTransitionTime": known["lastTransitionTime"] if known and same else now,
    }
    status["conditions"] = [*kept, new]
    return True


def format_selector(labels: Mapping[str, str]) -> str:
    """Write labels as a selector, as `metav1.FormatLabelSelector` does."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
