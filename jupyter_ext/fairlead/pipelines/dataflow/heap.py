"""The objects that a notebook's names may refer to, as far as the text tells.

An abstract object stands for all that one place in the code makes in one context. A value is the
set of objects that an expression may give. Edges from object to object only grow; each remembers
the segment of the notebook in which it appeared, so that one can ask what reached what then.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Value = frozenset[int]
SCALAR = 0
"""Stands for every value without identity or parts: numbers, text, None."""
NOTHING: Value = frozenset()
PLAIN: Value = frozenset({SCALAR})

ELEMENTS = "[]"
HELD = "(held)"
"""Edge to what an object of a library was made with: its methods may change that too."""
GIVEN = "(given)"
"""Edge to what was handed to an object's methods: it may keep it, but does not change it."""

CARRIERS = frozenset({"list", "dict", "set", "tuple", "instance"})
"""Kinds whose parts are known exactly enough to say that one of them cannot travel."""


@dataclass(slots=True)
class Thing:
    """One abstract object.

    Parameters
    ----------
    kind : str
        scalar, list, dict, set, tuple, opaque (made by a library), function, method, class,
        instance, import (module or anything imported or built in), generator, frame (the variables
        of a call that a nested function keeps).
    segment : int
        Segment of the notebook that makes it.
    node : ast.AST or None
        The code of a function or class.
    path : str
        Dotted name of an import, or of the callable that made an opaque object.
    unfit : str
        Why it cannot travel; empty if it can.
    items : list of Value, or None
        The elements by position, while they are known.
    owner : object
        What a kind needs besides: the frame around a function, the arguments of a generator.
    """

    id: int
    kind: str
    segment: int
    cell: str = ""
    line: int = 0
    node: Any = None
    path: str = ""
    unfit: str = ""
    items: list[Value] | None = None
    owner: Any = None
    metas: tuple[Value, ...] = ()
    seeded: bool = False
    """Whether it is known to leave the global random generators alone."""
    whole: int = SCALAR
    """The object of a library that this is a part of, such as a column of a table."""
    fields: dict[str, dict[int, int]] = field(default_factory=dict)


_NONE: set[int] = set()


class Heap:
    """All abstract objects and the edges between them."""

    def __init__(self) -> None:
        self.things: list[Thing] = [Thing(SCALAR, "scalar", 0)]
        self.sites: dict[Any, int] = {}
        self.holders: dict[int, dict[int, int]] = {}
        self.leads: dict[int, set[int]] = {}
        self.version = 0

    def __getitem__(self, thing: int) -> Thing:
        return self.things[thing]

    def at(self, site: Any, kind: str, segment: int, **more: Any) -> Thing:
        """Return the object of a site, making it at the first time."""
        if site in self.sites:
            return self.things[self.sites[site]]
        made = Thing(len(self.things), kind, segment, **more)
        self.things.append(made)
        self.sites[site] = made.id
        self.version += 1
        return made

    def link(self, source: int, name: str, targets: Iterable[int], segment: int) -> None:
        """Let the attribute or edge `name` of an object lead to others."""
        if source == SCALAR:
            return
        edges = self.things[source].fields.setdefault(name, {})
        for target in targets:
            if target not in edges and (target != SCALAR or name not in (HELD, GIVEN)):
                edges[target] = segment
                self.version += 1
                if target != SCALAR:
                    self.leads.setdefault(source, set()).add(target)
                    self.holders.setdefault(target, {}).setdefault(source, segment)

    def field(self, thing: int, name: str) -> Value:
        """Return what one edge of an object leads to."""
        return frozenset(self.things[thing].fields.get(name, ()))

    def parts(self, thing: int) -> Value:
        """Return everything that an object leads to directly."""
        edges = self.things[thing].fields.values()
        return frozenset(target for targets in edges for target in targets)

    def reach(self, value: Iterable[int]) -> set[int]:
        """Return the objects of a value and all that they lead to."""
        seen = set(value)
        waiting = list(seen)
        while waiting:
            new = self.leads.get(waiting.pop(), _NONE) - seen
            seen |= new
            waiting.extend(new)
        return seen

    def reaching(self, things: Iterable[int], segment: int) -> set[int]:
        """Return what leads to any of some objects after a segment; themselves included."""
        seen: set[int] = set()
        waiting = list(things)
        while waiting:
            target = waiting.pop()
            if target not in seen:
                seen.add(target)
                holders = self.holders.get(target, {})
                waiting.extend(h for h, since in holders.items() if since <= segment)
        return seen

    def kinds(self, value: Iterable[int], *kinds: str) -> Iterator[Thing]:
        """Yield the objects of a value that are of one of these kinds."""
        for thing in value:
            if self.things[thing].kind in kinds:
                yield self.things[thing]

    def unfit_part(self, value: Value, depth: int = 0) -> Thing | None:
        """Return the object for which a value certainly cannot travel, or None."""
        solid = [self.things[t] for t in value if t != SCALAR]
        if solid and all(thing.unfit for thing in solid):
            return solid[0]
        for thing in solid if depth < 4 else ():
            if thing.kind in CARRIERS and len(solid) == 1:
                for name, targets in thing.fields.items():
                    if name != "__class__" and (
                        bad := self.unfit_part(frozenset(targets), depth + 1)
                    ):
                        return bad
        return None


