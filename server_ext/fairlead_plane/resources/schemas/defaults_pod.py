"""Defaults of pods and pod templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..kinds import Json

CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_FILE_MODE = 0o644
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def fill(obj: Any, **defaults: Any) -> None:
    """Set fields that are missing or empty, as a Go type with its zero value is."""
    for name, value in defaults.items():
        if not obj.get(name):
            obj[name] = value


def part(obj: Any, name: str) -> Json:
    """Return an object inside an object; an empty one of nobody's where there is none."""
    found = obj.get(name) if isinstance(obj, dict) else None
    return found if isinstance(found, dict) else {}


def each(obj: Any, name: str) -> Iterator[Json]:
    """Yield the objects of a list inside an object."""
    found = obj.get(name) if isinstance(obj, dict) else None
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict):
            yield item


def fill_pod(obj: Json) -> None:
    """Fill in the defaults of a pod."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    for name in CONTAINERS[:2]:
        for container in each(spec, name):
            resources = container.setdefault("resources", {})
            limits = part(resources, "limits")
            if limits:
                # A limit without a request is the request; of pods alone, not of templates.
                requests = resources.setdefault("requests", {})
                if isinstance(requests, dict):
                    for resource, amount in limits.items():
                        requests.setdefault(resource, amount)
    spec.setdefault("enableServiceLinks", True)
    fill_pod_spec(spec)


def fill_template(template: Any) -> None:
    """Fill in the defaults of a pod template."""
    spec = template.get("spec") if isinstance(template, dict) else None
    if isinstance(spec, dict):
        fill_pod_spec(spec)


def fill_pod_spec(spec: Json) -> None:
    """Fill in what pods and templates have in common."""
    fill(spec, restartPolicy="Always", dnsPolicy="ClusterFirst", schedulerName="default-scheduler")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    for name in CONTAINERS:
        for container in each(spec, name):
            _container(container, host_network=spec.get("hostNetwork") is True)
    for volume in each(spec, "volumes"):
        _volume(volume)


def _container(container: Json, *, host_network: bool) -> None:
    container.setdefault("resources", {})
    fill(
        container,
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = _pull_policy(container.get("image"))
    for port in each(container, "ports"):
        fill(port, protocol="TCP")
        if host_network and "containerPort" in port:
            fill(port, hostPort=port["containerPort"])
    for variable in each(container, "env"):
        fill_field_ref(part(variable, "valueFrom").get("fieldRef"))
    for name in _PROBES:
        probe = container.get(name)
        if isinstance(probe, dict):
            fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
            _handler(probe)
            if isinstance(probe.get("grpc"), dict):
                probe["grpc"].setdefault("service", "")
    for handler in part(container, "lifecycle").values():
        _handler(handler)


def _pull_policy(image: Any) -> str:
    """Return `Always` for the tag `latest`, and for an image without tag and digest."""
    name = image.rpartition("/")[2] if isinstance(image, str) else ""
    if "@" in name:
        return "IfNotPresent"
    return "Always" if name.partition(":")[2] in ("", "latest") else "IfNotPresent"


def _handler(handler: Any) -> None:
    request = part(handler, "httpGet")
    if request:
        fill(request, path="/", scheme="HTTP")


def fill_field_ref(reference: Any) -> None:
    """Fill in the version that the path of a field is of."""
    if isinstance(reference, dict):
        fill(reference, apiVersion="v1")


def _volume(volume: Json) -> None:
    if not any(key != "name" for key in volume):
        volume["emptyDir"] = {}
    for name in ("configMap", "secret", "downwardAPI", "projected"):
        source = volume.get(name)
        if isinstance(source, dict):
            source.setdefault("defaultMode", _FILE_MODE)
            _fields_of(source)
    for source in each(part(volume, "projected"), "sources"):
        _fields_of(part(source, "downwardAPI"))
        token = source.get("serviceAccountToken")
        if isinstance(token, dict):
            token.setdefault("expirationSeconds", 3600)
    if isinstance(volume.get("hostPath"), dict):
        volume["hostPath"].setdefault("type", "")
    template = part(part(volume, "ephemeral"), "volumeClaimTemplate")
    if isinstance(template.get("spec"), dict):
        template["spec"].setdefault("volumeMode", "Filesystem")


def _fields_of(source: Json) -> None:
    for item in each(source, "items"):
        fill_field_ref(item.get("fieldRef"))
