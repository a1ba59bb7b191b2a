"""What calls of libraries and of Python's own types do, as far as it is known."""

from __future__ import annotations

import ast
from typing import Any

from fairlead.pipelines.dataflow import (
    drawing,
    dynamic,
    iteration,
    nans,
    objects,
    own_modules,
    randomness,
    special,
    tables,
)
from fairlead.pipelines.dataflow.arguments import Arguments
from fairlead.pipelines.dataflow.builtin_calls import SPECIAL
from fairlead.pipelines.dataflow.heap import (
    ELEMENTS,
    GIVEN,
    HELD,
    NOTHING,
    PLAIN,
    SCALAR,
    Thing,
    Value,
)
from fairlead.pipelines.dataflow.invoking import invoke
from fairlead.pipelines.dataflow.machine import UNSEEN, Machine

_NAMESPACES = frozenset(f"builtins.{name}" for name in ("globals", "locals", "vars", "dir"))
_LOOKING = frozenset("get index count remove discard pop setdefault __contains__".split())
_TAKES = frozenset({"append", "insert", "add", "appendleft", "setdefault", "push"})
_GIVES = frozenset({"pop", "popitem", "popleft", "setdefault", "get", "index"})


def call_import(m: Machine, path: str, args: Arguments, node: Any) -> Value:
    """Call something of a library, by its dotted name."""
    name = path.rsplit(".", 1)[-1]
    if path in ("builtins.eval", "builtins.exec"):
        return dynamic.run_text(m, path, args, node)
    if path == "builtins.compile":
        return dynamic.compile_text(m, args, node)
    if path in _NAMESPACES and not args.listed:
        inside = path != "builtins.globals" and m.frame.kind != "module"
        return PLAIN if inside else dynamic.namespace(m, name, node)
    if path in ("pandas.eval", "pandas.core.computation.eval.eval"):
        dynamic.read_query(m, args, node, plain=True)
    if path == "builtins.vars":
        spaces = [objects.attributes_dict(m, m.heap[t], node) for t in args.all if t != SCALAR]
        return NOTHING.union(*spaces)
    owner, _, method = path.rpartition(".")
    if owner in tables.LIST_KINDS and args.listed:  # such as `list.append(a, v)`
        rest = Arguments(args.listed[1:], args.spread, args.named, args.rest)
        parts = [call_container(m, t, method, rest, node) for t in _containers(m, args.listed[0])]
        return NOTHING.union(*parts) or PLAIN
    if path == "builtins.float" and [t.strip("+- ").lower() for t in args.texts] == ["nan"]:
        return frozenset({m.new(node, "opaque", path="float.nan").id})
    known = SPECIAL.get(path)
    if known is not None:
        return known(m, args, node)
    first = args.listed[0] if args.listed else NOTHING
    own_modules.use_module(m, path, called=True)
    if path.split(".", 1)[0] in m.local_modules or path.startswith("."):
        m.mutate(m.heap.reach(args.all))  # code of the user's own, which may do so
    if path in tables.CHANGES_FIRST or (name == "at" and path.startswith("numpy.")):
        m.mutate(first)
        for t in first:
            m.link(t, ELEMENTS, NOTHING.union(*args.listed[1:]))
    for flag in {"out", "ax", "inplace"} & args.flags:
        m.mutate(args.named[flag] if flag != "inplace" else first)
    randomness.draw_from(m, args)
    drawing.draw(m, path, args)
    if _is_session(path):
        m.touch_session(path)
    randomness.use_random(m, path, name, args)
    quiet = special.called_by(path[9:]) if path.startswith("builtins.") else None
    called = invoke(m, args.all, args.all, node, quiet=quiet)
    return _result(m, path, name, args, node, called)


