"""One view of a schema, alike over built-in kinds and custom resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..kinds import Json
from .builtin import find_definition, find_kind

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

_ANY: Json = {"x-kubernetes-preserve-unknown-fields": True}
_STRING: Json = {"type": "string"}
_TYPE_META: Json = {"apiVersion": _STRING, "kind": _STRING, "metadata": {"$ref": OBJECT_META}}


class Schema:
    """One node of a structural schema; never changes.

    Attributes
    ----------
    raw : dict
        The node as it is written, references resolved one level deep. Not to be changed.
    name : str
        Name of the built-in definition, as `io.k8s.api.core.v1.PodSpec`; empty for the rest.
    type : str
        `object`, `array`, `string`, `integer`, `number` or `boolean`; empty where any fits.
    format : str
        As `int32`, `date-time`, `byte`, `quantity`; empty without.
    list_type : str
        Of an array: `atomic`, `set` or `map`.
    map_keys : tuple of str
        The fields that tell the items of a list of type `map` apart.
    map_type : str
        Of an object: `granular` or `atomic`.
    patch_merge_key : str
        The field by which a strategic merge patch merges a list; empty where it replaces it.
    patch_strategy : tuple of str
        Some of `merge`, `replace`, `retainKeys`.
    default : Any
        Copy it before use; None without a default.
    required : tuple of str
        Names of fields that must be there.
    enum : tuple or None
        The values that are allowed.
    nullable, int_or_string, preserve_unknown, embedded_resource : bool
        `nullable` and the `x-kubernetes-` extensions of the same names.
    """

    __slots__ = (
        "_branches",
        "_children",
        "_defaults",
        "_items",
        "default",
        "embedded_resource",
        "enum",
        "format",
        "has_rules",
        "int_or_string",
        "list_type",
        "map_keys",
        "map_type",
        "name",
        "nullable",
        "patch_merge_key",
        "patch_strategy",
        "preserve_unknown",
        "raw",
        "required",
        "type",
    )

    def __init__(self, raw: Json, *, root: bool = False) -> None:
        self.name: str = ""
        # A reference of a user's own, in a definition that is about to be refused, leads nowhere.
        if "$ref" in raw and (found := find_definition(raw["$ref"])) is not None:
            self.name = raw["$ref"]
            raw = {**found, **{key: value for key, value in raw.items() if key != "$ref"}}
        self.raw = raw
        self.type: str = raw.get("type", "")
        self.format: str = raw.get("format", "")
        self.list_type: str = raw.get("x-kubernetes-list-type", "atomic")
        self.map_keys: tuple[str, ...] = tuple(raw.get("x-kubernetes-list-map-keys") or ())
        self.map_type: str = raw.get("x-kubernetes-map-type", "granular")
        self.patch_merge_key: str = raw.get("x-kubernetes-patch-merge-key", "")
        strategy = raw.get("x-kubernetes-patch-strategy", "")
        self.patch_strategy: tuple[str, ...] = tuple(strategy.split(",")) if strategy else ()
        self.default: Any = raw.get("default")
        self.required: tuple[str, ...] = tuple(raw.get("required") or ())
        self.enum: tuple[Any, ...] | None = tuple(raw["enum"]) if raw.get("enum") else None
        self.nullable: bool = raw.get("nullable", False)
        self.int_or_string: bool = raw.get("x-kubernetes-int-or-string", False)
        self.preserve_unknown: bool = raw.get("x-kubernetes-preserve-unknown-fields", False)
        self.embedded_resource: bool = raw.get("x-kubernetes-embedded-resource", False)
        self._children: dict[str, Schema | None] = {}
        self.has_rules: bool | None = None  # for the part that evaluates rules
        self._branches: dict[str, tuple[Schema, ...]] = {}
        self._defaults: Json | None = None
        self._items: Schema | None = None
        if root or self.embedded_resource:
            self.type = "object"
            self._children.update({name: Schema(each) for name, each in _TYPE_META.items()})

    @property
    def properties(self) -> Mapping[str, Schema]:
        """The named fields; of a resource also `apiVersion`, `kind` and `metadata`."""
        names = dict.fromkeys((*self.raw.get("properties", ()), *self._resource_fields()))
        return {name: child for name in names if (child := self.field(name)) is not None}

    @property
    def items(self) -> Schema | None:
        """The schema of each item of an array; None when it is no array."""
        if self._items is None and self.type == "array":
            self._items = Schema(self.raw.get("items") or _ANY)
        return self._items

    @property
    def values(self) -> Schema | None:
        """The schema of each value of a map (`additionalProperties`); None when it is no map."""
        found = self.raw.get("additionalProperties")
        if found is None or found is False:
            return None
        return self._child("", _ANY if found is True else found)

    def field(self, name: str) -> Schema | None:
        """Return the schema of one field of an object.

        Returns
        -------
        Schema or None
            Of the property, else of the map's values, else of anything where unknown fields are
            preserved; None for a field that the schema does not know.
        """
        if name in self._children:
            return self._children[name]
        found = self.raw.get("properties", {}).get(name)
        if found is not None:
            return self._child(name, found)
        # Keys of maps are not remembered: they come from users.
        values = self.values
        if values is not None:
            return values
        return ANYTHING if self.preserve_unknown else None

    def branches(self, word: str) -> tuple[Schema, ...]:
        """Return the schemas of `allOf`, `anyOf`, `oneOf` or `not`; none where it is not set."""
        found = self._branches.get(word)
        if found is None:
            raw = self.raw.get(word) or ()
            found = tuple(Schema(each) for each in ([raw] if isinstance(raw, dict) else raw))
            self._branches[word] = found
        return found

    @property
    def defaults(self) -> Json:
        """The defaults of the named fields that have one; not to be changed."""
        if self._defaults is None:
            named = self.raw.get("properties", {})
            self._defaults = {
                name: each["default"] for name, each in named.items() if "default" in each
            }
        return self._defaults

    def _child(self, name: str, raw: Json) -> Schema:
        child = self._children.get(name)
        if child is None:
            child = self._children[name] = Schema(raw)
        return child

    def _resource_fields(self) -> tuple[str, ...]:
        return tuple(name for name in _TYPE_META if name in self._children)


ANYTHING = Schema(_ANY)
"""Where every value fits."""


_BUILTIN: dict[tuple[str, str], Schema] = {}


def builtin_schema(api_version: str, kind: str) -> Schema | None:
    """Return the schema of a built-in kind, or None for other kinds; read when first asked for."""
    found = _BUILTIN.get((api_version, kind))
    if found is None and (name := find_kind(api_version, kind)) is not None:
        found = _BUILTIN[api_version, kind] = Schema({"$ref": name}, root=True)
    return found


def crd_schema(schema: Json) -> Schema:
    """Return the view of a custom resource's `openAPIV3Schema`."""
    return Schema(schema, root=True)
