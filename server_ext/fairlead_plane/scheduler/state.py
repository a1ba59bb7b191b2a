"""What the scheduler knows: nodes, the pods on them, and the pods that wait."""

from __future__ import annotations

from fairlead.names import GPUS_ANNOTATION

from ..resources import Json
from .account import NodeInfo
from .demand import PodInfo, read_pod

_TERMINAL = ("Succeeded", "Failed")
GroupKey = tuple[str, str]
"""Namespace and name of a PodGroup."""


class State:
    """A picture of the cluster, kept by watch events and by what this scheduler has decided."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self.waiting: dict[str, PodInfo] = {}
        self.told: dict[str, str] = {}
        """Per waiting pod: why it waits, as its status says."""
        self.passed: dict[str, int] = {}
        """Per waiting unit: how many later pods have gone before it."""
        self.held_since: dict[str, float] = {}
        """Per waiting unit for which room is kept: since when."""
        self._bound: dict[str, PodInfo] = {}
        self._assumed: set[str] = set()
        self._claims: dict[tuple[str, str], str] = {}
        self._minimums: dict[GroupKey, int] = {}
        self.volcano = False
        """True while Volcano's PodGroups are served here."""
        self._members: dict[GroupKey, set[str]] = {}

    def take_node(self, node: Json, *, gone: bool) -> None:
        """Take in an event about a node."""
        name = node["metadata"]["name"]
        if gone:
            self.nodes.pop(name, None)
        elif name in self.nodes:
            self.nodes[name].update(node)
        else:
            self.nodes[name] = fresh = NodeInfo(node, GPUS_ANNOTATION)
            for info in self._bound.values():
                if info.node == name:
                    fresh.add(info)

    def take_claim(self, claim: Json, *, gone: bool) -> None:
        """Take in an event about a PersistentVolumeClaim."""
        metadata = claim["metadata"]
        key = (metadata["namespace"], metadata["name"])
        if gone:
            self._claims.pop(key, None)
        elif "deletionTimestamp" in metadata:
            self._claims[key] = "is being deleted"
        else:
            bound = (claim.get("status") or {}).get("phase") == "Bound"
            self._claims[key] = "" if bound else "unbound"

    def take_group(self, group: Json, *, gone: bool) -> None:
        """Take in an event about a PodGroup, of Volcano or of the coscheduling plugin."""
        metadata = group["metadata"]
        key = (metadata["namespace"], metadata["name"])
        if gone:
            self._minimums.pop(key, None)
        else:
            self._minimums[key] = int((group.get("spec") or {}).get("minMember") or 1)

    def minimum(self, info: PodInfo) -> int:
        """Return how many of a pod's group start together; 0 while its PodGroup is awaited."""
        stated = self._minimums.get((info.namespace, info.group), info.minimum)
        return stated or (0 if info.volcano and self.volcano else 1)

    def claim_problem(self, info: PodInfo) -> str:
        """Return why a pod's claims keep it from any node, in the real words; empty for nothing."""
        for name in info.claims:
            problem = self._claims.get((info.namespace, name), "not found")
            if problem == "unbound":
                return "pod has unbound immediate PersistentVolumeClaims"
            if problem:
                return f'persistentvolumeclaim "{name}" {problem}'
        return ""

    def take_pod(self, pod: Json, *, gone: bool) -> bool:
        """Take in an event about a pod; True when this can change what the others may do."""
        uid = pod["metadata"]["uid"]
        phase = pod["status"].get("phase")
        if gone or phase in _TERMINAL:
            changed = self.forget(uid, keep_member=not gone and phase == "Succeeded")
            if not gone and phase == "Succeeded":  # also one that ended before this process began
                info = read_pod(pod, 0, GPUS_ANNOTATION)
                if info.group:
                    self._members.setdefault((info.namespace, info.group), set()).add(uid)
            return changed
        node = pod["spec"].get("nodeName")
        known = self._bound.get(uid)
        if known is not None:
            if node:
                self._assumed.discard(uid)
                known.pod = pod
            # Else an event from before the decision to bind it.
            return False
        before = self.waiting.pop(uid, None)
        version = int(pod["metadata"]["resourceVersion"])
        info = read_pod(pod, before.born[1] if before else version, GPUS_ANNOTATION)
        if node:
            self._settle(info)
        elif not info.leaving:
            self.waiting[uid] = info
            self.told.setdefault(uid, _reason(pod))
        return before is None or before.spec != info.spec

    def bind(self, info: PodInfo) -> None:
        """Count a pod as bound to the node that it names, before this is written."""
        self.waiting.pop(info.uid, None)
        self._assumed.add(info.uid)
        self._settle(info)

    def keep_units(self, keys: set[str]) -> None:
        """Drop what is known about units other than these, which wait."""
        for known in (self.passed, self.held_since):
            for key in [key for key in known if key not in keys]:
                del known[key]

    def forget(self, uid: str, *, keep_member: bool = False) -> bool:
        """Drop a pod; True when it held something or waited."""
        waited = self.waiting.pop(uid, None)
        self.told.pop(uid, None)
        self._assumed.discard(uid)
        info = self._bound.pop(uid, None)
        if info is not None and info.node in self.nodes:
            self.nodes[info.node].remove(uid)
        if not keep_member:
            for key, members in list(self._members.items()):
                members.discard(uid)
                if not members:
                    del self._members[key]
        return waited is not None or info is not None

    def members(self, key: GroupKey) -> int:
        """Return how many pods of a group run, or have run and succeeded."""
        return len(self._members.get(key, ()))

    def _settle(self, info: PodInfo) -> None:
        self._bound[info.uid] = info
        self.told.pop(info.uid, None)
        if info.group:
            self._members.setdefault((info.namespace, info.group), set()).add(info.uid)
        if info.node in self.nodes:
            self.nodes[info.node].add(info)


def _reason(pod: Json) -> str:
    for condition in pod["status"].get("conditions") or ():
        if condition["type"] == "PodScheduled":
            return str(condition.get("message", ""))
    return ""