def _result(m: Machine, path: str, name: str, args: Arguments, node: Any, called: Value) -> Value:
    unfit = tables.UNFIT.get(path) or (
        "a hash that is being computed" if path.startswith("hashlib.") else ""
    )
    if unfit:
        return frozenset({m.new(node, "opaque", path=path, unfit=unfit).id})
    if path in tables.LIST_KINDS:
        made = m.new(node, tables.LIST_KINDS[path], path=path)
        if path == "collections.defaultdict" and args.listed:
            m.link(made.id, ELEMENTS, _defaults(m, args.listed[0], node))
            args.listed = args.listed[1:]
        inside = iteration.iterate(m, args.all, node)
        if made.kind == "dict":  # of pairs
            inside |= iteration.elements(m, inside, node)
        m.link(made.id, ELEMENTS, inside)
        return frozenset({made.id})
    if path in tables.LAZY:
        functions = frozenset(t for t in args.all if m.heap[t].kind in ("function", "method"))
        inside = iteration.iterate(m, args.all - functions, node)
        if name in ("zip", "enumerate") and not args.spread:
            inside = _pairs(m, name, args, node)
        made = m.new(node, "generator", path=path)
        made.owner = ("lazy", functions, inside)
        m.link(made.id, HELD, args.all - functions)  # what comes in there later is given, too
        m.link(made.id, ELEMENTS, called if functions else inside)
        return frozenset({made.id})
    if name in tables.PLAIN_RESULTS:
        return PLAIN
    if name in tables.ELEMENTS_OF:
        inside = iteration.iterate(m, args.all, node) | called
        made = m.new(node, "opaque", path=path)
        m.link(made.id, ELEMENTS, inside)
        return inside | {made.id}
    made = m.new(node, "opaque", path=path)
    made.seeded = bool(args.flags & tables.SEEDS) or name in tables.DETERMINISTIC
    top = path.split(".", 1)[0]
    m.link(made.id, ELEMENTS, _inner(m, path, args, node))
    if top == "weakref":  # it is about which object it is
        m.observe_identity(args.all)
    if name.startswith("make_") or (name[:1].isupper() and top in tables.KEEPING_LIBRARIES):
        m.link(made.id, HELD, args.all)
    if name in tables.FRESH or (top in tables.FRESH_LIBRARIES and name not in tables.SHARING):
        return frozenset({made.id}) | (called - {SCALAR})
    m.link(made.id, HELD, args.all)
    if name[:1].isupper() or name in tables.WRAPPING or path == "builtins.property":
        return frozenset({made.id})
    alias = frozenset(t for t in args.all if t != SCALAR and not m.heap[t].unfit)
    return frozenset({made.id}) | alias | called


def _containers(m: Machine, value: Value) -> list[Thing]:
    return list(m.heap.kinds(value, *objects.CONTAINERS))


def _inner(m: Machine, path: str, args: Arguments, node: Any) -> Value:
    """Return the containers that an array or a table of objects keeps as its elements."""
    inside = iteration.elements(m, args.all, node)
    if path.startswith("numpy."):
        kinds = [k.value for k in getattr(node, "keywords", []) if k.arg == "dtype"]
        if not any(ast.unparse(kind) in ("object", "'O'", "'object'") for kind in kinds):
            arrays = m.heap.kinds(args.all, "opaque")
            return _solid(m, NOTHING.union(*[m.heap.field(t.id, ELEMENTS) for t in arrays]))
    elif path == "pandas.DataFrame":
        inside = iteration.elements(m, inside, node)
    elif path != "pandas.Series":
        return NOTHING
    return _solid(m, inside)


def _solid(m: Machine, value: Value) -> Value:
    """Return the containers of a value, which stay themselves where they are copied into."""
    return frozenset(t.id for t in m.heap.kinds(value, "list", "dict", "set"))


def _pairs(m: Machine, name: str, args: Arguments, node: Any) -> Value:
    """Return the tuples that `zip` and `enumerate` give."""
    sources = args.listed if name == "zip" else args.listed[:1]
    items = [iteration.iterate(m, source, node) for source in sources]
    pair = m.new(node, "tuple", tag="pair")
    pair.items = [PLAIN, *items] if name == "enumerate" else items
    m.link(pair.id, ELEMENTS, NOTHING.union(*pair.items))
    return frozenset({pair.id})


def _is_session(path: str) -> bool:
    name = path.rsplit(".", 1)[-1]
    if name in tables.SESSION_CALLS or path in tables.SESSION_FUNCTIONS:
        return True
    if path.startswith("builtins."):
        return False
    if name in tables.CHANGING and path.count(".") > 1:
        return True  # such as `module.registry.append(...)`
    return path.startswith(tables.SESSION_PARTS) and name not in tables.SESSION_READS


