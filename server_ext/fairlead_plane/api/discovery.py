"""Discovery: which groups, versions and kinds are served; one by one, or all at once."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from typing import NamedTuple

from ..resources import NAMESPACE, POD, SERVICE, SERVICE_ACCOUNT, ApiError, Json, Kind, Registry
from .reviews import REVIEWS

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_READ_WRITE = ["get", "patch", "update"]
_AGGREGATED = re.compile(r"g=apidiscovery\.k8s\.io;v=(v2|v2beta1);as=APIGroupDiscoveryList")
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")

VERSION: Json = {
    # The version of the API that this control plane follows.
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0+fairlead",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": f"{platform.python_implementation()} {platform.python_version()}",
    "platform": f"{platform.system().lower()}/{platform.machine()}",
}


class Subresource(NamedTuple):
    """What is served below an object beside the object itself."""

    name: str
    verbs: list[str]
    kind: str = ""
    """Kind of its content; empty: that of the object."""
    group: str = ""
    version: str = ""
    """Of its content, where that is of another group."""


def discover(registry: Registry, path: str, accept: str) -> tuple[Json, str] | None:
    """Return the discovery document at a path and its media type, or None when none is there.

    Parameters
    ----------
    registry : Registry
        What is served.
    path : str
        As in a request.
    accept : str
        The header: a client may ask for all groups and kinds in one document.

    Raises
    ------
    ApiError
        404 for a group or version that is not served.
    """
    parts = path.strip("/").split("/")
    kinds = [*registry.kinds(), *REVIEWS]
    if parts in (["api"], ["apis"]) and (found := _AGGREGATED.search(accept.replace(" ", ""))):
        media = f"application/json;g=apidiscovery.k8s.io;v={found[1]};as=APIGroupDiscoveryList"
        core = parts == ["api"]
        return _aggregated([each for each in kinds if (not each.group) == core], found[1]), media
    document = _legacy(parts, kinds)
    return None if document is None else (document, "application/json")


def _legacy(parts: list[str], kinds: list[Kind]) -> Json | None:
    if parts == ["api"]:
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if parts == ["apis"]:
        names = sorted({kind.group for kind in kinds if kind.group})
        groups = [_group(name, kinds) for name in names]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    if parts == ["api", "v1"]:
        return _resource_list([kind for kind in kinds if not kind.group], "v1")
    if parts[0] == "apis" and len(parts) == 2:
        if not any(kind.group == parts[1] for kind in kinds):
            raise _not_found()
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], kinds)}
    if parts[0] == "apis" and len(parts) == 3:
        found = [kind for kind in kinds if [kind.group, kind.version] == parts[1:]]
        if not found:
            raise _not_found()
        return _resource_list(found, "/".join(parts[1:]))
    return None


def _group(name: str, kinds: Iterable[Kind]) -> Json:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for version in _versions(kind for kind in kinds if kind.group == name)
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _versions(kinds: Iterable[Kind]) -> list[str]:
    """Return the versions of some kinds, the preferred one first."""
    return sorted({kind.version for kind in kinds}, key=_rank, reverse=True)


def _rank(version: str) -> tuple[int, int, int, str]:
    found = _VERSION.fullmatch(version)
    if not found:
        return (0, 0, 0, version)
    major, stage, minor = found.groups()
    return ({None: 3, "beta": 2, "alpha": 1}[stage], int(major), int(minor or 0), "")


def _resource_list(kinds: list[Kind], group_version: str) -> Json:
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": [entry for kind in kinds for entry in _entries(kind)],
    }


def _entries(kind: Kind) -> list[Json]:
    entry: Json = {
        "name": kind.plural,
        "singularName": _singular(kind),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": ["create"] if kind in REVIEWS else _VERBS,
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    entries = [entry]
    for each in _subresources(kind):
        entry = {
            "name": f"{kind.plural}/{each.name}",
            "singularName": "",
            "namespaced": kind.namespaced,
            "kind": each.kind or kind.kind,
            "verbs": each.verbs,
        }
        if each.group:
            entry |= {"group": each.group, "version": each.version}
        entries.append(entry)
    return entries


def _subresources(kind: Kind) -> list[Subresource]:
    found = []
    if kind.status_subresource:
        found.append(Subresource("status", _READ_WRITE))
    if kind.scale is not None:
        found.append(Subresource("scale", _READ_WRITE, "Scale", "autoscaling", "v1"))
    if kind is NAMESPACE:
        found.append(Subresource("finalize", ["update"]))
    if kind is POD:
        found.append(Subresource("log", ["get"]))
        found.append(Subresource("binding", ["create"], "Binding"))
        found.append(Subresource("eviction", ["create"], "Eviction", "policy", "v1"))
        for name, word in (("attach", "Attach"), ("exec", "Exec"), ("portforward", "PortForward")):
            found.append(Subresource(name, ["create", "get"], f"Pod{word}Options"))
    if kind is SERVICE_ACCOUNT:
        found.append(
            Subresource("token", ["create"], "TokenRequest", "authentication.k8s.io", "v1")
        )
    if kind in (POD, SERVICE):
        verbs = ["create", "delete", "get", "patch", "update"]
        found.append(Subresource("proxy", verbs, f"{kind.kind}ProxyOptions"))
    return found


def _singular(kind: Kind) -> str:
    return kind.singular or kind.kind.lower()


def _aggregated(kinds: list[Kind], version: str) -> Json:
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": group, "creationTimestamp": None},
                "versions": [
                    {
                        "version": each,
                        "resources": [
                            _discovery(kind)
                            for kind in kinds
                            if (kind.group, kind.version) == (group, each)
                        ],
                        "freshness": "Current",
                    }
                    for each in _versions(kind for kind in kinds if kind.group == group)
                ],
            }
            for group in sorted({kind.group for kind in kinds})
        ],
    }


def _discovery(kind: Kind) -> Json:
    entry: Json = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": _singular(kind),
        "verbs": ["create"] if kind in REVIEWS else _VERBS,
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    subresources = [
        {
            "subresource": each.name,
            "responseKind": {
                "group": each.group or kind.group,
                "version": each.version or kind.version,
                "kind": each.kind or kind.kind,
            },
            "verbs": each.verbs,
        }
        for each in _subresources(kind)
    ]
    if subresources:
        entry["subresources"] = subresources
    return entry


def _not_found() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")
