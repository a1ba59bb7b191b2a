"""How values are written down for which pickle has no word, or says too little."""

from __future__ import annotations

import functools
import gc
import os
import sys
import tempfile
import types
import typing

from fairlead.pipelines.runner.makers import (
    fill_cache,
    make_cached,
    make_exception,
    make_forward,
    make_handler,
    make_match,
    make_matrix,
    make_new_type,
    make_view_of_dict,
    set_exception,
    set_handler,
    set_suppressed,
)

_PLAIN_VIEWS = {type(getattr({}, name)()): name for name in ("keys", "values", "items")}


def reduce_value(value: typing.Any, kind: type) -> typing.Any:
    """Return how to make a value of Python's own types again, or NotImplemented."""
    if issubclass(kind, BaseException):
        return _reduce_exception(value, kind)
    if kind in _PLAIN_VIEWS:
        return make_view_of_dict, (gc.get_referents(value)[0], _PLAIN_VIEWS[kind])
    if kind is functools._lru_cache_wrapper:
        return _reduce_cached(value)
    if kind is typing.ForwardRef:
        return make_forward, (value.__forward_arg__,)
    name, module = kind.__name__, kind.__module__
    if "logging" in sys.modules and issubclass(kind, sys.modules["logging"].Handler):
        state = {k: v for k, v in vars(value).items() if k not in ("lock", "stream")}
        stream = getattr(value, "stream", None)
        standard = next((n for n in ("stdout", "stderr") if getattr(sys, n) is stream), "")
        if standard or not stream or isinstance(value, sys.modules["logging"].FileHandler):
            return make_handler, (kind,), (state, standard), None, None, set_handler
    if (module, name) == ("re", "Match"):
        return make_match, (value.re, value.string, value.pos, value.endpos, value.span())
    if (module, name) == ("typing", "NewType"):
        return make_new_type, (value.__name__, value.__supertype__, value.__module__)
    if module == "weakref" and name in ("WeakKeyDictionary", "WeakValueDictionary"):
        return kind, (dict(value.items()),)
    if (module, name) == ("xgboost.core", "DMatrix"):
        return make_matrix, (kind, _saved_matrix(value))
    if module == "argparse" and hasattr(value, "__dict__"):
        parts = value.__reduce_ex__(4)
        return (*parts[:2], dict(vars(value)), None, None, set_suppressed)
    return NotImplemented


def _saved_matrix(value: typing.Any) -> bytes:
    """Return what a matrix of xgboost saves of itself, labels and weights with it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "matrix")
        value.save_binary(path)
        with open(path, "rb") as file:
            return file.read()


def _reduce_exception(value: typing.Any, kind: typing.Any) -> typing.Any:
    parts = value.__reduce_ex__(4)
    plain = kind.__reduce__ is BaseException.__reduce__
    own = plain and kind.__module__ == "__main__"
    if not own and value.__cause__ is None:
        return NotImplemented
    maker = (make_exception, (kind, value.args)) if own else parts[:2]
    state = (parts[2] if len(parts) > 2 else None, value.__cause__, value.__suppress_context__)
    return (*maker, state, None, None, set_exception)


def _reduce_cached(cached: typing.Any) -> typing.Any:
    settings = getattr(cached, "cache_parameters", lambda: {"maxsize": 128})()  # 3.8 has none
    entries = None if settings.get("typed") else _cached_entries(cached)
    state = (entries or [], cached.cache_info().hits)
    return make_cached, (cached.__wrapped__, settings), state, None, None, fill_cache


def _cached_entries(cached: typing.Any) -> list[typing.Any] | None:
    """Return arguments and results of an `lru_cache`, the oldest first; None if they are hidden.

    Python has no call for it: the parts of the object are what its garbage collector sees.
    """
    if not isinstance(cached.__wrapped__, types.FunctionType):
        return None
    parts = gc.get_referents(cached)
    own = getattr(cached, "__dict__", None)
    size = cached.cache_info().currsize
    tables = [p for p in parts if type(p) is dict and p is not own and len(p) == size]
    if not size or len(tables) != 1:
        return None
    pairs = list(tables[0].items())
    if cached.cache_info().maxsize is not None:
        # Key, result and link of each entry stand in a row.
        keys, pairs, position = {id(key) for key in tables[0]}, [], 0
        while position < len(parts) - 1:
            if id(parts[position]) in keys:
                pairs.append((parts[position], parts[position + 1]))
                position += 1
            position += 1
    marks = [part for part in parts if type(part) is object]
    if len(pairs) != size:
        return None
    return [(*_arguments(key, marks), result) for key, result in pairs]


def _arguments(
    key: typing.Any, marks: list[typing.Any]
) -> tuple[tuple[typing.Any, ...], dict[str, typing.Any]]:
    """Return the positional and keyword arguments that a key of `lru_cache` stands for.

    Parameters
    ----------
    marks
        What may stand between the two.
    """
    if type(key) is not tuple:
        return (key,), {}
    place = next((n for n, part in enumerate(key) if any(part is m for m in marks)), len(key))
    named = key[place + 1 :]
    return key[:place], dict(zip(named[::2], named[1::2], strict=False))


class Tables:
    """The tables of pandas in one pickle, where each write to one is seen in that one only.

    With copy-on-write, tables share memory until one of them is written to. What shares it is
    known to pandas by references that a pickle loses: loaded together, a write to one would be
    seen in the others. So the second table of a piece of memory goes in as a copy.
    """

    def __init__(self) -> None:
        self.memory: set[int] = set()
        self.copies: list[typing.Any] = []

    def reduce(self, table: typing.Any) -> typing.Any:
        """Return how to make a table again."""
        mode = sys.modules["pandas"].options.mode
        if sys.modules["pandas"].__version__.split(".")[0] in "012" and not getattr(
            mode, "copy_on_write", False
        ):
            return NotImplemented
        used = {id(_memory(block.values)) for block in getattr(table._mgr, "blocks", ())}
        if not used & self.memory:
            self.memory |= used
            return NotImplemented
        self.copies.append(table.copy())  # it must live as long as the pickler knows its id
        return self.copies[-1].__reduce_ex__(5)


def _memory(values: typing.Any) -> typing.Any:
    """Return what owns the memory of a block of a table."""
    plain = sys.modules["numpy"].ndarray
    values = getattr(values, "_ndarray", values)
    while isinstance(getattr(values, "base", None), plain):
        values = values.base
    return values
