"""The loop around the engine: pods in, one transaction per pass out."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from fairlead.names import INTERPRETER_ANNOTATION, RUN_ID_LABEL

from ..resources import POD, WORKFLOW, ApiError, Resources, Transaction
from . import cache, leftovers
from .clock import now
from .engine import Cache, Changes, Ended, Event, Resume, Terminate, advance
from .observe import gone, observe
from .pods import Folders, build_pod
from .records import ENDED, Run, Values, failure
from .restore import load_run
from .tables import save_changes, save_run
from .workflows import build_workflow

Json = Any

_LOG = logging.getLogger(__name__)
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_INVALID_ARGUMENT = 3  # google.rpc.Code
_GONE = 410


class Controller:
    """Keeps the runs that have not ended, and moves them on when their pods change.

    Parameters
    ----------
    resources : Resources
        Where pods and Workflows are, and the tables of `tables.STATEMENTS`.
    namespace : str
        Namespace of pods and Workflows.
    environment : callable
        Fingerprint of the Python environment of a pod with these annotations.

    Notes
    -----
    A run in memory is touched inside transactions only, so by the writer's thread only. When a
    transaction fails its run is forgotten and read back from the tables by the next one.
    """

    def __init__(
        self,
        resources: Resources,
        namespace: str,
        environment: Callable[[Mapping[str, str]], str],
    ) -> None:
        self.resources = resources
        self.namespace = namespace
        self._environment = environment
        self._runs: dict[str, Run] = {}
        self._inbox: dict[str, list[tuple[Json, bool]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Follow the pods until cancelled; begins by taking up the runs that have not ended."""
        try:
            while True:
                try:
                    await self._follow(await self._take_up())
                except ApiError as error:
                    if error.code != _GONE:
                        raise
        finally:
            for task in self._tasks:
                task.cancel()

    def begin(self, transaction: Transaction, run: Run) -> None:
        """Start a new run, whose row is in the tables; for use inside a transaction."""
        created = transaction.create(build_workflow(run))
        run.workflow_uid = created["metadata"]["uid"]
        transaction.db.execute(
            "UPDATE runs SET workflow_uid = ? WHERE run_id = ?", (run.workflow_uid, run.run_id)
        )
        self._pass(transaction, run, [])

    async def send(self, run_id: str, *events: Event) -> None:
        """Apply events from outside to a run, and wait until they are committed."""
        await self.resources.transaction(
            lambda transaction: self._apply(transaction, run_id, events)
        )

    def forget(self, run_id: str) -> None:
        """Drop a run that is being deleted; for use inside a transaction."""
        self._runs.pop(run_id, None)

    # Pods

    async def _take_up(self) -> str:
        """Bring all unfinished runs up to date with the pods there are; return their version."""
        found = await self.resources.list(POD, self.namespace, label_selector=RUN_ID_LABEL)
        pods: dict[str, dict[str, Json]] = {}
        for pod in found.items:
            run_id = pod["metadata"]["labels"][RUN_ID_LABEL]
            pods.setdefault(run_id, {})[pod["metadata"]["name"]] = pod
        marks = ", ".join("?" * len(ENDED))
        rows = self.resources.store.reader.execute(
            f"SELECT run_id FROM runs WHERE state NOT IN ({marks})", tuple(ENDED)
        ).fetchall()
        for (run_id,) in rows:
            await self._resume(run_id, pods.get(run_id, {}))
        await self.resources.transaction(
            lambda transaction: leftovers.sweep(transaction, self.namespace)
        )
        return found.resource_version

    async def _resume(self, run_id: str, pods: dict[str, Json]) -> None:
        run = await self._get(run_id)
        if run is None:
            return
        events: list[Event] = [Resume()]
        for task in list(run.tasks.values()):
            if task.ended or not task.pod:
                continue
            pod = pods.get(task.pod)
            event = (
                gone(task)
                if pod is None
                else await asyncio.to_thread(observe, run, task, pod, deleted=False)
            )
            if event is not None:
                events.append(event)
        await self.send(run_id, *events)

    async def _follow(self, version: str) -> None:
        watch = self.resources.watch(
            POD, self.namespace, resource_version=version, label_selector=RUN_ID_LABEL
        )
        try:
            async for event in watch:
                pod = event.object
                run_id = pod["metadata"]["labels"][RUN_ID_LABEL]
                box = self._inbox.setdefault(run_id, [])
                box.append((pod, event.type == "DELETED"))
                if len(box) == 1:
                    work = asyncio.create_task(self._drain(run_id))
                    self._tasks.add(work)
                    work.add_done_callback(self._tasks.discard)
        finally:
            watch.close()

    async def _drain(self, run_id: str) -> None:
        """Work off the pods of a run; those that come meanwhile share the next pass."""
        try:
            while box := self._inbox[run_id]:
                pods = list(box)
                await self._take_in(run_id, pods)
                del box[: len(pods)]
        except Exception:
            # One run must not stop the others; the next pod event, or start, takes it up again.
            _LOG.exception("The pass over run %s failed", run_id)
        finally:
            self._inbox.pop(run_id, None)

    async def _take_in(self, run_id: str, pods: list[tuple[Json, bool]]) -> None:
        run = await self._get(run_id)
        if run is None or run.state in ENDED:
            if any(deleted for _, deleted in pods):
                await self.resources.transaction(
                    lambda transaction: leftovers.sweep(transaction, self.namespace)
                )
            return
        events: list[Event] = []
        for pod, deleted in pods:
            name = pod["metadata"]["name"]
            task = run.pods.get(name)
            if task is None or task.ended or task.pod != name:
                continue
            phase = pod.get("status", {}).get("phase")
            if phase in ("Succeeded", "Failed"):
                event = await asyncio.to_thread(observe, run, task, pod, deleted=deleted)
            else:
                event = observe(run, task, pod, deleted=deleted)
            if event is not None:
                events.append(event)
        if events:
            await self.send(run_id, *events)

    # Passes

    async def _get(self, run_id: str) -> Run | None:
        found = self._runs.get(run_id)
        if found is None:
            found = await self.resources.transaction(
                lambda transaction: self._load(transaction, run_id)
            )
        return found

    def _load(self, transaction: Transaction, run_id: str) -> Run | None:
        if run_id not in self._runs:
            run = load_run(transaction.db, run_id, self.namespace)
            if run is None:
                return None
            if run.state in ENDED:
                return run
            self._runs[run_id] = run
        return self._runs[run_id]

    def _apply(self, transaction: Transaction, run_id: str, events: tuple[Event, ...]) -> None:
        run = self._load(transaction, run_id)
        if run is not None:
            self._pass(transaction, run, list(events))

    def _pass(self, transaction: Transaction, run: Run, events: list[Event]) -> None:
        """Advance a run and write everything that follows from it."""
        try:
            self._advance(transaction, run, events)
        except BaseException:
            self._runs.pop(run.run_id, None)
            raise

    def _advance(self, transaction: Transaction, run: Run, events: list[Event]) -> None:
        self._runs[run.run_id] = run
        workflow = transaction.find(WORKFLOW, run.workflow, run.namespace)
        if workflow is None:
            # Deleted by hand: the run stops, and the object comes back to say so.
            run.workflow_uid = transaction.create(build_workflow(run))["metadata"]["uid"]
            events = [*events, Terminate()]
        environment = self._once_each()
        asked = Cache(
            key=lambda task, executor: cache.cache_key(task, executor, environment),
            find=lambda key: cache.find(transaction.db, key),
        )
        changes = advance(run, events, asked, now())
        refused = self._write_pods(transaction, run, changes)
        while refused:
            advance(run, refused, asked, now(), changes)
            refused = self._write_pods(transaction, run, changes)
        if run.state in ENDED:
            self._runs.pop(run.run_id, None)
        if not changes:
            return
        run.changes += 1
        save_changes(transaction.db, run, changes)
        cache.fill(transaction.db, run, changes.ended)
        save_run(transaction.db, run)
        transaction.update(build_workflow(run))

    def _once_each(self) -> Callable[[Mapping[str, str]], str]:
        """Return `environment` for one pass: it reads folders, so each is looked at once."""
        found: dict[str, str] = {}

        def look(annotations: Mapping[str, str]) -> str:
            interpreter = annotations.get(INTERPRETER_ANNOTATION, "")
            if interpreter not in found:
                found[interpreter] = self._environment(annotations)
            return found[interpreter]

        return look

    def _write_pods(self, transaction: Transaction, run: Run, changes: Changes) -> list[Event]:
        """Create and delete the pods of a pass; return what the API refused, as events."""
        events: list[Event] = []
        launches, changes.launches = changes.launches, []
        for task in launches:
            Folders(run, task).make()
            try:
                task.pod = transaction.create(build_pod(run, task, new_suffix()))["metadata"][
                    "name"
                ]
                run.pods[task.pod] = task
            except ApiError as error:
                refusal = failure(_INVALID_ARGUMENT, f"The pod was refused: {error.message}")
                events.append(Ended(task.task_id, "", now(), False, Values(), refusal))
        deletions, changes.deletions = changes.deletions, []
        for name in deletions:
            if transaction.find(POD, name, run.namespace) is not None:
                transaction.delete(POD, name, run.namespace)
            else:
                events.append(gone(run.pods[name]))
        return events


def new_suffix() -> str:
    """Return five letters and digits that make a name unique, as Kubernetes does."""
    return "".join(secrets.choice(_LETTERS) for _ in range(5))
