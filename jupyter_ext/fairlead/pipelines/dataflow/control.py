"""Branches, loops, `try`, `with` and `match`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

from fairlead.pipelines.dataflow import iteration, library, objects, special
from fairlead.pipelines.dataflow.arguments import Arguments
from fairlead.pipelines.dataflow.heap import (
    ELEMENTS,
    HELD,
    NOTHING,
    PLAIN,
    UNBOUND,
    Binding,
    Value,
    join_names,
)
from fairlead.pipelines.dataflow.machine import Machine

_ROUNDS = 4
"""Rounds of a loop after which what it may do is taken to be known."""


def run_if(m: Machine, node: ast.If) -> bool:
    """Run the branches of an `if` apart and join what they leave."""
    test = m.evaluate(m, node.test)
    objects.call_special(m, test, {"__bool__", "__len__"}, (), node)
    return branch(m, [lambda: m.execute(m, node.body), lambda: m.execute(m, node.orelse)])


def branch(m: Machine, ways: list[Callable[[], bool]]) -> bool:
    """Run alternatives from the same state and join those that reach the end."""
    start = m.names_now()
    ends = []
    for way in ways:
        m.restore(start)
        if not way():
            ends.append(m.names_now())
    if not ends:
        return True
    m.restore(ends[0])
    for end in ends[1:]:
        m.module.names = join_names(m.module.names, end[0])
        if m.frame is not m.module:
            m.frame.names = join_names(m.frame.names, end[1])
    return False


def region(m: Machine, start: tuple[Any, Any], log: dict[str, Value]) -> None:
    """Join the present names with those at `start` and with all that was bound since."""
    m.module.names = join_names(m.module.names, start[0])
    if m.frame is not m.module:
        m.frame.names = join_names(m.frame.names, start[1])
    names = m.frame.names
    for name, value in log.items():
        known = names.get(name, UNBOUND)
        names[name] = Binding(known.value | value, known.since, known.unbound, m.segment)


def _loop(m: Machine, node: Any, head: Callable[[], None], *, at_least_once: bool) -> bool:
    log: dict[str, Value] = {}
    start = m.names_now()
    m.frame.logs.append(log)
    after_first = start
    for number in range(_ROUNDS):
        version = m.heap.version
        head()
        m.execute(m, node.body)
        if number == 0:
            after_first = m.names_now()
        region(m, start, log)
        if number and version == m.heap.version:
            break
    m.frame.logs.pop()
    if at_least_once and not _leaves_early(node):
        # What the first round bound for certain is bound after the loop.
        for names, first in zip((m.module.names, m.frame.names), after_first, strict=True):
            for name, binding in first.items():
                if binding.since == m.segment and not binding.unbound and name in names:
                    names[name] = Binding(names[name].value, m.segment)
    if node.orelse:
        m.execute(m, node.orelse)
    return False


def _leaves_early(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Break | ast.Continue | ast.Return) for part in ast.walk(node))


def run_for(m: Machine, node: Any) -> bool:
    """Run a loop until it does nothing new."""
    value = m.evaluate(m, node.iter)

    def head() -> None:
        iteration.bind_target(m, node.target, iteration.iterate(m, value, node))

    return _loop(m, node, head, at_least_once=_not_empty(node.iter))


def _not_empty(node: ast.expr) -> bool:
    """Tell whether a loop over this runs at least once for certain."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return any(not isinstance(part, ast.Starred) for part in node.elts)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str | bytes) and bool(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        if node.func.id in ("enumerate", "sorted", "reversed", "list") and len(node.args) == 1:
            return _not_empty(node.args[0])
        try:
            numbers = [ast.literal_eval(part) for part in node.args]
        except (ValueError, TypeError, SyntaxError):
            return False
        if node.func.id == "range" and all(isinstance(n, int) for n in numbers):
            return (
                bool(numbers) and (len(numbers) < 3 or numbers[2] != 0) and len(range(*numbers)) > 0
            )
    return False


def run_while(m: Machine, node: ast.While) -> bool:
    """Run a loop until it does nothing new."""

    def head() -> None:
        m.evaluate(m, node.test)

    forever = isinstance(node.test, ast.Constant) and bool(node.test.value)
    _loop(m, node, head, at_least_once=forever)
    return False


def run_try(m: Machine, node: Any) -> bool:
    """Run a `try`: a handler sees what was bound up to any point of the body."""
    start = m.names_now()
    log: dict[str, Value] = {}
    m.frame.logs.append(log)
    dead = m.execute(m, node.body)
    m.frame.logs.pop()
    after = m.names_now()
    region(m, start, log)
    failed = m.names_now()

    def succeed() -> bool:
        m.restore(after)
        return dead or m.execute(m, node.orelse)

    def handle(handler: ast.ExceptHandler) -> bool:
        m.restore(failed)
        kind = m.evaluate(m, handler.type) if handler.type is not None else NOTHING
        if handler.name:
            made = m.new(handler, "opaque")
            m.link(made.id, HELD, kind)
            m.store(handler.name, _caught(m, kind, made.id))
        done = m.execute(m, handler.body)
        if handler.name and not done:
            m.delete(handler.name)
        return done

    ways: list[Callable[[], bool]] = [succeed, *[partial(handle, h) for h in node.handlers]]
    ended = branch(m, ways)
    if node.finalbody:
        if ended:
            m.restore(failed)
        ended = m.execute(m, node.finalbody) or ended
    return ended


