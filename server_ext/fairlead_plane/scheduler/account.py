"""What the nodes have, and who holds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from ..resources import Json, parse_quantity
from . import filters
from .demand import GPU, ZERO, Amounts, PodInfo, host_ports


class NodeInfo:
    """One node and the pods on it.

    Parameters
    ----------
    node : dict
        The Node as stored.
    gpus_annotation : str
        Annotation that names its GPUs, with commas between.
    """

    def __init__(self, node: Json, gpus_annotation: str) -> None:
        self.name: str = node["metadata"]["name"]
        self.pods: dict[str, PodInfo] = {}
        self._used: Amounts = {}
        self._ports: Counter[tuple[str, int]] = Counter()
        self._annotation = gpus_annotation
        self.update(node)

    def update(self, node: Json) -> None:
        """Take what the object says now."""
        self.node = node
        given = (node.get("status") or {}).get("allocatable") or {}
        self.allocatable = {name: parse_quantity(text) for name, text in given.items()}
        text = (node["metadata"].get("annotations") or {}).get(self._annotation, "")
        self._gpus = tuple(each for each in text.split(",") if each)

    def add(self, info: PodInfo) -> None:
        """Count a pod, whether it fits or not."""
        self.remove(info.uid)
        self.pods[info.uid] = info
        for name, amount in info.requests.items():
            self._used[name] = self._used.get(name, ZERO) + amount
        self._ports.update(host_ports(info.spec))

    def remove(self, uid: str) -> PodInfo | None:
        """Give back what a pod had; None when it had nothing."""
        info = self.pods.pop(uid, None)
        if info is not None:
            for name, amount in info.requests.items():
                self._used[name] -= amount
            self._ports -= Counter(host_ports(info.spec))
        return info

    def free_gpus(self) -> list[str]:
        """Return the GPUs that no pod holds, in the node's order."""
        held = {gpu for info in self.pods.values() for gpu in info.gpus}
        return [gpu for gpu in self._gpus if gpu not in held]

    def obstacles(self, info: PodInfo, kept: Amounts) -> tuple[list[str], bool]:
        """Return why a pod cannot be here, and whether the end of other pods could help.

        Parameters
        ----------
        info : PodInfo
            The pod.
        kept : dict
            Amounts that are kept for others.
        """
        fixed = filters.mismatch(self.node, info.spec)
        if fixed:
            return [fixed], False
        if any(self._ports[port] > 0 for port in host_ports(info.spec)):
            return ["node(s) didn't have free ports for the requested pod ports"], True
        short = [
            name
            for name, amount in info.requests.items()
            if amount > 0 and amount > self._free(name) - kept.get(name, ZERO)
        ]
        # More than the whole node cannot be helped by anyone's end.
        helped = all(info.requests[name] <= self.allocatable.get(name, ZERO) for name in short)
        return ["Too many pods" if each == "pods" else f"Insufficient {each}" for each in short], (
            helped
        )

    def pick_gpus(self, info: PodInfo) -> tuple[str, ...]:
        """Return the devices for a pod that fits."""
        count = int(info.requests.get(GPU, ZERO))
        return tuple(self.free_gpus()[:count])

    def _free(self, name: str) -> Decimal:
        free = self.allocatable.get(name, ZERO) - self._used.get(name, ZERO)
        # The devices are what counts, should the count and the list ever differ.
        return min(free, Decimal(len(self.free_gpus()))) if name == GPU else free


def total_requests(infos: Iterable[PodInfo]) -> Amounts:
    """Return the sum of what pods ask for."""
    total: Amounts = {}
    for info in infos:
        for name, amount in info.requests.items():
            total[name] = total.get(name, ZERO) + amount
    return total
