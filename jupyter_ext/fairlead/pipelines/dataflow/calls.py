"""Calls: the notebook's own functions are followed, those of libraries are known or guessed."""

from __future__ import annotations

import ast
from functools import partial
from typing import Any

from fairlead.pipelines.dataflow import dynamic, invoking, iteration, library, objects
from fairlead.pipelines.dataflow.accounts import Frame
from fairlead.pipelines.dataflow.arguments import Arguments, read_arguments
from fairlead.pipelines.dataflow.heap import (
    ELEMENTS,
    HELD,
    NOTHING,
    PLAIN,
    SCALAR,
    Binding,
    Thing,
    Value,
    arguments_of,
)
from fairlead.pipelines.dataflow.machine import MAX_DEPTH, Machine


def call_node(m: Machine, node: ast.Call) -> Value:
    """Return what a call expression may give."""
    function = node.func
    if dynamic.is_shell(function):
        return dynamic.call_shell(m, node)
    if isinstance(function, ast.Name) and function.id == "super" and not node.keywords:
        made = _super(m, node)
        if made:
            return made
    if isinstance(function, ast.Attribute):
        if dynamic.namespace_call(m, function.value):
            found = dynamic.call_namespace(m, function.attr, node)
            if found is not None:
                return found
        owner = m.evaluate(m, function.value)
        return _call_attribute(m, owner, function.attr, node)
    callee = m.evaluate(m, function)
    return call(m, callee, read_arguments(m, node), node)


def _super(m: Machine, node: ast.Call) -> Value:
    """Return the object that `super()` gives inside a method."""
    frame: Frame | None = m.frame
    while frame is not None and not (frame.kind == "function" and frame.cls is not None):
        frame = frame.parent
    if frame is None or frame.cls is None:
        return NOTHING
    first = frame.first if not node.args else m.evaluate(m, node.args[-1])
    owner = frame.names.get(first, None) if isinstance(first, str) else Binding(first, 0)
    made = m.new(node, "super", tag=str(frame.cls))
    made.owner = (frame.cls, owner.value if owner else NOTHING)
    return frozenset({made.id})


def _call_attribute(m: Machine, owner: Value, name: str, node: ast.Call) -> Value:
    """Call a method: what happens depends on each object that it may be called on."""
    args = read_arguments(m, node)
    found = NOTHING
    for t in owner:
        thing = m.heap[t]
        if thing.kind in objects.CONTAINERS:
            found |= library.call_container(m, thing, name, args, node)
        elif thing.kind in ("opaque", "generator"):
            found |= library.call_opaque(m, thing, name, args, node)
        elif thing.kind == "super" and name == "__init__":
            _start_as_base(m, thing, args, node)
        elif thing.kind == "scalar":
            found |= {m.new(node, "opaque", tag="text").id}
            invoking.invoke(m, args.all, args.all, node)
        else:
            callee = objects.attribute(m, frozenset({t}), name, node)
            if t in callee and thing.kind == "instance":  # a method that it inherits
                found |= library.call_opaque(m, thing, name, args, node)
            else:
                found |= call(m, callee, args, node)
    return found


def call(m: Machine, callee: Value, args: Any, node: Any) -> Value:
    """Return what calling any of these objects may give.

    Parameters
    ----------
    args
        `Arguments`, or a tuple of values for positional ones.
    """
    if isinstance(args, tuple):
        args = Arguments(list(args))
    if not callee:
        return invoking.call_unknown(m, args, node)
    if len(callee) == 1:
        return _call_thing(m, m.heap[next(iter(callee))], args, node)
    found = NOTHING
    for t in sorted(callee):
        found |= m.maybe(partial(_call_thing, m, m.heap[t], args, node))
    return found


def _call_thing(m: Machine, thing: Thing, args: Arguments, node: Any) -> Value:
    if thing.kind == "function":
        return follow(m, thing, args, node)
    if thing.kind == "method":
        owner, target = thing.owner
        if target is None:
            pieces = [library.call_container(m, m.heap[t], thing.path, args, node) for t in owner]
            return NOTHING.union(*pieces)
        bound = Arguments([owner, *args.listed], args.spread, args.named, args.rest)
        return call(m, frozenset({target}), bound, node)
    if thing.kind == "class":
        return instantiate(m, thing, args, node)
    if thing.kind == "instance":
        own = frozenset({thing.id})
        methods = objects.attribute(m, own, "__call__", node)
        return (
            call(m, methods - own, args, node)
            if methods - own
            else library.call_opaque(m, thing, "__call__", args, node)
        )
    if thing.kind == "import":
        return library.call_import(m, thing.path, args, node)
    if thing.kind == "opaque":
        return library.call_opaque(m, thing, "__call__", args, node)
    return PLAIN


