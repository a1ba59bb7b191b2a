"""The form in which a client wants an answer: as it is, as a table, or its metadata alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from ..resources import ApiError, BodyList, Json, Kind, Registry, bad_request
from .lists import list_body, list_metadata
from .tables import columns_of

JSON, YAML = "application/json", "application/yaml"

_GROUP = "meta.k8s.io"
_FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_PLAIN = ("application/json", "application/*", "*/*", "")


class Form(NamedTuple):
    """What the client asked for."""

    media: str = JSON
    """`application/json`, or `application/yaml`."""

    name: str = ""
    """`Table`, `PartialObjectMetadata`, `PartialObjectMetadataList`, or empty: as it is."""
    version: str = "v1"
    include_object: str = "Metadata"
    """What a row of a table carries beside its cells: `None`, `Metadata` or `Object`."""

    @property
    def api_version(self) -> str:
        """`apiVersion` of an answer in this form."""
        return f"{_GROUP}/{self.version}"


def read_form(accept: str, query: Mapping[str, str]) -> Form:
    """Read the form from `Accept`, the first that is served.

    Parameters
    ----------
    accept : str
        The header, such as `application/json;as=Table;v=v1;g=meta.k8s.io,application/json`.
    query : mapping
        `includeObject` says what the rows of a table carry.

    Raises
    ------
    ApiError
        406 when the client takes nothing that is served.
    """
    for entry in accept.split(","):
        media, *words = (word.strip() for word in entry.split(";"))
        if media == YAML:
            return Form(YAML)
        if media not in _PLAIN:
            continue
        options = dict(word.partition("=")[::2] for word in words)
        name = options.get("as", "")
        if not name:
            return Form()
        if name in _FORMS and options.get("g") == _GROUP and options.get("v") in ("v1", "v1beta1"):
            return Form(JSON, name, options["v"], _include(query))
    message = f"only the following media types are accepted: {JSON}, {YAML}"
    raise ApiError(406, "NotAcceptable", message)


class Forms:
    """Puts answers into the form that a client asked for.

    Parameters
    ----------
    registry : Registry
        For the columns of custom kinds.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def render(self, form: Form, kind: Kind, content: Json | bytes | BodyList) -> bytes:
        """Return an answer as JSON.

        Parameters
        ----------
        form : Form
            As the client asked.
        kind : Kind
            Of the object or the objects.
        content : dict, bytes or BodyList
            An object, or a list of objects.
        """
        body = self._render(form, kind, content)
        return to_yaml(body) if form.media == YAML else body

    def _render(self, form: Form, kind: Kind, content: Json | bytes | BodyList) -> bytes:
        if isinstance(content, BodyList):
            return self._render_list(form, kind, content)
        if not form.name or not _is_object(kind, content):
            return content if isinstance(content, bytes) else orjson.dumps(content)
        return self.render_object(form, kind, content)

    def render_object(self, form: Form, kind: Kind, content: Json | bytes) -> bytes:
        """Return one object in the form, for an answer or an event."""
        obj: Json = orjson.loads(content) if isinstance(content, bytes) else content
        if form.name == "Table":
            table = self._table(form, kind, [obj])
            table["metadata"] = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            return orjson.dumps(table)
        if form.name:
            return orjson.dumps(_partial(form, obj))
        return content if isinstance(content, bytes) else orjson.dumps(content)

    def _render_list(self, form: Form, kind: Kind, found: BodyList) -> bytes:
        if not form.name:
            schema = self._registry.schema(kind)
            return list_body(kind, found, typed=schema is None or not schema.name)
        objects = [orjson.loads(body) for body in found.bodies]
        if form.name == "Table":
            table = self._table(form, kind, objects)
            return orjson.dumps({**table, "metadata": list_metadata(found)})
        return orjson.dumps(
            {
                "kind": "PartialObjectMetadataList",
                "apiVersion": form.api_version,
                "metadata": list_metadata(found),
                "items": [_partial(form, obj) for obj in objects],
            }
        )

    def _table(self, form: Form, kind: Kind, objects: list[Json]) -> Json:
        columns = columns_of(kind, self._registry.version_of(kind))
        rows = []
        for obj in objects:
            row: Json = {"cells": [column.read(obj) for column in columns]}
            if form.include_object == "Object":
                row["object"] = obj
            elif form.include_object == "Metadata":
                row["object"] = _partial(form, obj)
            rows.append(row)
        return {
            "kind": "Table",
            "apiVersion": form.api_version,
            "metadata": {},
            "columnDefinitions": [column.definition for column in columns],
            "rows": rows,
        }


def to_yaml(body: bytes) -> bytes:
    """Return JSON as YAML."""
    import yaml  # loaded for the first client that wants it

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(orjson.loads(body), Dumper=dumper, allow_unicode=True)
    return text.encode()


def _is_object(kind: Kind, content: Json | bytes) -> bool:
    """Tell an object of the kind from a Status, a Scale, or a list of what was deleted."""
    return isinstance(content, bytes) or content.get("kind") == kind.kind


def _partial(form: Form, obj: Json) -> Json:
    """Return the metadata of an object alone."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": form.api_version,
        "metadata": obj["metadata"],
    }


def _include(query: Mapping[str, str]) -> str:
    asked = query.get("includeObject") or "Metadata"
    if asked not in ("None", "Metadata", "Object"):
        raise bad_request(f'unrecognized includeObject value: "{asked}"')
    return asked
