"""Defaults of the built-in kinds that run nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable

from ..kinds import Json
from .defaults_pod import each, fill, fill_pod, fill_template, part

_RBAC = "rbac.authorization.k8s.io"
_AFFINITY_S = 10800


def _namespace(obj: Json) -> None:
    obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    labels = obj["metadata"].setdefault("labels", {})
    if isinstance(labels, dict):
        labels["kubernetes.io/metadata.name"] = obj["metadata"]["name"]


def _secret(obj: Json) -> None:
    fill(obj, type="Opaque")
    plain = obj.pop("stringData", None)
    if isinstance(plain, dict):
        data = obj.setdefault("data", {})
        for key, value in plain.items():
            if isinstance(value, str):
                data[key] = base64.b64encode(value.encode()).decode()
            else:
                data[key] = value  # validation names it


def _claim(obj: Json) -> None:
    obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def _volume(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    fill(spec, persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")


def _service(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    fill(spec, type="ClusterIP", sessionAffinity="None")
    if spec["sessionAffinity"] == "ClientIP" and not spec.get("sessionAffinityConfig"):
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _AFFINITY_S}}
    for port in each(spec, "ports"):
        fill(port, protocol="TCP")
        if not port.get("targetPort") and "port" in port:
            port["targetPort"] = port["port"]
    if spec["type"] != "ExternalName":
        fill(spec, internalTrafficPolicy="Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        fill(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _endpoints(obj: Json) -> None:
    for subset in each(obj, "subsets"):
        for port in each(subset, "ports"):
            fill(port, protocol="TCP")


def _slice(obj: Json) -> None:
    for port in each(obj, "ports"):
        port.setdefault("name", "")
        fill(port, protocol="TCP")


def _node(obj: Json) -> None:
    status = part(obj, "status")
    if "capacity" in status and "allocatable" not in status:
        status["allocatable"] = dict(status["capacity"])


def _limit_range(obj: Json) -> None:
    for item in each(obj.get("spec"), "limits"):
        if item.get("type") != "Container":
            continue
        default = {**part(item, "max"), **part(item, "default")}
        request = {**part(item, "min"), **default, **part(item, "defaultRequest")}
        if default:
            item["default"] = default
        if request:
            item["defaultRequest"] = request


def _binding(obj: Json) -> None:
    reference = obj.get("roleRef")
    if isinstance(reference, dict):
        fill(reference, apiGroup=_RBAC)
    for subject in each(obj, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            fill(subject, apiGroup=_RBAC)


def _network_policy(obj: Json) -> None:
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for direction in ("ingress", "egress"):
        for rule in each(spec, direction):
            for port in each(rule, "ports"):
                fill(port, protocol="TCP")


def _storage_class(obj: Json) -> None:
    fill(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _priority_class(obj: Json) -> None:
    fill(obj, preemptionPolicy="PreemptLowerPriority")


def _definition(obj: Json) -> None:
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    names = part(spec, "names")
    kind = names.get("kind")
    if isinstance(kind, str) and kind:
        fill(names, singular=kind.lower(), listKind=f"{kind}List")
    if not spec.get("conversion"):
        spec["conversion"] = {"strategy": "None"}


def _pod_template(obj: Json) -> None:
    fill_template(obj.get("template"))


DEFAULTS: dict[tuple[str, str], Callable[[Json], None]] = {
    ("", "Endpoints"): _endpoints,
    ("", "LimitRange"): _limit_range,
    ("", "Namespace"): _namespace,
    ("", "Node"): _node,
    ("", "PersistentVolume"): _volume,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): fill_pod,
    ("", "PodTemplate"): _pod_template,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("discovery.k8s.io", "EndpointSlice"): _slice,
    ("networking.k8s.io", "NetworkPolicy"): _network_policy,
    (_RBAC, "ClusterRoleBinding"): _binding,
    (_RBAC, "RoleBinding"): _binding,
    ("scheduling.k8s.io", "PriorityClass"): _priority_class,
    ("storage.k8s.io", "StorageClass"): _storage_class,
}