def call_opaque(m: Machine, thing: Thing, name: str, args: Arguments, node: Any) -> Value:
    """Call a method of an object that a library made."""
    heap, own = m.heap, frozenset({thing.id})
    if thing.path in objects.PROPERTIES:  # `@name.setter`
        made = m.new(node, "opaque", path=thing.path)
        m.link(made.id, HELD, args.all | heap.field(thing.id, HELD))
        return frozenset({made.id})
    held = heap.field(thing.id, HELD)
    if name == "__call__" and thing.path == "functools.wraps" and thing.whole == SCALAR:
        for wrapper in args.all:  # it comes back itself
            m.link(wrapper, "__wrapped__", held)
        return args.all
    if thing.path == UNSEEN:
        dynamic.take_everything(m)  # a function that was made there reads names of the notebook
    if thing.kind == "generator":
        passed = iteration.iterate(m, own, node) | args.all
        invoke(m, args.all, passed, node)
        return passed | PLAIN
    own_modules.use_module(m, thing.path, called=True)
    called = invoke(m, own | args.all, args.all | own | held, node)
    if thing.path in tables.SESSION_OBJECTS and name.startswith(tables.SETTING_METHODS):
        m.touch_session(f"{thing.path}.{name}")
    drawing = name in tables.DRAWING_METHODS and not (thing.seeded or args.flags & tables.SEEDS)
    if drawing or ("torch" in m.seeded and thing.path.startswith("torch")):
        randomness.draw(m)
    if name in ("query", "eval"):
        dynamic.read_query(m, args, node)
    for flag in {"out", "ax"} & args.flags:
        m.mutate(args.named[flag])
    randomness.draw_from(m, args)
    if name == "shuffle" and args.listed:  # of a generator of random numbers
        m.mutate(args.listed[0])
    made = m.new(node, "opaque", tag=name)
    if name == "open" and thing.path.startswith("pathlib"):
        made.unfit = "an open file"
    if thing.unfit == "a database connection" and name in tables.CURSORS:
        made.unfit = "a database cursor"
    given = any(m.heap[t].kind in ("function", "method", "instance") for t in args.all)
    if name in tables.READING and not given:
        called = NOTHING  # what its own parts compute stays inside
    result = frozenset({made.id}) | (called - {SCALAR})
    wrapping = thing.path.rsplit(".", 1)[-1] in tables.WRAPPING and thing.whole == SCALAR
    if name == "__call__" and thing.path.rsplit(".", 1)[-1].startswith("register_"):
        m.touch_session(thing.path)
    if name == "__call__" and thing.path in _CACHES:
        return _call_cached(m, thing, args, node)
    if name == "__call__" and wrapping:
        return result | args.all | _call_partial(m, thing, args, node)
    if name in tables.FITTING:
        _deep_change(m, thing)
        m.link(thing.id, GIVEN, args.all)
        return own if name in ("fit", "partial_fit") else result
    drawn = thing.path.startswith("matplotlib") and not name.startswith("get")
    if name in tables.READING and "inplace" not in args.flags and not drawn:
        if name in tables.VIEWING:
            m.link(made.id, HELD, own | held)
            return result | own | heap.field(thing.id, ELEMENTS)
        # A copy of an array of objects holds the same objects.
        m.link(made.id, ELEMENTS, _solid(m, heap.field(thing.id, ELEMENTS)))
        return result
    if name in tables.CHANGING:
        m.mutate(own)
        m.link(thing.id, ELEMENTS, args.all | iteration.elements(m, args.all, node))
        return result | own | held | heap.field(thing.id, ELEMENTS) if name in _GIVES else PLAIN
    _deep_change(m, thing)
    m.link(thing.id, GIVEN, args.all)
    m.link(made.id, HELD, own)
    m.link(made.id, GIVEN, args.all)
    return result | (NOTHING if thing.unfit else own)


_CACHES = frozenset({"functools.lru_cache", "functools.cache"})


def _call_partial(m: Machine, thing: Thing, args: Arguments, node: Any) -> Value:
    """Call a function of a library that was given arguments beforehand."""
    held = m.heap.field(thing.id, HELD)
    found, callees = NOTHING, list(m.heap.kinds(held, "import"))
    for callee in callees if thing.path == "functools.partial" else []:
        given = [held - {callee.id}, *args.listed]
        found |= call_import(
            m, callee.path, Arguments(given, args.spread, args.named, args.rest), node
        )
    return found


def _call_cached(m: Machine, thing: Thing, args: Arguments, node: Any) -> Value:
    """Call a function with a cache, which keeps what it gives; or make one by `lru_cache(...)`."""
    held = m.heap.field(thing.id, HELD)
    functions = [t for t in m.heap.kinds(held, "function", "method", "opaque")]
    if not functions:
        made = m.new(node, "opaque", tag="cached", path=thing.path)
        m.link(made.id, HELD, args.all)
        return frozenset({made.id})
    value = m.call(m, frozenset(t.id for t in functions), args, node)
    m.link(thing.id, ELEMENTS, value)
    if not all(t.kind == "function" and is_timeless(m, t) for t in functions):
        m.mutate({thing.id})
    return value | m.heap.field(thing.id, ELEMENTS)


