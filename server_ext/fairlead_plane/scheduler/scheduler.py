"""The loop of the scheduler: events in, decisions out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import partial

from fairlead.names import GPUS_ANNOTATION

from ..resources import (
    CRD,
    NODE,
    POD,
    PRIORITY_CLASS,
    PVC,
    ApiError,
    Json,
    Kind,
    Resources,
    Transaction,
    Watch,
    WatchEvent,
    merge_conditions,
)
from .demand import PodInfo
from .plan import Plan, make_plan
from .state import State

log = logging.getLogger(__name__)

COMPONENT = "default-scheduler"
RETRY_S = 5.0
"""Seconds after a failure until everything is read again."""

_GROUP_RESOURCES = ("podgroups.scheduling.volcano.sh", "podgroups.scheduling.x-k8s.io")
_REFUSALS_PER_TRANSACTION = 100  # others want to write as well
_SHORT_MOST = 8  # pods of a plan that is written without the store's thread

_SYSTEM_CLASSES = (
    ("system-cluster-critical", 2_000_000_000, "the cluster, but can be moved to another node"),
    ("system-node-critical", 2_000_001_000, "that must not be moved from their current node"),
)


class Scheduler:
    """Binds the pods of this control plane to its nodes, whatever `schedulerName` they give.

    Volcano's and other schedulers' pods are taken too: there is no other scheduler here, and their
    manifests must run unchanged.

    Parameters
    ----------
    resources : Resources
        Pods and nodes come from here, and decisions go there.

    Notes
    -----
    Nothing is kept beside the objects: the account is made again from the pods that are bound and
    have not ended, and from the devices that their annotations name.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def start(self) -> None:
        """Make the priority classes that exist from the start."""

        def change(transaction: Transaction) -> None:
            for name, value, words in _SYSTEM_CLASSES:
                if transaction.find(PRIORITY_CLASS, name) is None:
                    transaction.create(
                        {
                            "apiVersion": PRIORITY_CLASS.api_version,
                            "kind": PRIORITY_CLASS.kind,
                            "metadata": {"name": name},
                            "value": value,
                            "description": f"Used for system critical pods {words}.",
                        }
                    )

        await self._resources.transaction(change)

    async def run(self) -> None:
        """Schedule until cancelled."""
        while True:
            following = _Following(self._resources)
            try:
                if await following.run():
                    return  # the plane stops
            except Exception:
                # Nothing decided is lost: all of it is in the objects, or will be decided again.
                log.exception("scheduling begins again in %g s", RETRY_S)
                await asyncio.sleep(RETRY_S)
            finally:
                following.close()


