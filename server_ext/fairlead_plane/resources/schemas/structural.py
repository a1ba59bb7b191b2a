"""Validation of values by a structural schema, worded as the API server words it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ..causes import duplicate, required, too_long, too_many, unsupported, wrong, wrong_type
from ..errors import Cause
from ..kinds import Json
from .formats import compile_pattern, has_format
from .schema import Schema

MISSING: Any = object()
"""Stands for no value before."""

_RESOURCE_FIELDS = ("apiVersion", "kind", "metadata")
_NOWHERE = "<nil>"


def check_value(schema: Schema, value: Any, path: str, old: Any = MISSING) -> Iterator[Cause]:
    """Yield what is wrong with a value.

    Parameters
    ----------
    schema : Schema
        Of the value.
    value : Any
        With defaults in place.
    path : str
        Where it is; empty for a whole resource.
    old : Any
        What was there before. A value that has not changed stays valid, whatever the schema says
        now, so that a new version of a definition strands no object.
    """
    if old is not MISSING and old == value:
        return
    name = type_name(value)
    if value is None and (schema.nullable or not schema.type):
        return
    if not _has_type(schema, value, name):
        wanted = "integer,string" if schema.int_or_string else schema.type
        yield wrong_type(path, name, f'{path} in body must be of type {wanted}: "{name}"')
        if schema.enum is None:
            return
    if schema.enum is not None and value not in schema.enum:
        yield unsupported(path, value, schema.enum)
    yield from _CHECKS.get(name, _nothing)(schema, value, path, old)
    yield from _branches(schema, value, path)


def type_name(value: Any) -> str:
    """Name the type of a JSON value as a schema does."""
    if isinstance(value, bool):
        return "boolean"
    names = {dict: "object", list: "array", str: "string", int: "integer", float: "number"}
    return names.get(type(value), "null")


def old_item(schema: Schema, old: Any, value: Any, index: int) -> Any:
    """Return what an item of a list was before, by its keys; MISSING where nothing tells."""
    if not isinstance(old, list):
        return MISSING
    if schema.list_type == "map" and isinstance(value, dict):
        key = _key(schema, value)
        for each in old:
            if isinstance(each, dict) and _key(schema, each) == key:
                return each
    return MISSING


def _has_type(schema: Schema, value: Any, name: str) -> bool:
    if schema.int_or_string:
        return name in ("integer", "string")
    if name == "integer" and schema.type == "number":
        return True
    if name == "number" and schema.type == "integer":
        return bool(value.is_integer())
    return schema.type in ("", name)


def _nothing(schema: Schema, value: Any, path: str, old: Any) -> Iterator[Cause]:
    return iter(())


def _object(schema: Schema, value: Json, path: str, old: Any) -> Iterator[Cause]:
    raw = schema.raw
    most, least = raw.get("maxProperties"), raw.get("minProperties")
    if most is not None and len(value) > most:
        yield too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield wrong(path, len(value), f"{path} in body should have at least {least} properties")
    for name in schema.required:
        if name not in value:
            yield required(_child(path, name))
    if schema.embedded_resource:
        yield from _embedded(value, path)
    named = raw.get("properties", {})
    for name, each in value.items():
        if name in _RESOURCE_FIELDS and (not path or schema.embedded_resource):
            child = Schema(named[name]) if name in named else None
        else:
            child = schema.field(name)
        if child is not None:
            before = old.get(name, MISSING) if isinstance(old, dict) else MISSING
            yield from check_value(child, each, _child(path, name), before)


def _embedded(value: Json, path: str) -> Iterator[Cause]:
    for name in ("apiVersion", "kind"):
        if not value.get(name):
            yield required(f"{path}.{name}", "must not be empty")
    version = value.get("apiVersion")
    if isinstance(version, str) and version.count("/") > 1:
        yield wrong(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")


def _array(schema: Schema, value: list[Any], path: str, old: Any) -> Iterator[Cause]:
    raw = schema.raw
    most, least = raw.get("maxItems"), raw.get("minItems")
    if most is not None and len(value) > most:
        yield too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield wrong(path, len(value), f"{path} in body should have at least {least} items")
    if schema.list_type in ("set", "map"):
        yield from _unique(schema, value, path)
    items = schema.items
    if items is not None:
        for index, each in enumerate(value):
            yield from check_value(
                items, each, f"{path}[{index}]", old_item(schema, old, each, index)
            )


def _unique(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, each in enumerate(value):
        key = each
        if schema.list_type == "map":
            if not isinstance(each, dict):
                continue  # its type is named
            key = _key(schema, each)
        text = json.dumps(key, sort_keys=True)
        if text in seen:
            yield duplicate(f"{path}[{index}]", key)
        seen.add(text)


def _key(schema: Schema, item: Json) -> Json:
    return {name: item[name] for name in schema.map_keys if name in item}


def _string(schema: Schema, value: str, path: str, old: Any) -> Iterator[Cause]:
    raw = schema.raw
    most, least, pattern = raw.get("maxLength"), raw.get("minLength"), raw.get("pattern")
    if most is not None and len(value) > most:
        yield too_long(path, most)
    if least is not None and len(value) < least:
        yield wrong(path, value, f"{path} in body should be at least {least} chars long")
    if pattern:
        try:
            matches = compile_pattern(pattern).search(value) is not None
        except re.error as error:
            yield wrong(path, value, f"the pattern '{pattern}' cannot be checked here: {error}")
        else:
            if not matches:
                yield wrong(path, value, f"{path} in body should match '{pattern}'")
    if schema.format and not has_format(schema.format, value):
        yield wrong(path, value, f'{path} in body must be of type {schema.format}: "{value}"')


def _number(schema: Schema, value: float, path: str, old: Any) -> Iterator[Cause]:
    raw = schema.raw
    most, least, step = raw.get("maximum"), raw.get("minimum"), raw.get("multipleOf")
    where = f"{path} in body should be"
    if most is not None:
        if raw.get("exclusiveMaximum"):
            if value >= most:
                yield wrong(path, value, f"{where} less than {most}")
        elif value > most:
            yield wrong(path, value, f"{where} less than or equal to {most}")
    if least is not None:
        if raw.get("exclusiveMinimum"):
            if value <= least:
                yield wrong(path, value, f"{where} greater than {least}")
        elif value < least:
            yield wrong(path, value, f"{where} greater than or equal to {least}")
    if step and abs(value / step - round(value / step)) > 1e-9:
        yield wrong(path, value, f"{where} a multiple of {step}")


_CHECKS: dict[str, Callable[[Schema, Any, str, Any], Iterator[Cause]]] = {
    "array": _array,
    "integer": _number,
    "number": _number,
    "object": _object,
    "string": _string,
}


def _branches(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    raw = schema.raw
    if "allOf" in raw:
        for each in schema.branches("allOf"):
            yield from check_value(each, value, path)
    for word, says in (
        ("anyOf", "must validate at least one schema (anyOf)"),
        ("oneOf", "must validate one and only one schema (oneOf). Found none valid"),
    ):
        if word not in raw:
            continue
        found = [[*check_value(each, value, path)] for each in schema.branches(word)]
        valid = sum(not each for each in found)
        if not valid:
            yield wrong(_NOWHERE, "", f'"{path}" {says}')
            yield from min(found, key=len)
        elif word == "oneOf" and valid > 1:
            text = (
                f"must validate one and only one schema (oneOf). Found {valid} valid alternatives"
            )
            yield wrong(_NOWHERE, "", f'"{path}" {text}')
    if "not" in raw and not any(
        True for each in schema.branches("not") for _ in check_value(each, value, path)
    ):
        yield wrong(_NOWHERE, "", f'"{path}" must not validate the schema (not)')


def _child(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
