"""Lists of objects, whole or in pages, from the store to the wire without parsing a body."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple

import orjson

from ..resources import ApiError, BodyList, Json, Kind, Resources, bad_request, parse_version
from ..resources.conversion import without_type
from ..resources.errors import too_new
from .bodies import read_number
from .paths import Target

_MATCHES = ("", "Exact", "NotOlderThan")


class _Continue(NamedTuple):
    """Where a page goes on: the version of the list, and the object before."""

    version: int
    after: tuple[str, str]


def list_objects(resources: Resources, target: Target, query: Mapping[str, str]) -> BodyList:
    """Return the objects that a request asks for.

    Raises
    ------
    ApiError
        400 for a query that cannot be read; 410 when the version of the list is gone.
    """
    given = query.get("continue", "")
    position = _read_continue(given) if given else None
    read_number(query, "timeoutSeconds")  # of a watch; a mistake is one in a list too
    fields = query.get("fieldSelector", "")
    if target.name is not None:
        fields = f"{fields},metadata.name={target.name}".strip(",")
    if position is not None and query.get("resourceVersion"):
        raise bad_request("specifying resource version is not allowed when using continue")
    try:
        return resources.list_bodies(
            target.kind,
            target.namespace,
            label_selector=query.get("labelSelector", ""),
            field_selector=fields,
            limit=max(0, read_number(query, "limit") or 0),
            after=position.after if position else None,
            version=(position.version or None) if position else _read_version(query, resources),
        )
    except ApiError as error:
        if position is None or error.code != 410:
            raise
        raise _expired(position) from error


def list_metadata(found: BodyList) -> Json:
    """Return the metadata of a list."""
    metadata: Json = {"resourceVersion": found.resource_version}
    if found.next is not None:
        position = _Continue(int(found.resource_version), found.next)
        metadata["continue"] = _write_continue(position)
        if found.remaining is not None:
            metadata["remainingItemCount"] = found.remaining
    return metadata


def list_body(kind: Kind, found: BodyList, *, typed: bool) -> bytes:
    """Return a list as JSON, with the objects as they stand in the store.

    Parameters
    ----------
    kind : Kind
        Of the objects.
    found : BodyList
        The objects.
    typed : bool
        True: each item says its kind, as those of custom kinds do.
    """
    head = orjson.dumps(
        {
            "kind": kind.list_kind or f"{kind.kind}List",
            "apiVersion": kind.api_version,
            "metadata": list_metadata(found),
        }
    )
    bodies = found.bodies if typed else [without_type(kind, body) for body in found.bodies]
    return b'%s,"items":[%s]}' % (head[:-1], b",".join(bodies))


def _read_version(query: Mapping[str, str], resources: Resources) -> int | None:
    """Return the version that the list must be of; None: the latest."""
    text, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    if match not in _MATCHES:
        message = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
        raise _invalid("resourceVersionMatch", message)
    if not text:
        if match:
            why = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
            raise _invalid("resourceVersionMatch", why)
        return None
    if match != "Exact":
        check_version(resources, text)
        return None
    version = parse_version(text)
    if version == 0:
        why = 'Forbidden: resourceVersionMatch "Exact" is forbidden for resourceVersion "0"'
        raise _invalid("resourceVersionMatch", why)
    return version


def check_version(resources: Resources, text: str) -> None:
    """Refuse a version that is none, or is yet to come: what is read is never older.

    Raises
    ------
    ApiError
        400, or 504 for a client that is ahead of the server.
    """
    version, latest = parse_version(text), int(resources.latest_version)
    if version > latest:
        raise too_new(version, latest)


def _invalid(field: str, message: str) -> ApiError:
    cause = {"reason": "FieldValueInvalid", "message": message, "field": field}
    text = f'ListOptions.meta.k8s.io "" is invalid: {field}: {message}'
    return ApiError(422, "Invalid", text, {"causes": [cause]})


def _write_continue(position: _Continue) -> str:
    content = orjson.dumps([position.version, *position.after])
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _read_continue(token: str) -> _Continue:
    try:
        padded = token + "=" * (-len(token) % 4)
        version, namespace, name = orjson.loads(base64.urlsafe_b64decode(padded))
        return _Continue(int(version), (str(namespace), str(name)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise bad_request(f"continue key is not valid: {error}") from error


def _expired(position: _Continue) -> ApiError:
    """Build the error for a list that cannot go on as it began, and a way to go on all the same."""
    error = ApiError(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can "
        "start a new list without the continue parameter, or use the continue token in this "
        "response to retrieve the remainder of the results. Continuing with the provided token "
        "results in an inconsistent list - objects that were created, modified, or deleted "
        "between the time the first chunk was returned and now may show up in the list.",
    )
    error.metadata = {"continue": _write_continue(position._replace(version=0))}
    return error
