"""The loop over the schedules: starts each run in time, once."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from fairlead.errors import SpecError

from ...resources import (
    SCHEDULED_WORKFLOW,
    WORKFLOW,
    ApiError,
    Kind,
    Resources,
    Transaction,
    WatchEvent,
)
from ..controller import Controller
from . import rows
from .objects import NAME_LABEL, OWNED_LABEL, build_object, build_spec, taken_over
from .placeholders import Occasion
from .rows import Schedule

Json = Any

_LOG = logging.getLogger(__name__)

LOOK_AGAIN_S = 30.0
"""Longest wait in one piece: a machine that sleeps stops the clock that waits are measured by."""

_FIRST_RETRY_S, _MOST_RETRY_S = 10.0, 360.0
"""As upstream's controller waits when a run could not be started."""
_FAILED_PRECONDITION = 9  # google.rpc.Code
_COMPONENT = "scheduled-workflow-controller"


class Start(Protocol):
    """One run that is made ready for a schedule; `make` records and starts it."""

    def make(self, transaction: Transaction, schedule: Schedule, occasion: Occasion) -> None:
        """Start the run; for use inside a transaction, which may be done again."""


class Starter(Protocol):
    """Makes runs of schedules; implemented beside REST, which makes all other runs."""

    async def ready(self, schedule: Schedule) -> Start:
        """Return a run to be started; raises where the pipeline cannot run."""

    def new_run_id(self) -> str:
        """Return the id of a run."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A run that was made ready for a schedule as it was then."""

    start: Start
    spec: bytes | None
    run_id: str


class _NotReadyError(Exception):
    """A run is due, and none was made ready: the transaction ends, and is done again with one."""


