"""Attributes, elements and special methods of abstract objects."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from typing import Any

from fairlead.pipelines.dataflow import own_modules
from fairlead.pipelines.dataflow.heap import (
    ELEMENTS,
    HELD,
    NOTHING,
    PLAIN,
    SCALAR,
    Thing,
    Value,
)
from fairlead.pipelines.dataflow.machine import THROUGH, Machine
from fairlead.pipelines.dataflow.tables import SESSION_OBJECTS

CONTAINERS = ("list", "dict", "set", "tuple")
_SIMPLE = frozenset(
    "shape ndim size dtype nbytes itemsize name names empty columns index dtypes __name__"
    " __qualname__ __doc__ __module__ device suffix stem parent hour minute year month day".split()
)


def lookup(m: Machine, thing: Thing, name: str) -> Value:
    """Return a class attribute: of the class itself, or of the first base that has it."""
    if name in thing.fields:
        return m.heap.field(thing.id, name)
    for base in thing.owner or ():
        for parent in m.heap.kinds(base, "class"):
            found = lookup(m, parent, name)
            if found:
                return found
    return NOTHING


def has_library_base(m: Machine, thing: Thing) -> bool:
    """Tell whether a class inherits from something that the notebook does not define."""
    for base in thing.owner or ():
        parents = list(m.heap.kinds(base, "class"))
        if any(has_library_base(m, parent) for parent in parents):
            return True
        if any(m.heap[t].kind != "class" and m.heap[t].path != "builtins.object" for t in base):
            return True
    return False


def is_dataclass(m: Machine, cls: Thing) -> bool:
    """Tell whether a class, or a base of it, is a dataclass."""
    parents = [p for base in cls.owner or () for p in m.heap.kinds(base, "class")]
    return cls.path == "dataclass" or any(is_dataclass(m, parent) for parent in parents)


def dataclass_fields(m: Machine, cls: Thing) -> list[str]:
    """Return the names of a dataclass's fields, those of its bases first."""
    names: list[str] = []
    for base in cls.owner or ():
        for parent in m.heap.kinds(base, "class"):
            names.extend(dataclass_fields(m, parent))
    own = [
        part.target.id
        for part in cls.node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    ]
    return names + [name for name in own if name not in names]


def class_of(m: Machine, thing: Thing) -> list[Thing]:
    """Return the classes that an instance may have."""
    return [m.heap[t] for t in m.heap.field(thing.id, "__class__")]


def methods(m: Machine, thing: Thing) -> set[str]:
    """Return the names of an instance's methods that a library may call."""
    names: set[str] = set()
    waiting = class_of(m, thing)
    while waiting:
        cls = waiting.pop()
        names.update(n for n in cls.fields if n not in ("__init__", "__new__", "__init_subclass__"))
        waiting.extend(p for base in cls.owner or () for p in m.heap.kinds(base, "class"))
    return names


def attribute(m: Machine, value: Value, name: str, node: Any) -> Value:
    """Return what `value.name` may give."""
    found = NOTHING
    for t in value:
        thing = m.heap[t]
        found |= _attribute_of(m, thing, name, node)
    return found


def _attribute_of(m: Machine, thing: Thing, name: str, node: Any) -> Value:
    heap = m.heap
    if thing.kind == "scalar":
        return PLAIN
    if thing.kind == "import":
        if thing.path == "__main__" and name in m.module.names:
            return m.load_global(name, soft=True)
        own_modules.use_module(m, thing.path, called=False)
        return frozenset({m.imported(f"{thing.path}.{name}").id})
    if name == "__subclasses__" and thing.kind == "class":
        return _subclasses(m, thing, node)
    if thing.kind == "instance":
        return _instance_attribute(m, thing, name, node)
    if thing.kind == "class":
        found = bind(m, lookup(m, thing, name), frozenset({thing.id}), node, from_class=True)
        return found or (frozenset({thing.id}) if has_library_base(m, thing) else NOTHING)
    if thing.kind == "super":
        return _super_attribute(m, thing, name, node)
    if thing.kind in (*CONTAINERS, "generator"):
        made = m.new(node, "method", tag=f"{thing.id}.{name}", path=name)
        made.owner = (frozenset({thing.id}), None)
        m.link(made.id, HELD, {thing.id})
        return frozenset({made.id})
    if thing.kind == "opaque":
        if thing.path in PROPERTIES:
            return frozenset({thing.id})
        if name in _SIMPLE:
            return frozenset({SCALAR, m.new(node, "opaque", tag=name).id})
        part = m.part(thing, node, name)
        return frozenset({part.id}) | heap.field(thing.id, HELD) | heap.field(thing.id, name)
    return heap.field(thing.id, name) or PLAIN


