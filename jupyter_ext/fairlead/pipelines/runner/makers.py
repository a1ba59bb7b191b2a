"""Functions that pickles call to make again what pickle itself has no word for."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import tempfile
import types
import typing


def make_cell() -> typing.Any:
    """Make an empty closure cell; its content arrives with the function that uses it."""
    return types.CellType()


def make_instance(cls: typing.Any) -> typing.Any:
    """Make an object without its attributes, and without running the notebook's own `__new__`."""
    foreign = next(base for base in cls.__mro__ if base.__module__ != "__main__")
    return foreign.__new__(cls)


def set_attributes(value: typing.Any, attributes: dict[str, typing.Any]) -> None:
    """Give an object its dict of attributes: the dict itself, which may have another name too."""
    object.__setattr__(value, "__dict__", attributes)


def find_dataclass_word(name: str) -> typing.Any:
    """Return a marker object of `dataclasses`, which is compared by identity."""
    return getattr(importlib.import_module("dataclasses"), name)


def make_matrix(cls: typing.Any, saved: bytes) -> typing.Any:
    """Make a matrix of xgboost from what it has saved of itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "matrix")
        with open(path, "wb") as file:
            file.write(saved)
        return cls(path)


def make_cached(function: typing.Any, settings: dict[str, typing.Any]) -> typing.Any:
    """Make an `lru_cache` around a function."""
    return functools.lru_cache(**settings)(function)


def fill_cache(cached: typing.Any, state: typing.Any) -> None:
    """Put entries into an `lru_cache`: it is called while its function only hands them out."""
    entries, hits = state
    if not entries:
        return
    function = cached.__wrapped__
    before = function.__code__, function.__kwdefaults__
    free = ", ".join(function.__code__.co_freevars)
    space: dict[str, typing.Any] = {}
    exec(
        "def outer(%s):\n"  # noqa: UP031
        "  def given(*listed_, results_=None, **named_):\n"
        "    return next(results_)\n"
        "    (%s)\n"
        "  return given" % (free, free),
        space,
    )
    given = space["outer"](*[None] * len(function.__code__.co_freevars))
    function.__code__ = given.__code__
    function.__kwdefaults__ = {"results_": iter([result for _, _, result in entries])}
    try:
        for arguments, named, _ in entries:
            cached(*arguments, **named)
        for _ in range(min(hits, 100_000)):
            cached(*arguments, **named)
    finally:
        function.__code__, function.__kwdefaults__ = before


def make_view(
    owner: typing.Any,
    offset: int,
    shape: typing.Any,
    strides: typing.Any,
    dtype: typing.Any,
    kind: typing.Any,
) -> typing.Any:
    """Make a numpy array, or one of a subclass, that shares the memory of `owner`."""
    plain = importlib.import_module("numpy").ndarray
    made = plain(shape, dtype, owner.view(plain).ravel(order="K"), offset, strides)
    return made if kind is plain else made.view(kind)


def make_type_variable(
    name: str, constraints: tuple[typing.Any, ...], bound: typing.Any, co: bool, contra: bool
) -> typing.Any:
    """Make a type variable."""
    made: typing.Any = typing.TypeVar
    return made(name, *constraints, bound=bound, covariant=co, contravariant=contra)


def make_cached_property(function: typing.Any, name: str) -> typing.Any:
    """Make a `cached_property` of a class that is being made."""
    made: typing.Any = functools.cached_property(function)
    made.attrname = name
    return made


def make_proxy(content: dict[typing.Any, typing.Any]) -> typing.Any:
    """Make a read-only view of a dict."""
    return types.MappingProxyType(content)


def make_method(function: typing.Any, owner: typing.Any) -> typing.Any:
    """Make a bound method."""
    return types.MethodType(function, owner)


def make_match(
    pattern: typing.Any, text: typing.Any, start: int, end: int, span: tuple[int, int]
) -> typing.Any:
    """Find the match of a pattern that was found before."""
    for find, first in (("search", start), ("match", span[0]), ("fullmatch", start)):
        found = getattr(pattern, find)(text, first, end)
        if found is not None and found.span() == span:
            return found
    return pattern.fullmatch(text, *span)


def make_view_of_dict(content: typing.Any, name: str) -> typing.Any:
    """Make the view of a dict that its method of that name gives."""
    return getattr(content, name)()


def make_forward(text: str) -> typing.Any:
    """Make a reference to a type that is named before it is there."""
    return typing.ForwardRef(text)


def make_new_type(name: str, kind: typing.Any, module: str) -> typing.Any:
    """Make a `NewType`."""
    made: typing.Any = typing.NewType
    made = made(name, kind)
    made.__module__ = module
    return made


def make_exception(kind: typing.Any, args: tuple[typing.Any, ...]) -> typing.Any:
    """Make an exception of the notebook without running its own `__init__`."""
    made = kind.__new__(kind, *args)
    foreign = next(base for base in kind.__mro__ if base.__module__ != "__main__")
    try:
        foreign.__init__(made, *args)
    except TypeError:  # it wants more than `args`; those are set all the same
        made.args = args
    return made


def set_exception(value: typing.Any, state: typing.Any) -> None:
    """Give an exception its attributes and its cause."""
    attributes, value.__cause__, value.__suppress_context__ = state
    if attributes:
        value.__setstate__(attributes)


def set_suppressed(value: typing.Any, attributes: dict[str, typing.Any]) -> None:
    """Give a part of `argparse` its attributes; it knows its mark by identity."""
    mark = importlib.import_module("argparse").SUPPRESS
    for name, part in attributes.items():
        vars(value)[name] = mark if isinstance(part, str) and part == mark else part


def make_handler(kind: typing.Any) -> typing.Any:
    """Make a handler of `logging` without its settings."""
    return kind.__new__(kind)


def set_handler(handler: typing.Any, state: typing.Any) -> None:
    """Give a handler of `logging` its settings, its lock and its stream.

    A handler that writes to a file opens it again when it writes.
    """
    settings, stream = state
    vars(handler).update(settings)
    handler.createLock()
    handler.stream = getattr(sys, stream) if stream else None
