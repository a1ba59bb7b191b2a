"""Service: who answers for it, as Endpoints and as an EndpointSlice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..resources import (
    ENDPOINT_SLICE,
    ENDPOINTS,
    POD,
    SERVICE,
    Json,
    Kind,
    Transaction,
)
from .base import Controller, Key
from .pods import is_leaving, is_ready, is_terminal, owner_reference, template_hash

_MANAGER = "endpointslice-controller.k8s.io"
_SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"


class EndpointsController(Controller):
    """Lists the pods that a service's selector finds.

    All pods share the loopback interface of this machine: an address is 127.0.0.1, and the port is
    the pod's own.
    """

    kind = SERVICE
    watched = (POD,)

    def __init__(self) -> None:
        self._selectors: dict[Key, Mapping[str, str]] = {}
        self._found: dict[str, set[Key]] = {}  # by pod uid: the services that list it

    def keys(self, kind: Kind, obj: Json, *, gone: bool) -> Iterable[Key]:
        """Return, of a pod, the services that find it, and those that did."""
        metadata = obj["metadata"]
        if kind == SERVICE:
            key = (metadata["namespace"], metadata["name"])
            selector = (obj.get("spec") or {}).get("selector")
            if gone or not selector:
                self._selectors.pop(key, None)
            else:
                self._selectors[key] = selector
            yield key
            return
        labels = metadata.get("labels") or {}
        now = {
            key
            for key, selector in self._selectors.items()
            if key[0] == metadata["namespace"] and selector.items() <= labels.items()
        }
        before = self._found.pop(metadata["uid"], set())
        if now and not gone:
            self._found[metadata["uid"]] = now
        yield from now | before

    def missing(self, transaction: Transaction, namespace: str, name: str) -> None:
        """Remove the Endpoints, which have no owner; the slice has one."""
        known = transaction.find(ENDPOINTS, name, namespace)
        if known is not None and _MANAGED_BY in (known["metadata"].get("labels") or {}):
            transaction.delete(ENDPOINTS, name, namespace)

    def reconcile(self, transaction: Transaction, obj: Json) -> float | None:
        """Write both lists; a service without a selector is left to whoever writes them."""
        spec, metadata = obj["spec"], obj["metadata"]
        if is_leaving(obj) or not spec.get("selector") or spec.get("type") == "ExternalName":
            return None
        selector = ",".join(f"{key}={value}" for key, value in spec["selector"].items())
        pods = [
            pod
            for pod in transaction.list(POD, metadata["namespace"], label_selector=selector)
            if pod["status"].get("podIP") and not is_terminal(pod)
        ]
        pods.sort(key=lambda pod: str(pod["metadata"]["name"]))
        _write(transaction, _endpoints(obj, pods))
        _write(transaction, _slice(obj, pods))
        return None


def _endpoints(service: Json, pods: Sequence[Json]) -> Json:
    """Build the Endpoints: pods with the same ports are one subset."""
    subsets: dict[str, Json] = {}
    everyone = service["spec"].get("publishNotReadyAddresses")
    for pod in pods:
        if is_leaving(pod) and not everyone:
            continue
        ports = _ports(service, pod)
        subset = subsets.setdefault(str(ports), {"ports": ports} if ports else {})
        field = "addresses" if is_ready(pod) or everyone else "notReadyAddresses"
        address = {
            "ip": pod["status"]["podIP"],
            "nodeName": pod["spec"]["nodeName"],
            "targetRef": _target(pod),
        }
        if pod["spec"].get("hostname") and pod["spec"].get("subdomain"):
            address["hostname"] = pod["spec"]["hostname"]
        subset.setdefault(field, []).append(address)
    metadata = service["metadata"]
    labels = {**(metadata.get("labels") or {}), _MANAGED_BY: "endpoint-controller"}
    if service["spec"].get("clusterIP") == "None":
        labels["service.kubernetes.io/headless"] = ""
    obj: Json = {
        "apiVersion": ENDPOINTS.api_version,
        "kind": ENDPOINTS.kind,
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": labels,
        },
    }
    if subsets:
        obj["subsets"] = list(subsets.values())
    return obj


def _slice(service: Json, pods: Sequence[Json]) -> Json:
    metadata = service["metadata"]
    everyone = service["spec"].get("publishNotReadyAddresses")
    endpoints = []
    ports: list[Json] = []
    for pod in pods:
        ports = ports or _ports(service, pod)
        ready, leaving = is_ready(pod), is_leaving(pod)
        conditions = {
            "ready": bool(everyone) or (ready and not leaving),
            "serving": ready,
            "terminating": leaving,
        }
        entry = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": conditions,
            "nodeName": pod["spec"]["nodeName"],
            "targetRef": _target(pod),
        }
        if pod["spec"].get("hostname") and pod["spec"].get("subdomain"):
            entry["hostname"] = pod["spec"]["hostname"]
        endpoints.append(entry)
    labels = {_SERVICE_NAME: metadata["name"], _MANAGED_BY: _MANAGER}
    return {
        "apiVersion": ENDPOINT_SLICE.api_version,
        "kind": ENDPOINT_SLICE.kind,
        "metadata": {
            "name": f"{metadata['name']}-{template_hash(metadata['uid'])[:5]}",
            "namespace": metadata["namespace"],
            "labels": {**(metadata.get("labels") or {}), **labels},
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": ports,
    }


def _ports(service: Json, pod: Json) -> list[Json]:
    """Return the ports of a service as they are on a pod; one that it does not have is left out."""
    named = {
        port["name"]: port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or ()
        if port.get("name")
    }
    ports = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort") or port["port"]
        number = named.get(target) if isinstance(target, str) else target
        if number is not None:
            name = {"name": port["name"]} if port.get("name") else {}
            ports.append({**name, "port": number, "protocol": port.get("protocol", "TCP")})
    return ports


def _target(pod: Json) -> Json:
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _write(transaction: Transaction, obj: Json) -> None:
    """Create an object or bring it up to date; what it says already is not written again."""
    kind = ENDPOINTS if obj["kind"] == ENDPOINTS.kind else ENDPOINT_SLICE
    metadata = obj["metadata"]
    known = transaction.find(kind, metadata["name"], metadata["namespace"])
    if known is None:
        transaction.create(obj)
    elif not is_leaving(known):
        fresh = {**obj, "metadata": {**known["metadata"], **metadata}}
        transaction.update(fresh)
