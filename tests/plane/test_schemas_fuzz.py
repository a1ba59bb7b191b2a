"""Objects of all built-in kinds at random: taken or refused in words, never an error of ours."""

from __future__ import annotations

import copy
import random

import pytest

from fairlead_plane.resources import ApiError
from fairlead_plane.resources.kinds import KINDS
from fairlead_plane.resources.schemas import builtin_schema
from fairlead_plane.resources.schemas.decode import decode
from fairlead_plane.resources.schemas.defaults import apply_defaults
from fairlead_plane.resources.validation import check

OBJECTS = 300
KEYS = ("a", "cpu", "", "nvidia.com/gpu", "a/b/c", "storage")
TEXTS = (
    "", "a", "A_", "..", "/x", "x" * 70, "metadata.name", "1", "Always", "Never", "TCP", "None",
    "ExternalName", "Recreate", "Container", "In", "Exists", "*/5 * * * *", "TZ=a b", "@every x",
    "10%", "é", "\0",
)  # fmt: skip
QUANTITIES = ("1", "0", "-1", "1.5", "500m", "1Gi", 2, 0.5, "1e3", "0.1n", "9999999999999999E")
CHOICES = {
    "integer": (0, 1, -1, 80, 70000, 2**31 - 1),
    "number": (0, 1.5, -1),
    "boolean": (True, False),
    "quantity": QUANTITIES,
    "int-or-string": (0, 80, -1, "a", "10%", "200%", ""),
    "date-time": ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.1+01:00"),
    "byte": ("YQ==", "e30=", ""),
}


def make(schema, chance, depth=0):
    """A value of the right types and otherwise of any kind."""
    if chance.random() < 0.02:
        return None
    if schema.values is not None:
        return {
            chance.choice(KEYS): make(schema.values, chance, depth + 1)
            for _ in range(chance.randint(0, 2))
        }
    if schema.type == "object":
        likely = 0.9 if depth < 2 else 0.35 if depth < 9 else 0
        return {
            name: make(field, chance, depth + 1)
            for name, field in schema.properties.items()
            if name in schema.required or chance.random() < likely
        }
    if schema.type == "array":
        return [make(schema.items, chance, depth + 1) for _ in range(chance.choice((0, 1, 1, 2)))]
    return chance.choice(CHOICES.get(schema.format) or CHOICES.get(schema.type) or TEXTS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_no_object_is_too_strange(kind):
    schema = builtin_schema(kind.api_version, kind.kind)
    if schema is None:
        pytest.skip("takes anything")
    chance = random.Random(kind.kind)
    for _ in range(OBJECTS):
        given = make(schema, chance) or {}
        given |= {"apiVersion": kind.api_version, "kind": kind.kind}
        try:
            obj, _ = decode(kind, given, schema, "Warn")
            metadata = obj.setdefault("metadata", {})
            metadata |= {"name": metadata.get("name") or "a", "uid": "u"}
            if kind.status_subresource:
                obj.pop("status", None)
            apply_defaults(kind, obj, schema)
            again = copy.deepcopy(obj)
            check(kind, obj, None, schema)
            check(kind, again, obj, schema)
        except ApiError:
            continue
        else:
            apply_defaults(kind, again, schema)
            assert again == obj
