"""Conditions of a status: each type once, with the time of its last turn."""

from __future__ import annotations

from collections.abc import Iterable

from .kinds import Json
from .times import timestamp


def merge_conditions(before: Iterable[Json], now: Iterable[Json]) -> list[Json]:
    """Return the conditions of now, then those of before that others have written.

    The time of a transition stays while the status does.

    Parameters
    ----------
    before : iterable of dict
        As stored.
    now : iterable of dict
        `type`, `status`, and `reason` and `message` where there are any.
    """
    known = {condition["type"]: condition for condition in before}
    merged = []
    for condition in now:
        old = known.pop(condition["type"], None)
        same = old is not None and old["status"] == condition["status"]
        since = old["lastTransitionTime"] if old is not None and same else timestamp()
        merged.append({**condition, "lastProbeTime": None, "lastTransitionTime": since})
    return [*merged, *known.values()]
