"""Sets of fields of objects, as `metadata.managedFields` writes them.

A path is a tuple of elements: `f:NAME` is a field, `k:{"name":"x"}` the item of a list with these
keys, `v:"x"` a value of a set.

Notes
-----
Format: `FieldsV1` of k8s.io/apimachinery; meaning: sigs.k8s.io/structured-merge-diff, `fieldpath`.
"""

from __future__ import annotations

from typing import Any

import orjson

from .errors import bad_request
from .kinds import Json
from .schemas import Schema
from .schemas.schema import ANYTHING

Path = tuple[str, ...]
FieldSet = set[Path]

_CONTAINER = object()
"""Stands for the value of a map or an item that is looked at field by field."""


def fields_of(schema: Schema, obj: Json) -> FieldSet:
    """Return the fields that an object sets, as an applied configuration owns them."""
    return {*_nodes(schema, obj, maps=False)}


def compare(schema: Schema, old: Json, new: Json) -> tuple[FieldSet, FieldSet]:
    """Return the fields that are new or changed, and those that are gone."""
    before = _nodes(schema, old, maps=True)
    after = _nodes(schema, new, maps=True)
    changed = {path for path, value in after.items() if before.get(path, Ellipsis) != value}
    return changed, before.keys() - after.keys()


def parse_fields(fields: Json) -> FieldSet:
    """Read a set from its `FieldsV1` form."""
    found: FieldSet = set()

    def walk(node: Json, path: Path) -> None:
        if path and (not node or "." in node):
            found.add(path)
        for element, child in node.items():
            if element != ".":
                walk(child, (*path, element))

    walk(fields, ())
    return found


def write_fields(fields: FieldSet) -> Json:
    """Write a set in its `FieldsV1` form."""
    root: Json = {}
    for path in sorted(fields):  # a field comes before its parts
        node, new = root, True
        for element in path:
            child = node.get(element)
            if child is None:
                if not node and not new:
                    node["."] = {}  # a field of the set itself, and no longer without parts
                child = node[element] = {}
                new = True
            else:
                new = False
            node = child
    return root


def item_element(schema: Schema, item: Any) -> str:
    """Return the element of an item of a list of type `map` or `set`.

    Raises
    ------
    ApiError
        400 for an item without its keys.
    """
    if schema.list_type == "set":
        return f"v:{_dump(item)}"
    keys = {}
    for key in schema.map_keys:
        value = item.get(key) if isinstance(item, dict) else None
        if value is None and schema.items is not None:
            child = schema.items.field(key)
            value = None if child is None else child.default
        if value is not None:
            keys[key] = value
    if not keys:
        raise bad_request(
            f"associative list with keys has an element that omits key field "
            f'"{schema.map_keys[0]}" (and doesn\'t have default value)'
        )
    return f"k:{_dump(keys)}"


def is_granular(schema: Schema, value: Any) -> bool:
    """Tell whether a value is looked at part by part; another one has one owner as a whole."""
    if isinstance(value, dict):
        return schema.map_type != "atomic" and not schema.int_or_string
    return isinstance(value, list) and schema.type == "array" and schema.list_type != "atomic"


def child_schema(schema: Schema, name: str) -> Schema:
    """Return the schema of a field; of anything where none is known."""
    return schema.field(name) or ANYTHING


def show_path(path: Path) -> str:
    """Return a path for people: `.spec.containers[name="main"].image`."""
    return "".join(_show(element) for element in path)


def _show(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    keys = orjson.loads(rest)
    return f"[{','.join(f'{key}={_dump(value)}' for key, value in keys.items())}]"


def _nodes(schema: Schema, obj: Json, *, maps: bool) -> dict[Path, Any]:
    """Return each field and its value; of containers only those that count as fields.

    Items of lists are fields of their own; with `maps`, so are maps with free keys.
    """
    found: dict[Path, Any] = {}
    _collect(schema, obj, (), maps, found)
    return found


def _collect(schema: Schema, value: Any, path: Path, maps: bool, found: dict[Path, Any]) -> None:
    if not is_granular(schema, value):
        found[path] = value
    elif isinstance(value, dict):
        if not value:
            if path:
                found[path] = value
            return
        if maps and schema.values is not None:
            found[path] = _CONTAINER
        for name, child in value.items():
            inner = (*path, f"f:{name}")
            if isinstance(child, (dict, list)):
                _collect(child_schema(schema, name), child, inner, maps, found)
            else:
                found[inner] = child  # most of all fields
    else:
        items = schema.items or ANYTHING
        if maps and value:
            found[path] = _CONTAINER
        for item in value:
            inner = (*path, item_element(schema, item))
            if schema.list_type == "set":
                found[inner] = item
                continue
            _collect(items, item, inner, maps, found)
            if is_granular(items, item):
                found[inner] = _CONTAINER


def _dump(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
