"""Python's own functions that need more than a rule."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from fairlead.pipelines.dataflow import iteration, objects, special
from fairlead.pipelines.dataflow.arguments import Arguments
from fairlead.pipelines.dataflow.heap import ELEMENTS, HELD, NOTHING, PLAIN, Value
from fairlead.pipelines.dataflow.machine import Machine


def _type(m: Machine, args: Arguments, node: Any) -> Value:
    if len(args.listed) > 1:
        made = m.new(node, "opaque", path="builtins.type")
        m.link(made.id, HELD, args.all)
        for space in m.heap.kinds(args.all, "dict"):
            m.link(made.id, HELD, m.heap.field(space.id, ELEMENTS))
        return frozenset({made.id})
    found: set[int] = set()
    for t in args.all:
        found.update(m.heap.field(t, "__class__"))
    return frozenset(found) or PLAIN


def _getattr(m: Machine, args: Arguments, node: Any) -> Value:
    owner = args.listed[0] if args.listed else NOTHING
    default = NOTHING.union(*args.listed[2:])
    if len(args.listed) > 1 and _constant_name(node):
        return objects.attribute(m, owner, args.texts[0], node) | default
    parts = [objects.attribute(m, owner, n, node) for t in owner for n in _methods_or_fields(m, t)]
    return NOTHING.union(owner, default, *parts)


def _constant_name(node: Any) -> bool:
    """Tell whether the name that `getattr` or `setattr` is given is written out."""
    given = getattr(node, "args", [])
    return len(given) > 1 and isinstance(given[1], ast.Constant)


def _methods_or_fields(m: Machine, t: int) -> set[str]:
    thing = m.heap[t]
    return set(thing.fields) | (objects.methods(m, thing) if thing.kind == "instance" else set())


def _setattr(m: Machine, args: Arguments, node: Any) -> Value:
    owner = args.listed[0] if args.listed else NOTHING
    name = args.texts[0] if args.texts and _constant_name(node) else ELEMENTS
    objects.assign_attribute(m, owner, name, NOTHING.union(*args.listed[1:]), node)
    return PLAIN


def _next(m: Machine, args: Arguments, node: Any) -> Value:
    m.mutate(args.listed[0] if args.listed else NOTHING)
    return iteration.iterate(m, args.all, node) | NOTHING.union(*args.listed[1:])


def _copy(m: Machine, args: Arguments, node: Any) -> Value:
    """Do `copy.copy`: another object with the same parts."""
    found = NOTHING
    for t in args.listed[0] if args.listed else args.all:
        thing = m.heap[t]
        if thing.kind in ("scalar", "import", "function", "class", "tuple"):
            found |= {t}
            continue
        objects.call_special(m, {t}, {"__copy__", "__reduce__", "__getstate__"}, (), node)
        made = m.new(node, thing.kind, tag=f"copy {t}", path=thing.path)
        made.owner, made.unfit = thing.owner, thing.unfit
        for name in thing.fields:
            m.link(made.id, name, m.heap.field(t, name))
        if thing.kind == "opaque":
            m.link(made.id, HELD, {t})
        found |= {made.id}
    return found


def _deepcopy(m: Machine, args: Arguments, node: Any) -> Value:
    """Do `copy.deepcopy`: other objects all the way down, sharing what the originals share."""
    copies: dict[int, int] = {}
    first = args.listed[0] if args.listed else args.all
    for t in m.heap.reach(first):
        thing = m.heap[t]
        copies[t] = t
        if thing.kind not in ("scalar", "import", "function", "class"):
            objects.call_special(m, {t}, {"__deepcopy__", "__getstate__"}, (), node)
            made = m.new(node, thing.kind, tag=f"deep {t}", path=thing.path)
            made.owner, made.unfit = thing.owner, thing.unfit
            copies[t] = made.id
    for t, copied in copies.items():
        if copied != t:
            for name in m.heap[t].fields:
                m.link(copied, name, {copies.get(p, p) for p in m.heap.field(t, name)})
    return frozenset(copies[t] for t in first)


def _new(m: Machine, args: Arguments, node: Any) -> Value:
    """Do `object.__new__(cls)`."""
    found = NOTHING
    for cls in m.heap.kinds(args.listed[0] if args.listed else args.all, "class"):
        made = m.new(node, "instance", tag=f"new {cls.id}")
        m.link(made.id, "__class__", {cls.id})
        found |= {made.id}
    return found


def _identity(m: Machine, args: Arguments, node: Any) -> Value:
    m.observe_identity(args.all)
    return PLAIN


def _show(m: Machine, args: Arguments, node: Any) -> Value:
    inside = m.heap.reach(args.all)
    objects.call_special(m, inside, special.SHOWING, (), node)
    return PLAIN


def _input(m: Machine, args: Arguments, node: Any) -> Value:
    m.remark(
        "warning",
        "input",
        "`input` asks for text, and in a step nobody answers: it raises an error.",
        "Make the value a parameter: assign it in a cell tagged `parameters`.",
    )
    return PLAIN


def _iter(m: Machine, args: Arguments, node: Any) -> Value:
    plain = all(t == 0 or m.heap[t].kind in objects.CONTAINERS for t in args.all)
    unfit = "" if plain and len(args.listed) == 1 else "an iterator"
    made = m.new(node, "generator", path="builtins.iter", unfit=unfit)
    made.owner = ("lazy", NOTHING, NOTHING)
    m.link(made.id, ELEMENTS, iteration.iterate(m, args.all, node))
    return frozenset({made.id})


SPECIAL: dict[str, Callable[[Machine, Arguments, Any], Value]] = {
    "copy.copy": _copy,
    "copy.deepcopy": _deepcopy,
    "builtins.type": _type,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.delattr": _setattr,
    "builtins.next": _next,
    "builtins.anext": _next,
    "builtins.id": _identity,
    "builtins.object.__new__": _new,
    "builtins.print": _show,
    "builtins.repr": _show,
    "builtins.str": _show,
    "builtins.format": _show,
    "builtins.iter": _iter,
    "builtins.input": _input,
    "getpass.getpass": _input,
}
