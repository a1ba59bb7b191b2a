"""Short ways to write structural schemas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...kinds import Json

CORE = "io.k8s.api.core.v1."
BATCH = "io.k8s.api.batch.v1."

STRING: Json = {"type": "string"}
BOOLEAN: Json = {"type": "boolean"}
TIME: Json = {"type": "string", "format": "date-time"}
LABELS: Json = {"type": "object", "additionalProperties": STRING}
QUANTITIES: Json = {
    "type": "object",
    "additionalProperties": {
        "x-kubernetes-int-or-string": True,
        "pattern": (
            r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
            r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
        ),
    },
}


def obj(*, required: Iterable[str] = (), **properties: Json) -> Json:
    """Return an object with these fields."""
    found: Json = {"type": "object", "properties": properties}
    if required := tuple(required):
        found["required"] = [*required]
    return found


def ref(name: str) -> Json:
    """Return what a built-in definition says."""
    return {"$ref": name}


def text(most: int | None = None, least: int | None = None, **more: Any) -> Json:
    """Return a string between two lengths."""
    lengths = {"maxLength": most, "minLength": least}
    return {"type": "string", **{k: v for k, v in lengths.items() if v is not None}, **more}


def one_of(*values: str, default: str | None = None) -> Json:
    """Return a string that is one of some."""
    found: Json = {"type": "string", "enum": [*values]}
    return found if default is None else {**found, "default": default}


def number(least: int | None = None, format: str = "int32", **more: Any) -> Json:
    """Return an integer."""
    found: Json = {"type": "integer", "format": format, **more}
    return found if least is None else {**found, "minimum": least}


def items(of: Json, most: int | None = None, **more: Any) -> Json:
    """Return a list that is replaced as a whole."""
    found: Json = {"type": "array", "items": of, "x-kubernetes-list-type": "atomic", **more}
    return found if most is None else {**found, "maxItems": most}


def table(of: Json, *keys: str, most: int | None = None) -> Json:
    """Return a list whose items are told apart by some of their fields."""
    more = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [*keys]}
    return {**items(of, most), **more}


def conditions(most: int | None = None) -> Json:
    """Return the conditions of a status, as `metav1.Condition`."""
    reason = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
    return table(
        obj(
            required=("lastTransitionTime", "message", "reason", "status", "type"),
            lastTransitionTime=TIME,
            message=text(32768),
            observedGeneration=number(0, "int64"),
            reason=text(1024, 1, pattern=reason),
            status=one_of("True", "False", "Unknown"),
            type=text(316),
        ),
        "type",
        most=most,
    )


def template_metadata() -> Json:
    """Return the metadata of a template, as operators publish it."""
    return obj(
        annotations=LABELS,
        finalizers=items(STRING),
        labels=LABELS,
        name=STRING,
        namespace=STRING,
    )
