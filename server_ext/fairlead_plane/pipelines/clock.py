"""Times as KFP's REST writes them."""

from __future__ import annotations

from datetime import datetime, timezone


def now() -> str:
    """Return the time now: RFC 3339, UTC, to the microsecond."""
    return f"{datetime.now(timezone.utc).isoformat(timespec='microseconds')[:26]}Z"
