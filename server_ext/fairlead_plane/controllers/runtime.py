"""Runs all controllers: watches into one queue of keys, and the queue through the controllers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from ..resources import ApiError, Kind, Resources, Watch
from .base import REFUSED, Controller, Key

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.2
MOST_RETRY_S = 60.0
"""Seconds until an object whose reconcile failed is looked at again; doubled each time."""

_Item = tuple[Controller, Key]


class Controllers:
    """Runs controllers over the objects.

    One object is looked at by one controller at a time, and however many events came meanwhile
    mean one more look. Nothing runs while nothing happens.

    Parameters
    ----------
    resources : Resources
        The objects.
    controllers : sequence of Controller
        What to run.
    """

    def __init__(self, resources: Resources, controllers: Sequence[Controller]) -> None:
        self._resources = resources
        self._controllers = controllers
        self._due: dict[_Item, None] = {}
        self._wake = asyncio.Event()
        self._timers: dict[_Item, asyncio.TimerHandle] = {}
        self._failures: dict[_Item, int] = {}

    async def start(self) -> None:
        """Make what must be there before the first request."""
        for controller in self._controllers:
            await controller.start(self._resources)

    async def run(self) -> None:
        """Run until cancelled."""
        interested: dict[Kind, list[Controller]] = {}
        for controller in self._controllers:
            for kind in (controller.kind, *controller.watched):
                interested.setdefault(kind, []).append(controller)
        readers = [
            asyncio.create_task(self._follow(kind, controllers), name=f"watch {kind.resource}")
            for kind, controllers in interested.items()
        ]
        working = asyncio.create_task(self._work(), name="reconcile")
        try:
            done, _ = await asyncio.wait([*readers, working], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            # A watch has ended: the plane stops.
        finally:
            for task in (*readers, working):
                task.cancel()
            for timer in self._timers.values():
                timer.cancel()

    async def _follow(self, kind: Kind, controllers: Sequence[Controller]) -> None:
        while True:
            # From the start: everything is looked at once, and again after a watch was lost.
            watch = self._resources.watch(kind)
            try:
                await self._read(watch, controllers)
                return
            except ApiError as error:
                log.warning("%s are listed again: %s", kind.resource, error)
            finally:
                watch.close()

    async def _read(self, watch: Watch, controllers: Sequence[Controller]) -> None:
        async for event in watch:
            obj = event.object
            for controller in controllers:
                try:
                    keys = [*controller.keys(watch.kind, obj, gone=event.type == "DELETED")]
                except Exception:
                    # The boundary of one event, as in `_look`.
                    log.exception("%s: an event is left out", controller.kind.kind)
                    continue
                for key in keys:
                    self._add((controller, key))

    def _add(self, item: _Item) -> None:
        self._due[item] = None
        self._wake.set()

    async def _work(self) -> None:
        while True:
            while self._due:
                item = next(iter(self._due))
                del self._due[item]
                await self._look(item)
            self._wake.clear()
            await self._wake.wait()

    async def _look(self, item: _Item) -> None:
        controller, key = item
        timer = self._timers.pop(item, None)
        if timer is not None:
            timer.cancel()
        try:
            after_s = await controller.look(self._resources, key)
            if after_s == REFUSED:
                after_s = self._back_off(item)
            else:
                self._failures.pop(item, None)
        except Exception as error:
            # The boundary of one object: the others go on, and so does this one, later.
            after_s = self._back_off(item)
            log.error(
                "%s %s: %s; again in %g s",
                controller.kind.kind, "/".join(filter(None, key)), error, after_s,
                exc_info=None if isinstance(error, ApiError) else error,
            )  # fmt: skip
        if after_s is not None:
            loop = asyncio.get_running_loop()
            self._timers[item] = loop.call_later(max(after_s, 0.01), self._add, item)

    def _back_off(self, item: _Item) -> float:
        count = self._failures[item] = self._failures.get(item, 0) + 1
        wait_s: float = min(FIRST_RETRY_S * 2 ** min(count, 20), MOST_RETRY_S)
        return wait_s
