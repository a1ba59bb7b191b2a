"""CustomResourceDefinitions for the tests: made with a group of their own, and removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kube_server import Collection, Server

GROUP = "apiextensions.k8s.io/v1"

SPEC = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 9},
        "mode": {"type": "string", "enum": ["fast", "slow"], "default": "fast"},
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
        "nested": {
            "type": "object",
            "default": {},
            "properties": {"depth": {"type": "integer", "format": "int32", "default": 3}},
        },
        "port": {"x-kubernetes-int-or-string": True},
        "maybe": {"type": "string", "nullable": True},
        "items": {
            "type": "array",
            "maxItems": 3,
            "items": {
                "type": "object",
                "required": ["key"],
                "properties": {"key": {"type": "string"}, "value": {"type": "string"}},
            },
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["key"],
        },
        "tags": {
            "type": "array",
            "items": {"type": "string"},
            "x-kubernetes-list-type": "set",
        },
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "replicas": {"type": "integer"},
        "template": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
    },
}
STATUS = {
    "type": "object",
    "properties": {
        "phase": {"type": "string"},
        "replicas": {"type": "integer"},
        "selector": {"type": "string"},
    },
}


def version(name: str = "v1", *, storage: bool = True, **more: Any) -> dict[str, Any]:
    """One version, with a schema that has something of everything."""
    schema = {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "schema": {"openAPIV3Schema": schema},
        **more,
    }


def definition(group: str, *versions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a definition of the kind Widget."""
    names = {
        "plural": "widgets",
        "singular": "widget",
        "kind": "Widget",
        "listKind": "WidgetList",
        "shortNames": ["wd"],
        "categories": ["all"],
    }
    return {
        "apiVersion": GROUP,
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": names,
            "versions": list(versions) or [version()],
            **more,
        },
    }


def established(found: Any) -> bool:
    """Whether a definition is served."""
    conditions = found.get("status", {}).get("conditions") or []
    return ("Established", "True") in [(each["type"], each["status"]) for each in conditions]


def definitions(server: Server) -> Collection:
    """Return the collection of definitions."""
    return server.at("customresourcedefinitions", None, GROUP)


@contextmanager
def defined(server: Server, body: dict[str, Any]) -> Iterator[Any]:
    """Make a definition, wait until it is served, and remove it at the end."""
    name = body["metadata"]["name"]
    definitions(server).made(body)
    try:
        yield definitions(server).wait(name, established)
    finally:
        definitions(server).delete(name)
