"""What the API serves, as values: resource types and events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote


class WatchEvent(NamedTuple):
    """One line of a watch: `ADDED`, `MODIFIED`, `DELETED` or `BOOKMARK`, and the object."""

    type: str
    object: dict[str, Any]


@dataclass(frozen=True)
class ResourceType:
    """A resource of the API: `ResourceType("v1", "pods")`.

    Attributes
    ----------
    api_version : str
        `v1` for the core group, else `group/version`.
    plural : str
        Name in URLs.
    namespaced : bool
        Whether its objects live in namespaces.
    kind : str
        Kind of its objects; empty where the type was not discovered.
    verbs : frozenset of str
        What the server lets one do with it, whoever asks; empty where it was not discovered.
    subresources : frozenset of str
        For example `status`, `scale`, `log`; empty where it was not discovered.
    """

    api_version: str
    plural: str
    namespaced: bool = True
    kind: str = field(default="", compare=False)
    verbs: frozenset[str] = field(default=frozenset(), compare=False)
    subresources: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def group(self) -> str:
        """The API group, empty for the core one."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version without its group."""
        return self.api_version.rpartition("/")[2]

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Build the URL path of the collection, or of one object."""
        root = "/api" if "/" not in self.api_version else "/apis"
        parts = [root, self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        return "/".join(parts)


PODS = ResourceType("v1", "pods")
NODES = ResourceType("v1", "nodes", namespaced=False)
NAMESPACES = ResourceType("v1", "namespaces", namespaced=False)
RESOURCE_QUOTAS = ResourceType("v1", "resourcequotas")
CONFIG_MAPS = ResourceType("v1", "configmaps")
SECRETS = ResourceType("v1", "secrets")
EVENTS = ResourceType("v1", "events")
WORKFLOWS = ResourceType("argoproj.io/v1alpha1", "workflows")
