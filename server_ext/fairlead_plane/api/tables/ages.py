"""How long ago something was, as `kubectl` writes it."""

from __future__ import annotations

import time

from ...resources import Json, parse_timestamp

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def age_of(obj: Json) -> str:
    """Return the age of an object."""
    return show_age(obj["metadata"].get("creationTimestamp"))


def show_age(text: str | None) -> str:
    """Return the time since an RFC 3339 time; `<unknown>` where there is none."""
    if not text:
        return "<unknown>"
    try:
        return show_duration(time.time() - parse_timestamp(text))
    except ValueError:
        return "<invalid>"


def show_duration(seconds: float) -> str:
    """Return a duration with two units at most, as k8s.io/apimachinery `HumanDuration`."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    minutes = whole // _MINUTE
    if minutes < 10:
        return _two(minutes, "m", whole % _MINUTE, "s")
    if minutes < 3 * 60:
        return f"{minutes}m"
    hours = whole // _HOUR
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = whole // _DAY
    if hours < 8 * 24:
        return _two(days, "d", hours % 24, "h")
    if hours < 2 * 365 * 24:
        return f"{days}d"
    years = days // 365
    if hours < 8 * 365 * 24:
        return _two(years, "y", days % 365, "d")
    return f"{years}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"
