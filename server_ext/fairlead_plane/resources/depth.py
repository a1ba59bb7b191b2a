"""How deep an object may be nested: what walks through one does so by recursion."""

from __future__ import annotations

from typing import Any

from .errors import bad_request

DEEPEST = 200
"""Levels of objects and lists; deeper ones could not be written to the store either."""


def check_depth(value: Any) -> None:
    """Refuse a value that is nested too deeply, with a 400."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            child
            for each in level
            if isinstance(each, (dict, list))
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise too_deep()


def too_deep() -> Exception:
    """Build the error for it."""
    return bad_request(f"exceeded max depth: more than {DEEPEST} levels of objects and lists")
