"""Patches: pure functions from an object and a patch to the patched object."""

from __future__ import annotations

import copy
from typing import Any

from .errors import ApiError, bad_request
from .kinds import Json

# Lists of objects that a strategic merge patch merges by key (`patchMergeKey` in the types of
# k8s.io/api); other lists are replaced.
_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "ownerReferences": "uid",
    "conditions": "type",
    "ports": "containerPort",
}


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


def strategic_merge_patch(target: Any, patch: Any) -> Any:
    """Apply a strategic merge patch: as `merge_patch`, but lists of named things merge by name.

    `$patch: delete` in an element removes it, `$patch: replace` replaces the object or list;
    `$setElementOrder/...` and `$retainKeys` only order and are ignored.
    """
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.split("/", 1)[1]
            result[name] = [each for each in result.get(name) or [] if each not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            result.pop(key, None)
        elif key == "finalizers" and isinstance(value, list):
            before = result.get(key) or []
            result[key] = [*before, *(each for each in value if each not in before)]
        elif key in _MERGE_KEYS and isinstance(value, list):
            result[key] = _merge_list(result.get(key) or [], value, _MERGE_KEYS[key])
        else:
            result[key] = strategic_merge_patch(result.get(key), value)
    return result


def _merge_list(target: list[Any], patch: list[Any], key: str) -> list[Any]:
    if any(isinstance(each, dict) and each.get("$patch") == "replace" for each in patch):
        return [each for each in patch if "$patch" not in each]
    merged = {each.get(key): each for each in target if isinstance(each, dict)}
    for each in patch:
        if not isinstance(each, dict) or key not in each:
            raise bad_request(f"map: {each} does not contain declared merge key: {key}")
        if each.get("$patch") == "delete":
            merged.pop(each[key], None)
        else:
            merged[each[key]] = strategic_merge_patch(merged.get(each[key]), each)
    return list(merged.values())


def json_patch(target: Json, operations: Any) -> Json:
    """Apply a JSON patch (RFC 6902).

    Raises
    ------
    ApiError
        400 for a patch that is none; 422 when a path does not exist or a test fails.
    """
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    document = {"": copy.deepcopy(target)}
    for operation in operations:
        try:
            _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            message = f"the server rejected our request due to an error in our request: {error!r}"
            raise ApiError(422, "Invalid", message) from error
    result: Json = document[""]
    return result


def _operate(document: Json, operation: Json) -> None:
    kind, path = operation["op"], _pointer(operation["path"])
    if kind == "add":
        _add(document, path, copy.deepcopy(operation["value"]))
    elif kind == "replace":
        parent = _walk(document, path[:-1])
        key = _key(parent, path[-1])
        parent[key]  # must exist
        parent[key] = copy.deepcopy(operation["value"])
    elif kind == "remove":
        parent = _walk(document, path[:-1])
        del parent[_key(parent, path[-1])]
    elif kind == "move":
        source = _pointer(operation["from"])
        value = _walk(document, source)
        parent = _walk(document, source[:-1])
        del parent[_key(parent, source[-1])]
        _add(document, path, value)
    elif kind == "copy":
        _add(document, path, copy.deepcopy(_walk(document, _pointer(operation["from"]))))
    elif kind == "test":
        if _walk(document, path) != operation["value"]:
            raise ValueError(f"testing value {operation['path']} failed")
    else:
        raise ValueError(f"unknown operation {kind}")


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError(f"{text} is no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")]


def _walk(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[_key(document, part)]
    return document


def _key(parent: Any, part: str) -> Any:
    return int(part) if isinstance(parent, list) else part


def _add(document: Any, path: list[str], value: Any) -> None:
    parent = _walk(document, path[:-1])
    if isinstance(parent, list):
        position = len(parent) if path[-1] == "-" else int(path[-1])
        if not 0 <= position <= len(parent):
            raise IndexError(path[-1])
        parent.insert(position, value)
    else:
        parent[path[-1]] = value
