"""Several directions of one connection at once: the first that ends, ends the others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first_of(*works: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    """Run coroutines until one ends, and cancel the rest.

    Returns
    -------
    list of Task
        One for each, in their order and all ended; who was cut off is cancelled.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return tasks
