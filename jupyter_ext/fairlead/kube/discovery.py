"""What an API server serves: asked from the server itself, never guessed from its release.

Newer servers tell all in two answers (aggregated discovery); older ones in one per group and
version. An aggregated API whose own server is down is reported, and hides nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fairlead.errors import ClusterError, FairleadError, NotFoundError
from fairlead.kube.owners import provider_of
from fairlead.kube.transport import JSON, Transport
from fairlead.kube.types import ResourceType

Json = dict[str, Any]

_AGGREGATED = "APIGroupDiscoveryList"
_ACCEPT = ",".join(
    [
        *(f"{JSON};g=apidiscovery.k8s.io;v={v};as={_AGGREGATED}" for v in ("v2", "v2beta1")),
        JSON,
    ]
)


@dataclass(frozen=True)
class Capabilities:
    """What a server serves.

    Attributes
    ----------
    types : tuple of ResourceType
        Every kind in every version; a group's preferred version first.
    failures : dict
        Group and version whose own server did not tell what it serves, and why.
    """

    types: tuple[ResourceType, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)

    def find(self, group: str, kind: str) -> ResourceType | None:
        """Return a kind in the version that the server prefers; `None` where it has none."""
        for found in self.types:
            if found.kind == kind and found.group == group:
                return found
        return None

    def missing(self, group: str, kind: str) -> str:
        """Say in a sentence why a kind is not there; empty where it is."""
        if self.find(group, kind):
            return ""
        for place, why in self.failures.items():
            if place.rpartition("/")[0] == group:
                return (
                    f"Whether this cluster has {kind} is not known: {place} does not answer "
                    f"({why.rstrip('.')})."
                )
        known = provider_of(group, kind)
        if known is None:
            return f"This cluster has no {kind} ({group or 'v1'})."
        return f"This cluster has no {kind} ({known.api_version}): {known.name} is not installed."


def discover(transport: Transport) -> Capabilities:
    """Ask a server what it serves.

    Raises
    ------
    FairleadError
        It does not answer, or not as an API server.
    """
    core = _get(transport, "/api", _ACCEPT)
    groups = _get(transport, "/apis", _ACCEPT)
    found = _Found()
    if _AGGREGATED == core.get("kind") == groups.get("kind"):
        for item in [*core.get("items", []), *groups.get("items", [])]:
            found.add_aggregated(item)
    else:
        for place in _versions(core, groups):
            try:
                root = "/apis/" if "/" in place else "/api/"
                found.add_legacy(place, _get(transport, root + place).get("resources") or [])
            except FairleadError as error:
                if error.code is None or error.code == 401:
                    raise
                found.failures[place] = error.what
    return Capabilities(tuple(found.types), found.failures)


class _Found:
    """What the answers have told so far."""

    def __init__(self) -> None:
        self.types: list[ResourceType] = []
        self.failures: dict[str, str] = {}

    def add_aggregated(self, item: Json) -> None:
        group = (item.get("metadata") or {}).get("name") or ""
        for served in item.get("versions") or ():
            place = f"{group}/{served['version']}" if group else str(served["version"])
            if served.get("freshness") == "Stale":
                self.failures[place] = "its server was not reached lately"
            for resource in served.get("resources") or ():
                self.types.append(
                    ResourceType(
                        place,
                        resource["resource"],
                        resource.get("scope") == "Namespaced",
                        (resource.get("responseKind") or {}).get("kind") or "",
                        frozenset(resource.get("verbs") or ()),
                        frozenset(sub["subresource"] for sub in resource.get("subresources") or ()),
                    )
                )

    def add_legacy(self, place: str, resources: Iterable[Json]) -> None:
        self.types += types_of(place, resources)


def types_of(place: str, resources: Iterable[Json]) -> list[ResourceType]:
    """Read the `resources` of an APIResourceList of one group and version."""
    every = list(resources)
    found = []
    for resource in every:
        name = resource["name"]
        if "/" in name:
            continue
        below = (sub["name"].partition("/") for sub in every)
        subresources = frozenset(sub for owner, _, sub in below if owner == name and sub)
        found.append(
            ResourceType(
                place,
                name,
                bool(resource["namespaced"]),
                resource["kind"],
                frozenset(resource.get("verbs") or ()),
                subresources,
            )
        )
    return found


def _versions(core: Json, groups: Json) -> list[str]:
    """Return every group and version, each group's preferred one first."""
    found = [str(version) for version in core.get("versions") or ()]
    for group in groups.get("groups") or ():
        preferred = (group.get("preferredVersion") or {}).get("groupVersion")
        every = [served["groupVersion"] for served in group.get("versions") or ()]
        found += sorted(every, key=lambda place: place != preferred)
    return found


def _get(transport: Transport, path: str, accept: str = JSON) -> Json:
    try:
        answer: Any = json.loads(transport.request("GET", path, accept=accept))
    except ValueError:
        answer = None
    except NotFoundError as error:
        if path in ("/api", "/apis"):
            host = transport.context.cluster
            raise ClusterError(
                f"'{host}' is no Kubernetes API server: it has no {path}."
            ) from error
        raise
    if not isinstance(answer, dict):
        raise ClusterError(
            f"'{transport.context.cluster}' is no Kubernetes API server: its answer to {path} is "
            "no object."
        )
    return answer
