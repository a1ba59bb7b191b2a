"""`/healthz`, `/livez`, `/readyz`: the server answers, so it is well."""

from __future__ import annotations

from collections.abc import Mapping

from ..resources import ApiError

_CHECKS = ("ping", "log", "storage")


def check_health(path: str, query: Mapping[str, str]) -> bytes:
    """Return the answer of a health check.

    A server that cannot reach its store ends, so whoever gets an answer may read it.

    Parameters
    ----------
    path : str
        Of all checks, or of one, as `/livez/ping`.
    query : mapping
        With `verbose` each check has a line; `exclude` leaves one out.

    Raises
    ------
    ApiError
        404 for an unknown check.
    """
    name, _, one = path.strip("/").partition("/")
    if one and one not in _CHECKS:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    if "verbose" not in query or one:
        return b"ok"
    lines = [f"[+]{each} ok" for each in _CHECKS if each != query.get("exclude")]
    return "\n".join((*lines, f"{name} check passed", "")).encode()
