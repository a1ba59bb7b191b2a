"""What the API server fills in: by the schema of a custom resource, by the type of a built-in."""

from __future__ import annotations

import copy
from typing import Any

from ..kinds import Json, Kind
from . import defaults_core, defaults_workloads
from .schema import Schema

_BUILTIN = {**defaults_core.DEFAULTS, **defaults_workloads.DEFAULTS}


def apply_defaults(kind: Kind, obj: Json, schema: Schema | None) -> None:
    """Fill in the defaults of a kind, in place; never changes what is set.

    Parameters
    ----------
    kind : Kind
        Kind of the object.
    obj : dict
        As decoded. One with parts of wrong types is left as it is there: validation names them.
    schema : Schema or None
        None: nothing is filled in, unless the kind is built in.
    """
    if schema is not None and schema.name and obj.get("spec") is None:
        # In the server it is part of the object, and always there.
        part = schema.field("spec")
        if part is not None and part.type == "object":
            obj["spec"] = {}
    fill = _BUILTIN.get((kind.group, kind.kind))
    if fill is not None:
        fill(obj)
    elif schema is not None and not schema.name:
        fill_custom(schema, {key: value for key, value in obj.items() if key != "metadata"}, obj)


def fill_custom(schema: Schema, value: Json, target: Json | None = None) -> None:
    """Fill in the `default`s of a custom resource's schema, in place.

    Parameters
    ----------
    schema : Schema
        Of the object.
    value : dict
        The fields to look at.
    target : dict, optional
        The object to fill, where `value` is only a part of it.
    """
    target = value if target is None else target
    for name, default in schema.defaults.items():
        if name not in value or (value[name] is None and not _nullable(schema, name)):
            value[name] = target[name] = copy.deepcopy(default)
    for name, each in value.items():
        if isinstance(each, (dict, list)) and (child := schema.field(name)) is not None:
            _fill(child, each)


def _fill(schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
        fill_custom(schema, value)
    elif isinstance(value, list) and (items := schema.items) is not None:
        for each in value:
            _fill(items, each)


def _nullable(schema: Schema, name: str) -> bool:
    child = schema.field(name)
    return child is not None and child.nullable
