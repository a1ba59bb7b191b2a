"""Times as KFP's REST writes them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone


def now() -> str:
    """Return the time now: RFC 3339, UTC, to the microsecond."""
    return rfc3339(datetime.now(timezone.utc))


def rfc3339(time: datetime) -> str:
    """Write a time as `now` does, so that the texts are in the order of the times."""
    return f"{time.astimezone(timezone.utc).isoformat(timespec='microseconds')[:26]}Z"


def later(time: str, seconds: float) -> str:
    """Return the time so many seconds after another."""
    return rfc3339(_parsed(time) + timedelta(seconds=seconds))


def seconds_between(start: str, end: str) -> float:
    """Return the seconds from one time to another, negative when it was before."""
    return (_parsed(end) - _parsed(start)).total_seconds()


def _parsed(time: str) -> datetime:
    # Before Python 3.11, `fromisoformat` does not know the Z.
    return datetime.fromisoformat(time.replace("Z", "+00:00"))
