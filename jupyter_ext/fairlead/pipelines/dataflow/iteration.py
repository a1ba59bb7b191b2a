"""What a value is made of: its elements, what iterating over it runs, and binding targets to it."""

from __future__ import annotations

import ast
from typing import Any

from fairlead.pipelines.dataflow import objects
from fairlead.pipelines.dataflow.heap import ELEMENTS, HELD, NOTHING, PLAIN, SCALAR, Value
from fairlead.pipelines.dataflow.machine import Machine


def elements(m: Machine, value: Value, node: Any) -> Value:
    """Return what a value's elements may be, without running an iterator of the notebook."""
    found = NOTHING
    for t in value:
        thing = m.heap[t]
        if thing.kind in (*objects.CONTAINERS, "generator"):
            found |= m.heap.field(t, ELEMENTS)
        elif thing.kind in ("opaque", "instance"):
            found |= m.heap.field(t, ELEMENTS) | m.heap.field(t, HELD)
            if thing.unfit:  # such as the lines of a file: they are not the file
                found |= {m.new(node, "opaque", tag=f"element {t}").id}
            elif thing.kind == "opaque":
                found |= {t}
        else:
            found |= {SCALAR}
    return found


def iterate(m: Machine, value: Value, node: Any) -> Value:
    """Return what iterating over a value may give, and run what that runs."""
    found = elements(m, value, node)
    for t in value:
        thing = m.heap[t]
        if thing.kind == "generator":
            found |= resume(m, frozenset({t}), node)
            m.mutate({t})
        elif thing.kind == "instance":
            made = objects.call_special(m, frozenset({t}), {"__iter__", "__aiter__"}, (), node)
            for step in ("__next__", "__anext__"):
                found |= objects.call_special(m, made | {t}, {step}, (), node)
            found |= objects.call_special(
                m, frozenset({t}), {"__getitem__", "__len__"}, (PLAIN,), node
            )
            for inner in made - {t}:
                if m.heap[inner].kind != "instance":
                    found |= iterate(m, frozenset({inner}), node)
    return found


def resume(m: Machine, value: Value, node: Any) -> Value:
    """Run the bodies of generators and coroutines; return what they give."""
    found = NOTHING
    for t in value:
        thing = m.heap[t]
        if thing.kind != "generator" or thing.owner is None:
            found |= {t} | m.heap.field(t, ELEMENTS)
            continue
        found |= m.resume_generator(m, thing, node)
    return found


def bind_target(m: Machine, target: Any, value: Value, source: Any = None) -> None:
    """Assign a value to a target of `=`, `for`, `with` or a comprehension.

    Parameters
    ----------
    source
        The expression that gave the value, where the value is known to have no other name.
    """
    if isinstance(target, ast.Name):
        m.store(target.id, value)
    elif isinstance(target, ast.Starred):
        made = m.new(target, "list")
        m.link(made.id, ELEMENTS, value)
        bind_target(m, target.value, frozenset({made.id}))
    elif isinstance(target, ast.Tuple | ast.List):
        unpack(m, target, value, source)
    elif isinstance(target, ast.Attribute):
        owner = m.evaluate(m, target.value)
        objects.assign_attribute(m, owner, target.attr, value, target)
    elif isinstance(target, ast.Subscript):
        owner = m.evaluate(m, target.value)
        if isinstance(target.slice, ast.Slice):
            value |= iterate(m, value, target)
        objects.assign_element(m, owner, m.evaluate(m, target.slice), value, target)


def unpack(m: Machine, target: Any, value: Value, source: Any) -> None:
    """Assign the elements of a value to several targets."""
    starred = any(isinstance(part, ast.Starred) for part in target.elts)
    if (
        not starred
        and value
        and all(
            m.heap[t].items is not None and len(m.heap[t].items or ()) == len(target.elts)
            for t in value
        )
    ):
        for position, part in enumerate(target.elts):
            bind_target(m, part, NOTHING.union(*[(m.heap[t].items or [])[position] for t in value]))
        return
    inside = iterate(m, value, target)
    made_here = m.heap.sites.get((id(source), "", m.context, m.segment))
    for position, part in enumerate(target.elts):
        piece = inside
        if made_here in value and isinstance(source, ast.Call):
            # What a library returns together is told apart by position: `X, y = load()`.
            whole = m.heap[made_here]
            made = m.new(part, "opaque", tag=f"{made_here}[{position}]", path=whole.path)
            m.link(made.id, HELD, m.heap.field(whole.id, HELD))
            if whole.path.startswith("matplotlib"):  # a figure and its axes know each other
                made.whole = whole.id
                m.link(made.id, HELD, {whole.id})
            piece = piece - {whole.id} | {made.id} if whole.kind == "opaque" else piece
        bind_target(m, part, piece)