def _subclasses(m: Machine, thing: Thing, node: Any) -> Value:
    """Read every name of a subclass: `__subclasses__` lists those that this process has made."""
    for name, binding in list(m.module.names.items()):
        for cls in m.heap.kinds(binding.value, "class"):
            if thing.id in m.heap.reach(NOTHING.union(*(cls.owner or ()))):
                m.load_global(name, soft=True)
    return frozenset({m.new(node, "opaque", tag="subclasses").id})


def _instance_attribute(m: Machine, thing: Thing, name: str, node: Any) -> Value:
    found = m.heap.field(thing.id, name)
    self_value = frozenset({thing.id})
    for cls in class_of(m, thing):
        if name == "__class__":
            return frozenset({cls.id})
        own = lookup(m, cls, name)
        found |= bind(m, own, self_value, node)
        if any(m.heap[t].path == "functools.cached_property" for t in own):
            m.link(thing.id, name, found)  # the first reader keeps the value in the object
            m.mutate(self_value)
        for hook in ("__getattr__", "__getattribute__"):
            if not found or hook == "__getattribute__":
                found |= call_special(m, self_value, {hook}, (PLAIN,), node)
        if not found and has_library_base(m, cls):
            found = self_value | m.heap.field(thing.id, HELD)
        elif not found:  # of `setattr` with a computed name
            found = m.heap.field(thing.id, ELEMENTS)
    for space in m.heap.field(thing.id, "(dict)"):
        found |= m.heap.field(space, ELEMENTS)
    return found | attributes_dict(m, thing, node) if name == "__dict__" else found


def attributes_dict(m: Machine, thing: Thing, node: Any) -> Value:
    """Return the dict of an object's attributes, by which they change too."""
    made = m.new(node, "dict", tag=f"vars {thing.id}")
    made.whole = thing.id
    m.link(made.id, HELD, {thing.id})
    m.link(made.id, ELEMENTS, m.heap.parts(thing.id))
    m.link(thing.id, "(dict)", {made.id})
    return frozenset({made.id})


def bind(m: Machine, value: Value, owner: Value, node: Any, *, from_class: bool = False) -> Value:
    """Return class attributes as an instance sees them: methods bound, properties run."""
    found: set[int] = set()
    for t in value:
        thing = m.heap[t]
        if thing.kind == "function" and not from_class:
            found.add(_method(m, t, owner, node))
        elif thing.kind == "opaque" and thing.path == "builtins.classmethod":
            first = (
                owner
                if from_class
                else NOTHING.union(*[m.heap.field(o, "__class__") for o in owner])
            )
            found.update(_method(m, f, first, node) for f in m.heap.field(t, HELD))
        elif thing.kind == "opaque" and thing.path == "builtins.staticmethod":
            found.update(m.heap.field(t, HELD))
        elif thing.kind == "opaque" and thing.path in PROPERTIES and not from_class:
            for function in m.heap.kinds(m.heap.field(t, HELD), "function"):
                found |= m.call(m, frozenset({function.id}), (owner,), node)
        elif thing.kind == "instance" and not from_class:
            shown = call_special(m, frozenset({t}), {"__get__"}, (owner, PLAIN), node)
            found |= shown or {t}
        elif thing.kind == "opaque" and not from_class:
            # A decorated method: calling it passes the instance on.
            found.add(_method(m, t, owner, node))
        else:
            found.add(t)
    return frozenset(found)


PROPERTIES = frozenset({"builtins.property", "functools.cached_property"})


def _method(m: Machine, function: int, owner: Value, node: Any) -> int:
    made = m.new(node, "method", tag=f"{function}:{sorted(owner)}")
    made.owner = (owner, function)
    m.link(made.id, HELD, owner | {function})
    return made.id


def _super_attribute(m: Machine, thing: Thing, name: str, node: Any) -> Value:
    cls, owner = thing.owner
    for base in m.heap[cls].owner or ():
        for parent in m.heap.kinds(base, "class"):
            found = lookup(m, parent, name)
            if found:
                return bind(m, found, owner, node)
    return frozenset({m.imported(f"builtins.object.{name}").id})


def assign_attribute(m: Machine, value: Value, name: str, new: Value, node: Any) -> None:
    """Do `value.name = new`."""
    for t in value:
        thing = m.heap[t]
        if thing.kind == "import" and thing.path == "__main__":
            m.store(name, new, frame=m.module)
            continue
        if thing.kind == "import":
            m.touch_session(f"{thing.path}.{name}")
            m.built.update([name] if thing.path == "builtins" else [])
            continue
        if thing.path in SESSION_OBJECTS:
            m.touch_session(f"{thing.path}.{name}")
        if thing.kind == "instance":
            owner = frozenset({t})
            call_special(m, owner, {"__setattr__"}, (PLAIN, new), node)
            for cls in class_of(m, thing):
                for own in m.heap.kinds(lookup(m, cls, name), "opaque", "instance"):
                    if own.kind == "instance":
                        call_special(m, frozenset({own.id}), {"__set__"}, (owner, new), node)
                    for function in m.heap.kinds(m.heap.field(own.id, HELD), "function"):
                        m.call(m, frozenset({function.id}), (owner, new), node)
        m.link(t, name, new)
        m.mutate({t})