def make_function(m: Machine, node: Any) -> Value:
    """Return the function that a `def` or `lambda` makes; defaults are evaluated now."""
    thing = m.new(node, "function", node=node)
    defaults: dict[str, Value] = {}
    listed = [*node.args.posonlyargs, *node.args.args]
    for argument, default in zip(reversed(listed), reversed(node.args.defaults), strict=False):
        defaults[argument.arg] = m.evaluate(m, default)
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None:
            defaults[argument.arg] = m.evaluate(m, default)
    for value in defaults.values():
        m.link(thing.id, "(defaults)", value - {SCALAR})
    frame: Frame | None = m.frame
    outer = frame
    while frame is not None and frame.kind != "module":
        if frame.thing != SCALAR:
            m.link(thing.id, "(closure)", {frame.thing})
        frame = frame.parent
    old = thing.owner
    if old is not None:
        defaults = {n: v | old[1].get(n, NOTHING) for n, v in defaults.items()}
    thing.owner = (outer, defaults, m.frame.thing if m.frame.kind == "class" else None)
    return frozenset({thing.id})


def follow(m: Machine, function: Thing, args: Arguments, node: Any) -> Value:
    """Run the body of a notebook's function on abstract arguments."""
    code = function.node
    if isinstance(code, ast.AsyncFunctionDef) or m.scope(code).yields:
        lazy = "a generator" if m.scope(code).yields else "a coroutine"
        thing = m.new(node, "generator", tag=str(function.id), unfit=lazy)
        old = thing.owner[2].all if thing.owner else NOTHING
        args.spread |= old
        thing.owner = ("call", function, args)
        m.link(thing.id, HELD, args.all | {function.id})
        # Decorators such as `contextmanager` and lists run it at once: so does the analysis.
        inside = m.maybe(lambda: run_body(m, function, args, node))
        m.link(thing.id, ELEMENTS, inside)
        return frozenset({thing.id})
    return run_body(m, function, args, node)


def run_body(m: Machine, function: Thing, args: Arguments, node: Any) -> Value:
    """Run a function's body; recursion widens the running call instead of starting another."""
    _, defaults, _ = function.owner
    code = function.node
    running = [frame for active, frame in m.stack if active == function.id]
    if running:
        frame = running[-1]
        frame.recursed = True
        before = dict(frame.names)
        _bind_parameters(m, frame, code, defaults, args, widen=True)
        frame.again |= any(frame.names[n] != before.get(n) for n in frame.names)
        return frame.returned
    if m.fuel < 0:
        return dynamic.give_up(m, args.all, node)
    if len(m.stack) >= MAX_DEPTH:
        return invoking.call_blindly(m, function, args, node)
    # A call that changed nothing the last time, of which nothing has changed since, is known.
    key = (function.id, args.key(), m.segment)
    known = m.memo.get(key)
    if known is not None and known[0] == (m.heap.version, m.stores):
        return known[1]
    stores = m.stores
    value = _run_frame(m, function, args, node)
    if stores == m.stores:
        m.memo[key] = ((m.heap.version, m.stores), value)
    return value


def _run_frame(m: Machine, function: Thing, args: Arguments, node: Any) -> Value:
    outer, defaults, cls = function.owner
    code = function.node
    frame = Frame("function", m.scope(code), outer.cell, outer, cls=cls)
    parameters = [*code.args.posonlyargs, *code.args.args]
    frame.first = parameters[0].arg if parameters else ""
    caller, context = m.frame, m.context
    m.context = (*context, id(node))
    if frame.scope.nests:
        m.frame = caller
        frame.thing = m.new(code, "frame", tag="frame").id
    m.frame = frame
    m.stack.append((function.id, frame))
    _bind_parameters(m, frame, code, defaults, args, widen=False)
    for _ in range(4):
        frame.again, returned = False, frame.returned
        if isinstance(code, ast.Lambda):
            frame.returned |= m.evaluate(m, code.body)
        else:
            m.execute(m, code.body)
        if not frame.again and (returned == frame.returned or not frame.recursed):
            break
    m.stack.pop()
    m.frame, m.context = caller, context
    return frame.returned or PLAIN