@dataclass(frozen=True, slots=True)
class Binding:
    """What a name may refer to.

    Parameters
    ----------
    since : int
        The segment in which it was bound for certain; a reader in a later segment, or one that
        may not have passed the assignment, sees an older value.
    unbound : bool
        Whether the name may be unbound.
    last : int
        The last segment in which it may have been bound; by default that of `since`.
    """

    value: Value
    since: int
    unbound: bool = False
    last: int = -1

    def join(self, other: Binding) -> Binding:
        """Return the binding after two ways of control have met."""
        if self == other:
            return self
        last = max(self.since, other.since, self.last, other.last)
        since = min(self.since, other.since)
        return Binding(self.value | other.value, since, self.unbound or other.unbound, last)

    @property
    def latest(self) -> int:
        """The last segment in which it may have been bound."""
        return max(self.since, self.last)


UNBOUND = Binding(NOTHING, -1, True)
Names = dict[str, Binding]


def join_names(one: Names, other: Names) -> Names:
    """Return the names after two ways of control have met."""
    if one is other:
        return one
    joined = dict(one)
    for name, binding in other.items():
        if one.get(name) is not binding:
            joined[name] = binding.join(one.get(name, UNBOUND))
    for name, binding in one.items():
        if name not in other:
            joined[name] = binding.join(UNBOUND)
    return joined


@dataclass(frozen=True)
class Scope:
    """Which names a function or class body binds itself."""

    own: frozenset[str]
    outer: frozenset[str]
    """Names declared `global`."""
    kept: frozenset[str]
    """Names declared `nonlocal`."""
    nests: bool
    """Whether functions are defined inside, so that its variables outlive a call."""
    yields: bool


class _Binder(ast.NodeVisitor):
    """Collects the names that one body binds, without those of bodies inside it."""

    def __init__(self) -> None:
        self.own: set[str] = set()
        self.outer: set[str] = set()
        self.kept: set[str] = set()
        self.nests = self.yields = False

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.own.add(node.id)

    def visit_Global(self, node: ast.Global) -> None:
        self.outer.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.kept.update(node.names)

    def visit_FunctionDef(self, node: Any) -> None:
        self.own.add(node.name)
        self.nests = True
        for part in [*node.decorator_list, *_defaults(node)]:
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.own.add(node.name)
        self.nests = True
        for part in [*node.decorator_list, *node.bases]:
            self.visit(part)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.nests = True
        for part in _defaults(node):
            self.visit(part)

    def visit_comprehension_like(self, node: Any) -> None:
        inner = _Binder()
        for part in ast.iter_child_nodes(node):
            inner.visit(part)
        walrus = {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
        self.own |= walrus & inner.own
        self.nests |= inner.nests
        self.yields |= inner.yields

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_like

    def visit_Import(self, node: Any) -> None:
        self.own.update((a.asname or a.name.split(".")[0]) for a in node.names)

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.own.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: Any) -> None:
        if node.name:
            self.own.add(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.own.add(node.rest)
        self.generic_visit(node)

    def visit_Yield(self, node: Any) -> None:
        self.yields = True
        self.generic_visit(node)

    visit_YieldFrom = visit_Yield


def _defaults(node: Any) -> list[ast.expr]:
    return [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]


def scope_of(node: Any) -> Scope:
    """Return the scope of a function, lambda or class."""
    binder = _Binder()
    for part in node.body if isinstance(node.body, list) else [node.body]:
        binder.visit(part)
    if not isinstance(node, ast.ClassDef):
        binder.own.update(argument.arg for argument in arguments_of(node))
    own = frozenset(binder.own - binder.outer - binder.kept)
    outer, kept = frozenset(binder.outer), frozenset(binder.kept)
    return Scope(own, outer, kept, binder.nests, binder.yields)


def arguments_of(node: Any) -> list[ast.arg]:
    """Return every parameter of a function."""
    spread = [a for a in (node.args.vararg, node.args.kwarg) if a is not None]
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, *spread]
