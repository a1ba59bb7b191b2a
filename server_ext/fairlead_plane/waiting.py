"""Waiting with an end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
    """Return what a coroutine returns, or raise what it raises; it is cancelled when time is over.

    Raises
    ------
    asyncio.TimeoutError
        It took longer.

    Notes
    -----
    `asyncio.wait_for` forgets, before Python 3.12, that it was cancelled when the result comes at
    the same time: what loops around it would go on for ever.
    """
    task = asyncio.ensure_future(coroutine)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        late = task.cancel()
        # It has ended when we return; its failure is raised below, unless we are cancelled.
        await asyncio.gather(task, return_exceptions=True)
    if late and task.cancelled():
        raise asyncio.TimeoutError
    return task.result()
