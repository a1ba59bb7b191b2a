"""One watch on the runs of the context, told to all viewers as Jupyter events."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from fairlead.errors import FairleadError
from fairlead.kube import Stream, WatchEvent
from fairlead.kube.client import WORKFLOWS
from fairlead.names import RUN_ID_LABEL
from fairlead_server.runs_service import RunsService

RUN_CHANGED = "https://events.fairlead.dev/run_changed/v1"
CONTEXT_CHANGED = "https://events.fairlead.dev/context_changed/v1"
_WATCH_S = 300
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_GONE = 410
_STATES = {
    "Pending": "PENDING",
    "Running": "RUNNING",
    "Succeeded": "SUCCEEDED",
    "Failed": "FAILED",
    "Error": "FAILED",
}

Json = dict[str, Any]
Emit = Callable[[str, Json], None]


class RunsReflector:
    """Watches the Workflow objects of a context in a thread.

    Parameters
    ----------
    emit : callable
        Takes the id of an event's schema and its data; called from the thread.
    """

    def __init__(self, service: RunsService, emit: Emit, log: logging.Logger) -> None:
        self._service = service
        self._emit = emit
        self._log = log
        self._health: Json = {"health": "starting", "message": ""}
        self._stopped = threading.Event()
        self._stream: Stream[WatchEvent] | None = None
        self._thread = threading.Thread(target=self._run, name="fairlead-reflect", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()
        if self._stream is not None:
            self._stream.close()

    def health(self) -> Json:
        """Return `{context, namespace, health, message}`."""
        context = self._service.pipelines.kube.context
        namespace = context.namespace if context.ready() else "default"
        return {"context": context.name, "namespace": namespace, **self._health}

    def _run(self) -> None:
        version: str | None = None
        pause_s = _FIRST_PAUSE_S
        while not self._stopped.is_set():
            try:
                if version is None:
                    version = self._list()
                self._set_health("ok", "")
                pause_s = _FIRST_PAUSE_S
                version = self._follow(version)
            except FairleadError as error:
                if getattr(error, "code", None) == _GONE:
                    version = None
                    continue
                self._log.warning("The watch on runs broke off: %s", error.what)
                self._set_health("error", error.what)
                self._stopped.wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                version = None

    def _list(self) -> str:
        """Tell of every run there is: what changed while nobody watched is not known."""
        pipelines = self._service.pipelines
        found, version = pipelines.kube.list_with_version(WORKFLOWS, pipelines.namespace)
        for workflow in found:
            self._tell(workflow, deleted=False)
        return version

    def _follow(self, version: str) -> str:
        pipelines = self._service.pipelines
        self._stream = pipelines.kube.watch(
            WORKFLOWS, pipelines.namespace, resource_version=version, timeout_s=_WATCH_S
        )
        for event in self._stream:
            version = event.object["metadata"]["resourceVersion"]
            if event.type != "BOOKMARK":
                self._tell(event.object, deleted=event.type == "DELETED")
            if self._stopped.is_set():
                break
        return version

    def _tell(self, workflow: Json, *, deleted: bool) -> None:
        metadata, status = workflow["metadata"], workflow.get("status") or {}
        run_id = (metadata.get("labels") or {}).get(RUN_ID_LABEL)
        if run_id is None:
            return
        done, _, total = str(status.get("progress") or "0/0").partition("/")
        self._emit(
            RUN_CHANGED,
            {
                "run_id": run_id,
                "context": self._service.pipelines.kube.context.name,
                "namespace": metadata["namespace"],
                "state": _STATES.get(status.get("phase", ""), "PENDING"),
                "done": int(done),
                "total": int(total),
                "deleted": deleted,
            },
        )

    def _set_health(self, health: str, message: str) -> None:
        if self._health != {"health": health, "message": message}:
            self._health = {"health": health, "message": message}
            self._emit(CONTEXT_CHANGED, self.health())
