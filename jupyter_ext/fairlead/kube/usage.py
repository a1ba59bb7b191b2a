"""How much of a cluster is taken: sums over nodes, pods and quotas.

CPU counts in cores, memory in bytes, GPUs in devices of whatever maker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fairlead.errors import FairleadError
from fairlead.kube.types import NODES, PODS, RESOURCE_QUOTAS

if TYPE_CHECKING:
    from fairlead.kube.client import KubeClient

Json = Mapping[str, Any]
Amounts = dict[str, float]

_RESOURCES = ("cpu", "memory", "gpu")
_SUFFIXES = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}


def parse_quantity(text: Any) -> float:
    """Read a Kubernetes quantity: `500m`, `1.5Gi`, `2e3`, or a number.

    Raises
    ------
    ValueError
        It is none.
    """
    words = str(text).strip()
    for length in (2, 1):
        suffix = words[-length:]
        if suffix in _SUFFIXES and len(words) > length:
            return round(float(words[:-length]) * _SUFFIXES[suffix], 9)
    return float(words)


def read_usage(kube: KubeClient, namespace: str) -> dict[str, Any]:
    """Return used and allocatable CPU, memory and GPUs, and the namespace's quota.

    Of all nodes where they and all pods may be listed, else of the namespace alone.
    """
    nodes: list[dict[str, Any]] | None
    try:
        nodes, pods = kube.list(NODES), kube.list(PODS)
    except FairleadError as error:
        if error.code != 403:
            raise
        nodes, pods = None, kube.list(PODS, namespace)
    try:
        quotas = kube.list(RESOURCE_QUOTAS, namespace)
    except FairleadError as error:
        if error.code not in (403, 404):
            raise
        quotas = []
    return summarize_usage(nodes, pods, quotas)


def summarize_usage(
    nodes: Iterable[Json] | None, pods: Iterable[Json], quotas: Iterable[Json] = ()
) -> dict[str, Any]:
    """Sum up what is used and what there is.

    Parameters
    ----------
    nodes : iterable of dict or None
        Node objects; `None` where they may not be listed.
    pods : iterable of dict
        Pod objects of the nodes, or of a namespace where the nodes are not known. Those that have
        a node and have not ended count, with what they request.
    quotas : iterable of dict
        ResourceQuota objects.

    Returns
    -------
    dict
        `{cpu, memory, gpu: {used, allocatable}, quota: [{name, resource, used, hard}]}`;
        `allocatable` is `None` where the nodes are not known.
    """
    used = dict.fromkeys(_RESOURCES, 0.0)
    for pod in pods:
        if _counts(pod):
            _add(used, pod_requests(pod))
    allocatable: Amounts | None = None
    if nodes is not None:
        allocatable = dict.fromkeys(_RESOURCES, 0.0)
        for node in nodes:
            _add(allocatable, _amounts((node.get("status") or {}).get("allocatable")))
    summary: dict[str, Any] = {
        name: {
            "used": _tidy(used[name]),
            "allocatable": None if allocatable is None else _tidy(allocatable[name]),
        }
        for name in _RESOURCES
    }
    summary["quota"] = [entry for quota in quotas for entry in _quota(quota)]
    return summary


def pod_requests(pod: Json) -> Amounts:
    """Return what a pod requests, as the scheduler counts it.

    Containers and sidecars run together; the other init containers run one after another before,
    beside the sidecars that stand above them. Requests of the pod as a whole count instead.
    """
    spec = pod.get("spec") or {}
    running: Amounts = {}
    first: Amounts = {}
    for container in spec.get("initContainers") or ():
        requests = _requests(container)
        if container.get("restartPolicy") == "Always":
            _add(running, requests)
            _most(first, running)
        else:
            _most(first, _sum(running, requests))
    for container in spec.get("containers") or ():
        _add(running, _requests(container))
    total = dict(running)
    _most(total, first)
    total.update(_requests(spec))
    _add(total, _amounts(spec.get("overhead")))
    return total


def _counts(pod: Json) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    bound = bool((pod.get("spec") or {}).get("nodeName"))
    return bound and phase not in ("Succeeded", "Failed")


def _requests(container: Json) -> Amounts:
    """Read the requests of a container; a limit without a request counts as one."""
    resources = container.get("resources") or {}
    return _amounts(resources.get("limits")) | _amounts(resources.get("requests"))


def _amounts(quantities: Json | None) -> Amounts:
    found: Amounts = {}
    for name, text in (quantities or {}).items():
        key = "gpu" if _is_gpu(name) else name
        if key in _RESOURCES:
            found[key] = found.get(key, 0.0) + parse_quantity(text)
    return found


def _is_gpu(name: str) -> bool:
    return name.endswith("/gpu") or name.startswith("nvidia.com/mig-")


def _quota(quota: Json) -> list[dict[str, Any]]:
    status = quota.get("status") or {}
    hard = status.get("hard") or (quota.get("spec") or {}).get("hard") or {}
    used = status.get("used") or {}
    return [
        {
            "name": quota["metadata"]["name"],
            "resource": resource,
            "used": _tidy(parse_quantity(used.get(resource, 0))),
            "hard": _tidy(parse_quantity(amount)),
        }
        for resource, amount in sorted(hard.items())
    ]


def _add(total: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0.0) + amount


def _most(total: Amounts, other: Amounts) -> None:
    for name, amount in other.items():
        total[name] = max(total.get(name, 0.0), amount)


def _sum(one: Amounts, other: Amounts) -> Amounts:
    total = dict(one)
    _add(total, other)
    return total


def _tidy(amount: float) -> float | int:
    """Without the dust of binary fractions; whole numbers as such."""
    rounded = round(amount, 6)
    return int(rounded) if rounded == int(rounded) else rounded
