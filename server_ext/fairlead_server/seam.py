"""What the Kubernetes layer is about to offer, in the shape in which it will."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from fairlead.errors import FairleadError, NotFoundError
from fairlead.kube import EMBEDDED_CONTEXT, Context, KubeClient, ResourceType, load_context
from fairlead.kube.credentials import read_kubeconfig

Json = dict[str, Any]
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 1e3, "M": 1e6, "G": 1e9}
_RESOURCES = {"cpu": "cpu", "memory": "memory", "gpu": "nvidia.com/gpu"}


class ContextEntry(NamedTuple):
    """A context of a kubeconfig."""

    name: str
    source: str
    server: str
    namespace: str
    problem: str


def list_contexts() -> list[ContextEntry]:
    """List the contexts."""
    found = [ContextEntry(EMBEDDED_CONTEXT, "this machine", "", "default", "")]
    path = Path(os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()
    try:
        config = read_kubeconfig(path)
    except FairleadError:
        return found
    clusters = {one["name"]: one.get("cluster") or {} for one in config.get("clusters") or []}
    for one in config["contexts"] or []:
        context = one.get("context") or {}
        server = clusters.get(context.get("cluster"), {}).get("server", "")
        found.append(
            ContextEntry(one["name"], str(path), server, context.get("namespace") or "", "")
        )
    return found


def use_context(name: str | None, namespace: str | None) -> Context:
    """Use a context."""
    return load_context(name)


def version(kube: KubeClient) -> str:
    """Ask for the server's version."""
    return str(json.loads(kube.request("GET", "/version"))["gitVersion"])


def namespaces(kube: KubeClient) -> list[str]:
    """List the namespaces."""
    return [
        one["metadata"]["name"]
        for one in kube.list(ResourceType("v1", "namespaces", namespaced=False))
    ]


def missing(kube: KubeClient, api_version: str, kind: str) -> str:
    """Tell why a kind is not there; empty where it is."""
    try:
        kube.resource_type(api_version, kind)
    except NotFoundError as error:
        return f"This cluster does not serve {kind} ({api_version})." if error.what else ""
    return ""


def allowed(
    kube: KubeClient, verb: str, group: str, resource: str, namespace: str | None
) -> tuple[bool, str]:
    """Ask whether we may."""
    resource, _, subresource = resource.partition("/")
    attributes = {
        "verb": verb,
        "group": group,
        "resource": resource,
        "subresource": subresource,
        "namespace": namespace or "",
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    try:
        status = json.loads(kube.request("POST", path, body=body))["status"]
    except NotFoundError:
        return True, ""
    return bool(status["allowed"]), str(status.get("reason") or "")


def quantity(text: str | float) -> float:
    """Read a quantity."""
    text = str(text)
    if text.endswith("m"):
        return float(text[:-1]) / 1000
    for unit, factor in _UNITS.items():
        if text.endswith(unit):
            return float(text[: -len(unit)]) * factor
    return float(text)


def summarise(nodes: list[Json], pods: list[Json], quotas: list[Json]) -> Json:
    """Sum up what is used of what there is."""
    row: Json = {}
    live = [
        one for one in pods if (one.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    ]
    for name, resource in _RESOURCES.items():
        offered = [
            quantity(one["status"]["allocatable"].get(resource, 0))
            for one in nodes
            if "allocatable" in (one.get("status") or {})
        ]
        used = sum(
            quantity(((box.get("resources") or {}).get("requests") or {}).get(resource, 0))
            for one in live
            for box in one["spec"]["containers"]
        )
        quota = None
        for one in quotas:
            status = one.get("status") or {}
            for key in (f"requests.{resource}", resource):
                if key in (status.get("hard") or {}):
                    quota = {
                        "used": quantity(status["used"].get(key, 0)),
                        "hard": quantity(status["hard"][key]),
                    }
        row[name] = {
            "used": used,
            "allocatable": sum(offered) if offered else None,
            "quota": quota,
        }
    return row
