"""What values of a live kernel weigh on their way to another step, and which cannot go at all.

Joined to the parts that pickle for a step, so that it says what the step would, this runs inside
the kernel. It reads values, writes them nowhere, and is bounded in time and size.
"""

from __future__ import annotations

import base64
import json
import sys
import time
import typing

from fairlead.pipelines.runner.artifacts import type_name
from fairlead.pipelines.runner.definitions import Pickler

_MOST_BYTES = 2**26
_MOST_S = 1.0
_DEPTH = 5
_WORDS = 300


class _EnoughError(Exception):
    """The value is larger, or takes longer, than one wants to wait for."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class _Scale:
    """A file that keeps nothing but the count of what was written."""

    def __init__(self, most: int, until: float) -> None:
        self.most, self.until, self.size = most, until, 0

    def write(self, data: typing.Any) -> int:
        """Count bytes."""
        size = memoryview(data).nbytes
        self.add(size)
        return size

    def add(self, size: int, ahead: int = 0) -> None:
        """Count bytes, and look at those `ahead`, which are not made when they are too many."""
        self.size += size
        if self.size + ahead > self.most or time.monotonic() > self.until:
            raise _EnoughError(self.size + ahead)


class _Weigher(Pickler):
    """Pickles as a step would, onto a scale."""

    def __init__(self, scale: _Scale) -> None:
        super().__init__(scale)
        self.scale = scale

    def persistent_id(self, value: typing.Any) -> None:
        """Look at each value before its bytes are made."""
        self.scale.add(0, known_size(value) or 0)


def known_size(value: typing.Any) -> int | None:
    """Return the bytes of a text, an array, a table or a tensor, which says them, else None."""
    kind = type(value)
    if kind in (str, bytes, bytearray):
        return len(value)
    module = kind.__module__.split(".")[0]
    if module in ("numpy", "pyarrow", "cupy") and hasattr(value, "nbytes"):
        return int(value.nbytes)
    if module == "pandas" and kind.__name__ in ("DataFrame", "Series"):
        used = value.memory_usage(deep=False)
        return int(used.sum() if kind.__name__ == "DataFrame" else used)
    if module == "polars" and hasattr(value, "estimated_size"):
        return int(value.estimated_size())
    if module == "torch" and hasattr(value, "element_size") and hasattr(value, "nelement"):
        return int(value.element_size() * value.nelement())
    return None


def weigh(value: typing.Any, most: int, until: float) -> dict[str, typing.Any]:
    """Tell the type of a value, its bytes as a step would store it, or why it cannot go.

    Returns
    -------
    dict
        `type`; `size` in bytes, if it was found in time; `more` where that is the least;
        `error` and, where only a part of the value is to blame, the type of that `part`.
    """
    made: dict[str, typing.Any] = {"type": type_name(value)}
    size = known_size(value)
    if size is not None and size > most:
        return {**made, "size": size}
    scale = _Scale(most, until)
    try:
        _Weigher(scale).dump(value)
    except _EnoughError as enough:
        least = max(enough.size, size or 0)
        return {**made, "size": least, "more": True} if least else made
    except Exception as error:  # pickling runs code of any class, which may raise anything
        part = _blame(value, until, 0)
        made["error"] = "%s: %s" % (type(error).__name__, str(error)[:_WORDS])  # noqa: UP031
        return made if part is value else {**made, "part": type_name(part)}
    return {**made, "size": scale.size}


def _blame(value: typing.Any, until: float, depth: int) -> typing.Any:
    """Return the innermost part of a value that cannot go by itself, as far as time allows."""
    if isinstance(value, dict):
        parts = list(value.values())
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = list(value)
    else:
        parts = list(getattr(value, "__dict__", {}).values()) if not isinstance(value, type) else []
    for part in parts if depth < _DEPTH else []:
        try:
            _Weigher(_Scale(_MOST_BYTES, until)).dump(part)
        except _EnoughError:
            return value
        except Exception:
            return _blame(part, until, depth + 1)
    return value


def ask(names: list[str], space: dict[str, typing.Any]) -> str:
    """Weigh those of the names that are bound in a namespace.

    Returns
    -------
    str
        JSON, by name, in base64: it comes out of the kernel as it is.
    """
    until = time.monotonic() + _MOST_S
    module = type(sys)("fairlead_step")
    module.__dict__.update(globals())
    before = sys.modules.get("fairlead_step")
    sys.modules["fairlead_step"] = module  # pickle looks for the makers of values there
    try:
        found = {name: weigh(space[name], _MOST_BYTES, until) for name in names if name in space}
    finally:
        del sys.modules["fairlead_step"]
        if before is not None:
            sys.modules["fairlead_step"] = before
    return base64.b64encode(json.dumps(found).encode()).decode()
