"""Decoding of built-in kinds: as JSON is read into the types of the API server.

A value of another type is an error at the first one. A null is as if the field were not there,
empty lists and maps are left out where they may be, quantities and times get their canonical form.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from ..quantity import canonical_quantity
from ..times import parse_timestamp, timestamp
from .schema import Schema

_INT_RANGES = {"int32": 31, "int64": 63}
_PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=\r\n]")


class DecodingError(ValueError):
    """A value cannot be read; worded as the decoder of the API server."""


class _MismatchError(Exception):
    """A JSON value does not fit a Go type; the field is known on the way out."""

    def __init__(self, value: str, type: str) -> None:
        super().__init__()
        self.value = value
        self.type = type
        self.struct = ""
        self.path: list[str] = []


def decode_typed(schema: Schema, value: Any, unknown: list[str] | None) -> Any:
    """Return a value as the API server keeps it.

    Parameters
    ----------
    schema : Schema
        Of a built-in kind, or of a part of one.
    value : Any
        Parsed JSON; stays as it is.
    unknown : list of str or None
        Takes the paths of fields that the schema does not know; None: nobody asks.

    Raises
    ------
    DecodingError
        A value has the wrong type.
    """
    try:
        return _value(schema, value, unknown, "")
    except _MismatchError as error:
        place = f"struct field {error.struct}.{'.'.join(error.path)}" if error.struct else "value"
        raise DecodingError(
            f"json: cannot unmarshal {error.value} into Go {place} of type {error.type}"
        ) from error


def _value(schema: Schema, value: Any, unknown: list[str] | None, path: str) -> Any:
    type = schema.type
    if type == "object":
        if value.__class__ is not dict:
            raise _MismatchError(_word(value), go_type(schema))
        return _object(schema, value, unknown, path)
    if type == "array":
        if value.__class__ is not list:
            raise _MismatchError(_word(value), go_type(schema))
        items = schema.items
        assert items is not None
        return [
            _zero(items) if each is None else _value(items, each, unknown, f"{path}[{index}]")
            for index, each in enumerate(value)
        ]
    return _LEAVES[type](schema, value)


def _object(schema: Schema, value: Any, unknown: list[str] | None, path: str) -> Any:
    if schema.preserve_unknown:
        return value
    result = {}
    values = schema.values
    for key, each in value.items():
        child = values or schema.field(key)
        if child is None:
            if unknown is not None:
                unknown.append(f"{path}.{key}" if path else key)
            continue
        if each is None:
            if values is not None:
                result[key] = _zero(child)
            continue
        if each.__class__ is str and child.type == "string" and not child.format:
            result[key] = each  # most of all values
            continue
        try:
            found = _value(child, each, unknown, f"{path}.{key}" if path else key)
        except _MismatchError as error:
            if values is None:
                error.path.insert(0, key)
                error.struct = error.struct or schema.name.rpartition(".")[2]
            raise
        empty = not found and (child.type == "array" or child.values is not None)
        if empty and values is None and key not in schema.required:
            continue
        result[key] = found
    return result


def _string(schema: Schema, value: Any) -> str:
    if value.__class__ is not str:
        if schema.format == "date-time":
            raise DecodingError(
                f"json: cannot unmarshal {_word(value)} into Go value of type string"
            )
        raise _MismatchError(_word(value), go_type(schema))
    if schema.format == "date-time":
        return _time(schema, value)
    if schema.format == "byte":
        return _bytes(value)
    return str(value)


def _time(schema: Schema, text: str) -> str:
    micro = schema.name.endswith("MicroTime")
    if not micro and _PLAIN_TIME.fullmatch(text):
        return text
    try:
        seconds = parse_timestamp(text)
    except ValueError as error:
        layout = "2006-01-02T15:04:05.000000Z07:00" if micro else "2006-01-02T15:04:05Z07:00"
        raise DecodingError(
            f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"'
        ) from error
    return text if micro else timestamp(seconds)


def _bytes(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except ValueError as error:  # what is not ASCII is refused before it is decoded
        bad = _NOT_BASE64.search(text)
        at = bad.start() if bad else len(text.rstrip("="))
        if bad is None and ("\n" in text or "\r" in text):
            return _bytes(text.replace("\n", "").replace("\r", ""))
        raise DecodingError(f"illegal base64 data at input byte {at}") from error
    return text


def _integer(schema: Schema, value: Any) -> int:
    if value.__class__ is not int:
        shown = f"number {value}" if isinstance(value, float) else _word(value)
        raise _MismatchError(shown, go_type(schema))
    bits = _INT_RANGES.get(schema.format, 63)
    if not -(1 << bits) <= value < 1 << bits:
        raise _MismatchError(f"number {value}", go_type(schema))
    return int(value)


def _number(schema: Schema, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _MismatchError(_word(value), "float64")
    return value


def _boolean(schema: Schema, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _MismatchError(_word(value), "bool")
    return value


def _any(schema: Schema, value: Any) -> Any:
    if schema.format == "quantity":
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            value = _word(value)  # is none, and the message does not say more
        try:
            return canonical_quantity(value)
        except ValueError as error:
            raise DecodingError(str(error)) from error
    if schema.format == "int-or-string" and not isinstance(value, str):
        fits = value.__class__ is int and -(1 << 31) <= value < 1 << 31
        if not fits:
            shown = f"number {value}" if isinstance(value, (int, float)) else _word(value)
            shown = _word(value) if isinstance(value, bool) else shown
            raise DecodingError(f"json: cannot unmarshal {shown} into Go value of type int32")
    return value


_LEAVES: dict[str, Callable[[Schema, Any], Any]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "": _any,
}


def go_type(schema: Schema) -> str:
    """Return the Go type behind a schema, as its decoder names it."""
    if schema.type == "array":
        assert schema.items is not None
        return f"[]{go_type(schema.items)}"
    if schema.type == "object":
        if schema.values is not None:
            return f"map[string]{go_type(schema.values)}"
        *_, package, name = ("", *schema.name.split("."))
        return f"{package}.{name}"
    if schema.type == "string":
        return "[]uint8" if schema.format == "byte" else "string"
    if schema.format == "quantity":
        return "resource.Quantity"
    if schema.format == "int-or-string":
        return "intstr.IntOrString"
    plain = {"integer": schema.format or "int64", "boolean": "bool", "number": "float64"}
    return plain[schema.type]


def _zero(schema: Schema) -> Any:
    """Return the value that a null in a list or map is read as."""
    zeros = {"object": {}, "array": [], "string": "", "integer": 0, "number": 0, "boolean": False}
    return zeros.get(schema.type, "0")


def _word(value: Any) -> str:
    """Name a JSON value as Go's decoder does."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
