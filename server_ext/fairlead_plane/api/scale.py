"""The `scale` subresource: how many replicas there are, and how many there should be."""

from __future__ import annotations

import copy
from typing import Any

from ..resources import ApiError, Cause, Json, Kind, bad_request, invalid
from ..resources.jsonpath import simple_path
from .bodies import decode_as

_API_VERSION = "autoscaling/v1"
_SCALE = Kind("autoscaling", "v1", "Scale", "scales", True, False)


def read_scale(kind: Kind, obj: Json) -> Json:
    """Return the `Scale` of an object."""
    assert kind.scale is not None
    metadata = obj["metadata"]
    spec = _get(obj, kind.scale.spec_replicas)
    status: Json = {"replicas": _get(obj, kind.scale.status_replicas) or 0}
    if selector := _selector(kind, obj):
        status["selector"] = selector
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": _API_VERSION,
        "metadata": {name: metadata[name] for name in kept if name in metadata},
        "spec": {} if spec is None else {"replicas": spec},
        "status": status,
    }


def write_scale(kind: Kind, obj: Json, scale: Json) -> Json:
    """Return an object with the replicas that a `Scale` asks for.

    Raises
    ------
    ApiError
        400 for what is no Scale; 422 for a number that cannot be.
    """
    assert kind.scale is not None
    given = (scale.get("apiVersion") or _API_VERSION, scale.get("kind") or "Scale")
    if given != (_API_VERSION, "Scale"):
        raise bad_request(f"a Scale in {_API_VERSION} is needed, not a {given[1]} in {given[0]}")
    scale = decode_as(_SCALE, scale)
    spec = scale.get("spec")
    replicas = spec.get("replicas", 0) if isinstance(spec, dict) else 0
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request(f"spec.replicas must be a number, not {replicas!r}")
    if replicas < 0:
        message = f"Invalid value: {replicas}: must be greater than or equal to 0"
        cause = Cause("spec.replicas", "FieldValueInvalid", message)
        raise invalid(kind._replace(kind="Scale", group="autoscaling"), obj["metadata"]["name"],
                      [cause])  # fmt: skip
    changed = copy.deepcopy(obj)
    version = (scale.get("metadata") or {}).get("resourceVersion")
    if version:
        changed["metadata"]["resourceVersion"] = version
    else:
        changed["metadata"].pop("resourceVersion", None)
    *parents, last = simple_path(kind.scale.spec_replicas)
    node: Any = changed
    for name in parents:
        node = node.setdefault(name, {})
        if not isinstance(node, dict):
            raise ApiError(422, "Invalid", f"{kind.scale.spec_replicas} cannot be set")
    node[last] = replicas
    return changed


def _selector(kind: Kind, obj: Json) -> str:
    assert kind.scale is not None
    if kind.scale.selector:
        return str(_get(obj, kind.scale.selector) or "")
    selector = (obj.get("spec") or {}).get("selector") or {}
    terms = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for each in selector.get("matchExpressions") or ():
        values = f" ({','.join(each.get('values') or ())})" if each.get("values") else ""
        operator = {"In": " in", "NotIn": " notin"}.get(each["operator"], "")
        sign = "!" if each["operator"] == "DoesNotExist" else ""
        terms.append(f"{sign}{each['key']}{operator}{values}")
    return ",".join(terms)


def _get(obj: Json, path: str) -> Any:
    found: Any = obj
    for name in simple_path(path):
        found = found.get(name) if isinstance(found, dict) else None
    return found
