"""Typed parameter values: what a KFP parameter type accepts, and how a value becomes text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson

from fairlead.errors import SpecError

Json = Any

PARAMETER_TYPES = {
    "NUMBER_INTEGER": "an integer",
    "NUMBER_DOUBLE": "a number",
    "STRING": "a string",
    "BOOLEAN": "true or false",
    "LIST": "a list",
    "STRUCT": "an object",
    "TASK_FINAL_STATUS": "how another task ended",
    "TASK_CONFIG": "settings of a pod",
}
"""Parameter types of KFP's IR that carry a value, and the words for what each one takes."""

_PLAIN = frozenset({str, int, bool, type(None)})
_EXPONENT_FROM = 1e21
"""From here on protobuf writes a number with an exponent, which is read as a float."""


def convert(value: Json, type_: str, name: str) -> Json:
    """Return `value` as the JSON value that parameter type `type_` stands for.

    Parameters
    ----------
    value : JSON
        A whole number written as a float (protobuf writes all numbers so) is an integer, also
        within a list or an object. No text is ever parsed: the string "3" is not an integer.
    type_ : str
        A key of `PARAMETER_TYPES`.
    name : str
        The parameter, for the error.

    Raises
    ------
    SpecError
        The value is of another type.
    """
    if type_ == "STRING" and isinstance(value, str):
        return value
    if type_ == "BOOLEAN" and isinstance(value, bool):
        return value
    if type_ == "LIST" and isinstance(value, list):
        return whole(value)
    if type_ in ("STRUCT", "TASK_FINAL_STATUS", "TASK_CONFIG") and isinstance(value, dict):
        return whole(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if type_ == "NUMBER_DOUBLE":
            return float(value)
        if type_ == "NUMBER_INTEGER" and value == value // 1:
            return int(value)
    raise SpecError(f"Parameter '{name}' takes {PARAMETER_TYPES[type_]}, not {shown(value)}.")


def whole(value: Json) -> Json:
    """Return a value in which whole floats are integers, at any depth.

    This is what a step reads on a cluster, where protobuf writes 3.0 as 3.
    """
    if type(value) is float:
        return int(value) if value.is_integer() and abs(value) < _EXPONENT_FROM else value
    if type(value) is list and not _PLAIN.issuperset(map(type, value)):
        return [whole(item) for item in value]
    if type(value) is dict and not _PLAIN.issuperset(map(type, value.values())):
        return {key: whole(item) for key, item in value.items()}
    return value


def read_text(text: str, type_: str, name: str) -> Json:
    """Parse what a step wrote into the file of an output parameter, as KFP's launcher does.

    Strings are taken as they are; every other type is JSON, with `True` and `False` accepted.

    Raises
    ------
    SpecError
        The text is not a value of that type.
    """
    if type_ == "STRING":
        return text
    try:
        value = orjson.loads(text.lower() if type_ == "BOOLEAN" else text)
    except orjson.JSONDecodeError as error:
        raise SpecError(
            f"Parameter '{name}' takes {PARAMETER_TYPES[type_]}, not the text {shown(text)}."
        ) from error
    return convert(value, type_, name)


def to_text(value: Json) -> str:
    """Write a parameter value the way KFP's launcher puts it on a command line.

    Strings as they are, whole floats without a fraction and never with an exponent, the rest as
    compact JSON.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        plain = format(Decimal(repr(value)), "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return orjson.dumps(value).decode()


def shown(value: Json) -> str:
    """Write a value for an error message, cut to 60 characters."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."