class Schedules:
    """Keeps the schedules and their objects, and starts what is due.

    Parameters
    ----------
    controller : Controller
        Moves the runs.
    starter : Starter
        Makes them.
    clock : callable
        The time, in seconds since 1970.

    Attributes
    ----------
    clock : callable
        As given; a test sets it.

    Notes
    -----
    A run, the note that its time is used up, and its first pods are one transaction: a time is used
    once, whenever the plane is killed, and however the clock is set. What a user changes at the
    object, by kubectl for one, counts as much as what REST says.
    """

    def __init__(
        self, controller: Controller, starter: Starter, clock: Callable[[], float] = time.time
    ) -> None:
        self._controller = controller
        self._resources: Resources = controller.resources
        self._namespace = controller.namespace
        self._starter = starter
        self.clock = clock
        self._dirty: set[str] = set()
        self._next: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._changed = asyncio.Event()

    def write(self, transaction: Transaction, schedule: Schedule) -> None:
        """Write a schedule and its object; for use inside a transaction."""
        rows.save(transaction.db, schedule)
        built = build_object(transaction.db, schedule, self._namespace, int(self.clock()))
        found = transaction.find(SCHEDULED_WORKFLOW, schedule.object, self._namespace)
        if found is None:
            return
        metadata = found["metadata"]
        for name in ("labels", "annotations"):
            metadata[name] = {**metadata.get(name, {}), **built["metadata"][name]}
        transaction.update({**found, "spec": built["spec"], "status": built["status"]})

    def create(self, transaction: Transaction, schedule: Schedule) -> Schedule:
        """Write a new schedule; its id is that of its object, as upstream; inside a transaction."""
        built = build_object(transaction.db, schedule, self._namespace, int(self.clock()))
        uid = transaction.create(built)["metadata"]["uid"]
        schedule = replace(schedule, recurring_run_id=uid)
        rows.save(transaction.db, schedule)
        return schedule

    def enable(self, transaction: Transaction, schedule: Schedule, status: str) -> None:
        """Let a schedule start runs, or not; for use inside a transaction."""
        if schedule.status != status:
            changed = replace(schedule, status=status, updated_at=rows.updated(), error=None)
            self.write(transaction, changed)

    def delete(self, transaction: Transaction, schedule: Schedule) -> None:
        """Delete a schedule and its object; its runs stay; for use inside a transaction."""
        rows.delete(transaction.db, schedule)
        if transaction.find(SCHEDULED_WORKFLOW, schedule.object, self._namespace) is not None:
            transaction.delete(SCHEDULED_WORKFLOW, schedule.object, self._namespace)

    def wake(self) -> None:
        """Look at all schedules soon: the clock was set, for one."""
        self._dirty.update(rows.object_names(self._resources.store.reader))
        self._changed.set()

    async def run(self) -> None:
        """Start runs until cancelled."""
        self.wake()
        parts = [
            asyncio.create_task(self._follow(SCHEDULED_WORKFLOW, "", _own_name)),
            asyncio.create_task(self._follow(WORKFLOW, f"{OWNED_LABEL}=true", _whose_run_ended)),
            asyncio.create_task(self._work()),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
            # A watch has ended: the plane stops.
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            self._changed.clear()
            await self.look()
            if not self._dirty:
                await self._wait()

    async def _wait(self) -> None:
        """Wait for an event, or for the next time; without any schedule, for an event alone."""
        timer = None
        if self._next:
            wait_s = min(max(min(self._next.values()) - self.clock(), 0.01), LOOK_AGAIN_S)
            # Not `asyncio.wait_for`: before Python 3.12 it can forget that it was cancelled.
            timer = asyncio.get_running_loop().call_later(wait_s, self._changed.set)
        try:
            await self._changed.wait()
        finally:
            if timer is not None:
                timer.cancel()

    async def look(self) -> None:
        """Look once at each schedule of which something has changed or whose time has come."""
        now = self.clock()
        names = self._dirty | {name for name, at in self._next.items() if at <= now}
        self._dirty = set()
        for name in sorted(names):
            self._next.pop(name, None)
            try:
                following = await self._look(name)
                self._failures.pop(name, None)
            except Exception as error:
                # The boundary of one schedule: the others go on, and so does this one, later.
                following = await self._report(name, error)
            if following is not None:
                self._next[name] = following

    async def _follow(
        self, kind: Kind, selector: str, name_of: Callable[[WatchEvent], str | None]
    ) -> None:
        """Note the schedules that events are about."""
        while True:
            watch = self._resources.watch(kind, self._namespace, label_selector=selector)
            try:
                async for event in watch:
                    name = name_of(event)
                    if name is not None:
                        self._dirty.add(name)
                        self._changed.set()
                return
            except ApiError as error:
                _LOG.warning("%s are listed again: %s", kind.resource, error)
            finally:
                watch.close()

    async def _look(self, name: str) -> float | None:
        """Start what is due of a schedule; return when to look again, if at all."""
        ready: _Ready | None = None
        while True:
            try:
                change = functools.partial(self._pass, name=name, ready=ready)
                return await self._controller.looks.transaction(change)
            except _NotReadyError:
                found = rows.find(self._resources.store.reader, "object", name)
                if found is None:
                    return None
                start = await self._starter.ready(found)
                ready = _Ready(start, found.spec, self._starter.new_run_id())

    def _pass(self, transaction: Transaction, name: str, ready: _Ready | None) -> float | None:
        db = transaction.db
        schedule = rows.find(db, "object", name)
        found = transaction.find(SCHEDULED_WORKFLOW, name, self._namespace)
        if schedule is None:
            if found is not None:
                self._disown(transaction, found)
            return None
        if found is None:
            rows.delete(db, schedule)  # deleted by hand
            return None
        if found.get("spec") != build_spec(schedule):
            schedule = taken_over(schedule, found.get("spec"))
        now = int(self.clock())
        due = schedule.next(now) if schedule.enabled else None
        full = rows.count_active(db, schedule) >= schedule.max_concurrency
        if due is not None and due <= now and not full:
            if ready is None or ready.spec != schedule.spec:
                raise _NotReadyError
            index = schedule.last_index + 1
            ready.start.make(transaction, schedule, Occasion(ready.run_id, due, now, index))
            schedule = replace(schedule, last_index=index, last_scheduled=due)
            self._dirty.add(name)  # there may be more to be made up for
        self.write(transaction, replace(schedule, error=None))
        # What waits for a run to end is looked at when one has.
        return float(due) if due is not None and due > now else None

    def _disown(self, transaction: Transaction, found: Json) -> None:
        """Say at an object that no schedule has made why nothing is started by it."""
        message = (
            "No recurring run has this object. Make it by KFP's REST or with `fairlead schedule`: "
            "this control plane runs pipelines, not workflows of Argo."
        )
        conditions = [{"type": "Error", "status": "True", "reason": "Error", "message": message}]
        status = {**(found.get("status") or {}), "conditions": conditions}
        transaction.update({**found, "status": status})

    async def _report(self, name: str, error: Exception) -> float:
        """Write at a schedule why its run could not be started; return when to try again."""
        count = self._failures[name] = self._failures.get(name, 0) + 1
        wait_s: float = min(_FIRST_RETRY_S * 2 ** min(count - 1, 20), _MOST_RETRY_S)
        words = getattr(error, "message", "") or str(error)
        known = isinstance(error, SpecError | ApiError) or hasattr(error, "code")
        _LOG.error(
            "schedule %s: %s; again in %g s", name, words, wait_s,
            exc_info=None if known else error,
        )  # fmt: skip

        def change(transaction: Transaction) -> None:
            schedule = rows.find(transaction.db, "object", name)
            found = transaction.find(SCHEDULED_WORKFLOW, name, self._namespace)
            if schedule is None or found is None:
                return
            status: Json = {"code": _FAILED_PRECONDITION, "message": words, "details": []}
            failed = replace(schedule, error=orjson.dumps(status))
            rows.save(transaction.db, failed)
            built = build_object(transaction.db, failed, self._namespace, int(self.clock()))
            # The spec stays as it was given, right or wrong.
            if found.get("status") != built["status"]:
                transaction.update({**found, "status": built["status"]})
                transaction.record_event(
                    found, "FailedCreate", words, type="Warning", component=_COMPONENT
                )

        try:
            await self._resources.transaction(change)
        except Exception:
            # It is tried again, whatever can be written.
            _LOG.exception("schedule %s: the failure cannot be noted", name)
        return self.clock() + wait_s


def _own_name(event: WatchEvent) -> str | None:
    return str(event.object["metadata"]["name"])


def _whose_run_ended(event: WatchEvent) -> str | None:
    """Return the schedule of a run that has ended, or is gone."""
    obj = event.object
    if event.type != "DELETED" and obj["status"]["phase"] in ("Pending", "Running"):
        return None
    found = obj["metadata"]["labels"].get(NAME_LABEL)
    return None if found is None else str(found)
