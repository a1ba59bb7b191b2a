"""Pickling that carries what a notebook defines: functions and classes as source, by value."""

from __future__ import annotations
import __future__

import abc
import copyreg
import enum
import functools
import importlib
import io
import linecache
import marshal
import pickle
import sys
import types
import typing

from fairlead.pipelines.runner.makers import (
    find_dataclass_word,
    make_cached_property,
    make_cell,
    make_instance,
    make_method,
    make_proxy,
    make_type_variable,
    make_view,
    set_attributes,
)
from fairlead.pipelines.runner.reducers import Tables, reduce_value

# The flag of `from __future__ import annotations`, which a cell hands on to the cells after it.
FUTURES = __future__.annotations.compiler_flag
_TOP_AWAIT = 0x2000
_ARRAYS = ("ndarray", "recarray", "matrix")
_NOT_STATE = {
    "__dict__",
    "__weakref__",
    "__module__",
    "__qualname__",
    "__slots__",
    "__slotnames__",
    "_abc_impl",
    "__annotate__",
    "__annotate_func__",
    "__annotations_cache__",
}


class Definitions:
    """What this process knows of the notebook's functions and classes."""

    def __init__(self) -> None:
        self.step = ""
        self.sources: dict[str, tuple[str, int]] = {}
        self.codes: dict[tuple[str, str, int], list[types.CodeType]] = {}
        self.origins: dict[int, tuple[typing.Any, ...]] = {}
        self.known: dict[str, typing.Any] = {}
        self.keys: dict[int, str] = {}
        self.whole: set[str] = set()

    def show_lines(self, name: str, source: str) -> None:
        """Give tracebacks the lines of a cell."""
        lines = [line + "\n" for line in source.split("\n")]
        linecache.cache[name] = (len(source), None, lines, name)

    def add(self, key: str, value: typing.Any) -> None:
        """Remember `value` as the one object of that key in this process."""
        self.known[key] = value
        self.keys[id(value)] = key

    def key_of(self, value: typing.Any) -> str:
        """Return the key of a function or class; a new one gets the step's name and a number."""
        if id(value) not in self.keys:
            self.add("%s/%d" % (self.step, len(self.keys)), value)  # noqa: UP031
        return self.keys[id(value)]

    def all_codes(self, name: str, text: str, flags: int) -> list[types.CodeType]:
        """Compile a cell and list every code object in it, outer before inner."""
        if (name, text, flags) not in self.codes:
            found = [compile(text, name, "exec", flags | _TOP_AWAIT, True)]
            for code in found:
                found.extend(c for c in code.co_consts if isinstance(c, types.CodeType))
            self.codes[name, text, flags] = found
        return self.codes[name, text, flags]


DEFINITIONS = Definitions()


def _code_out(code: types.CodeType) -> tuple[typing.Any, ...]:
    if id(code) in DEFINITIONS.origins:
        return DEFINITIONS.origins[id(code)]
    if code.co_filename in DEFINITIONS.sources:
        text, flags = DEFINITIONS.sources[code.co_filename]
        codes = DEFINITIONS.all_codes(code.co_filename, text, flags)
        if code in codes:
            return code.co_filename, text, flags, codes.index(code)
    # Not from a cell (made by exec, or inside a library): only its compiled form is at hand.
    return (marshal.dumps(code),)


def _code_in(parts: tuple[typing.Any, ...]) -> types.CodeType:
    if len(parts) == 1:
        return typing.cast(types.CodeType, marshal.loads(parts[0]))
    name, text, flags, index = parts
    if name not in linecache.cache:
        DEFINITIONS.show_lines(name, text)
    code: types.CodeType = DEFINITIONS.all_codes(name, text, flags)[index]
    DEFINITIONS.origins[id(code)] = parts
    return code


def _globals_out(function: types.FunctionType) -> typing.Any:
    name = function.__globals__.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) else None
    if module is not None and vars(module) is function.__globals__:
        return name
    used = {
        n: function.__globals__[n]
        for n in _names_in(function.__code__)
        if n in function.__globals__
    }
    return {**used, "__name__": name}


