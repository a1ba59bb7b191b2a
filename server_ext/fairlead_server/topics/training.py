"""Training jobs of all kinds, each with its replicas."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from fairlead.kinds.training_status import JOB_NAME_LABELS, job_status
from fairlead.kube import ResourceType
from fairlead.kube.types import PODS
from fairlead_server.health import ERROR, WELL, Health
from fairlead_server.topics.base import Place, Topic
from fairlead_server.training_service import resource_name, served
from fairlead_server.watches import SharedWatch

Json = dict[str, Any]

_GAP_S = 0.2


class TrainingTopic(Topic):
    """One row per job, by its uid, made anew when the job or one of its pods has changed.

    Kinds that this cluster does not serve, or that may not be listed, have no rows.
    """

    def __init__(self, place: Place) -> None:
        self._jobs: dict[ResourceType, SharedWatch] = {}
        self._pods: SharedWatch | None = None
        self._changed = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        super().__init__(place)

    def close(self) -> None:
        """Make rows no more."""
        if self._work is not None:
            self._work.cancel()
        super().close()

    async def open(self) -> None:
        """Ask which kinds there are, and follow them and the pods."""
        connection = self.place.connection
        found = await asyncio.to_thread(served, connection.kube)
        self._pods = self.hold(PODS, connection.namespace)
        self._jobs = {kind: self.hold(kind, connection.namespace) for kind in found}
        self._work = asyncio.get_running_loop().create_task(self._follow())
        self._changed.set()

    def on_watch(self, watch: SharedWatch, uids: Iterable[str]) -> None:
        """Make the rows anew soon; several changes are one."""
        self._changed.set()

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._tell()
            await asyncio.sleep(_GAP_S)

    def _tell(self) -> None:
        pods: defaultdict[str, list[Json]] = defaultdict(list)
        if self._pods is not None:
            for pod in self._pods.objects.values():
                labels = pod["metadata"].get("labels") or {}
                for name in {labels[label] for label in JOB_NAME_LABELS if label in labels}:
                    pods[name].append(pod)
        rows: dict[str, Json | None] = dict.fromkeys(self.rows)
        for kind, watch in self._jobs.items():
            for uid, job in watch.objects.items():
                rows[uid] = row_of(job, kind, pods[job["metadata"]["name"]])
        known = all(one.listed or one.health.state == ERROR for one in self._jobs.values())
        self.put(rows if known else {}, ready=known, health=self._health())

    def _health(self) -> Health:
        """Tell what keeps the rows from being right: the first watch that is not well."""
        for watch in (*self._jobs.values(), *([self._pods] if self._pods else [])):
            if watch.health.state not in ("ok", ERROR):
                return watch.health
        return WELL


def row_of(job: Json, kind: ResourceType, pods: Iterable[Json]) -> Json:
    """Summarise a job with its pods."""
    metadata = job["metadata"]
    return {
        "resource": resource_name(kind),
        "kind": kind.kind,
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
        "version": metadata["resourceVersion"],
        **job_status({**job, "kind": kind.kind}, pods).as_dict(),
    }
