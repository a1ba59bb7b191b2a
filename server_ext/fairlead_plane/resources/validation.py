"""What an object must look like to be stored; names every field that is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .errors import Cause, invalid
from .kinds import CONFIG_MAP, NAMESPACE, POD, SECRET, SERVICE, Json, Kind
from .schemas import Schema
from .schemas.validate import check_schema
from .validation_pod import check_pod, check_pod_update
from .validation_workloads import WORKLOADS, check_workload

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_LABEL = re.compile(_LABEL)
_DNS_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_KEY_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")

_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    "'-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
    r"used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
    "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_KEY_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def check(
    kind: Kind, obj: Json, existing: Json | None = None, schema: Schema | None = None
) -> None:
    """Refuse an object that the API server would refuse.

    Parameters
    ----------
    kind : Kind
        Kind of the object.
    obj : dict
        With defaults and metadata in place.
    existing : dict, optional
        The stored object that `obj` replaces.
    schema : Schema, optional
        Of the kind; without it only what all objects have in common is checked.

    Raises
    ------
    ApiError
        422 with one cause per field.
    """
    causes = [*_metadata(kind, obj["metadata"])]
    if kind is POD:
        causes += check_pod(obj)
        if existing is not None and not causes:
            causes += check_pod_update(obj, existing)
    elif kind in WORKLOADS:
        causes += check_workload(kind, obj, existing)
    elif kind in (CONFIG_MAP, SECRET):
        causes += _data(kind, obj)
    causes += check_schema(kind, obj, existing, schema)
    if causes:
        raise invalid(
            kind, obj["metadata"].get("name") or obj["metadata"].get("generateName", ""), causes
        )


def wrong(field: str, value: Any, message: str) -> Cause:
    """Build the cause for a value that is not valid."""
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return Cause(field, "FieldValueInvalid", f"Invalid value: {shown}: {message}")


def _metadata(kind: Kind, metadata: Json) -> Iterator[Cause]:
    name = metadata["name"]
    if kind in (NAMESPACE, SERVICE):
        if len(name) > 63:
            yield wrong("metadata.name", name, "must be no more than 63 bytes")
        if not _DNS_LABEL.fullmatch(name):
            yield wrong("metadata.name", name, _LABEL_TEXT)
    else:
        if len(name) > 253:
            yield wrong("metadata.name", name, "must be no more than 253 bytes")
        if not _DNS_SUBDOMAIN.fullmatch(name):
            yield wrong("metadata.name", name, _SUBDOMAIN_TEXT)
    for field in ("labels", "annotations"):
        entries = metadata.get(field)
        if entries is None:
            continue
        if not isinstance(entries, dict):
            yield wrong(f"metadata.{field}", entries, "must be an object")
            continue
        for key, value in entries.items():
            yield from _entry(f"metadata.{field}", key, value, is_label=field == "labels")


def _entry(field: str, key: str, value: Any, *, is_label: bool) -> Iterator[Cause]:
    prefix, slash, name = key.rpartition("/")
    if not _KEY_NAME.fullmatch(name) or len(name) > 63:
        yield wrong(field, key, _KEY_TEXT)
    elif slash and not _DNS_SUBDOMAIN.fullmatch(prefix if is_label else prefix.lower()):
        yield wrong(field, key, f"prefix part {_SUBDOMAIN_TEXT}")
    if not isinstance(value, str):
        yield wrong(field, value, "must be a string")
    elif is_label and value and not (_KEY_NAME.fullmatch(value) and len(value) <= 63):
        yield wrong(field, value, _VALUE_TEXT)


def _data(kind: Kind, obj: Json) -> Iterator[Cause]:
    data = obj.get("data")
    if data is None:
        return
    if not isinstance(data, dict):
        yield wrong("data", data, "must be an object")
        return
    for key, value in data.items():
        if not _CONFIG_KEY.fullmatch(key):
            yield wrong(
                f"data[{key}]",
                key,
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
                "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                "'[-._a-zA-Z0-9]+')",
            )
        if not isinstance(value, str):
            yield wrong(f"data[{key}]", value, f"a value of a {kind.kind} must be a string")
