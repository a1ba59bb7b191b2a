"""The heap of the C library: what is free goes back to the system.

A plane lives for weeks, and objects of all sizes come and go: without this the holes between those
that stay add up, and what was needed once, for a list of many objects, is kept for ever.
"""

from __future__ import annotations

import ctypes
import sys

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h


def _find(name: str) -> ctypes._NamedFuncPointer | None:
    """Return a function of the C library; None where it has none: on macOS, and with musl."""
    if sys.platform != "linux":
        return None
    try:
        return ctypes.CDLL(None)[name]
    except AttributeError:
        return None


_mallopt, _malloc_trim = _find("mallopt"), _find("malloc_trim")


def share() -> None:
    """Let all threads share one heap; before they start.

    Each would get one of its own, with holes of its own, and there is one interpreter lock anyway.
    """
    if _mallopt is not None:
        _mallopt(_ARENA_MAX, 1)


def trim() -> None:
    """Give the free pages back; takes some milliseconds, so not at every request."""
    if _malloc_trim is not None:
        _malloc_trim(0)