def is_timeless(m: Machine, function: Thing) -> bool:
    """Tell whether a function always gives the same, so that nobody can see if it is cached."""
    own = m.scope(function.node).own
    for part in ast.walk(function.node):
        if isinstance(part, ast.Global | ast.Nonlocal | ast.Yield | ast.Await):
            return False
        if isinstance(part, ast.Name) and part.id not in own:
            value = m.module.names[part.id].value if part.id in m.module.names else NOTHING
            if value and all(
                m.heap[t].kind == "import" and not m.heap[t].path.startswith(("random", "time"))
                for t in value
            ):
                continue
            itself = part.id == getattr(function.node, "name", "")
            if not (itself or (not value and part.id in tables.TIMELESS)):
                return False
    return not m.asks_caches


def _deep_change(m: Machine, thing: Thing) -> None:
    """Change an object and what it was made with: a pipeline fits the models inside it."""
    waiting, seen = [thing.id], {SCALAR}
    while waiting:
        t = waiting.pop()
        if t not in seen:
            seen.add(t)
            waiting.extend(m.heap.field(t, HELD))
            if m.heap[t].kind in objects.CONTAINERS:
                waiting.extend(m.heap.field(t, ELEMENTS))
            if not (m.heap[t].kind in objects.CONTAINERS and t != thing.id):
                m.mutate({t})


def call_container(m: Machine, thing: Thing, name: str, args: Arguments, node: Any) -> Value:
    """Call a method of a list, dict, set or tuple."""
    heap, own = m.heap, frozenset({thing.id})
    inside = heap.field(thing.id, ELEMENTS)
    found = invoke(m, args.all, args.all | inside, node, quiet=special.SPECIAL)
    objects.observe_bare(m, args.all)
    if name in _LOOKING:
        nans.look_up(m, own, args.listed[0] if args.listed else NOTHING)
    if name in ("sort", "index", "count", "remove", "__contains__"):
        objects.call_special(m, inside, special.OPERATORS, (inside,), node)
    if name in tables.CHANGING:
        m.mutate(own)
        thing.items = None
        taken = args.all if name in _TAKES else NOTHING
        if name not in _TAKES and name not in _GIVES:
            taken = iteration.iterate(m, args.all, node) | NOTHING.union(*args.named.values())
        m.link(thing.id, ELEMENTS, taken)
        if name in _GIVES:
            return (inside | args.all | found) or PLAIN
        return PLAIN
    if name in ("get", "__getitem__", "setdefault"):
        return inside | NOTHING.union(*args.listed[1:]) | PLAIN
    if name in ("keys", "values", "items"):
        view = m.new(node, "list", tag=str(thing.id), path="view")
        pair = m.new(node, "tuple", tag=f"{thing.id}()")
        pair.items = [inside, inside]
        m.link(pair.id, ELEMENTS, inside)
        m.link(view.id, ELEMENTS, {pair.id} if name == "items" else inside)
        m.link(view.id, HELD, own)
        return frozenset({view.id})
    if name in ("index", "count", "isdisjoint", "issubset", "issuperset"):
        return PLAIN
    path = thing.path if name == "copy" else ""  # a `defaultdict` stays one
    made = m.new(node, thing.kind, tag=str(thing.id), path=path)
    m.link(made.id, ELEMENTS, inside | iteration.elements(m, args.all, node))
    return frozenset({made.id})


def _defaults(m: Machine, factory: Value, node: Any) -> Value:
    """Return what a `defaultdict` puts in for a missing key."""
    found = invoke(m, factory, NOTHING, node)
    for maker in m.heap.kinds(factory, "import", "class"):
        kind = tables.LIST_KINDS.get(maker.path, "opaque")
        found |= {m.new(node, kind, tag=f"default {maker.id}").id}
    return found


def make_defaults(m: Machine, made: Thing, owner: Thing, name: str, node: Any) -> Value:
    """Return what `field(default_factory=list)` gives to one instance."""
    found = NOTHING
    for factory in m.heap.kinds(m.heap.field(made.id, HELD), "import"):
        kind = tables.LIST_KINDS.get(factory.path, "opaque")
        found |= {m.new(node, kind, tag=f"{owner.id}.{name}").id}
    return found
