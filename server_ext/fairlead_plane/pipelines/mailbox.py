"""What is seen of the pods of each run, handed over in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

PATIENCE_S = 0.01
"""So long may wait what nothing depends on; a short step has ended by then."""


@dataclass(slots=True)
class _Box(Generic[T]):
    items: list[T] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    worker: asyncio.Task[None] | None = None


class Mailboxes(Generic[T]):
    """A box per key; one batch of a key is being delivered at any time.

    Parameters
    ----------
    deliver : coroutine function
        Takes a key and all that has come for it since the last batch, in order. Must not raise.
    """

    def __init__(self, deliver: Callable[[str, list[T]], Awaitable[None]]) -> None:
        self._deliver = deliver
        self._boxes: dict[str, _Box[T]] = {}

    def put(self, key: str, item: T, *, urgent: bool) -> None:
        """Add an item; one that is not urgent may wait for others to share its batch."""
        box = self._boxes.setdefault(key, _Box())
        box.items.append(item)
        if box.worker is not None:
            return
        if urgent:
            self._begin(key, box)
        elif box.timer is None:
            box.timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._begin, key, box)

    async def close(self) -> None:
        """Deliver nothing more; returns when no delivery is under way."""
        boxes, self._boxes = list(self._boxes.values()), {}
        workers = []
        for box in boxes:
            if box.timer is not None:
                box.timer.cancel()
            if box.worker is not None:
                box.worker.cancel()
                workers.append(box.worker)
        await asyncio.gather(*workers, return_exceptions=True)

    def _begin(self, key: str, box: _Box[T]) -> None:
        if box.timer is not None:
            box.timer.cancel()
            box.timer = None
        box.worker = asyncio.create_task(self._work(key, box))

    async def _work(self, key: str, box: _Box[T]) -> None:
        while box.items:
            batch, box.items = box.items, []
            await self._deliver(key, batch)
        box.worker = None
        if self._boxes.get(key) is box:
            del self._boxes[key]