class _Following:
    """One picture of the cluster, from its first list to the first failure."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._state = State()
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._watches: tuple[Watch, ...] = ()
        self._groups: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> bool:
        """Schedule; True when the watches end because the plane stops."""
        self._watches = tuple(self._resources.watch(kind) for kind in (NODE, CRD, PVC, POD))
        # All that is there before the first decision: it must count who runs already.
        for watch in self._watches:
            while not watch.idle:
                self._take(watch, await anext(watch))
        readers = [asyncio.create_task(self._read(watch)) for watch in self._watches]
        # After the readers, those of groups too: each takes what is there when it first runs.
        deciding = asyncio.create_task(self._decide())
        try:
            done, _ = await asyncio.wait([*readers, deciding], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return True
        finally:
            for task in (*readers, deciding, *self._groups.values()):
                task.cancel()

    def close(self) -> None:
        """End the watches."""
        for watch in self._watches:
            watch.close()
        if self._timer is not None:
            self._timer.cancel()

    async def _read(self, watch: Watch) -> None:
        async for event in watch:
            self._take(watch, event)

    def _take(self, watch: Watch, event: WatchEvent) -> None:
        gone = event.type == "DELETED"
        try:
            self._note(watch, event.object, gone=gone)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            # One object that cannot be read must not keep the others waiting.
            log.exception("left out of scheduling: %s", event.object["metadata"])

    def _note(self, watch: Watch, obj: Json, *, gone: bool) -> None:
        if watch.kind is NODE:
            self._state.take_node(obj, gone=gone)
        elif watch.kind is CRD:
            self._follow_groups()
        elif watch.kind is PVC:
            self._state.take_claim(obj, gone=gone)
        elif not self._state.take_pod(obj, gone=gone):
            return
        self._due.set()

    def _follow_groups(self) -> None:
        """Follow the kinds of PodGroup that are served now."""
        for resource in _GROUP_RESOURCES:
            kind = self._resources.registry.of_resource(resource)
            if kind is not None and resource not in self._groups:
                self._groups[resource] = asyncio.create_task(self._read_groups(kind))
            elif kind is None and resource in self._groups:
                self._groups.pop(resource).cancel()
        self._state.volcano = _GROUP_RESOURCES[0] in self._groups

    async def _read_groups(self, kind: Kind) -> None:
        while True:
            watch = self._resources.watch(kind)
            try:
                async for event in watch:
                    self._state.take_group(event.object, gone=event.type == "DELETED")
                    self._due.set()
                return  # the kind is served no more, or the plane stops
            except ApiError as error:
                log.warning("%s are listed again: %s", kind.resource, error)
            finally:
                watch.close()

    async def _decide(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            plan = make_plan(self._state, time.monotonic())
            if plan.look_again_s is not None:
                if self._timer is not None:
                    self._timer.cancel()
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(plan.look_again_s, self._due.set)
            if plan.bound or plan.victims or plan.nominated:
                await self._write(plan)
            for start in range(0, len(plan.refused), _REFUSALS_PER_TRANSACTION):
                part = plan.refused[start : start + _REFUSALS_PER_TRANSACTION]
                await self._resources.transaction(partial(_refuse, refused=part))

    async def _write(self, plan: Plan) -> None:
        short = len(plan.bound) + len(plan.victims) <= _SHORT_MOST
        missed = await self._resources.transaction(
            lambda transaction: _bind(transaction, plan), short=short
        )
        for info in missed:
            if self._state.forget(info.uid):
                self._due.set()


def _bind(transaction: Transaction, plan: Plan) -> list[PodInfo]:
    """Write what a plan gives and takes; return the pods that are gone meanwhile."""
    missed = []
    for info in plan.bound:
        pod = _current(transaction, info)
        if pod is None or pod["spec"].get("nodeName"):
            missed.append(info)
            continue
        # None takes the annotation off: who gives a device to itself gets none.
        annotations = {GPUS_ANNOTATION: ",".join(info.gpus) or None}
        conditions = _conditions(pod, {"type": "PodScheduled", "status": "True"})
        pod = transaction.bind_pod(pod, info.node, conditions, annotations)
        words = f"Successfully assigned {info.namespace}/{info.name} to {info.node}"
        transaction.record_event(pod, "Scheduled", words, component=COMPONENT)
    for info, node in plan.nominated:
        pod = _current(transaction, info)
        if pod is not None:
            pod["status"]["nominatedNodeName"] = node
            transaction.update_status(pod)
    for victim, preemptor in plan.victims:
        _evict(transaction, victim, preemptor)
    return missed


def _evict(transaction: Transaction, victim: PodInfo, preemptor: PodInfo) -> None:
    pod = _current(transaction, victim)
    if pod is None or "deletionTimestamp" in pod["metadata"]:
        return
    pod["status"]["conditions"] = _conditions(
        pod,
        {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": f"{COMPONENT}: preempting to accommodate a higher priority pod",
        },
    )
    pod = transaction.update_status(pod)
    words = f"Preempted by pod {preemptor.uid} on node {victim.node}"
    transaction.record_event(pod, "Preempted", words, component=COMPONENT)
    transaction.delete(POD, victim.name, victim.namespace)


def _refuse(transaction: Transaction, refused: Sequence[tuple[PodInfo, str]]) -> None:
    """Write why pods wait."""
    for info, message in refused:
        pod = _current(transaction, info)
        if pod is None or pod["spec"].get("nodeName"):
            continue
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
        }
        pod["status"]["conditions"] = _conditions(pod, condition)
        pod = transaction.update_status(pod)
        transaction.record_event(
            pod, "FailedScheduling", message, type="Warning", component=COMPONENT
        )


def _conditions(pod: Json, condition: Json) -> list[Json]:
    return merge_conditions(pod["status"].get("conditions") or [], [condition])


def _current(transaction: Transaction, info: PodInfo) -> Json | None:
    """Return the pod as stored now; None when it is gone or another has its name."""
    pod = transaction.find(POD, info.name, info.namespace)
    return pod if pod is not None and pod["metadata"]["uid"] == info.uid else None
