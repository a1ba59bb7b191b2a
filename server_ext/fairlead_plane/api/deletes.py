"""How a client wants an object deleted."""

from __future__ import annotations

from starlette.requests import Request

from ..resources import (
    BACKGROUND,
    FOREGROUND,
    ORPHAN,
    ApiError,
    Json,
    Kind,
    Transaction,
    bad_request,
    conflict,
)
from .bodies import decode_as, read_number
from .http import read_flag, read_json
from .paths import Target

_OPTIONS = Kind("", "v1", "DeleteOptions", "deleteoptions", False, False)


async def read_delete_options(request: Request) -> Json:
    """Read `DeleteOptions` from body and query.

    Raises
    ------
    ApiError
        400 for a body that is none; 422 for an unknown propagation policy.
    """
    options = await read_json(request)
    if options is not None and not isinstance(options, dict):
        raise bad_request("the delete options must be a JSON object")
    merged: Json = decode_as(_OPTIONS, options or {})
    query = request.query_params
    if "gracePeriodSeconds" in query:
        merged["gracePeriodSeconds"] = read_number(query, "gracePeriodSeconds")
    if "propagationPolicy" in query:
        merged["propagationPolicy"] = query["propagationPolicy"]
    if "orphanDependents" in query:
        merged["orphanDependents"] = read_flag(query, "orphanDependents")
    _check(merged)
    return merged


def delete_one(transaction: Transaction, target: Target, name: str, options: Json) -> Json:
    """Delete one object as the options say, and return its last form."""
    conditions = options.get("preconditions") or {}
    version = conditions.get("resourceVersion")
    if version:
        stored = transaction.get(target.kind, name, target.namespace)["metadata"]["resourceVersion"]
        if stored != version:
            why = (
                f"the ResourceVersion in the precondition ({version}) does not match the "
                f"ResourceVersion in record ({stored}). The object might have been modified"
            )
            raise conflict(target.kind, name, why)
    policy = options.get("propagationPolicy")
    if not policy:
        policy = ORPHAN if options.get("orphanDependents") else BACKGROUND
    return transaction.delete(
        target.kind,
        name,
        target.namespace,
        grace_period_seconds=options.get("gracePeriodSeconds"),
        uid=conditions.get("uid"),
        propagation=policy,
    )


def _check(options: Json) -> None:
    grace, policy = options.get("gracePeriodSeconds"), options.get("propagationPolicy")
    if grace is not None and (not isinstance(grace, int) or isinstance(grace, bool)):
        raise bad_request(f"gracePeriodSeconds must be a number, not {grace!r}")
    if not isinstance(options.get("preconditions") or {}, dict):
        raise bad_request("preconditions must be an object")
    if policy and options.get("orphanDependents") is not None:
        message = (
            f'Invalid value: "{policy}": orphanDependents and deletionPropagation '
            "cannot be both set"
        )
        raise _invalid("propagationPolicy", "FieldValueInvalid", message)
    if policy and policy not in (BACKGROUND, FOREGROUND, ORPHAN):
        message = (
            f'Unsupported value: "{policy}": supported values: '
            f'"{FOREGROUND}", "{BACKGROUND}", "{ORPHAN}", "nil"'
        )
        raise _invalid("propagationPolicy", "FieldValueNotSupported", message)


def _invalid(field: str, reason: str, message: str) -> ApiError:
    cause = {"reason": reason, "message": message, "field": field}
    text = f'DeleteOptions.meta.k8s.io "" is invalid: {field}: {message}'
    details = {"group": "meta.k8s.io", "kind": "DeleteOptions", "causes": [cause]}
    return ApiError(422, "Invalid", text, details)
