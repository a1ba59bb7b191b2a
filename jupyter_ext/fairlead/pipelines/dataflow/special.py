"""Python's special methods: which of them an operator or a function calls."""

from __future__ import annotations

import ast
from collections.abc import Collection

OPERATORS = frozenset(
    f"__{side}{name}__"
    for side in ("", "r", "i")
    for name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
) | frozenset(
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __contains__ __neg__ __pos__ __invert__"
    " __hash__".split()
)

_SYMBOLS: dict[type, str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
}

_COMPARISONS: dict[type, tuple[str, ...]] = {
    ast.Eq: ("__eq__",),
    ast.NotEq: ("__ne__", "__eq__"),
    ast.Lt: ("__lt__", "__gt__"),
    ast.LtE: ("__le__", "__ge__", "__lt__", "__gt__", "__eq__"),
    ast.Gt: ("__gt__", "__lt__"),
    ast.GtE: ("__ge__", "__le__", "__lt__", "__gt__", "__eq__"),
    ast.In: ("__contains__", "__eq__", "__hash__"),
    ast.NotIn: ("__contains__", "__eq__", "__hash__"),
}

_UNARY: dict[type, tuple[str, ...]] = {
    ast.USub: ("__neg__",),
    ast.UAdd: ("__pos__",),
    ast.Invert: ("__invert__",),
}


def special_names(operator: ast.AST) -> tuple[str, ...]:
    """Return the special methods that an operator may call."""
    word = _SYMBOLS.get(type(operator))
    if word:
        return (f"__{word}__", f"__r{word}__", f"__i{word}__")
    return _COMPARISONS.get(type(operator)) or _UNARY.get(type(operator), ("__bool__", "__len__"))


SHOWING = frozenset(
    "__repr__ __str__ __format__ _repr_html_ _repr_mimebundle_ _repr_markdown_ _repr_png_"
    " _repr_svg_ _repr_latex_".split()
)

SPECIAL = (
    OPERATORS
    | SHOWING
    | frozenset(
        "__len__ __iter__ __next__ __getitem__ __bool__ __int__ __float__ __index__ __abs__"
        " __round__ __call__ __enter__ __exit__ __reversed__ __bytes__ __array__ keys".split()
    )
)

_ORDER = frozenset({"__lt__", "__gt__", "__eq__", "__le__", "__ge__"})

_WALK = frozenset({"__iter__", "__next__", "__getitem__", "__len__", "__reversed__", "keys"})

_CALLED_BY = {
    "len": frozenset({"__len__"}),
    "bool": frozenset({"__bool__", "__len__"}),
    "sum": _WALK | {"__add__", "__radd__"},
    "sorted": _WALK | _ORDER,
    "min": _WALK | _ORDER,
    "max": _WALK | _ORDER,
    "abs": frozenset({"__abs__"}),
    "round": frozenset({"__round__"}),
    "hash": frozenset({"__hash__"}),
    "int": frozenset({"__int__", "__index__"}),
    "float": frozenset({"__float__", "__index__"}),
    "list": _WALK,
    "tuple": _WALK,
    "dict": _WALK | {"__hash__", "__eq__"},
    "set": _WALK | {"__hash__", "__eq__"},
    "enumerate": _WALK,
    "zip": _WALK,
    "reversed": _WALK,
    "isinstance": frozenset(),
    "issubclass": frozenset(),
    "callable": frozenset(),
    "hasattr": frozenset(),
    "range": frozenset({"__index__"}),
}


def called_by(builtin: str) -> Collection[str]:
    """Return the special methods of its arguments that one of Python's own functions may call."""
    return _CALLED_BY.get(builtin, SPECIAL)
