"""The loop around the engine: pods in, one transaction per pass out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.names import INTERPRETER_ANNOTATION, PACKAGES_ANNOTATION, RUN_ID_LABEL

from ..resources import POD, WORKFLOW, ApiError, Resources, Transaction, Watch
from . import cache, importers, leftovers, locks
from .alarms import Alarms
from .clock import later, now, seconds_between
from .engine import advance
from .events import Cache, Changes, Due, Event, Resume, Retry, Terminate
from .expiries import Expiries
from .launching import launch
from .looks import Looks, UncheckedError
from .mailbox import Mailboxes
from .observe import gone, observe
from .records import ENDED, PENDING, Run
from .restore import load_run
from .retries import wait_s
from .tables import save_changes, save_run
from .workflows import build_workflow

Json = Any

_LOG = logging.getLogger(__name__)
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_INVALID_ARGUMENT = 3  # google.rpc.Code
_GONE = 410
_PAUSE_S = 10.0
_SHORT_MOST = 64  # tasks of a run whose passes are made without the store's thread
_LOCK_PAUSE_S = 10.0
_LONGEST_LOOK_S = 1800.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """A pod as the watch told of it."""

    pod: Json
    deleted: bool
    at: str

    @property
    def ended(self) -> bool:
        """Whether its processes have ended."""
        return self.pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


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
    A run in memory is touched inside transactions only, so by one thread at a time. When a
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
        self.looks = Looks(resources, namespace)
        self._environment = environment
        self._runs: dict[str, Run] = {}
        self._seen = Mailboxes(self._take_in)
        self._alarms = Alarms(self._wake)
        self._expiries = Expiries(resources, namespace)
        self._watch: Watch | None = None

    async def run(self) -> None:
        """Follow the pods until cancelled; begins by taking up the runs that have not ended."""
        self._alarms.start()
        self._expiries.start()
        try:
            while True:
                version = await self._take_up()
                try:
                    await self._follow(version)
                except ApiError as error:
                    if error.code != _GONE:
                        raise
        finally:
            await self._alarms.close()
            await self._expiries.close()
            await self._seen.close()

    def begin(self, transaction: Transaction, run: Run) -> None:
        """Start a new run, whose row is in the tables; for use inside a transaction."""
        created = transaction.create(build_workflow(run))
        run.workflow_uid = created["metadata"]["uid"]
        transaction.db.execute(
            "UPDATE runs SET workflow_uid = ? WHERE run_id = ?", (run.workflow_uid, run.run_id)
        )
        try:
            self._pass(transaction, run, [])
        except BaseException:
            self._runs.pop(run.run_id, None)
            raise

    async def send(self, run_id: str, *events: Event) -> None:
        """Apply events to a run, and wait until they are committed."""
        try:
            await self.looks.transaction(
                lambda transaction: self._apply(transaction, run_id, events),
                short=self._is_short(run_id),
            )
        except BaseException:
            # Also when the commit itself failed: what is in memory is not what is stored.
            self._runs.pop(run_id, None)
            raise

    def _is_short(self, run_id: str) -> bool:
        """Tell whether no pass over a run takes long: it has few tasks, no loop and no files."""
        run = self._runs.get(run_id)
        return (
            run is not None
            and len(run.tasks) <= _SHORT_MOST
            and all(
                task.component.executor is not None and not task.component.output_artifacts
                for task in run.tasks.values()
            )
        )

    def forget(self, transaction: Transaction, run_id: str) -> None:
        """Drop a run that is being deleted; for use inside a transaction."""
        self._runs.pop(run_id, None)
        self._release(transaction, run_id)
        self._expiries.cancel(transaction, run_id)

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
            try:
                await self._resume(run_id, pods.get(run_id, {}))
            except Exception:
                self._report(run_id)
        await self._sweep()
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
            event = gone(task, now()) if pod is None else await _read(run, _Seen(pod, False, now()))
            if event is not None:
                events.append(event)
        await self.send(run_id, *events)

    async def _follow(self, version: str) -> None:
        watch = self._watch = self.resources.watch(
            POD, self.namespace, resource_version=version, label_selector=RUN_ID_LABEL
        )
        try:
            async for event in watch:
                seen = _Seen(event.object, event.type == "DELETED", now())
                run_id = seen.pod["metadata"]["labels"][RUN_ID_LABEL]
                self._seen.put(run_id, seen, urgent=seen.deleted or seen.ended)
        finally:
            watch.close()

    async def _take_in(self, run_id: str, pods: list[_Seen]) -> None:
        """Move a run on by what was seen of its pods."""
        try:
            run = await self._get(run_id)
            if run is None or run.state in ENDED:
                if any(seen.deleted for seen in pods):
                    await self._sweep()
                return
            events = [event for seen in pods if (event := await _read(run, seen)) is not None]
            if events:
                await self.send(run_id, *events)
        except Exception:
            self._report(run_id)

    async def _wake(self, run_id: str, at: str) -> None:
        """Start again the tasks of a run that waited until a time."""
        try:
            await self.send(run_id, Due(at))
        except Exception:
            self._report(run_id)

    def _report(self, run_id: str) -> None:
        """Log what went wrong with one run, which must not stop the others, and look again later.

        What was seen of its pods is lost, so everything is read again.
        """
        _LOG.exception("The pass over run %s failed", run_id)
        asyncio.get_running_loop().call_later(_PAUSE_S, self._look_again)

    def _look_again(self) -> None:
        if self._watch is not None:
            self._watch.close()

    async def _sweep(self) -> None:
        await self.resources.transaction(
            lambda transaction: leftovers.sweep(transaction, self.namespace)
        )

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
        if run is None:
            return
        try:
            self._pass(transaction, run, list(events))
        except UncheckedError:
            # The pass is done again, from what is stored.
            self._runs.pop(run_id, None)
            raise

    def _pass(self, transaction: Transaction, run: Run, events: list[Event]) -> None:
        """Advance a run and write everything that follows from it."""
        self._runs[run.run_id] = run
        workflow = transaction.find(WORKFLOW, run.workflow, run.namespace)
        if workflow is None:
            # Deleted by hand: the run stops, and the object comes back to say so.
            run.workflow_uid = transaction.create(build_workflow(run))["metadata"]["uid"]
            events = [Terminate(), *events]
        again = run.state in ENDED and any(isinstance(event, Retry) for event in events)
        if again:
            self._expiries.cancel(transaction, run.run_id)
        if again or run.state == PENDING:
            run.waits_for = locks.acquire(transaction, run)
        environment = self._once_each()
        asked = Cache(
            key=lambda task, executor: cache.cache_key(task, executor, environment),
            find=lambda key: cache.find(transaction.db, key, self.looks.stamp),
            imported=lambda artifact, reimport: importers.settle(
                transaction.db, artifact, self.looks.stamp, reimport=reimport
            ),
        )
        changes = advance(run, events, asked, now)
        refused = self._write_pods(transaction, run, changes)
        while refused:
            advance(run, refused, asked, now, changes)
            refused = self._write_pods(transaction, run, changes)
        if run.state in ENDED:
            self._runs.pop(run.run_id, None)
        self._alarms.set(run.run_id, _times(run))
        if not changes:
            return
        if run.state in ENDED:
            self._release(transaction, run.run_id)
            self._expiries.note(transaction, run)
        run.changes += 1
        save_changes(transaction.db, run, changes)
        cache.fill(transaction.db, run, changes.ended)
        save_run(transaction.db, run)
        transaction.update(build_workflow(run))

    def _release(self, transaction: Transaction, run_id: str) -> None:
        """Give back the locks of a run, and wake those that wait for them."""
        for waiting in locks.release(transaction, run_id):
            self._alarms.set(waiting, [(now(), 0.0)])

    def _once_each(self) -> Callable[[Mapping[str, str]], str]:
        """Return `environment` for one pass: it reads folders, so each is looked at once."""
        found: dict[tuple[str, str], str] = {}

        def look(annotations: Mapping[str, str]) -> str:
            named = INTERPRETER_ANNOTATION, PACKAGES_ANNOTATION
            key = annotations.get(named[0], ""), annotations.get(named[1], "")
            if key not in found:
                found[key] = self._environment(annotations)
            return found[key]

        return look

    def _write_pods(self, transaction: Transaction, run: Run, changes: Changes) -> list[Event]:
        """Create and delete the pods of a pass; return what has ended by that, as events."""
        events: list[Event] = []
        launches, changes.launches = changes.launches, []
        for task in launches:
            ended = launch(transaction, run, task)
            if ended is not None:
                events.append(ended)
        deletions, changes.deletions = changes.deletions, []
        for name in deletions:
            if transaction.find(POD, name, run.namespace) is not None:
                transaction.delete(POD, name, run.namespace)
            else:
                events.append(gone(run.pods[name], now()))
        return events


def _times(run: Run) -> list[tuple[str, float]]:
    """Return when a run is to be looked at again, each with the seconds until then."""
    times = [(one.not_before, wait_s(one)) for one in run.waiting.values()]
    if run.state == PENDING and run.waits_for:
        # What holds it tells when it ends; but a semaphore may be given more places, too.
        times.append((later(now(), _LOCK_PAUSE_S), _LOCK_PAUSE_S))
    if deadline := run.deadline:
        # Never so late that an alarm rings before it: those that wait until then would start.
        left = min(max(0.0, seconds_between(now(), deadline)), _LONGEST_LOOK_S)
        times.append((later(now(), left), left))
    return times


async def _read(run: Run, seen: _Seen) -> Event | None:
    """Return what a pod means for its task; `None` when no task waits for that."""
    name = seen.pod["metadata"]["name"]
    task = run.pods.get(name)
    if task is None or task.ended or task.pod != name:
        return None
    if not seen.ended or not task.component.output_artifacts:
        return observe(run, task, seen.pod, deleted=seen.deleted, now=seen.at)
    # It may have to hash large files.
    return await asyncio.to_thread(observe, run, task, seen.pod, deleted=seen.deleted, now=seen.at)