def _bind_parameters(
    m: Machine, frame: Frame, code: Any, defaults: dict[str, Value], args: Arguments, *, widen: bool
) -> None:
    given = dict.fromkeys((a.arg for a in arguments_of(code)), NOTHING)
    places = [a.arg for a in [*code.args.posonlyargs, *code.args.args]]
    extra: Value = NOTHING
    for position, value in enumerate(args.listed):
        if position < len(places):
            given[places[position]] |= value
        else:
            extra |= value
    loose: Value = NOTHING
    for name, value in args.named.items():
        if name in given:
            given[name] |= value
        else:
            loose |= value
    vararg, kwarg = code.args.vararg, code.args.kwarg
    for name in given:
        given[name] |= args.rest
        if name in places[len(args.listed) :] or (vararg and name == vararg.arg):
            given[name] |= args.spread
        if not given[name] or args.spread or args.rest:
            given[name] |= defaults.get(name, NOTHING)
    for argument, kind, inside in (
        (vararg, "tuple", extra | args.spread),
        (kwarg, "dict", loose | args.rest),
    ):
        if argument is not None:
            made = m.new(argument, kind, tag=str(frame.thing))
            m.link(made.id, ELEMENTS, inside)
            given[argument.arg] = frozenset({made.id})
    for name, value in given.items():
        if widen:
            value |= frame.names[name].value if name in frame.names else NOTHING
        frame.names[name] = Binding(value or PLAIN, m.segment)
        if frame.scope.nests:
            m.link(frame.thing, name, value)


def instantiate(m: Machine, cls: Thing, args: Arguments, node: Any) -> Value:
    """Return a new instance of a notebook's class, after its `__init__` has run."""
    own = frozenset({cls.id})
    thing = m.new(node, "instance", tag=str(cls.id))
    m.link(thing.id, "__class__", own)
    value: Value = frozenset({thing.id})
    maker = objects.lookup(m, cls, "__new__")
    if maker:
        passed = Arguments([own, *args.listed], args.spread, args.named, args.rest)
        functions = frozenset(f for f in maker if m.heap[f].kind == "function")
        value = call(m, functions, passed, node) - {SCALAR} or value
    for meta in cls.metas:
        for kind in m.heap.kinds(meta, "class"):
            methods = objects.lookup(m, kind, "__call__")
            value |= call(m, methods, Arguments([own, *args.listed]), node) if methods else NOTHING
    starters = objects.lookup(m, cls, "__init__")
    if starters:
        for t in value:
            if m.heap[t].kind == "instance":
                bound = Arguments(
                    [frozenset({t}), *args.listed], args.spread, args.named, args.rest
                )
                call(m, starters, bound, node)
    elif objects.is_dataclass(m, cls):
        _fill_dataclass(m, cls, thing, args, node)
    elif objects.has_library_base(m, cls):
        m.link(thing.id, HELD, args.all)
        m.link(thing.id, ELEMENTS, iteration.elements(m, args.all, node) | args.all)
        invoking.invoke(m, args.all, args.all, node)
    return frozenset(t for t in value if t != SCALAR)


def _start_as_base(m: Machine, thing: Thing, args: Arguments, node: Any) -> None:
    """Do `super().__init__(...)`: the base may be the notebook's, a dataclass or a library's."""
    cls, owner = thing.owner
    for base in m.heap[cls].owner or ():
        for parent in m.heap.kinds(base, "class"):
            starters = objects.lookup(m, parent, "__init__")
            if starters:
                bound = Arguments([owner, *args.listed], args.spread, args.named, args.rest)
                call(m, starters, bound, node)
                return
            if objects.is_dataclass(m, parent):
                for instance in m.heap.kinds(owner, "instance"):
                    _fill_dataclass(m, parent, instance, args, node)
                return
    if objects.has_library_base(m, m.heap[cls]):
        for t in owner:
            m.link(t, HELD, args.all)
            m.link(t, ELEMENTS, iteration.elements(m, args.all, node) | args.all)


def _fill_dataclass(m: Machine, cls: Thing, thing: Thing, args: Arguments, node: Any) -> None:
    names = objects.dataclass_fields(m, cls)
    for position, name in enumerate(names):
        value = args.spread | args.rest | args.named.get(name, NOTHING)
        if position < len(args.listed):
            value |= args.listed[position]
        if not value:
            value = objects.lookup(m, cls, name)
            for made in m.heap.kinds(value, "opaque"):
                # `field(default_factory=...)`
                value |= invoking.invoke(m, m.heap.field(made.id, HELD), NOTHING, node)
                value |= library.make_defaults(m, made, thing, name, node)
                value -= {made.id}
        m.link(thing.id, name, value)
    objects.call_special(m, {thing.id}, {"__post_init__"}, (), node)


def resume_generator(m: Machine, thing: Thing, node: Any) -> Value:
    """Run the body of a generator or coroutine again, as of now; return what it gives."""
    kind, source, more = thing.owner
    if thing.id in m.resuming:
        return m.heap.field(thing.id, ELEMENTS)
    m.resuming.add(thing.id)
    if kind == "expression":
        value = m.run_comprehension(m, source, more)
    elif kind == "lazy":
        value = invoking.invoke(m, source, more, node)
    else:
        value = m.maybe(lambda: run_body(m, source, more, node))
    m.resuming.discard(thing.id)
    m.link(thing.id, ELEMENTS, value)
    return value | m.heap.field(thing.id, ELEMENTS)
