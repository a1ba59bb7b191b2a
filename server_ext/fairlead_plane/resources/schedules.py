"""Schedules of CronJobs: whether one can be read, in the words of the API server."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator

from .causes import wrong
from .errors import Cause
from .schemas.formats import is_duration

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAYS = "sun mon tue wed thu fri sat".split()
# Lowest and highest value of each field, and the names of values.
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    (0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_DESCRIPTORS = (
    "@annually", "@daily", "@hourly", "@midnight", "@monthly", "@weekly", "@yearly",
)  # fmt: skip


def check_schedule(path: str, schedule: str) -> Iterator[Cause]:
    """Yield what is wrong with the schedule of a CronJob."""
    problem = _problem(schedule)
    if problem:
        yield wrong(path, schedule, problem)


def _problem(schedule: str) -> str:
    rest = schedule
    if rest.startswith(("TZ=", "CRON_TZ=")):
        zone, _, rest = rest.partition(" ")
        name = zone.partition("=")[2]
        try:
            zoneinfo.ZoneInfo(name)
        except (ValueError, zoneinfo.ZoneInfoNotFoundError):
            return f"provided bad location {name}: unknown time zone {name}"
    rest = rest.strip()
    if rest.startswith("@every "):
        duration = rest.removeprefix("@every ")
        return "" if is_duration(duration) else f"failed to parse duration {rest}"
    if rest.startswith("@"):
        return "" if rest in _DESCRIPTORS else f"unrecognized descriptor: {rest}"
    fields = rest.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    for text, (low, high, names) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            problem = _part_problem(part, low, high, names)
            if problem:
                return problem
    return ""


def _part_problem(part: str, low: int, high: int, names: dict[str, int]) -> str:
    """Say what is wrong with one range of a field; empty for nothing."""
    span, slash, step = part.partition("/")
    first, dash, last = span.partition("-")
    if span in ("*", "?"):
        start, end = low, high
    else:
        bounds = []
        for text in (first, last) if dash else (first,):
            found = names.get(text.lower())
            if found is None and not text.isdecimal():
                return (
                    f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid '
                    "syntax"
                )
            bounds.append(int(text) if found is None else found)
        start, end = bounds[0], bounds[-1]
        if slash and not dash:
            end = high
    if slash and not step.isdecimal():
        return f'failed to parse int from {step}: strconv.Atoi: parsing "{step}": invalid syntax'
    if start < low:
        return f"beginning of range ({start}) below minimum ({low}): {part}"
    if end > high:
        return f"end of range ({end}) above maximum ({high}): {part}"
    if start > end:
        return f"beginning of range ({start}) beyond end of range ({end}): {part}"
    if slash and int(step) == 0:
        return f"step of range should be a positive number: {part}"
    return ""
