"""The one error of the gate, and how Kubernetes words it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .kinds import Json, Kind


class Cause(NamedTuple):
    """One thing wrong with one field."""

    field: str
    """Path of the field, as `spec.containers[0].name`."""
    reason: str
    """One word of Kubernetes: `FieldValueRequired`, `FieldValueInvalid`, ..."""
    message: str


class ApiError(Exception):
    """A request that Kubernetes would refuse; renders as a `Status` object.

    Parameters
    ----------
    code : int
        HTTP status.
    reason : str
        One of the API's reasons, such as `NotFound`.
    message : str
        In the words of the real API server.
    details : dict, optional
        `Status.details`: name, group, kind, causes.
    """

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata: Json = {}
        """`Status.metadata`: where a list can go on."""

    def status(self) -> Json:
        """Return the error as a Kubernetes `Status`."""
        status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details or self.reason == "NotFound":  # clients read the details of a 404
            status["details"] = self.details or {}
        status["code"] = self.code
        return status


def _details(kind: Kind, name: str) -> Json:
    details: Json = {"name": name}
    if kind.group:
        details["group"] = kind.group
    return {**details, "kind": kind.plural}


def not_found(kind: Kind, name: str) -> ApiError:
    """Build the error for an object that does not exist."""
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', _details(kind, name))


def already_exists(kind: Kind, name: str) -> ApiError:
    """Build the error for a name that is taken."""
    return ApiError(
        409, "AlreadyExists", f'{kind.resource} "{name}" already exists', _details(kind, name)
    )


def conflict(kind: Kind, name: str, why: str = "") -> ApiError:
    """Build the error for a write that started from an old version."""
    why = why or (
        "the object has been modified; please apply your changes to the latest version "
        "and try again"
    )
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(kind, name))


def forbidden(kind: Kind, name: str, why: str) -> ApiError:
    """Build the error for what is never allowed."""
    return ApiError(
        403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', _details(kind, name)
    )


def invalid(kind: Kind, name: str, causes: Sequence[Cause]) -> ApiError:
    """Build the error for an object whose fields are wrong; names each field."""
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = {
        "name": name,
        **({"group": kind.group} if kind.group else {}),
        "kind": kind.kind,
        "causes": [
            {"reason": cause.reason, "message": cause.message, "field": cause.field}
            for cause in causes
        ],
    }
    full = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return ApiError(422, "Invalid", f'{full} "{name}" is invalid: {text}', details)


def bad_request(message: str) -> ApiError:
    """Build the error for a request that cannot be read."""
    return ApiError(400, "BadRequest", message)


def expired(message: str) -> ApiError:
    """Build the error for a resource version that is no longer in the event log."""
    return ApiError(410, "Expired", message)


def too_new(asked: int, current: int) -> ApiError:
    """Build the error for a resource version that is yet to come."""
    message = f"Too large resource version: {asked}, current: {current}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return ApiError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})
