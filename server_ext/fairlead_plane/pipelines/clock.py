"""Times as KFP's REST writes them."""

from __future__ import annotations

from datetime import datetime, timezone


def now() -> str:
    """Return the time now: RFC 3339, UTC, to the microsecond."""
    return rfc3339(datetime.now(timezone.utc))


def rfc3339(time: datetime) -> str:
    """Write a time as `now` does, so that the texts are in the order of the times."""
    return f"{time.astimezone(timezone.utc).isoformat(timespec='microseconds')[:26]}Z"
