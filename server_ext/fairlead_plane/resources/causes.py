"""Causes of an invalid object, worded as the API server words them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .errors import Cause


def required(field: str, detail: str = "") -> Cause:
    """Build the cause for a field that is missing."""
    return Cause(field, "FieldValueRequired", _text("Required value", detail))


def wrong(field: str, value: Any, detail: str = "") -> Cause:
    """Build the cause for a value that is not valid."""
    return Cause(field, "FieldValueInvalid", _text(f"Invalid value: {shown(value)}", detail))


def wrong_type(field: str, value: Any, detail: str) -> Cause:
    """Build the cause for a value of another type."""
    return Cause(field, "FieldValueTypeInvalid", _text(f"Invalid value: {shown(value)}", detail))


def duplicate(field: str, value: Any) -> Cause:
    """Build the cause for a value that may be there once."""
    return Cause(field, "FieldValueDuplicate", f"Duplicate value: {shown(value)}")


def unsupported(field: str, value: Any, values: Iterable[Any]) -> Cause:
    """Build the cause for a value that is none of some."""
    known = ", ".join(
        json.dumps(each if isinstance(each, str) else json.dumps(each), ensure_ascii=False)
        for each in values
    )
    message = f"Unsupported value: {shown(value)}: supported values: {known}"
    return Cause(field, "FieldValueNotSupported", message)


def forbidden_field(field: str, detail: str) -> Cause:
    """Build the cause for a field that may not be set, or not be changed."""
    return Cause(field, "FieldValueForbidden", f"Forbidden: {detail}")


def too_long(field: str, most: int) -> Cause:
    """Build the cause for a text with too many bytes."""
    return Cause(field, "FieldValueTooLong", f"Too long: may not be more than {most} bytes")


def too_many(field: str, count: int, most: int) -> Cause:
    """Build the cause for a list or map with too many items."""
    message = f"Too many: {count}: must have at most {most} items"
    return Cause(field, "FieldValueTooMany", message)


def shown(value: Any) -> str:
    """Write a JSON value as an error of the API server shows it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)}:{shown(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(shown, value))}}}"
    return "null" if value is None else str(value)


def _text(start: str, detail: str) -> str:
    return f"{start}: {detail}" if detail else start
