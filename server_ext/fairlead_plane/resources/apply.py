"""Server-side apply: a configuration merged into an object, field by field.

Notes
-----
Rules: sigs.k8s.io/structured-merge-diff, `merge/update.go` and `typed/merge.go`.
"""

from __future__ import annotations

import copy
from typing import Any

from .fieldsets import (
    FieldSet,
    Path,
    child_schema,
    compare,
    fields_of,
    is_granular,
    item_element,
)
from .kinds import Json, Kind
from .managed import Manager, Owners, check_conflicts, owners_before_apply, strip
from .schemas import Schema
from .schemas.schema import ANYTHING


def apply(
    kind: Kind, schema: Schema, live: Json | None, config: Json, manager: Manager, *, force: bool
) -> tuple[Json, list[Json]]:
    """Apply a configuration.

    Parameters
    ----------
    kind, schema
        Of the object.
    live : dict or None
        As stored; None when there is none yet.
    config : dict
        What the manager wants; a field that it wanted before, and now does not, goes.
    manager : Manager
        Who applies.
    force : bool
        Take over what others own.

    Returns
    -------
    tuple of (dict, list of dict)
        The object and its `managedFields`.

    Raises
    ------
    ApiError
        409 when others own what would change; 400 for a list item without its keys.
    """
    wanted = strip(kind, manager, fields_of(schema, config))
    if live is None:
        owners = Owners(None)
        owners.set(manager, wanted)
        return config, owners.write(kind.api_version)
    owners = owners_before_apply(kind, schema, live, manager)
    last = owners.get(manager)
    owners.set(manager, wanted)
    kept: FieldSet = set(wanted)
    for _, fields in owners.others(manager):
        kept |= fields
    merged = _merge(schema, live, config)
    # Whole items before their fields: without its keys an item could not be found.
    for path in sorted(last - kept, key=len):
        _remove(schema, merged, path, kept)
    changed, gone = compare(schema, live, merged)
    conflicts = {
        other: fields & changed for other, fields in owners.others(manager) if fields & changed
    }
    if not force:
        check_conflicts(conflicts)
    for other, fields in owners.others(manager):
        owners.set(other, fields - conflicts.get(other, set()) - gone)
    return merged, owners.write(kind.api_version)


def _merge(schema: Schema, live: Any, config: Any) -> Any:
    if isinstance(config, dict) and isinstance(live, dict) and is_granular(schema, config):
        merged = dict(live)
        for name, value in config.items():
            if value is None:
                merged.pop(name, None)
            else:
                merged[name] = _merge(child_schema(schema, name), live.get(name), value)
        return merged
    if isinstance(config, list) and isinstance(live, list) and is_granular(schema, config):
        return _merge_lists(schema, live, config)
    return copy.deepcopy(config)


def _merge_lists(schema: Schema, live: list[Any], config: list[Any]) -> list[Any]:
    items = schema.items or ANYTHING
    found = {item_element(schema, item): item for item in live}
    for item in config:
        element = item_element(schema, item)
        found[element] = _merge(items, found.get(element), item)
    return list(found.values())


def _remove(schema: Schema, root: Json, path: Path, kept: FieldSet) -> None:
    """Take a field out of an object, and what is empty then, but not what somebody owns."""
    chain: list[tuple[Any, Any, Path]] = []
    node: Any = root
    for depth, element in enumerate(path, start=1):
        key, child_of = _find(schema, node, element)
        if key is None:
            return
        chain.append((node, key, path[:depth]))
        node, schema = node[key], child_of
    for depth, (parent, key, at) in enumerate(reversed(chain)):
        if depth and (parent[key] or at == ("f:metadata",)):
            return  # there is more in it, or it is a part that every object has
        if any(each[: len(at)] == at for each in kept):
            return
        del parent[key]


def _find(schema: Schema, node: Any, element: str) -> tuple[Any, Schema]:
    """Return key and schema of a part of a node; None as the key where there is none."""
    kind, _, name = element.partition(":")
    if kind == "f":
        known = isinstance(node, dict) and name in node
        return (name if known else None), child_schema(schema, name)
    if isinstance(node, list):
        for position, item in enumerate(node):
            if item_element(schema, item) == element:
                return position, schema.items or ANYTHING
    return None, ANYTHING
