"""What a pod asks for, read from its manifest once: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from ..resources import Json, parse_quantity
from . import filters

Amounts = dict[str, Decimal]

GPU = "nvidia.com/gpu"
ZERO = Decimal(0)

# What a container without a request counts as: the non-zero defaults of kube-scheduler
# (`pkg/scheduler/util/pod_resources.go`: 100 milli-CPU, 200 MB). The real one only ranks nodes by
# them; here they also bound how many processes start at once on the one machine that there is.
_DEFAULT = {"cpu": Decimal("0.1"), "memory": Decimal(200 * 1024 * 1024)}

# Annotation or label, in the order in which they are asked.
_VOLCANO_KEYS = ("scheduling.k8s.io/group-name", "scheduling.volcano.sh/group-name")
_GROUP_KEYS = (
    *_VOLCANO_KEYS,
    "scheduling.x-k8s.io/pod-group",
    "pod-group.scheduling.sigs.k8s.io/name",
)
_MINIMUM_KEYS = (
    "scheduling.volcano.sh/group-min-member",
    "pod-group.scheduling.sigs.k8s.io/min-available",
)


_ANY_NODE: Json = {
    "metadata": {"name": "any"},
    "spec": {"taints": [{"key": "any", "effect": "NoSchedule"}]},
}


@dataclass(eq=False)
class PodInfo:
    """One pod as the scheduler sees it."""

    pod: Json
    uid: str
    name: str
    namespace: str
    node: str
    """Where it is bound; empty for a pod that waits."""
    priority: int
    requests: Amounts
    born: tuple[str, int]
    """Order of arrival: creation time, then version when first seen."""
    group: str = ""
    """Name of its PodGroup; empty for a pod on its own."""
    minimum: int = 0
    """Members of the group that start together, as the pod itself says; 0: it does not say."""
    volcano: bool = False
    """True: the group is one of Volcano's, whose pods wait until the PodGroup is there."""
    gated: bool = False
    gpus: tuple[str, ...] = ()
    """Devices that it holds."""
    claims: tuple[str, ...] = ()
    """Names of the PersistentVolumeClaims that it mounts."""
    shape: bytes = field(default=b"", repr=False)
    """Equal for pods that fit, or do not fit, alike."""

    @property
    def spec(self) -> Json:
        """Its spec."""
        found: Json = self.pod["spec"]
        return found

    @property
    def leaving(self) -> bool:
        """True when it has been asked to end."""
        return "deletionTimestamp" in self.pod["metadata"]

    @property
    def lasting(self) -> bool:
        """True when it does not end by itself."""
        return bool(self.spec.get("restartPolicy", "Always") == "Always")


def read_pod(pod: Json, first_seen: int, gpus_annotation: str) -> PodInfo:
    """Read a pod.

    Parameters
    ----------
    pod : dict
        As stored.
    first_seen : int
        The version at which it came.
    gpus_annotation : str
        Annotation that names the devices of a bound pod, with commas between.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    requests = pod_requests(spec)
    if not spec.get("nodeName"):
        filters.mismatch(_ANY_NODE, spec)  # what cannot be read is found out here, alone
    priority = int(spec.get("priority") or 0)
    marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    node = spec.get("nodeName") or ""
    held = marks.get(gpus_annotation, "") if node and requests.get(GPU) else ""
    return PodInfo(
        pod,
        metadata["uid"],
        metadata["name"],
        metadata["namespace"],
        node,
        priority,
        requests,
        (metadata["creationTimestamp"], first_seen),
        group=_first(marks, _GROUP_KEYS),
        minimum=_minimum(marks),
        volcano=bool(_first(marks, _VOLCANO_KEYS)),
        gated=bool(spec.get("schedulingGates")),
        gpus=tuple(each for each in held.split(",") if each),
        claims=tuple(claims(metadata["name"], spec)),
        shape=b"" if node else _shape(spec, requests, priority),
    )


def pod_requests(spec: Json) -> Amounts:
    """Return what a pod asks for in all.

    Containers and sidecars (init containers that go on) run together; other init containers run
    one by one, each beside the sidecars started before it. The larger of the two counts, and the
    pod's overhead, and one pod.
    """
    together = _sum(_container(each) for each in spec["containers"])
    sidecars: Amounts = {}
    largest: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = _container(container)
        if container.get("restartPolicy") == "Always":
            sidecars = _sum((sidecars, own))
            own = sidecars
        else:
            own = _sum((sidecars, own))
        largest = {
            name: max(largest.get(name, ZERO), own.get(name, ZERO)) for name in {*largest, *own}
        }
    together = _sum((together, sidecars))
    total = {
        name: max(together.get(name, ZERO), largest.get(name, ZERO))
        for name in {*together, *largest}
    }
    return _sum((total, _amounts(spec.get("overhead")), {"pods": Decimal(1)}))


def claims(pod: str, spec: Json) -> list[str]:
    """Return the names of the PersistentVolumeClaims that the pod of this name mounts."""
    return [
        volume["persistentVolumeClaim"]["claimName"]
        if volume.get("persistentVolumeClaim")
        else f"{pod}-{volume['name']}"
        for volume in spec.get("volumes") or ()
        if volume.get("persistentVolumeClaim") or volume.get("ephemeral")
    ]


def host_ports(spec: Json) -> set[tuple[str, int]]:
    """Return protocol and number of the ports that a pod wants of the node itself."""
    return {
        (port.get("protocol") or "TCP", port["hostPort"])
        for container in spec["containers"]
        for port in container.get("ports") or ()
        if port.get("hostPort")
    }


def _container(container: Json) -> Amounts:
    resources = container.get("resources") or {}
    given = {**_amounts(resources.get("limits")), **_amounts(resources.get("requests"))}
    return {**_DEFAULT, **given}


def _amounts(given: Any) -> Amounts:
    return {name: parse_quantity(text) for name, text in (given or {}).items()}


def _sum(parts: Iterable[Mapping[str, Decimal]]) -> Amounts:
    total: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, ZERO) + amount
    return total


def _first(marks: Mapping[str, str], keys: Iterable[str]) -> str:
    return next((marks[key] for key in keys if marks.get(key)), "")


def _minimum(marks: Mapping[str, str]) -> int:
    text = _first(marks, _MINIMUM_KEYS)
    return int(text) if text.isdigit() else 0


def _shape(spec: Json, requests: Amounts, priority: int) -> bytes:
    return orjson.dumps(
        [
            {name: str(amount) for name, amount in requests.items()},
            priority,
            spec.get("preemptionPolicy"),
            [spec.get(key) for key in ("nodeSelector", "affinity", "tolerations")],
            sorted(host_ports(spec)),
        ],
        option=orjson.OPT_SORT_KEYS,
    )
