"""How much is used of what this context can give: CPU, memory, GPUs, and the namespace's quota."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from fairlead.kube.types import NODES, PODS, RESOURCE_QUOTAS
from fairlead.kube.usage import summarize_usage
from fairlead_server.health import ERROR, WELL, Health
from fairlead_server.topics.base import Place, Topic
from fairlead_server.watches import SharedWatch

Json = dict[str, Any]

KEY = "usage"
_GAP_S = 0.3
_QUOTA_NAMES = {
    "cpu": ("requests.cpu", "cpu"),
    "memory": ("requests.memory", "memory"),
    "gpu": ("requests.nvidia.com/gpu", "requests.amd.com/gpu"),
}
_FORBIDDEN = 403


class UsageTopic(Topic):
    """One row, computed at most a few times a second.

    Pods are those of all namespaces, since only they tell what is free; where these may not be
    listed, those of the namespace in use. What else may not be watched is left out of the row.
    """

    def __init__(self, place: Place) -> None:
        self._pods: SharedWatch | None = None
        self._nodes: SharedWatch | None = None
        self._quotas: SharedWatch | None = None
        self._scope = "cluster"
        self._changed = False
        self._work: asyncio.Task[None] | None = None
        super().__init__(place)

    def close(self) -> None:
        """Compute no more."""
        if self._work is not None:
            self._work.cancel()
        super().close()

    async def open(self) -> None:
        """Follow nodes, pods and quotas."""
        namespace = self.place.connection.namespace
        self._pods = self.hold(PODS, None)
        self._nodes = self.hold(NODES, None)
        self._quotas = self.hold(RESOURCE_QUOTAS, namespace)

    def on_watch(self, watch: SharedWatch, uids: Iterable[str]) -> None:
        """Compute again soon; several changes are one."""
        refused = watch.health.state == ERROR and watch.health.code == _FORBIDDEN
        if watch is self._pods and refused and self._scope == "cluster":
            self._scope = "namespace"
            self.let_go(PODS, None)
            self._pods = self.hold(PODS, self.place.connection.namespace)
        self._changed = True
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._compute())

    async def _compute(self) -> None:
        pods, nodes, quotas = self._pods, self._nodes, self._quotas
        while self._changed and pods and nodes and quotas:
            await asyncio.sleep(_GAP_S if self.ready else 0)
            self._changed = False
            pods, nodes, quotas = self._pods or pods, self._nodes or nodes, self._quotas or quotas
            known = all(one.listed or one.health.state == ERROR for one in (pods, nodes, quotas))
            # Thousands of pods take a while: in a thread, and of what there is now.
            summary = await asyncio.to_thread(
                summarize_usage,
                list(nodes.objects.values()) if nodes.listed else None,
                list(pods.objects.values()),
                list(quotas.objects.values()),
            )
            row = row_of(summary) | {"scope": self._scope}
            self.put({KEY: row} if known else {}, ready=known, health=self._health())

    def _health(self) -> Health:
        """Tell what keeps the numbers from being right: the first watch that is not well."""
        for watch in (self._pods, self._nodes, self._quotas):
            if watch is not None and watch.health.state not in ("ok", ERROR):
                return watch.health
        return WELL


def row_of(summary: Json) -> Json:
    """Put beside each resource the quota that leaves the least of it, where there is one."""
    row: Json = {}
    for name, wanted in _QUOTA_NAMES.items():
        limits = [
            {"used": one["used"], "hard": one["hard"]}
            for one in summary["quota"]
            if one["resource"] in wanted
        ]
        tightest = min(limits, key=lambda one: one["hard"] - one["used"], default=None)
        row[name] = {**summary[name], "quota": tightest}
    return row
