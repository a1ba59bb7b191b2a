"""Times as objects write them."""

from __future__ import annotations

from datetime import datetime, timezone


def timestamp(seconds: float | None = None) -> str:
    """Return a time as `2026-01-31T12:00:00Z`: UTC, whole seconds, cut.

    Parameters
    ----------
    seconds : float, optional
        Seconds since 1970; the time now by default.
    """
    when = (
        datetime.now(timezone.utc)
        if seconds is None
        else datetime.fromtimestamp(seconds, timezone.utc)
    )
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> float:
    """Return the seconds since 1970 of an RFC 3339 time; ValueError when it is none."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
