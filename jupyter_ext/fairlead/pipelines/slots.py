"""The artifacts between steps: the names that travel in each, and its key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from fairlead.pipelines.dataflow.randomness import RANDOM
from fairlead.pipelines.dataflow.session import SETTINGS

_RESERVED = frozenset({"notebook", "metrics", "step"})

_KEY_LENGTH = 60


@dataclass(frozen=True)
class Slot:
    """An output artifact: the names that travel in it."""

    key: str
    names: tuple[str, ...]
    optional: bool = False


@dataclass(frozen=True)
class Source:
    """An input artifact.

    Parameters
    ----------
    step, slot
        Where it comes from, and the names in it.
    bind
        Those of its names that the step binds.
    changed
        Those whose value the step is known to change.
    """

    key: str
    step: str
    slot: Slot
    bind: tuple[str, ...]
    changed: tuple[str, ...] = ()


def slot_of(names: set[str], *, optional: bool = False) -> Slot:
    """Return the artifact in which these names travel together."""
    ordered = tuple(sorted(names))
    if ordered == (RANDOM,):
        return Slot("random-state", ordered)
    if ordered == (SETTINGS,):
        return Slot("settings-of-process", ordered)
    whole = ".".join(n.strip("()") for n in ordered)
    key = whole
    if len(key) > _KEY_LENGTH or not key.isascii():
        # A key is part of paths: short and plain, and the same names always have the same.
        plain = key.encode("ascii", "ignore").decode()[: _KEY_LENGTH - 9].rstrip(".")
        key = f"{plain}.{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
    return Slot(f"value.{key}" if key in _RESERVED else key, ordered, optional)
