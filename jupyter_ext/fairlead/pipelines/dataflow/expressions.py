"""What an expression may give, and what evaluating it does."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from fairlead.pipelines.dataflow import calls, dynamic, iteration, nans, objects, special
from fairlead.pipelines.dataflow.accounts import Frame
from fairlead.pipelines.dataflow.heap import (
    ELEMENTS,
    NOTHING,
    PLAIN,
    SCALAR,
    Scope,
    Value,
    join_names,
)
from fairlead.pipelines.dataflow.machine import Machine


def evaluate(m: Machine, node: ast.expr | None) -> Value:
    """Return the objects that an expression may give; note what it reads and changes."""
    if node is None:
        return PLAIN
    if m.frame.kind == "module":
        m.line = node.lineno
    m.fuel -= 1
    return _EVALUATORS[type(node)](m, node)


def evaluate_all(m: Machine, nodes: list[Any]) -> Value:
    """Return what any of several expressions may give."""
    return NOTHING.union(*[evaluate(m, node) for node in nodes])


def _constant(m: Machine, node: ast.Constant) -> Value:
    return PLAIN


def _name(m: Machine, node: ast.Name) -> Value:
    return m.load(node.id)


def _named(m: Machine, node: ast.NamedExpr) -> Value:
    value = evaluate(m, node.value)
    m.store(node.target.id, value)
    return value


def _display(m: Machine, node: Any) -> Value:
    kind = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}[type(node)]
    thing = m.new(node, kind)
    items: list[Value] = []
    known = True
    for part in node.elts:
        if isinstance(part, ast.Starred):
            known = False
            items.append(iteration.iterate(m, evaluate(m, part.value), node))
        else:
            items.append(evaluate(m, part))
    m.link(thing.id, ELEMENTS, NOTHING.union(*items))
    if known:
        before = thing.items
        fits = before is not None and len(before) == len(items)
        thing.items = [a | b for a, b in zip(before or [], items, strict=False)] if fits else items
    return frozenset({thing.id})


def _dict(m: Machine, node: ast.Dict) -> Value:
    thing = m.new(node, "dict")
    for key, part in zip(node.keys, node.values, strict=True):
        if key is None:
            m.link(thing.id, ELEMENTS, iteration.elements(m, evaluate(m, part), node))
            continue
        named = evaluate(m, key)
        value = evaluate(m, part)
        m.link(thing.id, ELEMENTS, named | value)
    return frozenset({thing.id})


def _comprehension(m: Machine, node: Any) -> Value:
    kinds: dict[type, str] = {ast.ListComp: "list", ast.SetComp: "set", ast.DictComp: "dict"}
    if isinstance(node, ast.GeneratorExp):
        thing = m.new(node, "generator", unfit="a generator")
        thing.owner = ("expression", node, m.frame)
    else:
        thing = m.new(node, kinds[type(node)])
    m.link(thing.id, ELEMENTS, run_comprehension(m, node, m.frame))
    return frozenset({thing.id})


def run_comprehension(m: Machine, node: Any, outer: Frame) -> Value:
    """Evaluate the parts of a comprehension and return its elements."""
    targets = {
        n.id for part in node.generators for n in ast.walk(part.target) if isinstance(n, ast.Name)
    }
    scope = Scope(frozenset(targets), frozenset(), frozenset(), nests=True, yields=False)
    frame = Frame("comprehension", scope, outer.cell, outer)
    before, m.frame = m.frame, frame
    state = dict(m.module.names)
    value = NOTHING
    for _ in range(2):  # a walrus in it may feed the next round
        for part in node.generators:
            source = iteration.iterate(m, evaluate(m, part.iter), node)
            iteration.bind_target(m, part.target, source)
            evaluate_all(m, part.ifs)
        if isinstance(node, ast.DictComp):
            value |= evaluate(m, node.key) | evaluate(m, node.value)
        else:
            value |= evaluate(m, node.elt)
    m.frame = before
    m.module.names = join_names(state, m.module.names)
    return value


def _lambda(m: Machine, node: ast.Lambda) -> Value:
    return calls.make_function(m, node)


def _binary(m: Machine, node: ast.BinOp) -> Value:
    return operate(m, evaluate(m, node.left), evaluate(m, node.right), node)


def operate(m: Machine, left: Value, right: Value, node: Any) -> Value:
    """Return what an operator gives: something new, which may hold parts of its operands."""
    both = left | right
    made = objects.call_special(m, both, special.special_names(node.op), (both,), node)
    if both <= PLAIN:
        return PLAIN
    kinds = {m.heap[t].kind for t in both}
    kind = next((k for k in ("list", "tuple", "set", "dict") if k in kinds), "opaque")
    thing = m.new(node, kind)
    for source in m.heap.kinds(both, "list", "tuple", "set", "dict"):
        m.link(thing.id, ELEMENTS, m.heap.field(source.id, ELEMENTS))
    return made | {thing.id}


def _unary(m: Machine, node: ast.UnaryOp) -> Value:
    value = evaluate(m, node.operand)
    made = objects.call_special(m, value, special.special_names(node.op), (), node)
    if isinstance(node.op, ast.Not) or value <= PLAIN:
        return PLAIN
    return made | {m.new(node, "opaque").id}


def _boolean(m: Machine, node: ast.BoolOp) -> Value:
    value = evaluate(m, node.values[0])
    objects.call_special(m, value, {"__bool__", "__len__"}, (), node)
    return value | m.maybe(lambda: evaluate_all(m, node.values[1:]))


def _conditional(m: Machine, node: ast.IfExp) -> Value:
    test = evaluate(m, node.test)
    objects.call_special(m, test, {"__bool__", "__len__"}, (), node)
    value = m.maybe(lambda: evaluate(m, node.body))
    return value | m.maybe(lambda: evaluate(m, node.orelse))


def _compare(m: Machine, node: ast.Compare) -> Value:
    if len(node.ops) == 1 and dynamic.namespace_call(m, node.comparators[0]):
        key = dynamic.constant_key(node.left)
        if key and isinstance(node.ops[0], ast.In | ast.NotIn):
            dynamic.read_key(m, key)
            return PLAIN
    values = [evaluate(m, part) for part in [node.left, *node.comparators]]
    for position, operator in enumerate(node.ops):
        left, right = values[position], values[position + 1]
        if isinstance(operator, ast.Is | ast.IsNot):
            _remark_nan(m, left | right)
            if not (left <= PLAIN or right <= PLAIN):
                m.observe_identity(left, right)
            continue
        inside = (
            iteration.elements(m, right, node)
            if isinstance(operator, ast.In | ast.NotIn)
            else right
        )
        both = left | right
        objects.call_special(m, both | inside, special.special_names(operator), (both,), node)
        if isinstance(operator, ast.In | ast.NotIn):
            nans.look_up(m, right, left)
        if isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
            objects.observe_bare(m, m.heap.reach(left), m.heap.reach(inside))
    if all(value <= PLAIN for value in values):
        return PLAIN
    if all(isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn) for op in node.ops):
        return PLAIN
    return frozenset({SCALAR, m.new(node, "opaque").id})


def _remark_nan(m: Machine, value: Value) -> None:
    """Warn of `x is np.nan`: a number that has travelled is equal, but another object."""
    if any(m.heap[t].path in nans.NANS for t in value):
        nans.remark_nan(m, "This asks whether a value is the very object `nan`")


def _attribute(m: Machine, node: ast.Attribute) -> Value:
    if node.attr in _SPACES or (node.attr.startswith("user_") and dynamic.is_shell(node)):
        evaluate(m, node.value)
        return dynamic.anything(m, node.attr, node)
    return objects.attribute(m, evaluate(m, node.value), node.attr, node)


_SPACES = frozenset({"f_globals", "f_locals", "__globals__"})


def _subscript(m: Machine, node: ast.Subscript) -> Value:
    key = dynamic.constant_key(node.slice)
    if key and dynamic.namespace_call(m, node.value):
        return dynamic.read_key(m, key) or PLAIN
    value = evaluate(m, node.value)
    index = evaluate(m, node.slice)
    nans.look_up(m, frozenset(t for t in value if m.heap[t].kind == "dict"), index)
    return objects.element(m, value, index, node)


def _text(m: Machine, node: Any) -> Value:
    for part in node.values:
        if not isinstance(part, ast.Constant):
            evaluate(m, part)
    return PLAIN


def _formatted(m: Machine, node: Any) -> Value:
    value = evaluate(m, node.value)
    objects.call_special(m, value, special.SHOWING, (), node)
    if node.format_spec is not None:
        evaluate(m, node.format_spec)
    return PLAIN


def _await(m: Machine, node: ast.Await) -> Value:
    return iteration.resume(m, evaluate(m, node.value), node)


def _yield(m: Machine, node: ast.Yield) -> Value:
    m.frame.returned |= evaluate(m, node.value)
    return PLAIN


def _yield_from(m: Machine, node: ast.YieldFrom) -> Value:
    m.frame.returned |= iteration.iterate(m, evaluate(m, node.value), node)
    return PLAIN


def _slice(m: Machine, node: ast.Slice) -> Value:
    evaluate_all(m, [part for part in (node.lower, node.upper, node.step) if part])
    return PLAIN


def _starred(m: Machine, node: ast.Starred) -> Value:
    return iteration.iterate(m, evaluate(m, node.value), node)


def _call(m: Machine, node: ast.Call) -> Value:
    return calls.call_node(m, node)


_EVALUATORS: dict[type, Callable[[Machine, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.NamedExpr: _named,
    ast.List: _display,
    ast.Tuple: _display,
    ast.Set: _display,
    ast.Dict: _dict,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.Lambda: _lambda,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.IfExp: _conditional,
    ast.Compare: _compare,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.JoinedStr: _text,
    ast.FormattedValue: _formatted,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
    ast.Slice: _slice,
    ast.Starred: _starred,
    ast.Call: _call,
}
for _new, _function in (("TemplateStr", _text), ("Interpolation", _formatted)):
    if hasattr(ast, _new):  # Python 3.14
        _EVALUATORS[getattr(ast, _new)] = _function
