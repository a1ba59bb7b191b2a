"""From an HTTP answer of an API server to an error of ours."""

from __future__ import annotations

import json
from typing import Any

from fairlead.errors import ClusterError, ConflictError, FairleadError, NotFoundError, SpecError

_LONGEST_BODY = 256
_KINDS: dict[int, type[FairleadError]] = {
    400: SpecError,
    404: NotFoundError,
    409: ConflictError,
    422: SpecError,
}
_HINTS = {
    401: "The token is missing or no longer valid: log in again, or check the context's user.",
    403: "Ask for the missing permission, or use another namespace.",
    429: "The server is busy: try again in a moment.",
}


def error_from_answer(code: int, body: bytes, what: str) -> FairleadError:
    """Build the error for an answer with `code` of 400 or more.

    Parameters
    ----------
    what : str
        What was asked, e.g. `GET /api/v1/namespaces`.

    Returns
    -------
    FairleadError
        Its message is the server's own where the body is a Kubernetes `Status` or an error of
        KFP's gateway; another body is shown in part only for server errors, since it may hold
        anything.
    """
    message = _message_of(body)
    if message is None:
        shown = body[:_LONGEST_BODY].decode(errors="replace") if code >= 500 else ""
        message = f"{what} was answered with {code}. {shown}".strip()
    kind = _KINDS.get(code, ClusterError)
    error = kind(message, hint=_HINTS.get(code, ""))
    error.code = code  # type: ignore[attr-defined]
    return error


def _message_of(body: bytes) -> str | None:
    try:
        answer: Any = json.loads(body)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    if answer.get("kind") == "Status" or "code" in answer:
        text = answer.get("message") or answer.get("error")
        return text if isinstance(text, str) and text else None
    return None
