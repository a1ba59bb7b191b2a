"""Pipeline runs: the Workflow objects are the signal, the runs themselves are read by REST."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from fairlead.kube.types import WORKFLOWS
from fairlead.names import RUN_ID_LABEL
from fairlead_server.topics.base import Topic
from fairlead_server.watches import SharedWatch

Json = dict[str, Any]

_STATES = {
    "Pending": "PENDING",
    "Running": "RUNNING",
    "Succeeded": "SUCCEEDED",
    "Failed": "FAILED",
    "Error": "FAILED",
}


class RunsTopic(Topic):
    """One row per run, by the uid of its Workflow."""

    async def open(self) -> None:
        """Ask where the runs are, and follow their Workflows there."""
        service = self.place.connection.runs
        namespace = await asyncio.to_thread(lambda: service.pipelines.namespace)
        self.hold(WORKFLOWS, namespace)

    def on_watch(self, watch: SharedWatch, uids: Iterable[str]) -> None:
        """Summarise what changed."""
        rows = {uid: _row_of(watch.objects.get(uid)) for uid in uids}
        self.put(rows, ready=watch.listed, health=watch.health)


def _row_of(workflow: Json | None) -> Json | None:
    if workflow is None:
        return None
    metadata, status = workflow["metadata"], workflow.get("status") or {}
    run_id = (metadata.get("labels") or {}).get(RUN_ID_LABEL)
    if run_id is None:
        return None
    done, _, total = str(status.get("progress") or "0/0").partition("/")
    return {
        "run_id": run_id,
        "namespace": metadata["namespace"],
        "state": _STATES.get(status.get("phase", ""), "PENDING"),
        "done": int(done),
        "total": int(total),
        # Each change of a task is a change of its run, also where state and progress stay.
        "version": metadata["resourceVersion"],
    }