def _names_in(code: types.CodeType) -> set[str]:
    inner = [_names_in(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*inner)


def make_function(
    key: str, code: tuple[typing.Any, ...], space: typing.Any, name: str, cells: typing.Any
) -> typing.Any:
    """Make a function from source, or return the one of that key."""
    if key not in DEFINITIONS.known:
        if isinstance(space, str):
            space = vars(importlib.import_module(space))
        DEFINITIONS.add(key, types.FunctionType(_code_in(code), space, name, None, cells))
    return DEFINITIONS.known[key]


def set_function(function: typing.Any, state: dict[str, typing.Any]) -> None:
    """Give a function its defaults, closure and attributes, unless an artifact has done so."""
    key = DEFINITIONS.key_of(function)
    if key in DEFINITIONS.whole:
        return
    DEFINITIONS.whole.add(key)
    for cell, content in state.pop("cells"):
        cell.cell_contents = content
    function.__dict__.update(state.pop("dict"))
    for name, value in state.items():
        setattr(function, name, value)


def _reduce_function(function: typing.Any) -> typing.Any:
    cells = function.__closure__
    state = {n: getattr(function, n) for n in ("__defaults__", "__kwdefaults__", "__doc__")}
    state.update((n, getattr(function, n)) for n in ("__qualname__", "__module__"))
    try:
        state["__annotations__"] = function.__annotations__
    except NameError:
        state["__annotations__"] = {}
    filled = []
    for cell in cells or ():
        try:
            filled.append((cell, cell.cell_contents))
        except ValueError:  # not yet assigned in the enclosing function
            continue
    state.update(dict=dict(vars(function)), cells=filled)
    made = (DEFINITIONS.key_of(function), _code_out(function.__code__))
    rest = (_globals_out(function), function.__name__, cells)
    return make_function, made + rest, state, None, None, set_function


def make_class(
    key: str, meta: typing.Any, name: str, bases: tuple[type, ...], start: dict[str, typing.Any]
) -> typing.Any:
    """Make a class without its attributes, or return the one of that key."""
    if key not in DEFINITIONS.known:
        # What the notebook's own hooks did when the class statement ran is part of the values that
        # travel: they must not run again.
        hooked = {b for base in bases for b in base.__mro__ if "__init_subclass__" in vars(b)}
        hooks = [(b, vars(b)["__init_subclass__"]) for b in hooked if b.__module__ == "__main__"]
        for base, _ in hooks:
            setattr(base, "__init_subclass__", classmethod(lambda cls, **_: None))  # noqa: B010
        foreign = next(m for m in meta.__mro__ if m.__module__ != "__main__")
        try:
            made = foreign.__new__(meta, name, bases, start)
        finally:
            for base, hook in hooks:
                setattr(base, "__init_subclass__", hook)  # noqa: B010
        DEFINITIONS.add(key, made)
    return DEFINITIONS.known[key]


def set_class(made: typing.Any, state: dict[str, typing.Any]) -> None:
    """Give a class its attributes, unless an artifact has done so."""
    key = DEFINITIONS.key_of(made)
    if key in DEFINITIONS.whole:
        return
    DEFINITIONS.whole.add(key)
    for name, value in state.items():
        type.__setattr__(made, name, value)
    if isinstance(made, abc.ABCMeta):
        getattr(abc, "update_abstractmethods", id)(made)


def make_enum(
    key: str, meta: typing.Any, name: str, bases: tuple[type, ...], body: dict[str, typing.Any]
) -> typing.Any:
    """Make an enumeration with its members, or return the one of that key."""
    if key not in DEFINITIONS.known:
        space = meta.__prepare__(name, bases)
        for attribute, value in body.items():
            space[attribute] = value
        DEFINITIONS.add(key, meta(name, bases, space))
    return DEFINITIONS.known[key]


def _reduce_class(made: typing.Any) -> typing.Any:
    key, meta = DEFINITIONS.key_of(made), type(made)
    body = {"__module__": made.__module__, "__qualname__": made.__qualname__}
    if isinstance(made, enum.EnumMeta):
        members: typing.Any = made.__members__
        body.update((n, member.value) for n, member in members.items())
        for name, value in vars(made).items():
            own = isinstance(value, (types.FunctionType, classmethod, staticmethod, property))
            if (own and not name.startswith("_")) or name in ("__str__", "__repr__", "__init__"):
                body.setdefault(name, value)
        return make_enum, (key, meta, made.__name__, made.__bases__, body)
    slots = vars(made).get("__slots__")
    for name in ("__slots__", "__orig_bases__"):
        if name in vars(made):
            body[name] = vars(made)[name]
    named = {slots} if isinstance(slots, str) else set(slots or ())
    state = {n: v for n, v in vars(made).items() if n not in _NOT_STATE and n not in named}
    try:
        state["__annotations__"] = dict(vars(made).get("__annotations__") or made.__annotations__)
    except (AttributeError, NameError):
        state.pop("__annotations__", None)
    parts = (key, meta, made.__name__, made.__bases__, body)
    return make_class, parts, state, None, None, set_class


def make_context_variable(
    key: str, name: str, default: typing.Any, value: typing.Any
) -> typing.Any:
    """Make a context variable, or take the one of that key, and set its value.

    Parameters
    ----------
    default, value
        A tuple of the one object, or an empty one where there is none.
    """
    import contextvars

    if key not in DEFINITIONS.known:
        more = {"default": default[0]} if default else {}
        DEFINITIONS.add(key, contextvars.ContextVar(name, **more))
    if value:
        DEFINITIONS.known[key].set(value[0])
    return DEFINITIONS.known[key]


def _reduce_context_variable(variable: typing.Any) -> typing.Any:
    import contextvars

    def get() -> tuple[typing.Any, ...]:
        try:
            return (variable.get(),)
        except LookupError:
            return ()

    key, default, value = DEFINITIONS.key_of(variable), contextvars.Context().run(get), get()
    return make_context_variable, (key, variable.name, default, value if value != default else ())


def is_importable(value: typing.Any) -> bool:
    """Tell whether another process finds this function or class by its module and name."""
    module = getattr(value, "__module__", None)
    if module == "__main__" or not isinstance(module, str) or module not in sys.modules:
        return False
    found: typing.Any = sys.modules[module]
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is value


def array_owner(array: typing.Any) -> typing.Any:
    """Return the array whose memory `array` uses: itself, or the last in its chain of bases."""
    plain = sys.modules["numpy"].ndarray
    while isinstance(array.base, plain):
        array = array.base
    return array


class Pickler(pickle.Pickler):
    """A pickler for values of a notebook."""

    def __init__(self, file: typing.Any, shared: frozenset[int] = frozenset()) -> None:
        super().__init__(file, protocol=5)
        self.shared = shared
        self.owners: dict[int, int] = {}
        self.tables = Tables()
        self.defined = False

    def reducer_override(self, value: typing.Any) -> typing.Any:
        """Carry by value what pickle would only name."""
        if isinstance(value, types.FunctionType) and not is_importable(value):
            self.defined = True
            return _reduce_function(value)
        if isinstance(value, type) and not is_importable(value):
            if value.__module__ == "builtins":  # type(None) and its like: pickle knows them
                return NotImplemented
            self.defined = True
            return _reduce_class(value)
        kind = type(value)
        if kind is types.ModuleType:
            return importlib.import_module, (value.__name__,)
        if kind is types.CellType:
            return make_cell, ()
        if kind is types.MethodType and not is_importable(value.__func__):
            return make_method, (value.__func__, value.__self__)
        if kind is property:
            return property, (value.fget, value.fset, value.fdel, value.__doc__)
        if kind in (classmethod, staticmethod):
            return kind, (value.__func__,)
        if kind is types.MappingProxyType:
            return make_proxy, (dict(value),)
        if kind is typing.TypeVar and value.__module__ in ("__main__", "fairlead_step"):
            kinds = (value.__covariant__, value.__contravariant__)
            return make_type_variable, (
                value.__name__,
                value.__constraints__,
                value.__bound__,
                *kinds,
            )
        if kind is functools.cached_property:
            return make_cached_property, (value.func, value.attrname)
        if (kind.__module__, kind.__name__) == ("_contextvars", "ContextVar"):
            return _reduce_context_variable(value)
        if kind is types.CodeType:
            return _code_in, (_code_out(value),)
        if kind.__module__ == "dataclasses":
            # Some of its objects are markers, compared by identity.
            for name, word in vars(sys.modules["dataclasses"]).items():
                if word is value:
                    return find_dataclass_word, (name,)
        names = ("__reduce_ex__", "__reduce__")
        usual = all(getattr(kind, n) is getattr(object, n) for n in names)
        if kind.__module__ == "__main__" and usual:
            return self._reduce_instance(value)
        if kind.__module__ in ("numpy", "numpy.rec") and kind.__name__ in _ARRAYS:
            return self._reduce_array(value)
        if kind.__module__.split(".")[0] == "pandas" and hasattr(value, "_mgr"):
            return self.tables.reduce(value)
        return reduce_value(value, kind)

    def _reduce_instance(self, value: typing.Any) -> typing.Any:
        parts = (*value.__reduce_ex__(4), None, None, None)
        own = getattr(value, "__dict__", None)
        plain = parts[2] is own or not (parts[2] or own)
        if own is None or not plain or hasattr(type(value), "__setstate__"):
            return NotImplemented
        if parts[0] is copyreg.__newobj__ and len(parts[1]) == 1:  # type: ignore[attr-defined]
            parts = (make_instance, *parts[1:])
        return (*parts[:2], own, *parts[3:5], set_attributes)

    def _reduce_array(self, array: typing.Any) -> typing.Any:
        owner = array_owner(array)
        self.owners[id(owner)] = self.owners.get(id(owner), 0) + 1
        if owner is array or id(owner) not in self.shared or array.dtype.hasobject:
            return NotImplemented
        if not (owner.flags.c_contiguous or owner.flags.f_contiguous):
            return NotImplemented
        start = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
        form = (array.shape, array.strides, array.dtype, type(array))
        return make_view, (owner, start, *form)


def dump(value: typing.Any) -> tuple[bytes, bool]:
    """Pickle a value; tell also whether it holds definitions of the notebook.

    Arrays in it that share memory share it again after loading.
    """
    buffer = io.BytesIO()
    pickler = Pickler(buffer)
    pickler.dump(value)
    shared = frozenset(owner for owner, count in pickler.owners.items() if count > 1)
    if shared:
        buffer = io.BytesIO()
        pickler = Pickler(buffer, shared)
        pickler.dump(value)
    return buffer.getvalue(), pickler.defined
