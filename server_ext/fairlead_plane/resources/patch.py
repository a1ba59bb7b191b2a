"""Patches: pure functions from an object and a patch to the patched object."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import orjson

from .depth import check_depth
from .errors import ApiError, bad_request
from .kinds import Json
from .schemas import Schema
from .schemas.schema import ANYTHING

_ORDER = "$setElementOrder/"
_DELETE_VALUES = "$deleteFromPrimitiveList/"
_RETAIN = "$retainKeys"
_MOST_OPERATIONS = 10_000
_MOST_COPIED_BYTES = 3 << 20
"""Of a JSON patch: without a limit every copy could double the object."""


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7386): null removes, objects merge, the rest replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def strategic_merge_patch(target: Any, patch: Any, schema: Schema | None) -> Any:
    """Apply a strategic merge patch: as `merge_patch`, but lists merge as their schema says.

    Parameters
    ----------
    target, patch
        Stay as they are.
    schema : Schema or None
        Of the target; None where nothing is known: lists are replaced.

    Raises
    ------
    ApiError
        400 for a directive that is none, or an item without its merge key.

    Notes
    -----
    Directives: `$patch` (`replace`, `delete`, `merge`), `$deleteFromPrimitiveList/FIELD`,
    `$setElementOrder/FIELD`, `$retainKeys`; k8s.io/apimachinery, `strategicpatch/patch.go`.
    """
    if not isinstance(patch, dict):
        return patch
    schema = schema or ANYTHING
    directive = patch.get("$patch")
    plain = {key: value for key, value in patch.items() if key != "$patch"}
    if directive == "replace":
        return plain
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type: {directive}")
    result = dict(target) if isinstance(target, dict) else {}
    if _RETAIN in plain:
        retained = plain.pop(_RETAIN)
        _check_list(_RETAIN, retained)
        result = {key: value for key, value in result.items() if key in retained}
    for key, value in plain.items():
        if key.startswith(_DELETE_VALUES):
            _check_list(key, value)
            name = key[len(_DELETE_VALUES) :]
            result[name] = [each for each in result.get(name) or [] if each not in value]
    for key, value in plain.items():
        if key.startswith("$"):
            continue
        child = schema.field(key) or ANYTHING
        if value is None:
            result.pop(key, None)
        elif isinstance(value, list) and "merge" in child.patch_strategy:
            result[key] = _merge_list(result.get(key) or [], value, child)
        else:
            result[key] = strategic_merge_patch(result.get(key), value, child)
    for key, value in plain.items():
        if key.startswith(_ORDER) and isinstance(result.get(key[len(_ORDER) :]), list):
            name = key[len(_ORDER) :]
            merge_key = (schema.field(name) or ANYTHING).patch_merge_key
            result[name] = _in_order(result[name], value, merge_key)
    return result


def json_patch(target: Json, operations: Any) -> Json:
    """Apply a JSON patch (RFC 6902).

    Raises
    ------
    ApiError
        400 for a patch that is none; 422 when a path does not exist or a test fails.
    """
    # Imported here: few clients send these.
    from jsonpatch import InvalidJsonPatch, JsonPatch, JsonPatchException
    from jsonpointer import JsonPointer, JsonPointerException

    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    if len(operations) > _MOST_OPERATIONS:
        message = (
            f"The allowed maximum operations in a JSON patch is {_MOST_OPERATIONS}, "
            f"got {len(operations)}"
        )
        raise ApiError(413, "RequestEntityTooLarge", message)
    result: Any = copy.deepcopy(target)
    copied = 0
    try:
        JsonPatch(operations)  # whether all of them are operations, before the first is done
        for each in operations:
            if each["op"] == "copy":
                copied += len(orjson.dumps(JsonPointer(each["from"]).resolve(result)))
                if copied > _MOST_COPIED_BYTES:
                    why = f"the accumulated size of copies exceeds {_MOST_COPIED_BYTES} bytes"
                    raise ValueError(f"Unable to complete the copy, {why}")
            result = JsonPatch([each]).apply(result, in_place=True)
    except InvalidJsonPatch as error:
        raise bad_request(f"error decoding patch: {error}") from error
    except (JsonPatchException, JsonPointerException, TypeError, ValueError, KeyError) as error:
        message = f"the server rejected our request due to an error in our request: {error}"
        raise ApiError(422, "Invalid", message) from error
    if not isinstance(result, dict):
        raise bad_request("the patch does not leave a JSON object")
    check_depth(result)
    return result


def _check_list(directive: str, value: Any) -> None:
    if not isinstance(value, list):
        raise bad_request(f"{directive} must be a list")


def _merge_list(target: list[Any], patch: list[Any], schema: Schema) -> list[Any]:
    key = schema.patch_merge_key
    if not key:
        return [*target, *(each for each in patch if each not in target)]
    if any(isinstance(each, dict) and each.get("$patch") == "replace" for each in patch):
        return [each for each in patch if not (isinstance(each, dict) and "$patch" in each)]
    merged = {_key(each.get(key)): each for each in target if isinstance(each, dict)}
    for each in patch:
        if not isinstance(each, dict) or key not in each:
            raise bad_request(f"map: {each} does not contain declared merge key: {key}")
        if each.get("$patch") == "delete":
            merged.pop(_key(each[key]), None)
        else:
            before = merged.get(_key(each[key]))
            merged[_key(each[key])] = strategic_merge_patch(before, each, schema.items)
    return list(merged.values())


def _in_order(items: list[Any], order: Any, key: str) -> list[Any]:
    """Put the items in the order that a client has them; others stay behind their neighbour."""
    if not isinstance(order, list):
        raise bad_request("$setElementOrder must be a list")

    def identity(item: Any) -> Any:
        return _key(item.get(key) if key and isinstance(item, dict) else item)

    wanted = {identity(each): position for position, each in enumerate(order)}
    known = [item for item in items if identity(item) in wanted]
    result: list[Any] = sorted(known, key=lambda item: wanted[identity(item)])
    for position, item in enumerate(items):
        if identity(item) not in wanted:
            result.insert(_place(result, items[:position]), item)
    return result


def _place(result: list[Any], before: Iterable[Any]) -> int:
    """Return the place behind the nearest one of those that stood before."""
    for item in reversed(list(before)):
        if item in result:
            return result.index(item) + 1
    return 0


def _key(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
