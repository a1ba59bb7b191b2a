"""From an HTTP answer of an API server to an error of ours."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from fairlead.errors import ClusterError, ConflictError, FairleadError, NotFoundError, SpecError

_LONGEST_BODY = 256
_BEARER = re.compile(r"(?i)(bearer\s+)[^\s\"'<]+")
_KINDS: dict[int, type[FairleadError]] = {
    400: SpecError,
    404: NotFoundError,
    409: ConflictError,
    413: SpecError,
    422: SpecError,
}
_HINTS = {
    401: "The token is missing or no longer valid: log in again, or check the context's user.",
    403: "Ask for the missing permission, or use another namespace.",
    429: "The server is busy: try again in a moment.",
    503: "The server is starting, overloaded or going down: try again in a moment.",
}
_QUOTA = "Ask for less, delete what is no longer needed, or have the quota raised."
_STALE = "The object changed since it was read: read it again and repeat the change."
_OWNED = "Another one manages these fields: leave them out, or apply with `force=True`."


def error_from_answer(
    code: int, body: bytes, what: str, headers: Mapping[str, str] | None = None
) -> FairleadError:
    """Build the error for an answer with `code` of 300 or more.

    Parameters
    ----------
    what : str
        What was asked, e.g. `GET /api/v1/namespaces`.
    headers : mapping, optional
        Headers of the answer; `Retry-After` is read.

    Returns
    -------
    FairleadError
        Its message is the server's own where the body is a Kubernetes `Status` or an error of
        KFP's gateway; another body is shown in part only for server errors, since it may hold
        anything.
    """
    answer = _object_of(body)
    message = _message_of(answer)
    if message is None:
        if code < 400:
            # An API server sends nobody elsewhere; a login in front of it does.
            hint = (
                "Log in again; a gateway in front of the server asks for it. For a service, set "
                "`token_file` or `login` in services.yaml of the data directory."
            )
            login = ClusterError(f"{what} was sent on to another address.", hint=hint)
            login.code = code
            return login
        shown = body[:_LONGEST_BODY].decode(errors="replace") if code >= 500 else ""
        message = f"{what} was answered with {code}. {shown}".strip()
    kind = _KINDS.get(code, ClusterError)
    told = answer.get("details")
    details: dict[str, Any] = told if isinstance(told, dict) else {}
    hint = _hint(code, str(answer.get("reason") or ""), message, details)
    # A proxy in between may print the request that it did not like.
    error = kind(_BEARER.sub(r"\1***", message), hint=hint)
    error.code = code
    error.retry_after_s = _retry_after(headers or {}, details)
    error.causes = _causes(details)
    return error


def _hint(code: int, reason: str, message: str, details: Mapping[str, Any]) -> str:
    if code == 403 and "exceeded quota" in message:
        return _QUOTA
    if code == 409 and reason == "Conflict":
        managed = any(
            isinstance(cause, dict) and cause.get("reason") == "FieldManagerConflict"
            for cause in details.get("causes") or ()
        )
        return _OWNED if managed else _STALE
    return _HINTS.get(code, "")


def _object_of(body: bytes) -> dict[str, Any]:
    try:
        answer: Any = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _message_of(answer: Mapping[str, Any]) -> str | None:
    if answer.get("kind") == "Status" or "code" in answer:
        text = answer.get("message") or answer.get("error")
        return text if isinstance(text, str) and text else None
    return None


def _causes(details: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (str(cause["field"]), str(cause.get("message") or ""))
        for cause in details.get("causes") or ()
        if isinstance(cause, dict) and cause.get("field")
    )


def _retry_after(headers: Mapping[str, str], details: Mapping[str, Any]) -> float | None:
    """Seconds to wait: from the header (a number or a date), else from the Status."""
    text = headers.get("Retry-After") or details.get("retryAfterSeconds")
    if not text:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(str(text)).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError):
        return None
