"""Finds keys that come twice in one JSON object; orjson keeps the last and tells nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_SPACED_COLON = re.compile(rb'"\s+:')


def find_duplicates(body: bytes, parsed: Any) -> list[str]:
    """Return the paths of fields that come again, as `spec.containers[0].name`.

    Parameters
    ----------
    body : bytes
        JSON.
    parsed : Any
        What it parses to; saves the slow reading where no key can be there twice.
    """
    # A key that was dropped leaves a colon after a quote in the text. Texts may hold some as
    # well, so that a difference only means that it is worth a look.
    if body.count(b'":') == _count_keys(parsed) and _SPACED_COLON.search(body) is None:
        return []
    return list(_walk(json.loads(body, object_pairs_hook=_Pairs), ""))


class _Pairs:
    """An object with all its keys."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def _count_keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(
            _count_keys(each) for each in value.values() if isinstance(each, (dict, list))
        )
    if isinstance(value, list):
        return sum(_count_keys(each) for each in value if isinstance(each, (dict, list)))
    return 0


def _walk(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, each in value.pairs:
            where = f"{path}.{key}" if path else key
            if key in seen:
                yield where
            seen.add(key)
            yield from _walk(each, where)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _walk(each, f"{path}[{index}]")
