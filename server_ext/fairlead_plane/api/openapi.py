"""OpenAPI documents: what `kubectl` validates, explains and applies by.

A document is built when it is asked for and not kept: it is large, and clients cache it by its
hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from ..resources import ApiError, Json, Kind
from ..resources.schemas import Schema
from ..resources.schemas.builtin import data_digest, find_definition, read_descriptions
from ..resources.schemas.schema import OBJECT_META
from .discovery import VERSION
from .openapi_paths import build_paths
from .openapi_protobuf import encode

SchemaOf = Callable[[Kind], Schema | None]

_LIST_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
# What OpenAPI v2 cannot say of a custom resource.
_V3_ONLY = ("allOf", "anyOf", "oneOf", "not", "nullable", "default", "x-kubernetes-validations")
_INFO = {"title": "Kubernetes", "version": VERSION["gitVersion"]}


class OpenApi:
    """The documents over the kinds that are served.

    Parameters
    ----------
    kinds : callable
        Returns the kinds that are served now.
    schema_of : callable
        Returns the schema of a kind; None for a kind that takes anything.
    """

    def __init__(self, kinds: Callable[[], Iterable[Kind]], schema_of: SchemaOf) -> None:
        self._kinds = kinds
        self._schema_of = schema_of
        self._digests: dict[Kind, tuple[Schema | None, bytes]] = {}

    def index(self) -> Json:
        """Return the index of the v3 documents: one per group version, with its hash."""
        groups = sorted({(kind.group, kind.version) for kind in self._kinds()})
        return {
            "paths": {
                _place(*each): {
                    "serverRelativeURL": f"/openapi/v3/{_place(*each)}?hash={self.digest(*each)}"
                }
                for each in groups
            }
        }

    def digest(self, group: str, version: str) -> str:
        """Return the hash of a document; it changes when the document does."""
        total = hashlib.sha256(data_digest() + VERSION["gitVersion"].encode())
        for kind in self._of(group, version):
            total.update(repr(tuple(kind)).encode() + self._kind_digest(kind))
        return total.hexdigest().upper()

    def v3(self, place: str) -> tuple[bytes, str]:
        """Return the document of a group version and its hash.

        Parameters
        ----------
        place : str
            `api/v1` or `apis/GROUP/VERSION`.

        Raises
        ------
        ApiError
            404 for a group version that is not served.
        """
        parts = place.split("/")
        group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[-1])
        kinds = self._of(group, version)
        if not kinds or _place(group, version) != place:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        document = {
            "openapi": "3.0.0",
            "info": _INFO,
            "paths": build_paths(kinds, self._builtin(kinds), v3=True),
            "components": {"schemas": self._schemas(kinds, "#/components/schemas/")},
        }
        return orjson.dumps(document), self.digest(group, version)

    def v2(self, *, protobuf: bool = False) -> tuple[bytes, str]:
        """Return the one document of OpenAPI v2 and its hash, as JSON or in protobuf."""
        kinds = list(self._kinds())
        document = {
            "swagger": "2.0",
            "info": _INFO,
            "paths": build_paths(kinds, self._builtin(kinds), v3=False),
            "definitions": self._schemas(kinds, "#/definitions/"),
        }
        body = encode(document) if protobuf else orjson.dumps(document)
        return body, hashlib.sha256(body).hexdigest().upper()

    def _of(self, group: str, version: str) -> list[Kind]:
        return [kind for kind in self._kinds() if (kind.group, kind.version) == (group, version)]

    def _builtin(self, kinds: Iterable[Kind]) -> set[Kind]:
        found = {kind: self._schema_of(kind) for kind in kinds}
        return {kind for kind, schema in found.items() if schema is not None and schema.name}

    def _kind_digest(self, kind: Kind) -> bytes:
        schema = self._schema_of(kind)
        if schema is None or schema.name:
            return b""  # `data_digest` covers it
        known = self._digests.get(kind)
        if known is None or known[0] is not schema:
            found = hashlib.sha256(orjson.dumps(schema.raw)).digest()
            # Kinds come and go with their definitions.
            served = set(self._kinds())
            self._digests = {each: self._digests[each] for each in self._digests if each in served}
            known = self._digests[kind] = (schema, found)
        return known[1]

    def _schemas(self, kinds: Iterable[Kind], prefix: str) -> Json:
        writer = _Writer(prefix)
        for kind in kinds:
            writer.add_kind(kind, self._schema_of(kind))
        return writer.finish()


class _Writer:
    """Collects the schemas of a document, and all that they refer to."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._v3 = prefix.startswith("#/components")
        self._texts = read_descriptions()
        self._found: Json = {}
        self._waiting: list[str] = []

    def add_kind(self, kind: Kind, schema: Schema | None) -> None:
        """Add a kind and its list."""
        name = schema.name if schema is not None and schema.name else _custom_name(kind)
        if schema is None:
            node: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        elif schema.name:
            node = self._definition(name)
        else:
            node = self._refer(schema.raw if self._v3 else _strip(schema.raw))
            properties = {**node.get("properties", {})}
            for field in ("apiVersion", "kind"):
                text = self._texts["io.k8s.api.core.v1.Pod"][field]
                properties[field] = {"description": text, "type": "string"}
            text = "Standard object's metadata."
            properties["metadata"] = self._node({"$ref": OBJECT_META}, text)
            node["properties"] = dict(sorted(properties.items()))
        self._found[name] = {**node, **_mark(kind, kind.kind)}
        self._found[f"{name}List"] = {
            "description": f"{kind.kind}List is a list of {kind.kind}",
            "type": "object",
            "required": ["items"],
            "properties": {
                "apiVersion": {"type": "string"},
                "items": {"type": "array", "items": {"$ref": self._prefix + name}},
                "kind": {"type": "string"},
                "metadata": self._node({"$ref": _LIST_META}, "Standard list metadata."),
            },
            **_mark(kind, f"{kind.kind}List"),
        }

    def _refer(self, node: Any) -> Any:
        """Return a schema whose references to built-in definitions lead into this document.

        Those of operators that come with the plane have some; nobody else's may.
        """
        if isinstance(node, list):
            return [self._refer(each) for each in node]
        if not isinstance(node, dict):
            return node
        if isinstance(name := node.get("$ref"), str):
            self._waiting.append(name)
            return {"$ref": self._prefix + name}
        return {key: self._refer(value) for key, value in node.items()}

    def finish(self) -> Json:
        """Return all schemas by name."""
        while self._waiting:
            name = self._waiting.pop()
            if name not in self._found:
                self._found[name] = self._definition(name)
        return dict(sorted(self._found.items()))

    def _definition(self, name: str) -> Json:
        texts = self._texts.get(name, {})
        if name == _QUANTITY:
            types: Json = {"oneOf": [{"type": "string"}, {"type": "number"}]}
            node: Json = types if self._v3 else {"type": "string"}
        elif name == _INT_OR_STRING:
            types = {"oneOf": [{"type": "integer"}, {"type": "string"}]}
            node = {"format": "int-or-string", **(types if self._v3 else {"type": "string"})}
        else:
            found = find_definition(name) or {}
            node = self._node(found, "")
            node["properties"] = {
                field: self._node(each, texts.get(field, ""))
                for field, each in found.get("properties", {}).items()
            }
            if not node["properties"]:
                del node["properties"]
        if "" in texts:
            node["description"] = texts[""]
        return node

    def _node(self, raw: Json, text: str) -> Json:
        """Write one node of a built-in schema."""
        node: Json = {"description": text} if text else {}
        for key, value in raw.items():
            if key == "$ref":
                self._waiting.append(value)
                target = {"$ref": self._prefix + value}
                node |= {"allOf": [target], "default": {}} if self._v3 else target
            elif key in ("items", "additionalProperties"):
                if "$ref" in value:
                    self._waiting.append(value["$ref"])
                    node[key] = {"$ref": self._prefix + value["$ref"]}
                else:
                    node[key] = self._node(value, "")
            elif key == "properties":
                node[key] = {name: self._node(each, "") for name, each in value.items()}
            elif key != "x-kubernetes-preserve-unknown-fields":
                node[key] = value
        return node


def _place(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _mark(kind: Kind, name: str) -> Json:
    mark = {"group": kind.group, "kind": name, "version": kind.version}
    return {"x-kubernetes-group-version-kind": [mark]}


def _custom_name(kind: Kind) -> str:
    return ".".join((*reversed(kind.group.split(".")), kind.version, kind.kind))


def _strip(node: Any) -> Any:
    """Return the schema of a custom resource as OpenAPI v2 can say it."""
    if isinstance(node, list):
        return [_strip(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: value for key, value in _stripped(node)}


def _stripped(node: Json) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key == "properties":
            yield key, {name: _strip(each) for name, each in value.items()}
        elif key not in _V3_ONLY:
            yield key, _strip(value)
