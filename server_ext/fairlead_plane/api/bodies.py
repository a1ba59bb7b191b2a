"""Objects in the bodies of requests: read, decoded, and fitted to the URL."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from ..resources import ApiError, Json, Kind, Registry, bad_request
from ..resources.schemas import builtin_schema
from ..resources.schemas.decode import decode, read_mode
from ..resources.schemas.duplicates import find_duplicates
from .http import read_object, warn
from .paths import Target


async def read_target(request: Request, target: Target, registry: Registry) -> Json:
    """Read the object of a request, as strictly as the request asks.

    Raises
    ------
    ApiError
        400 for a body that is no such object, or contradicts the URL.
    """
    given, body = await read_object(request)
    mode = read_mode(request.query_params.get("fieldValidation", ""))
    twice = find_duplicates(body, given) if body and mode != "Ignore" else ()
    obj = complete(given, target)
    obj, warnings = decode(target.kind, obj, registry.schema(target.kind), mode, twice)
    warn(request, warnings)
    return obj


def complete(obj: Json, target: Target) -> Json:
    """Fill in what the URL says about an object, and refuse what contradicts it."""
    kind = target.kind
    if kind.custom and not obj.get("kind"):
        raise bad_request("Object 'Kind' is missing in the object provided")
    given = (obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.kind)
    if given != (kind.api_version, kind.kind):
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind.kind} in "
            f"{kind.api_version}): it is a {given[1]} in {given[0]}"
        )
    metadata = obj.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    metadata = dict(metadata)
    if kind.namespaced:
        if target.namespace is None:
            raise ApiError(405, "MethodNotAllowed", "a namespace is needed to create an object")
        if not metadata.get("namespace"):
            metadata["namespace"] = target.namespace
        if metadata["namespace"] != target.namespace:
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
    if target.name is not None and metadata.setdefault("name", target.name) != target.name:
        raise bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL "
            f"({target.name})"
        )
    return {**obj, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}


def decode_as(kind: Kind, given: Json) -> Json:
    """Read what is posted and not stored (a review, a Binding, options) by its built-in type.

    Raises
    ------
    ApiError
        400 for a value of another type.
    """
    return decode(kind, given, builtin_schema(kind.api_version, kind.kind), "Ignore")[0]


def read_number(query: Mapping[str, str], name: str) -> int | None:
    """Read a number of the query; None without it, ApiError 400 when it is none."""
    text = query.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax ({name})') from error
