"""Whether the schema of a custom resource is structural, and its parts fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..causes import forbidden_field, required, unsupported, wrong
from ..errors import Cause
from ..kinds import Json
from .custom import prune_value
from .formats import compile_pattern
from .rules import compile_rule
from .schema import Schema
from .structural import check_value

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_LIST_TYPES = ("atomic", "set", "map")
_NUMBERS = (
    "maximum", "minimum", "multipleOf", "maxLength", "minLength", "maxItems", "minItems",
    "maxProperties", "minProperties",
)  # fmt: skip
_BRANCHES = ("allOf", "anyOf", "oneOf", "not")
# What a branch of `allOf`, `anyOf`, `oneOf` and `not` may not say: it is for the schema itself.
_STRUCTURE = (
    "type", "title", "description", "default", "nullable", "additionalProperties",
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource",
)  # fmt: skip
_UNKNOWN = {
    "$ref": "$ref is not supported",
    "patternProperties": "patternProperties is not supported",
    "dependencies": "dependencies are not supported",
    "definitions": "definitions is not supported",
    "additionalItems": "additionalItems is not supported",
}
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_INT_OR_STRING = "x-kubernetes-int-or-string"


def check_schema_itself(schema: Json, path: str) -> Iterator[Cause]:
    """Yield what is wrong with the `openAPIV3Schema` of one version."""
    if not schema.get("type"):
        yield required(f"{path}.type", "must not be empty at the root")
    elif schema["type"] != "object":
        yield wrong(f"{path}.type", schema["type"], "must be object at the root")
    metadata = (schema.get("properties") or {}).get("metadata") or {}
    if set(metadata.get("properties") or {}) - {"name", "generateName"}:
        yield forbidden_field(
            f"{path}.properties[metadata]",
            "must not specify anything other than name and generateName, but metadata is "
            "implicitly specified",
        )
    yield from _node(schema, path, root=True)


def _node(node: Json, path: str, *, root: bool = False) -> Iterator[Cause]:
    kind = node.get("type")
    if kind and kind not in _TYPES:
        yield unsupported(f"{path}.type", kind, _TYPES)
    for word, text in _UNKNOWN.items():
        if word in node:
            yield forbidden_field(f"{path}.{word}", text)
    for word in _NUMBERS:
        bound = node.get(word)
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, (int, float))):
            yield wrong(f"{path}.{word}", bound, "must be a number")
    if node.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden_field(f"{path}.uniqueItems", text)
    if node.get("properties") and node.get("additionalProperties"):
        text = "additionalProperties and properties are mutual exclusive"
        yield forbidden_field(f"{path}.additionalProperties", text)
    if kind == "array" and not node.get("items") and "items" not in node:
        yield required(f"{path}.items", "must be specified")
    if node.get(_EMBEDDED) and not node.get("properties") and not node.get(_PRESERVE):
        text = f"must not be empty if {_EMBEDDED} is true without {_PRESERVE}"
        yield required(f"{path}.properties", text)
    yield from _list(node, path)
    yield from _pattern(node, path)
    yield from _rules(node, path)
    for word in _BRANCHES:
        found = node.get(word)
        for index, each in enumerate([found] if isinstance(found, dict) else found or ()):
            at = f"{path}.{word}" if word == "not" else f"{path}.{word}[{index}]"
            yield from _branch(each, at, int_or_string=bool(node.get(_INT_OR_STRING)))
    if "default" in node and not root:
        yield from _default(node, path)
    for name, each in (node.get("properties") or {}).items():
        at = f"{path}.properties[{name}]"
        yield from _typed(each, at, "must not be empty for specified object fields")
        yield from _node(each, at)
    values = node.get("additionalProperties")
    if isinstance(values, dict):
        at = f"{path}.additionalProperties"
        yield from _typed(values, at, "must not be empty for specified object fields")
        yield from _node(values, at)
    items = node.get("items")
    if items is not None and not isinstance(items, dict):
        text = "items must be a schema object and not an array"
        yield forbidden_field(f"{path}.items", text)
    if isinstance(items, dict):
        yield from _typed(items, f"{path}.items", "must not be empty for specified array items")
        yield from _node(items, f"{path}.items")


def _typed(node: Json, path: str, text: str) -> Iterator[Cause]:
    if not node.get("type") and not node.get(_INT_OR_STRING) and not node.get(_PRESERVE):
        yield required(f"{path}.type", text)


def _list(node: Json, path: str) -> Iterator[Cause]:
    kind, keys = node.get("x-kubernetes-list-type"), node.get("x-kubernetes-list-map-keys")
    at = f"{path}.x-kubernetes-list-map-keys"
    if kind is None:
        if keys:
            text = "must be map if x-kubernetes-list-map-keys is non-empty"
            yield required(f"{path}.x-kubernetes-list-type", text)
        return
    if kind not in _LIST_TYPES:
        yield unsupported(f"{path}.x-kubernetes-list-type", kind, _LIST_TYPES)
    if node.get("type") != "array":
        text = "must be array if x-kubernetes-list-type is specified"
        yield wrong(f"{path}.type", node.get("type", ""), text)
    if kind != "map":
        return
    if not keys:
        yield required(at, "must not be empty if x-kubernetes-list-type is map")
        return
    items = node.get("items") or {}
    named = items.get("properties") or {}
    if set(keys) - set(named):
        yield wrong(at, keys, "entries must all be names of item properties")
    for key in keys:
        if key in named and "default" not in named[key] and key not in items.get("required", ()):
            yield required(
                f"{path}.items.properties[{key}].default",
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be "
                "a required property",
            )


def _pattern(node: Json, path: str) -> Iterator[Cause]:
    pattern = node.get("pattern")
    if pattern:
        try:
            compile_pattern(pattern)
        except re.error as error:
            text = f"must be a valid regular expression, but isn't: {error}"
            yield wrong(f"{path}.pattern", pattern, text)


def _rules(node: Json, path: str) -> Iterator[Cause]:
    for index, rule in enumerate(node.get("x-kubernetes-validations") or ()):
        at = f"{path}.x-kubernetes-validations[{index}]"
        text = rule.get("rule", "")
        if not text.strip():
            yield required(f"{at}.rule", "rule is not specified")
            continue
        for field in ("rule", "messageExpression"):
            if rule.get(field):
                try:
                    compile_rule(rule[field])
                except ValueError as error:
                    yield wrong(f"{at}.{field}", rule[field], f"compilation failed: {error}")


def _branch(node: Json, path: str, *, int_or_string: bool) -> Iterator[Cause]:
    """Check a branch, which may restrict values and say nothing of structure."""
    for word in _STRUCTURE:
        if word == "type" and int_or_string:
            continue
        if word in node:
            yield forbidden_field(f"{path}.{word}", "must be empty to be structural")
    yield from _pattern(node, path)
    for name, each in (node.get("properties") or {}).items():
        yield from _branch(each, f"{path}.properties[{name}]", int_or_string=False)
    if isinstance(node.get("items"), dict):
        yield from _branch(node["items"], f"{path}.items", int_or_string=False)
    for word in _BRANCHES:
        found = node.get(word)
        for index, each in enumerate([found] if isinstance(found, dict) else found or ()):
            at = f"{path}.{word}" if word == "not" else f"{path}.{word}[{index}]"
            yield from _branch(each, at, int_or_string=int_or_string)


def _default(node: Json, path: str) -> Iterator[Cause]:
    default: Any = node["default"]
    schema = Schema(node)
    unknown: list[str] = []
    prune_value(schema, default, unknown)
    if unknown:
        yield wrong(f"{path}.default", default, "must not have unknown fields")
        return
    for cause in check_value(schema, default, ""):
        field = f"{path}.default.{cause.field}" if cause.field else f"{path}.default"
        yield Cause(field, cause.reason, cause.message)
