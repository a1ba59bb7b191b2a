"""What statements do to names and objects."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

from fairlead.pipelines.dataflow import (
    calls,
    control,
    dynamic,
    iteration,
    objects,
    own_modules,
    special,
)
from fairlead.pipelines.dataflow.accounts import Frame
from fairlead.pipelines.dataflow.arguments import Arguments
from fairlead.pipelines.dataflow.heap import (
    ELEMENTS,
    NOTHING,
    PLAIN,
    Value,
    arguments_of,
)
from fairlead.pipelines.dataflow.machine import Machine


def execute(m: Machine, body: list[ast.stmt]) -> bool:
    """Run statements; return whether control cannot leave them at their end."""
    for node in body:
        if m.frame.kind == "module":
            m.line = node.lineno
        if _EXECUTORS[type(node)](m, node):
            return True
    return False


def _expression(m: Machine, node: ast.Expr) -> bool:
    m.evaluate(m, node.value)
    return False


def _assign(m: Machine, node: ast.Assign) -> bool:
    if isinstance(node.value, ast.Tuple | ast.List) and _pairwise(m, node):
        return False
    value = m.evaluate(m, node.value)
    if m.frame is m.module and isinstance(node.value, ast.Attribute):
        _note_import(m, node, value)
    for target in node.targets:
        if _assign_namespace(m, target, value):
            continue
        iteration.bind_target(m, target, value, node.value if len(node.targets) == 1 else None)
        _note_plain(m, target)
    return False


def _note_import(m: Machine, node: ast.Assign, value: Value) -> None:
    """Take `name = module.part` for an import: it may be executed again."""
    target = node.targets[0]
    if len(node.targets) == 1 and isinstance(target, ast.Name) and len(value) == 1:
        thing = m.heap[next(iter(value))]
        if thing.kind == "import" and ast.unparse(node.value).count("(") == 0:
            place = (m.segment, m.frame.cell, node)
            m.imports.setdefault((target.id, thing.path), []).append(place)


def _pairwise(m: Machine, node: ast.Assign) -> bool:
    """Do `a, b = x, y` element by element; return False where it is another form."""
    target, source = node.targets[0], node.value
    if len(node.targets) != 1 or not isinstance(target, ast.Tuple | ast.List):
        return False
    parts = getattr(source, "elts", [])
    if len(parts) != len(target.elts):
        return False
    if any(isinstance(part, ast.Starred) for part in [*parts, *target.elts]):
        return False
    values = [m.evaluate(m, part) for part in parts]
    for inner, value in zip(target.elts, values, strict=True):
        if _assign_namespace(m, inner, value):
            continue
        iteration.bind_target(m, inner, value)
        _note_plain(m, inner)
    return True


def _assign_namespace(m: Machine, target: ast.expr, value: Value) -> bool:
    """Do `globals()["name"] = value` as an assignment of that name, if it is one."""
    if not (isinstance(target, ast.Subscript) and dynamic.namespace_call(m, target.value)):
        return False
    key = dynamic.constant_key(target.slice)
    if key:
        m.store(key, value, frame=m.module)
    return bool(key)


def _note_plain(m: Machine, target: ast.expr) -> None:
    if m.frame.kind == "module":
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                m.account.plain_writes[part.id] = (m.frame.cell, part.lineno)


def _annotated(m: Machine, node: ast.AnnAssign) -> bool:
    if m.frame.kind != "function":
        _annotation(m, node.annotation)
    if node.value is not None:
        iteration.bind_target(m, node.target, m.evaluate(m, node.value))
        _note_plain(m, node.target)
    return False


def _annotation(m: Machine, node: ast.expr | None) -> None:
    if node is not None and not m.future_annotations:
        m.evaluate(m, node)


def _augmented(m: Machine, node: ast.AugAssign) -> bool:
    target = node.target
    if isinstance(target, ast.Name):
        current = m.load(target.id)
    else:
        load = ast.Attribute if isinstance(target, ast.Attribute) else ast.Subscript
        current = m.evaluate(m, _as_load(m, target, load))
    right = m.evaluate(m, node.value)
    names = special.special_names(node.op)
    made = objects.call_special(m, current | right, names, (current | right,), node)
    in_place = frozenset(t for t in current if m.heap[t].kind not in ("scalar", "tuple", "import"))
    m.mutate(in_place)
    for t in in_place:
        m.heap[t].items = None
        if m.heap[t].kind in objects.CONTAINERS:
            m.link(t, ELEMENTS, iteration.iterate(m, right, node))
    if current <= PLAIN and right <= PLAIN:
        value: Value = PLAIN
    else:
        fresh = NOTHING
        if current - in_place or not in_place:
            kinds = {m.heap[t].kind for t in current | right}
            thing = m.new(node, "tuple" if kinds == {"tuple"} else "opaque")
            m.link(thing.id, ELEMENTS, iteration.elements(m, (current | right) - in_place, node))
            fresh = frozenset({thing.id})
        value = in_place | fresh | made
    iteration.bind_target(m, target, value)
    _note_plain(m, target)
    return False


def _as_load(m: Machine, target: Any, kind: Any) -> ast.expr:
    """Return the target of an augmented assignment as an expression; the same one each time."""
    if id(target) not in m.loads:
        last = target.attr if kind is ast.Attribute else target.slice
        m.loads[id(target)] = ast.copy_location(kind(target.value, last, ast.Load()), target)
    return m.loads[id(target)]


def _function(m: Machine, node: Any) -> bool:
    decorators = [m.evaluate(m, part) for part in node.decorator_list]
    for argument in arguments_of(node):
        _annotation(m, argument.annotation)
    _annotation(m, node.returns)
    value = calls.make_function(m, node)
    m.store(node.name, _decorate(m, node, decorators, value))
    return False


def _decorate(m: Machine, node: Any, decorators: list[Value], value: Value) -> Value:
    for part, decorator in zip(reversed(node.decorator_list), reversed(decorators), strict=True):
        value = m.call(m, decorator, Arguments([value]), part)
    return value


def _class(m: Machine, node: ast.ClassDef) -> bool:
    decorators = [m.evaluate(m, part) for part in node.decorator_list]
    bases = [m.evaluate(m, part) for part in node.bases]
    metas = [m.evaluate(m, keyword.value) for keyword in node.keywords]
    thing = m.new(node, "class", node=node)
    if not metas:
        parents = [p for base in bases for p in m.heap.kinds(base, "class")]
        metas = [meta for parent in parents for meta in parent.metas]
    thing.owner, thing.metas = bases, tuple(metas)
    for base in bases:
        m.link(thing.id, "(bases)", base)
    if any(m.heap[t].path.endswith("dataclass") for d in decorators for t in d):
        thing.path = "dataclass"
    outer = m.frame
    m.frame = Frame("class", m.scope(node), outer.cell, outer, thing=thing.id)
    m.execute(m, node.body)
    made, m.frame = m.frame, outer
    own = frozenset({thing.id})
    for name, binding in made.names.items():
        m.link(thing.id, name, binding.value)
        # `super()` and `__class__` in a method refer to the class.
        for function in m.heap.kinds(binding.value, "function"):
            m.link(function.id, "(closure)", own)
    for base in bases:
        for parent in m.heap.kinds(base, "class"):
            hook = objects.lookup(m, parent, "__init_subclass__")
            if hook:
                m.call(m, hook, Arguments([own]), node)
    for meta in metas:
        for parent in m.heap.kinds(meta, "class"):
            for name in ("__new__", "__init__"):
                hook = objects.lookup(m, parent, name)
                if hook:
                    m.call(m, hook, Arguments([frozenset({parent.id}) | own]), node)
    for attribute, binding in made.names.items():
        for t in m.heap.kinds(binding.value, "instance"):
            objects.call_special(m, {t.id}, {"__set_name__"}, (own, PLAIN), node)
            del attribute
            break
    value: Value = own
    for part, decorator in zip(reversed(node.decorator_list), reversed(decorators), strict=True):
        if any(m.heap[t].kind == "import" for t in decorator) or thing.path == "dataclass":
            continue  # such as `dataclass` and `total_ordering`: the class itself comes back
        value = m.call(m, decorator, Arguments([value]), part)
    m.store(node.name, value)
    return False


def _import(m: Machine, node: ast.Import) -> bool:
    for alias in node.names:
        path = alias.name if alias.asname else alias.name.split(".")[0]
        own_modules.import_module(m, alias.name)
        _store_import(m, alias.asname or path, path, node)
    return False


def _import_from(m: Machine, node: ast.ImportFrom) -> bool:
    if node.module == "__future__":
        m.future_annotations |= any(alias.name == "annotations" for alias in node.names)
        return False
    own_modules.import_module(m, node.module or "")
    for alias in node.names:
        if alias.name == "*":
            m.stars.append((m.segment, m.frame.cell, node))
            _hide_by_star(m, f"{'.' * node.level}{node.module or ''}")
            continue
        path = f"{'.' * node.level}{node.module or ''}.{alias.name}"
        _store_import(m, alias.asname or alias.name, path, node)
    return False


def _hide_by_star(m: Machine, path: str) -> None:
    """Let `from module import *` bind any name that is there, as it may."""
    thing = m.imported(f"{path}.*").id
    for name, binding in list(m.module.names.items()):
        solid = [t for t in binding.value if m.heap[t].kind not in ("import", "function", "class")]
        if solid and not name.startswith(("_", "(")):
            m.maybe(partial(_store_maybe, m, name, thing))


def _store_maybe(m: Machine, name: str, thing: int) -> Value:
    m.store(name, frozenset({thing}))
    return PLAIN


def _store_import(m: Machine, name: str, path: str, node: ast.stmt) -> None:
    if m.frame is m.module:
        m.imports.setdefault((name, path), []).append((m.segment, m.frame.cell, node))
    m.store(name, frozenset({m.imported(path).id}))


def _delete(m: Machine, node: ast.Delete) -> bool:
    for target in node.targets:
        for part in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
            if isinstance(part, ast.Name):
                m.delete(part.id)
            elif isinstance(part, ast.Attribute | ast.Subscript):
                key = dynamic.constant_key(getattr(part, "slice", None))
                if key and dynamic.namespace_call(m, part.value):
                    m.delete(key)
                    continue
                owner = m.evaluate(m, part.value)
                objects.call_special(m, owner, {"__delitem__", "__delattr__"}, (PLAIN,), node)
                if isinstance(part, ast.Subscript):
                    m.evaluate(m, part.slice)
                for t in owner:
                    m.heap[t].items = None
                    if m.heap[t].kind == "import":
                        m.touch_session(m.heap[t].path)
                m.mutate(owner)
    return False


def _return(m: Machine, node: ast.Return) -> bool:
    m.frame.returned |= m.evaluate(m, node.value)
    return True


def _leave(m: Machine, node: ast.stmt) -> bool:
    return True


def _raise(m: Machine, node: ast.Raise) -> bool:
    for part in (node.exc, node.cause):
        if part is not None:
            m.raised |= {t for t in m.evaluate(m, part) if m.heap[t].kind == "opaque"}
    return True


def _pass(m: Machine, node: ast.stmt) -> bool:
    return False


def _assert(m: Machine, node: ast.Assert) -> bool:
    m.evaluate(m, node.test)
    if node.msg is not None:
        m.evaluate(m, node.msg)
    return False


_EXECUTORS: dict[type, Callable[[Machine, Any], bool]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Delete: _delete,
    ast.Return: _return,
    ast.Break: _leave,
    ast.Continue: _leave,
    ast.Raise: _raise,
    ast.Pass: _pass,
    ast.Global: _pass,
    ast.Nonlocal: _pass,
    ast.Assert: _assert,
    ast.If: control.run_if,
    ast.For: control.run_for,
    ast.AsyncFor: control.run_for,
    ast.While: control.run_while,
    ast.Try: control.run_try,
    ast.With: control.run_with,
    ast.AsyncWith: control.run_with,
    ast.Match: control.run_match,
}
for _new, _run in (("TryStar", control.run_try), ("TypeAlias", _pass)):
    if hasattr(ast, _new):  # Python 3.11 and 3.12
        _EXECUTORS[getattr(ast, _new)] = _run
