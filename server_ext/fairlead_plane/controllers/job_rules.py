"""Rules of a Job over its pods: indexes, retries, failure policy; pure functions."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from ..resources import Json, parse_timestamp
from .pods import condition, is_leaving

INDEX = "batch.kubernetes.io/job-completion-index"
INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"

FIRST_BACK_OFF_S = 10.0
MOST_BACK_OFF_S = 600.0
"""As of the real controller: 10 s after the first failure, doubled at each, at most 10 minutes."""

MOST_INDEXES = 1_000_000
"""More are not counted one by one; the real API takes 100,000 of an Indexed Job that runs many at a
time."""

# The plane stopped, or its machine: not the pod's own failure, so it costs no retry.
_NOT_ITS_OWN = ("NodeShutdown", "NodeLost")


class Ruling(NamedTuple):
    """What a failed pod means."""

    action: str
    """`Count`, `Ignore`, `FailIndex` or `FailJob`."""
    message: str = ""


def is_indexed(job: Json) -> bool:
    """Tell whether each completion of a job has an index."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def index_of(pod: Json) -> int | None:
    """Return the completion index of a pod, or None."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdigit() else None


def parse_indexes(text: str) -> set[int]:
    """Parse `0-2,4`.

    Anyone who may write a status can write anything there: text that is no such list, or names
    more indexes than a Job can have, is an empty one, as for the real controller.
    """
    try:
        intervals = _intervals(text)
    except ValueError:
        return set()
    if sum(last - first + 1 for first, last in intervals) > MOST_INDEXES:
        return set()
    return {index for first, last in intervals for index in range(first, last + 1)}


def among(text: str, done: Collection[int]) -> tuple[int, int]:
    """Return how many of the indexes in `0-2,4` are done, and how many there are.

    Text that is no such list names none that could be done.
    """
    try:
        intervals = _intervals(text)
    except ValueError:
        return 0, 1
    reached = sum(any(first <= each <= last for first, last in intervals) for each in done)
    return reached, sum(last - first + 1 for first, last in intervals)


def format_indexes(indexes: Iterable[int]) -> str:
    """Write numbers as `0-2,4`."""
    parts: list[list[int]] = []
    for index in sorted(indexes):
        if parts and parts[-1][1] == index - 1:
            parts[-1][1] = index
        else:
            parts.append([index, index])
    # Two neighbours are written with a comma, as the real controller does.
    return ",".join(
        str(first) if first == last else f"{first}{',' if last == first + 1 else '-'}{last}"
        for first, last in parts
    )


def rule_on(job: Json, pod: Json) -> Ruling:
    """Return what the failure of a pod means, by the job's `podFailurePolicy`."""
    if pod["status"].get("reason") in _NOT_ITS_OWN:
        return Ruling("Ignore")
    rules = (job["spec"].get("podFailurePolicy") or {}).get("rules") or ()
    name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    for number, rule in enumerate(rules):
        words = _match(rule, pod, name)
        if words:
            return Ruling(
                rule["action"], f"{words} matching {rule['action']} rule at index {number}"
            )
    return Ruling("Count")


def back_off_s(pods: Sequence[Json]) -> float:
    """Return the seconds to wait before the next pod, after failures since the last success."""
    ends: dict[str, list[float]] = {"Failed": [], "Succeeded": []}
    for pod in pods:
        phase = pod["status"].get("phase", "")
        if phase in ends and pod["status"].get("reason") not in _NOT_ITS_OWN:
            ends[phase].append(finished_at(pod))
    last_success = max(ends["Succeeded"], default=0.0)
    failures = [each for each in ends["Failed"] if each >= last_success]
    if not failures:
        return 0.0
    wait_s: float = min(FIRST_BACK_OFF_S * 2 ** min(len(failures) - 1, 30), MOST_BACK_OFF_S)
    # A clock that was set back since makes no pod wait longer.
    return min(wait_s, max(0.0, max(failures) + wait_s - time.time()))


def finished_at(pod: Json) -> float:
    """Return when the last container of a pod ended, in seconds since 1970."""
    times = [
        parse_timestamp(ended["finishedAt"])
        for status in pod["status"].get("containerStatuses") or ()
        if (ended := (status.get("state") or {}).get("terminated"))
    ]
    if not times:
        moment = pod["metadata"].get("deletionTimestamp") or pod["metadata"]["creationTimestamp"]
        return parse_timestamp(moment)
    return float(max(times))


def restarts(pods: Iterable[Json]) -> int:
    """Return how often the containers of running pods were started again."""
    return sum(
        status["restartCount"]
        for pod in pods
        if not is_leaving(pod)
        for field in ("initContainerStatuses", "containerStatuses")
        for status in pod["status"].get(field) or ()
    )


def _intervals(text: str) -> list[tuple[int, int]]:
    """Parse `0-2,4`; ValueError for what is no list of indexes in their order."""
    parts = (part.partition("-") for part in text.split(",") if part)
    found = [(int(first), int(last or first)) for first, _, last in parts]
    if any(first > last for first, last in found):
        raise ValueError(f"{text!r} has an interval that ends before it begins")
    return found


def _match(rule: Json, pod: Json, name: str) -> str:
    wanted = rule.get("onExitCodes")
    if wanted:
        for field in ("initContainerStatuses", "containerStatuses"):
            for status in pod["status"].get(field) or ():
                ended = (status.get("state") or {}).get("terminated")
                if not ended or not ended["exitCode"]:
                    continue
                if wanted.get("containerName") not in (None, status["name"]):
                    continue
                if (ended["exitCode"] in wanted["values"]) is (wanted["operator"] == "In"):
                    return (
                        f"Container {status['name']} for pod {name} failed with exit code "
                        f"{ended['exitCode']}"
                    )
    for pattern in rule.get("onPodConditions") or ():
        found = condition(pod, pattern["type"])
        if found is not None and found["status"] == pattern.get("status", "True"):
            return f"Pod {name} has condition {pattern['type']}"
    return ""
