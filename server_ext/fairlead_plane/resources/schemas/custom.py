"""Decoding of custom resources: what their schema does not know is pruned."""

from __future__ import annotations

from typing import Any

from ..kinds import Json
from .schema import OBJECT_META, Schema
from .typed import DecodingError, decode_typed

_META = Schema({"$ref": OBJECT_META})
_TYPE_FIELDS = ("apiVersion", "kind")


def prune(schema: Schema, obj: Json, unknown: list[str] | None) -> Json:
    """Return a custom resource without fields that its schema does not know.

    Nulls go too where they are not allowed and no default stands in for them. Types are not
    looked at, but those of `metadata`: they are for validation.

    Parameters
    ----------
    schema : Schema
        Of the whole resource.
    obj : dict
        Stays as it is.
    unknown : list of str or None
        Takes the paths of the fields that went; None: nobody asks.
    """
    found: list[str] = []
    result = _prune_resource(schema, obj, found, "")
    if unknown is not None:
        unknown.extend(sorted(found))
    return result


def _prune_resource(schema: Schema, obj: Json, unknown: list[str], path: str) -> Json:
    """Prune an object that has type and metadata of its own."""
    result = {}
    for key in _TYPE_FIELDS:
        if key in obj:
            if not isinstance(obj[key], str):
                at = f".{path}.{key}" if path else f".{key}"
                raise DecodingError(
                    f"{at} accessor error: {obj[key]} is of the type {_go(obj[key])}, "
                    "expected string"
                )
            result[key] = obj[key]
    if "metadata" in obj and obj["metadata"] is not None:
        lost: list[str] = []
        result["metadata"] = decode_typed(_META, obj["metadata"], lost)
        prefix = f"{path}.metadata" if path else "metadata"
        unknown.extend(f"{prefix}.{each}" for each in lost)
    rest = {key: value for key, value in obj.items() if key not in (*_TYPE_FIELDS, "metadata")}
    return {**result, **_prune_object(schema, rest, unknown, path)}


def prune_value(schema: Schema, value: Any, unknown: list[str], path: str = "") -> Any:
    """Prune a value inside a custom resource; `unknown` takes the paths of what went."""
    if isinstance(value, dict):
        if schema.embedded_resource:
            return _prune_resource(schema, value, unknown, path)
        return _prune_object(schema, value, unknown, path)
    if isinstance(value, list) and schema.items is not None:
        items = schema.items
        return [prune_value(items, each, unknown, f"{path}[{i}]") for i, each in enumerate(value)]
    return value


def _prune_object(schema: Schema, value: Json, unknown: list[str], path: str) -> Json:
    if schema.int_or_string or (not schema.type and not schema.preserve_unknown):
        return value
    result = {}
    for key, each in value.items():
        child = schema.field(key)
        where = f"{path}.{key}" if path else key
        if child is None:
            unknown.append(where)
        elif each is None and not child.nullable and child.default is None and child.type:
            continue
        else:
            result[key] = prune_value(child, each, unknown, where)
    return result


def _go(value: Any) -> str:
    names = {bool: "bool", int: "int64", float: "float64", list: "[]interface {}"}
    return names.get(type(value), "map[string]interface {}")
