"""Times as objects write them."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


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
    return f"{when.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def parse_timestamp(text: str) -> float:
    """Return the seconds since 1970 of an RFC 3339 time; ValueError when it is none."""
    # Python 3.10 reads three or six digits of a fraction, and no Z.
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no RFC 3339 time")
    seconds, fraction, zone = found.groups()
    whole = datetime.fromisoformat(seconds + ("+00:00" if zone == "Z" else zone)).timestamp()
    return whole + float(f"0{fraction or ''}")
