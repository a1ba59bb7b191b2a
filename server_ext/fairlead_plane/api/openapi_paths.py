"""The paths of OpenAPI documents: which requests there are for each kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..resources import Json, Kind
from .reviews import REVIEWS

_JSON = "application/json"
_PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
)
_STRATEGIC = "application/strategic-merge-patch+json"
_WRITE = ("dryRun", "fieldManager", "fieldValidation")
_READ = (
    "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit",
    "resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
)  # fmt: skip
_DELETE = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_BOOLEANS = ("allowWatchBookmarks", "watch", "sendInitialEvents", "orphanDependents", "force")
_NUMBERS = ("limit", "timeoutSeconds", "gracePeriodSeconds")
# Method, action and query of the requests on a collection and on one object.
_COLLECTION = (
    ("get", "list", _READ),
    ("post", "post", _WRITE),
    ("delete", "deletecollection", (*_READ, *_DELETE)),
)
_OBJECT = (
    ("get", "get", ()),
    ("put", "put", _WRITE),
    ("patch", "patch", (*_WRITE, "force")),
    ("delete", "delete", _DELETE),
)


def build_paths(kinds: Iterable[Kind], builtin: Collection[Kind], *, v3: bool) -> Json:
    """Return the paths of some kinds, as OpenAPI v3 or v2 writes them.

    Parameters
    ----------
    kinds : iterable of Kind
        The kinds.
    builtin : collection of Kind
        Those among them that take a strategic merge patch: clients go by that.
    v3 : bool
        False: v2.
    """
    paths: Json = {}
    for kind in kinds:
        base = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        inner = f"{base}/namespaces/{{namespace}}" if kind.namespaced else base
        if kind in REVIEWS:
            created = [each for each in _COLLECTION if each[0] == "post"]
            where = ("namespace",) if kind.namespaced else ()
            paths[f"{inner}/{kind.plural}"] = _item(kind, created, where, v3)
            continue
        if kind.namespaced:
            paths[f"{base}/{kind.plural}"] = _item(kind, _COLLECTION[:1], (), v3)
        places = ("namespace",) if kind.namespaced else ()
        paths[f"{inner}/{kind.plural}"] = _item(kind, _COLLECTION, places, v3)
        one = f"{inner}/{kind.plural}/{{name}}"
        paths[one] = _item(kind, _OBJECT, (*places, "name"), v3)
        items = [paths[one]]
        if kind.status_subresource:
            paths[f"{one}/status"] = _item(kind, _OBJECT[:3], (*places, "name"), v3)
            items.append(paths[f"{one}/status"])
        media = (*_PATCHES, _STRATEGIC) if kind in builtin else _PATCHES
        for item in items:
            _add_body(item["patch"], media, v3)
    return dict(sorted(paths.items()))


def _item(
    kind: Kind,
    requests: Iterable[tuple[str, str, tuple[str, ...]]],
    places: tuple[str, ...],
    v3: bool,
) -> Json:
    item: Json = {"parameters": [_parameter(name, "path", v3) for name in places]}
    for method, action, query in requests:
        item[method] = {
            "tags": [f"{kind.group.partition('.')[0] or 'core'}_{kind.version}"],
            "parameters": [_parameter(name, "query", v3) for name in query],
            "responses": {"200": {"description": "OK"}, "401": {"description": "Unauthorized"}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {
                "group": kind.group,
                "kind": kind.kind,
                "version": kind.version,
            },
        }
        if method in ("post", "put"):
            _add_body(item[method], (_JSON,), v3)
    return item


def _add_body(operation: Json, media: tuple[str, ...], v3: bool) -> None:
    if v3:
        content = {each: {"schema": {"type": "object"}} for each in media}
        operation["requestBody"] = {"content": content, "required": True}
    else:
        operation["consumes"] = list(media)
        body = {"name": "body", "in": "body", "required": True, "schema": {"type": "object"}}
        operation["parameters"].append(body)


def _parameter(name: str, place: str, v3: bool) -> Json:
    type = "boolean" if name in _BOOLEANS else "integer" if name in _NUMBERS else "string"
    found: Json = {"name": name, "in": place}
    if place == "path":
        found["required"] = True
    schema = {"type": type, "uniqueItems": True}
    return {**found, "schema": schema} if v3 else {**found, **schema}
