"""Validation of CustomResourceDefinitions, worded as the API server words it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..causes import required, unsupported, wrong
from ..errors import Cause
from ..kinds import Json
from .definition_schema import check_schema_itself
from .names import LABEL_1035, LABEL_1035_TEXT, SUBDOMAIN, SUBDOMAIN_TEXT

_SCOPES = ("Cluster", "Namespaced")
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_PATH = re.compile(r"(\.[A-Za-z_][\w-]*(\['[^']*'\])?)+")


def check_definition(definition: Json, old: Json | None) -> Iterator[Cause]:
    """Yield what is wrong with a CustomResourceDefinition, or with what an update changes."""
    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    name = definition["metadata"]["name"]
    if name != f"{names.get('plural', '')}.{spec.get('group', '')}":
        yield wrong("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    yield from _group(spec.get("group", ""))
    if not spec.get("scope"):
        yield required("spec.scope")
    elif spec["scope"] not in _SCOPES:
        yield unsupported("spec.scope", spec["scope"], _SCOPES)
    yield from _names(names)
    if spec.get("preserveUnknownFields"):
        yield wrong(
            "spec.preserveUnknownFields",
            True,
            "cannot set to true, set x-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead",
        )
    yield from _versions(spec.get("versions") or [])
    if old is not None:
        yield from _changes(definition, old)


def _group(group: str) -> Iterator[Cause]:
    if not group:
        yield required("spec.group")
    elif not SUBDOMAIN.fullmatch(group):
        yield wrong("spec.group", group, SUBDOMAIN_TEXT)
    elif "." not in group:
        yield wrong("spec.group", group, "should be a domain with at least one dot")


def _names(names: Json) -> Iterator[Cause]:
    for field in ("plural", "singular", "kind", "listKind"):
        path, value = f"spec.names.{field}", names.get(field)
        if not value:
            yield required(path)
            continue
        mixed = field in ("kind", "listKind")
        if not LABEL_1035.fullmatch(value.lower() if mixed else value) or len(value) > 63:
            prefix = "may have mixed case, but should otherwise match: " if mixed else ""
            yield wrong(path, value, f"{prefix}{LABEL_1035_TEXT}")
    for field in ("shortNames", "categories"):
        for index, each in enumerate(names.get(field) or ()):
            if not LABEL_1035.fullmatch(each):
                yield wrong(f"spec.names.{field}[{index}]", each, LABEL_1035_TEXT)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield wrong("spec.names.listKind", names["kind"], "kind and listKind may not be the same")


def _versions(versions: list[Json]) -> Iterator[Cause]:
    names = [each.get("name", "") for each in versions]
    if sum(bool(each.get("storage")) for each in versions) != 1:
        yield wrong(
            "spec.versions", names, "must have exactly one version marked as storage version"
        )
    if len(set(names)) != len(names):
        yield wrong("spec.versions", names, "must contain unique version names")
    same = len(versions) > 0 and all(
        each.get("schema") == versions[0].get("schema") for each in versions
    )
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        if not LABEL_1035.fullmatch(names[index]):
            yield wrong(f"{path}.name", names[index], LABEL_1035_TEXT)
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            yield required(f"{path}.schema.openAPIV3Schema", "schemas are required")
        elif not same:
            yield from check_schema_itself(schema, f"{path}.schema.openAPIV3Schema")
        elif index == 0:
            # What all versions have in common is kept, and named, once.
            yield from check_schema_itself(schema, "spec.validation.openAPIV3Schema")
        yield from _columns(version, path)
        yield from _scale(version, path)


def _columns(version: Json, path: str) -> Iterator[Cause]:
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        at = f"{path}.additionalPrinterColumns[{index}]"
        if not column.get("name"):
            yield required(f"{at}.name")
        if not column.get("type"):
            yield required(f"{at}.type", f"must be one of {','.join(_COLUMN_TYPES)}")
        elif column["type"] not in _COLUMN_TYPES:
            yield wrong(f"{at}.type", column["type"], f"must be one of {','.join(_COLUMN_TYPES)}")
        if not column.get("jsonPath"):
            yield required(f"{at}.JSONPath")


def _scale(version: Json, path: str) -> Iterator[Cause]:
    scale = (version.get("subresources") or {}).get("scale")
    if scale is None:
        return
    for field, root in (
        ("specReplicasPath", ".spec."),
        ("statusReplicasPath", ".status."),
        ("labelSelectorPath", ""),
    ):
        at, value = f"{path}.subresources.scale.{field}", scale.get(field)
        if not value:
            if field != "labelSelectorPath":
                yield required(at)
        elif not _PATH.fullmatch(value):
            yield wrong(at, value, "must be a simple json path starting with .")
        elif not value.startswith(root):
            yield wrong(at, value, f"should be a json path under {root[:-1]}")


def _changes(definition: Json, old: Json) -> Iterator[Cause]:
    spec, before = definition["spec"], old["spec"]
    for field in ("group", "scope"):
        if spec.get(field) != before.get(field):
            yield wrong(f"spec.{field}", spec.get(field), "field is immutable")
    for field in ("kind", "plural"):
        new = (spec.get("names") or {}).get(field)
        if new != before["names"].get(field):
            yield wrong(f"spec.names.{field}", new, "field is immutable")
    names = [each.get("name") for each in spec.get("versions") or ()]
    for index, stored in enumerate((old.get("status") or {}).get("storedVersions") or ()):
        if stored not in names:
            yield wrong(f"status.storedVersions[{index}]", stored, "must appear in spec.versions")