def assign_element(m: Machine, value: Value, index: Value, new: Value, node: Any) -> None:
    """Do `value[index] = new`."""
    call_special(m, value, {"__setitem__"}, (index, new), node)
    observe_bare(m, m.heap.reach(index))
    for t in value:
        if m.heap[t].kind == "import":
            name = _key(getattr(node, "slice", None))
            if m.heap[t].path == "sys.modules" and isinstance(name, str):
                m.placed_modules.setdefault(name, (m.segment, m.frame.cell, m.line))
            else:
                m.touch_session(m.heap[t].path)
            continue
        m.heap[t].items = None
        for inner in m.heap.field(t, HELD) if m.heap[t].path in THROUGH else ():
            m.link(inner, ELEMENTS, new | index)
        m.link(t, ELEMENTS, new | (index if m.heap[t].kind != "list" else NOTHING))
        m.mutate({t})


def element(m: Machine, value: Value, index: Value, node: Any) -> Value:
    """Return what `value[index]` may give."""
    found = call_special(
        m, value, {"__getitem__", "__class_getitem__", "__missing__"}, (index,), node
    )
    observe_bare(m, m.heap.reach(index))
    part = getattr(node, "slice", None)
    for t in value:
        thing = m.heap[t]
        if thing.kind in CONTAINERS:
            if thing.path == "collections.defaultdict":
                m.mutate({t})  # reading a missing key makes it
            position = _position(part)
            if isinstance(part, ast.Slice):
                copy = m.new(node, thing.kind, tag=f"{t}[:]")
                m.link(copy.id, ELEMENTS, m.heap.field(t, ELEMENTS))
                found |= {copy.id}
            elif thing.items is not None and position is not None and thing.kind != "dict":
                if -len(thing.items) <= position < len(thing.items):
                    found |= thing.items[position]
            else:
                found |= m.heap.field(t, ELEMENTS)
        elif thing.kind == "opaque":
            found |= {m.part(thing, node, "[]").id} | m.heap.field(t, HELD)
            found |= m.heap.field(thing.whole, HELD) if thing.whole != SCALAR else NOTHING
            found |= m.heap.field(t, ELEMENTS)
        elif thing.kind == "import":
            main = thing.path == "sys.modules" and _key(part) == "__main__"
            found |= {m.imported("__main__" if main else f"{thing.path}[]").id}
        elif thing.kind == "class":
            found |= {t}
        elif thing.kind == "instance" and any(has_library_base(m, c) for c in class_of(m, thing)):
            found |= m.heap.field(t, ELEMENTS) | m.heap.field(t, HELD)
    return found or PLAIN


def _key(part: Any) -> Any:
    return part.value if isinstance(part, ast.Constant) else None


def _position(part: Any) -> int | None:
    try:
        position = ast.literal_eval(part)
    except (ValueError, TypeError, SyntaxError, AttributeError):
        return None
    return position if isinstance(position, int) else None


def call_special(
    m: Machine, value: Iterable[int], names: Collection[str], args: tuple[Value, ...], node: Any
) -> Value:
    """Run those special methods that the notebook's classes define for objects of a value."""
    found = NOTHING
    for t in value:
        thing = m.heap[t]
        if thing.kind not in ("instance", "class"):
            continue
        for cls in class_of(m, thing) if thing.kind == "instance" else [thing]:
            for name in names:
                methods = lookup(m, cls, name) if _defines(m, cls, name) else NOTHING
                if methods:
                    # A property has run already when it was looked up.
                    bound = m.heap.kinds(bind(m, methods, frozenset({t}), node), "method")
                    for method in bound:
                        found |= m.call(m, frozenset({method.id}), args, node)
    return found


def _defines(m: Machine, cls: Thing, name: str) -> bool:
    return name in cls.fields or any(
        _defines(m, parent, name)
        for base in cls.owner or ()
        for parent in m.heap.kinds(base, "class")
    )


def observe_bare(m: Machine, *values: Iterable[int]) -> None:
    """Note objects that are told apart by identity alone, where they are compared or looked up."""
    for value in values:
        for t in value:
            thing = m.heap[t]
            if thing.kind == "instance":
                if not any(
                    _defines(m, c, "__eq__") or is_dataclass(m, c) for c in class_of(m, thing)
                ):
                    m.observe_identity({t})
            elif thing.kind == "opaque" and thing.path == "builtins.object":
                m.observe_identity({t})
