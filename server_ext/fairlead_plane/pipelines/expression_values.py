"""What the operators and functions of an expression do with values; each takes its types only."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import orjson

from fairlead.errors import SpecError

from .values import shown, to_text

Json = Any

_COMPARE: dict[str, Callable[[Json, Json], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def kind_of(value: Json) -> str:
    """Return the type of a value, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"


def as_boolean(value: Json) -> bool:
    """Return a boolean as it is; SpecError for anything else."""
    if isinstance(value, bool):
        return value
    raise SpecError(f"{shown(value)} is {kind_of(value)}, not true or false")


def compare(sign: str, left: Json, right: Json) -> bool:
    """Compare two values of one type; null can be compared with all, for equality."""
    kinds = kind_of(left), kind_of(right)
    equality = sign in ("==", "!=")
    if (kinds[0] == kinds[1] or (equality and "null" in kinds)) and (
        equality or kinds[0] not in ("null", "a list", "an object")
    ):
        return _COMPARE[sign](left, right)
    raise SpecError(
        f"{kinds[0]} ({shown(left)}) cannot be compared with {kinds[1]} ({shown(right)}) by {sign}"
    )


def contains(sign: str, item: Json, values: Json) -> bool:
    """Say whether an item is in a list, or a key in an object."""
    if isinstance(values, list):
        return any(kind_of(one) == kind_of(item) and one == item for one in values)
    if isinstance(values, dict) and isinstance(item, str):
        return item in values
    raise SpecError(f"nothing can be `{sign}` {kind_of(values)} ({shown(values)})")


def calculate(sign: str, left: Json, right: Json) -> Json:
    """Do arithmetic; texts and lists can be added."""
    kinds = kind_of(left), kind_of(right)
    if kinds == ("a number", "a number"):
        whole = isinstance(left, int) and isinstance(right, int)
        if sign in ("/", "%") and right == 0:
            raise SpecError(f"{shown(left)} {sign} 0 has no value")
        if sign == "/":
            return int(left / right) if whole else left / right
        if sign == "%":
            return math.fmod(left, right) if not whole else int(math.fmod(left, right))
        return {"+": operator.add, "-": operator.sub, "*": operator.mul}[sign](left, right)
    if sign == "+" and kinds in (("a text", "a text"), ("a list", "a list")):
        return left + right
    raise SpecError(f"`{sign}` takes numbers, not {kinds[0]} ({shown(left)}) and {kinds[1]}")


def negative(value: Json) -> Json:
    """Return a number with the other sign."""
    if kind_of(value) != "a number":
        raise SpecError(f"{shown(value)} is {kind_of(value)}, not a number")
    return -value


def index(value: Json, key: Json) -> Json:
    """Return an item of a list or of an object."""
    if isinstance(value, list) and isinstance(key, int | float) and not isinstance(key, bool):
        if key == int(key) and 0 <= key < len(value):
            return value[int(key)]
        raise SpecError(f"a list of {len(value)} has no item {shown(key)}")
    if isinstance(value, dict) and isinstance(key, str):
        if key in value:
            return value[key]
        raise SpecError(f"there is no value '{key}'")
    raise SpecError(f"{shown(key)} finds nothing in {kind_of(value)} ({shown(value)})")


def _int(value: Json) -> int:
    try:
        if kind_of(value) in ("a number", "a text"):
            return int(value)
    except (ValueError, OverflowError) as error:
        raise SpecError(f"{shown(value)} is no integer") from error
    raise SpecError(f"int takes a number or a text, not {kind_of(value)} ({shown(value)})")


def _double(value: Json) -> float:
    try:
        if kind_of(value) in ("a number", "a text"):
            return float(value)
    except (ValueError, OverflowError) as error:
        raise SpecError(f"{shown(value)} is no number") from error
    raise SpecError(f"double takes a number or a text, not {kind_of(value)} ({shown(value)})")


def _string(value: Json) -> str:
    if kind_of(value) in ("a number", "a text", "a boolean"):
        return to_text(value)
    raise SpecError(f"string takes no {kind_of(value).split()[-1]}: {shown(value)}")


def _bool(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    raise SpecError(f"{shown(value)} is {kind_of(value)}, not true or false")


def _size(value: Json) -> int:
    if isinstance(value, str | list | dict):
        return len(value)
    raise SpecError(f"{kind_of(value)} ({shown(value)}) has no size")


def _parse_json(value: Json) -> Json:
    if not isinstance(value, str):
        raise SpecError(f"parseJson takes a text, not {kind_of(value)}")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise SpecError(f"the text {shown(value)} is not JSON") from error


def _of_texts(name: str, test: Callable[[str, str], bool]) -> Callable[[Json, Json], bool]:
    def apply(value: Json, part: Json) -> bool:
        if isinstance(value, str) and isinstance(part, str):
            return test(value, part)
        raise SpecError(f"{name} takes texts, not {kind_of(value)} and {kind_of(part)}")

    return apply


FUNCTIONS: dict[str, Callable[..., Json]] = {
    "int": _int,
    "double": _double,
    "string": _string,
    "bool": _bool,
    "size": _size,
    "parseJson": _parse_json,
}
METHODS: dict[str, Callable[..., Json]] = {
    "startsWith": _of_texts("startsWith", str.startswith),
    "endsWith": _of_texts("endsWith", str.endswith),
    "contains": _of_texts("contains", operator.contains),
}
