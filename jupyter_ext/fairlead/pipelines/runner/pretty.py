"""How a value is shown as text: in lines of up to 79 characters, as notebooks show it."""

from __future__ import annotations

import collections
import types
import typing

_WIDTH = 79
_MOST = 1000
FLOATS: dict[str, str] = {}  # their format, where `%precision` has set it
_BRACKETS: dict[typing.Any, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("{", "}"),
}
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)


class Group:
    """Parts in brackets: on one line if they fit, else each on a line of its own.

    Parameters
    ----------
    start, end
        What stands before and after the parts.
    parts
        Texts, groups, and lists of these, which stay together.
    """

    def __init__(self, start: str, parts: list[typing.Any], end: str) -> None:
        self.start, self.parts, self.end = start, parts, end

    def flat(self) -> str:
        """Return it on one line."""
        return self.start + ", ".join(_flat(part) for part in self.parts) + self.end


def _flat(part: typing.Any) -> str:
    if isinstance(part, list):
        return "".join(map(_flat, part))
    return part.flat() if isinstance(part, Group) else str(part)


def pretty(value: typing.Any) -> str:
    """Return the text of a value."""
    return _lay(_tree(value, ()), 0, 0, 0)


def _lay(part: typing.Any, column: int, indent: int, after: int) -> str:
    """Return a part as text; `after` is the width of what must follow on its last line."""
    if isinstance(part, list):
        text = ""
        for number, piece in enumerate(part):
            rest = sum(len(_flat(p).split("\n")[0]) for p in part[number + 1 :])
            at = column + len(text) if "\n" not in text else len(text.rsplit("\n", 1)[1])
            text += _lay(piece, at, indent, after + rest)
        return text
    if not isinstance(part, Group):
        return str(part).replace("\n", "\n" + " " * indent)
    flat = part.flat()
    if "\n" not in flat and column + len(flat) + after <= _WIDTH:
        return flat
    inner, text = indent + len(part.start), part.start
    for number, piece in enumerate(part.parts):
        last = number == len(part.parts) - 1
        at = column + len(part.start) if number == 0 else inner
        follows = len(part.end) + after if last else 1
        text += _lay(piece, at, inner, follows) + ("" if last else ",\n" + " " * inner)
    return text + part.end


def _tree(value: typing.Any, above: tuple[int, ...]) -> typing.Any:
    """Return the parts of a value; one that contains itself is cut short."""
    kind: typing.Any = type(value)
    for cls in kind.__mro__:
        if cls in _BRACKETS or cls in (dict, types.MappingProxyType):
            if id(value) in above:
                start, end = _BRACKETS.get(cls, ("{", "}"))
                return f"{start}...{end}"
            inside = (*above, id(value))
            return _pairs(value, inside) if cls is dict else _items(value, cls, inside)
        if issubclass(cls, collections.Counter) or cls in _NAMED:
            return _named(value, cls, (*above, id(value))) if id(value) not in above else "..."
        if cls is type:
            return _type_name(value) if kind.__repr__ is type.__repr__ else repr(value)
        if cls in _FUNCTIONS:
            return _function(value)
        if cls is float and FLOATS:
            return FLOATS["float"] % value
        if cls is BaseException and kind.__repr__ is BaseException.__repr__:
            return Group(_type_name(kind) + "(", [_tree(a, above) for a in value.args], ")")
        if cls is not object and "__repr__" in vars(cls) and cls is not BaseException:
            return repr(value)
    if kind.__repr__ is not object.__repr__:
        return repr(value)
    return f"<{_type_name(kind)} at {id(value):#x}>"


_NAMED = (collections.OrderedDict, collections.defaultdict, collections.deque)


def _items(value: typing.Any, cls: typing.Any, above: tuple[int, ...]) -> typing.Any:
    if cls is types.MappingProxyType:
        return Group("mappingproxy(", [_pairs(value, above)], ")")
    items = list(value)
    if cls in (set, frozenset):
        if not items:
            return f"{cls.__name__}()"
        try:
            items = sorted(items)
        except Exception:  # what has no order stays in that of the set
            items = list(value)
    parts = [_tree(item, above) for item in items[:_MOST]] + ["..."] * (len(items) > _MOST)
    start, end = _BRACKETS[cls]
    if cls is tuple and len(parts) == 1:
        end = ",)"
    made = Group(start, parts, end)
    return Group("frozenset(", [made], ")") if cls is frozenset else made


def _pairs(value: typing.Any, above: tuple[int, ...]) -> Group:
    listed = list(value.items())
    parts: list[typing.Any] = [[_tree(k, above), ": ", _tree(v, above)] for k, v in listed[:_MOST]]
    return Group("{", parts + ["..."] * (len(listed) > _MOST), "}")


def _named(value: typing.Any, cls: typing.Any, above: tuple[int, ...]) -> Group:
    """Return the tree of a container that is shown with its name, as a call."""
    parts: list[typing.Any] = []
    if issubclass(cls, collections.Counter):
        parts = [_pairs(dict(value.most_common()), above)] if value else []
    elif cls is collections.OrderedDict:
        parts = [_tree(list(value.items()), above)] if value else []
    elif cls is collections.defaultdict:
        parts = [_tree(value.default_factory, above), _pairs(value, above)]
    else:
        parts = [_tree(list(value), above)]
        parts += [f"maxlen={value.maxlen}"] if value.maxlen is not None else []
    return Group(type(value).__name__ + "(", parts, ")")


def _type_name(kind: typing.Any) -> str:
    module, name = kind.__module__, kind.__qualname__
    return name if module in (None, "builtins", "exceptions") else f"{module}.{name}"


def _function(value: typing.Any) -> str:
    import inspect

    name = getattr(value, "__qualname__", value.__name__)
    if value.__module__ not in (None, "builtins", "exceptions"):
        name = f"{value.__module__}.{name}"
    try:
        name += str(inspect.signature(value))
    except ValueError:  # some functions written in C do not tell
        pass
    return f"<function {name}>"
