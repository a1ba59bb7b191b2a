"""Conditions as `metav1.Condition` has them."""

from __future__ import annotations

from ...resources import Json, timestamp


def put_condition(status: Json, type: str, value: str, reason: str, message: str) -> None:
    """Set a condition of a status, in place; its time changes with its value alone.

    Parameters
    ----------
    status : dict
        Gets the condition.
    type, value, reason, message : str
        The condition; `value` is `True`, `False` or `Unknown`.
    """
    conditions = status.setdefault("conditions", [])
    new = {"type": type, "status": value, "reason": reason, "message": message}
    for position, old in enumerate(conditions):
        if old["type"] == type:
            if any(old.get(key) != each for key, each in new.items()):
                same = old["status"] == value
                since = old["lastTransitionTime"] if same else timestamp()
                conditions[position] = {**old, **new, "lastTransitionTime": since}
            return
    conditions.append({**new, "lastTransitionTime": timestamp()})