def _caught(m: Machine, kind: Value, made: int) -> Value:
    """Return what an exception may be: any instance of the notebook's own exception classes."""
    classes = {t.id for t in m.heap.kinds(m.heap.reach(kind), "class")}
    own = {
        t.id
        for t in m.heap.things
        if t.kind == "instance" and classes & set(t.fields.get("__class__", ()))
    }
    return frozenset({made} | own | m.raised)


def run_with(m: Machine, node: Any) -> bool:
    """Run a `with` and the methods of its contexts."""
    owners = []
    for item in node.items:
        value = m.evaluate(m, item.context_expr)
        owners.append(value)
        if any(m.heap[t].path == "tempfile.TemporaryDirectory" for t in value):
            if item.optional_vars is not None:  # the path of the folder
                iteration.bind_target(m, item.optional_vars, PLAIN)
            continue
        given = objects.call_special(m, value, {"__enter__", "__aenter__"}, (), node)
        given |= frozenset(t for t in value if m.heap[t].kind not in ("instance", "import"))
        for t in value:
            if m.heap[t].kind == "opaque" and not m.heap[t].unfit:
                given |= library.call_opaque(m, m.heap[t], "__enter__", Arguments(), node)
                given |= m.heap.field(t, ELEMENTS)
        if item.optional_vars is not None:
            iteration.bind_target(m, item.optional_vars, given or PLAIN)
    start = m.names_now()
    log: dict[str, Value] = {}
    m.frame.logs.append(log)
    dead = m.execute(m, node.body)
    m.frame.logs.pop()
    for value in owners:
        objects.call_special(m, value, {"__exit__", "__aexit__"}, (PLAIN, PLAIN, PLAIN), node)
    # A context may swallow an exception: then what follows sees what was bound so far.
    swallows = any(
        m.heap[t].kind == "instance" or "suppress" in m.heap[t].path for v in owners for t in v
    )
    if swallows:
        region(m, start, log)
        return False
    return dead


def run_match(m: Machine, node: ast.Match) -> bool:
    """Run the cases of a `match` apart and join what they leave."""
    subject = m.evaluate(m, node.subject)
    ways: list[Callable[[], bool]] = [partial(_case, m, case, subject) for case in node.cases]
    last = node.cases[-1]
    if not (
        isinstance(last.pattern, ast.MatchAs)
        and last.pattern.pattern is None
        and last.guard is None
    ):
        ways.append(lambda: False)
    start = m.names_now()
    log: dict[str, Value] = {}
    m.frame.logs.append(log)
    dead = branch(m, ways)
    m.frame.logs.pop()
    if not dead:
        # Names that a pattern captured stay bound even where its case did not match in the end.
        captured = {n for case in node.cases for n in _captures(case.pattern)}
        for name in captured & set(log):
            known = m.frame.names.get(name, UNBOUND)
            before = start[0 if m.frame is m.module else 1].get(name, UNBOUND)
            m.frame.names[name] = known.join(before).join(
                Binding(log[name], known.since, known.unbound, m.segment)
            )
    return dead


def _case(m: Machine, case: ast.match_case, subject: Value) -> bool:
    inside = m.heap.reach(subject)
    for part in ast.walk(case.pattern):
        if isinstance(part, ast.MatchValue):
            m.evaluate(m, part.value)
        elif isinstance(part, ast.MatchClass):
            m.evaluate(m, part.cls)
        elif isinstance(part, ast.MatchMapping):
            for key in part.keys:
                m.evaluate(m, key)
    objects.call_special(
        m, inside, special.OPERATORS | {"__getitem__", "__len__"}, (PLAIN,), case.pattern
    )
    for name in sorted(_captures(case.pattern)):
        value = frozenset(inside) | PLAIN
        made = m.new(case.pattern, "list", tag=name)
        m.link(made.id, ELEMENTS, inside)
        m.store(name, value | {made.id})
    if case.guard is not None:
        m.evaluate(m, case.guard)
    return m.execute(m, case.body)


def _captures(pattern: ast.AST) -> set[str]:
    names: set[str] = set()
    for part in ast.walk(pattern):
        name = getattr(part, "rest", None) if isinstance(part, ast.MatchMapping) else None
        if isinstance(part, ast.MatchAs | ast.MatchStar):
            name = part.name
        if name:
            names.add(name)
    return names
