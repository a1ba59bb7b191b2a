"""Functions that pickles call to make again what pickle itself has no word for."""

from __future__ import annotations

import functools
import importlib
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


def make_cached(function: typing.Any, settings: dict[str, typing.Any]) -> typing.Any:
    """Make an `lru_cache` around a function; it starts empty."""
    return functools.lru_cache(**settings)(function)


def make_view(
    owner: typing.Any, offset: int, shape: typing.Any, strides: typing.Any, dtype: typing.Any
) -> typing.Any:
    """Make a numpy array that shares the memory of `owner`."""
    return type(owner)(shape, dtype, owner.ravel(order="K"), offset, strides)


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
