"""Which kinds are served now: the built-in ones, and those of CustomResourceDefinitions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .errors import ApiError, bad_request
from .kinds import KINDS, SCHEDULED_WORKFLOW, WORKFLOW, Json, Kind, Scale
from .schemas import Schema, builtin_schema, crd_schema
from .schemas.operators import operator_columns, operator_schema

OWN = (WORKFLOW, SCHEDULED_WORKFLOW, *(kind for kind in KINDS if kind.custom))
"""What the plane's own controllers look after, also where a definition comes to serve it."""


class _Served(NamedTuple):
    """All that is served at one time; replaced as a whole, so that any thread may read it."""

    by_plural: dict[tuple[str, str, str], Kind]
    by_manifest: dict[tuple[str, str], Kind]
    by_resource: dict[str, Kind]
    """By `Kind.storage`: the version in which objects are stored."""
    schemas: dict[Kind, Schema | None]
    versions: dict[Kind, Json]
    """Of custom kinds: their entry in `spec.versions`."""


class Registry:
    """The kinds that are served; custom ones come and go with their definitions."""

    def __init__(self) -> None:
        self._definitions: dict[str, Json] = {}
        self._served = _serve(())

    def put(self, definition: Json) -> None:
        """Serve what a CustomResourceDefinition says, once it is established."""
        if not is_established(definition):
            return
        self._definitions[definition["metadata"]["name"]] = definition
        self._served = _serve(self._definitions.values())

    def drop(self, name: str) -> None:
        """Serve a CustomResourceDefinition no more."""
        if self._definitions.pop(name, None) is not None:
            self._served = _serve(self._definitions.values())

    def kinds(self) -> Iterable[Kind]:
        """Return every kind in every version that is served."""
        return self._served.by_plural.values()

    def stored(self) -> Iterable[Kind]:
        """Return every kind once, in the version in which its objects are stored."""
        return self._served.by_resource.values()

    def find(self, group: str, version: str, plural: str) -> Kind:
        """Return the kind behind a URL; ApiError 404 as of an unknown path."""
        kind = self._served.by_plural.get((group, version, plural))
        if kind is None:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        return kind

    def kind_of(self, obj: Json) -> Kind:
        """Return the kind of a manifest; an ApiError 400 when it is unknown."""
        key = (str(obj.get("apiVersion", "")), str(obj.get("kind", "")))
        kind = self._served.by_manifest.get(key)
        if kind is None:
            raise bad_request(f'no matches for kind "{key[1]}" in version "{key[0]}"')
        return kind

    def find_kind(self, api_version: str, kind: str) -> Kind | None:
        """Return the kind of this name and version, or None."""
        return self._served.by_manifest.get((api_version, kind))

    def of_resource(self, resource: str) -> Kind | None:
        """Return the kind whose objects are stored under this name, or None."""
        return self._served.by_resource.get(resource)

    def schema(self, kind: Kind) -> Schema | None:
        """Return the schema of a kind; None for one that takes anything."""
        served = self._served.schemas
        if kind not in served:
            served[kind] = builtin_schema(kind.api_version, kind.kind) or operator_schema(kind)
        return served[kind]

    def version_of(self, kind: Kind) -> Json:
        """Return the entry of `spec.versions` behind a custom kind; empty for a built-in one."""
        found = self._served.versions.get(kind)
        return {"additionalPrinterColumns": operator_columns(kind)} if found is None else found

    def is_terminating(self, kind: Kind) -> bool:
        """Tell whether the definition of a custom kind is being deleted."""
        definition = self._definitions.get(kind.resource)
        return definition is not None and "deletionTimestamp" in definition["metadata"]


def is_established(definition: Json) -> bool:
    """Tell whether a CustomResourceDefinition is served."""
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def custom_kind(definition: Json, version: Json) -> Kind:
    """Build the kind of one version of a CustomResourceDefinition."""
    spec, names = definition["spec"], definition["spec"]["names"]
    subresources = version.get("subresources") or {}
    scale = subresources.get("scale")
    return Kind(
        spec["group"],
        version["name"],
        names["kind"],
        names["plural"],
        spec["scope"] == "Namespaced",
        "status" in subresources,
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        True,
        Scale(
            scale["specReplicasPath"],
            scale["statusReplicasPath"],
            scale.get("labelSelectorPath", ""),
        )
        if scale
        else None,
        names.get("singular", ""),
        names.get("listKind", ""),
        True,
        len(spec["versions"]) > 1,
    )


def _serve(definitions: Iterable[Json]) -> _Served:
    served = _Served({}, {}, {}, {}, {})
    for kind in KINDS:
        _add(served, kind, stored=True)
    for definition in definitions:
        for version in definition["spec"]["versions"]:
            if not version.get("served"):
                continue
            kind = custom_kind(definition, version)
            for own in OWN:
                if (kind.group, kind.version, kind.plural) == (own.group, own.version, own.plural):
                    kind = own  # the plane itself writes these, as this kind
            _add(served, kind, stored=bool(version.get("storage")))
            served.versions[kind] = version
            schema = (version.get("schema") or {}).get("openAPIV3Schema")
            served.schemas[kind] = None if schema is None else crd_schema(schema)
    return served


def _add(served: _Served, kind: Kind, *, stored: bool) -> None:
    served.by_plural[kind.group, kind.version, kind.plural] = kind
    served.by_manifest[kind.api_version, kind.kind] = kind
    if (stored and not kind.stored_as) or kind.storage not in served.by_resource:
        served.by_resource[kind.storage] = kind
