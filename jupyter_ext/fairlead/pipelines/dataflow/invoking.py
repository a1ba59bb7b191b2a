"""Code of the notebook that a library may run, and calls that nothing is known of."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from typing import Any

from fairlead.pipelines.dataflow import dynamic, iteration, objects
from fairlead.pipelines.dataflow.arguments import Arguments
from fairlead.pipelines.dataflow.heap import HELD, NOTHING, PLAIN, Thing, Value
from fairlead.pipelines.dataflow.machine import Machine


def invoke(
    m: Machine,
    holders: Iterable[int],
    passed: Iterable[int],
    node: Any,
    *,
    quiet: Collection[str] | None = None,
) -> Value:
    """Run the notebook's functions and methods that a library may call through what it was given.

    Parameters
    ----------
    holders
        What it was given.
    passed
        What it may pass to them, or parts of it.
    quiet
        The special methods that it calls, where it is one of Python's own functions.
    """
    holders = list(holders)
    if m.fuel < 0:
        return dynamic.give_up(m, frozenset(holders), node)
    reached = m.heap.reach(holders)
    m.fuel -= len(reached)
    kinds = ("function", "method", "instance")
    callables = [m.heap[t] for t in reached - m.invoking if m.heap[t].kind in kinds]
    if not callables:
        return NOTHING
    return m.maybe(
        lambda: _invoke_all(m, callables, frozenset(holders), frozenset(passed), node, quiet)
    )


def _invoke_all(
    m: Machine,
    callables: list[Thing],
    direct: Value,
    inside: Value,
    node: Any,
    quiet: Collection[str] | None,
) -> Value:
    found = NOTHING
    inside |= iteration.elements(m, inside, node)
    inside |= iteration.elements(m, inside, node) | PLAIN
    for thing in callables:
        m.invoking.add(thing.id)
        if thing.kind == "instance":
            names = objects.methods(m, thing) if quiet is None else quiet
            found |= objects.call_special(m, {thing.id}, names, (inside, inside), node)
        elif not (quiet is not None and thing.id not in direct) and (
            thing.kind == "method" or thing.owner[2] is None or thing.id in direct
        ):
            found |= m.call(m, frozenset({thing.id}), Arguments(spread=inside), node)
        m.invoking.discard(thing.id)
    return found


def call_unknown(m: Machine, args: Arguments, node: Any) -> Value:
    """Call something that the text does not tell."""
    found = invoke(m, args.all, args.all, node)
    made = m.new(node, "opaque", tag="unknown")
    m.link(made.id, HELD, args.all)
    return found | {made.id}


def call_blindly(m: Machine, function: Thing, args: Arguments, node: Any) -> Value:
    """Call a function of the notebook without following it: it may change all that it reaches."""
    m.fuel -= 300
    value = m.heap.reach(args.all | {function.id})
    for part in ast.walk(function.node):
        if isinstance(part, ast.Name) and part.id in m.module.names:
            value |= m.heap.reach(m.load_global(part.id, soft=True))
            if not isinstance(part.ctx, ast.Load):
                m.account.writes.add(part.id)
    m.mutate(value)
    made = m.new(node, "opaque", tag="blind")
    m.link(made.id, HELD, value)
    return frozenset(value) | {made.id}
