"""Discovery: which groups, versions and kinds are served."""

from __future__ import annotations

import platform

from ..resources import KINDS, POD, SERVICE, ApiError, Json, Kind

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

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


def discover(path: str) -> Json | None:
    """Return the discovery document at a path, or None when none is there.

    Raises
    ------
    ApiError
        404 for a group or version that is not served.
    """
    parts = path.strip("/").split("/")
    if parts == ["api"]:
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if parts == ["apis"]:
        groups = sorted({(kind.group, kind.version) for kind in KINDS if kind.group})
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [_group(*each) for each in groups],
        }
    if parts == ["api", "v1"]:
        return _resources("", "v1")
    if parts[0] == "apis" and len(parts) == 2:
        versions = sorted({kind.version for kind in KINDS if kind.group == parts[1]})
        if not versions:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], versions[0])}
    if parts[0] == "apis" and len(parts) == 3:
        return _resources(parts[1], parts[2])
    return None


def _group(group: str, version: str) -> Json:
    served = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [served], "preferredVersion": served}


def _resources(group: str, version: str) -> Json:
    kinds = [kind for kind in KINDS if (kind.group, kind.version) == (group, version)]
    if not kinds:
        raise ApiError(404, "NotFound", "the server could not find the requested resource")
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": kinds[0].api_version,
        "resources": [entry for kind in kinds for entry in _entries(kind)],
    }


def _entries(kind: Kind) -> list[Json]:
    entry: Json = {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": _VERBS,
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    entries = [entry]
    if kind.status_subresource:
        entries.append(_subresource(kind, "status", ["get", "patch", "update"]))
    if kind is POD:
        entries.append(_subresource(kind, "log", ["get"]))
        for name, word in (("attach", "Attach"), ("exec", "Exec"), ("portforward", "PortForward")):
            entry = _subresource(kind, name, ["create", "get"])
            entries.append({**entry, "kind": f"Pod{word}Options"})
    if kind in (POD, SERVICE):
        proxied = _subresource(kind, "proxy", ["create", "delete", "get", "patch", "update"])
        entries.append({**proxied, "kind": f"{kind.kind}ProxyOptions"})
    return entries


def _subresource(kind: Kind, name: str, verbs: list[str]) -> Json:
    return {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": verbs,
    }
