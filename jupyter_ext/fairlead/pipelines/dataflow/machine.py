"""The state of the abstract execution: names, frames, and what each segment did."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable
from typing import Any

from fairlead.pipelines.dataflow.accounts import Account, Definition, Frame, Remark
from fairlead.pipelines.dataflow.heap import (
    HELD,
    NOTHING,
    SCALAR,
    UNBOUND,
    Binding,
    Heap,
    Names,
    Scope,
    Thing,
    Value,
    join_names,
    scope_of,
)

SETUP = 1
"""The segment of the code that every step runs."""

MAX_DEPTH = 12
"""Calls inside calls that are followed; deeper ones are taken to do anything to what they reach."""

FUEL = 150_000
"""Expressions that are evaluated in one notebook; it bounds the time of the analysis."""


class Machine:
    """Runs a notebook on abstract objects. The parts that do so plug in as functions."""

    evaluate: Callable[[Machine, ast.expr | None], Value]
    execute: Callable[[Machine, list[ast.stmt]], bool]
    call: Callable[..., Value]
    resume_generator: Callable[[Machine, Thing, Any], Value]
    run_comprehension: Callable[[Machine, Any, Frame], Value]

    def __init__(self) -> None:
        self.heap = Heap()
        self.module = Frame(
            "module", Scope(frozenset(), frozenset(), frozenset(), False, False), ""
        )
        self.frame = self.module
        self.account = Account(0)
        self.accounts = [self.account]
        self.line = 0
        self.context: tuple[int, ...] = ()
        self.stack: list[tuple[Any, Frame]] = []
        self.fuel = FUEL
        self.stores = 0
        self.given_up: set[int] = set()
        self.seeded: set[str] = set()
        self.memo: dict[Any, tuple[Any, Value]] = {}
        self.identity: set[int] = set()
        self.definition: Definition | None = None
        self.definitions: dict[int, Definition] = {}
        self.remarks: list[Remark] = []
        self.undefined: dict[str, tuple[str, int, int]] = {}
        self.session: list[tuple[int, str, ast.stmt]] = []
        self.stars: list[tuple[int, str, ast.stmt]] = []
        self.dynamic: list[int] = []
        self.future_annotations = False
        self.changed: set[int] = set()
        self.resuming: set[int] = set()
        self.invoking: set[int] = set()
        self.touched: list[str] = []
        self.local_modules: frozenset[str] = frozenset()
        self.module_states: dict[str, str] = {}
        """The variable that the functions of one of the notebook's own modules change."""
        self.module_changes: dict[str, int] = {}
        """The first segment in which such a module's code runs."""
        self.keep: list[ast.AST] = []
        self.loads: dict[int, ast.expr] = {}
        self.imports: dict[tuple[str, str], list[tuple[int, str, ast.stmt]]] = {}
        self.handled: set[int] = set()
        self.constants: dict[str, list[str]] = {}
        """The text of each name that is bound once in the notebook, to a constant text."""
        self.mentioned: list[str] = []
        """The texts of the notebook in which a query may name variables."""
        self.compiled: dict[int, str] = {}
        self.parsed: dict[str, ast.Module] = {}
        self.asks_caches = False
        """Whether the notebook asks caches what they hold."""
        self.remade: dict[int, tuple[int, str, int]] = {}
        """What setup makes in each step anew, and where a step has changed its own first."""
        self.raised: set[int] = set()
        """Exceptions that have been raised."""
        self.keeps_figures = False
        """Whether a backend has been chosen whose figures stay open after their cell."""
        self.figure_cell = ""
        """The last cell that has drawn into pyplot's current figure."""
        self.placed_modules: dict[str, tuple[int, str, int]] = {}
        """Modules that the notebook has put into `sys.modules`: segment, cell and line."""
        self.built: set[str] = set()
        """Names that the notebook adds to the builtins."""
        self._scopes: dict[int, Scope] = {}

    @property
    def segment(self) -> int:
        """The segment that is being run."""
        return self.account.segment

    def begin(self) -> None:
        """Start the next segment."""
        self.account.names = dict(self.module.names)
        self.account = Account(len(self.accounts))
        self.accounts.append(self.account)

    def finish(self) -> None:
        """End the last segment."""
        self.account.names = dict(self.module.names)

    def scope(self, node: Any) -> Scope:
        """Return the scope of a function or class node."""
        if id(node) not in self._scopes:
            self._scopes[id(node)] = scope_of(node)
        return self._scopes[id(node)]

    def touch_session(self, path: str) -> None:
        """Note a change of something that belongs to a library, not to the notebook."""
        self.touched.append(path)

    def remark(self, severity: str, name: str, message: str, hint: str) -> None:
        """Tell the user something about the line that is being run."""
        self.remarks.append(Remark(severity, self.frame.cell, self.line, name, message, hint))

    def new(self, code: Any, kind: str, tag: str = "", **more: Any) -> Thing:
        """Return the object that this code makes in this context."""
        site = (id(code), tag, self.context, self.segment)
        more.setdefault("cell", self.frame.cell)
        more.setdefault("line", getattr(code, "lineno", self.line))
        return self.heap.at(site, kind, self.segment, **more)

    def link(self, source: int, name: str, value: Iterable[int]) -> None:
        """Add edges as of this segment."""
        self.heap.link(source, name, value, self.segment)

    def part(self, whole: Thing, node: Any, tag: str) -> Thing:
        """Return a part of an object of a library: what changes the part changes the whole."""
        if whole.whole != SCALAR and self.heap[whole.whole].whole != SCALAR:
            return whole
        made = self.new(node, "opaque", tag=f"{tag} of {whole.id}", path=whole.path)
        made.whole = whole.id
        self.link(made.id, HELD, {whole.id})
        return made

    def mutate(self, value: Iterable[int]) -> None:
        """Note that objects may change here."""
        wholes = {self.heap[thing].whole for thing in value} - {SCALAR}
        for thing in value:
            if self.heap[thing].path in THROUGH:
                wholes |= self.heap.field(thing, HELD)
        if wholes:
            self.mutate(wholes)
        for thing in value:
            kind = self.heap[thing].kind
            if kind in ("scalar", "import", "tuple", "method"):
                continue
            if self.heap[thing].unfit and self.heap[thing].segment == SETUP != self.segment:
                # Each step makes its own.
                self.remade.setdefault(thing, (self.segment, self.frame.cell, self.line))
                continue
            if thing not in self.account.mutated:
                self.account.mutated.add(thing)
                self.heap.version += 1
            if self.definition is None or thing < self.definition.first:
                self.changed.add(thing)
                if self.definition is not None:
                    self.definition.pure = False

    def observe_identity(self, *values: Iterable[int]) -> None:
        """Note that a result depends on which object it is, not only on how it looks."""
        for value in values:
            for thing in value:
                if self.heap[thing].kind not in ("scalar", "import", "function", "class", "method"):
                    self.identity.add(thing)

    # Names

    def load(self, name: str) -> Value:
        """Return what a name refers to, as Python's scopes have it."""
        frame: Frame | None = self.frame
        while frame is not None and frame.kind != "module":
            visible = frame is self.frame or frame.kind != "class"
            if visible and name in frame.scope.outer:
                break
            if visible and name in frame.scope.own:
                binding = frame.names.get(name)
                if binding is not None or frame.kind != "class":
                    return binding.value if binding else NOTHING
            frame = frame.parent
        return self.load_global(name)

    def load_global(self, name: str, *, soft: bool = False) -> Value:
        """Return what a name of the notebook refers to; note where it was read.

        Parameters
        ----------
        soft
            The name may as well be something else (a word in a shell line): its absence is no news.
        """
        binding = self.module.names.get(name)
        if binding is None or binding == UNBOUND:
            self.account.reads.setdefault(name, (self.frame.cell, self.line))
            if hasattr(builtins, name) and name != "__annotations__":
                return frozenset({self.imported(f"builtins.{name}").id})
            if name in self.built:
                return frozenset({self.imported(f"builtins.{name}").id})
            if self.dynamic:  # code that cannot be seen may have bound it
                return frozenset({self.unseen(name).id})
            if not soft and self.frame.kind == "module" and name not in _ALWAYS:
                place = (self.frame.cell, self.line, self.segment)
                self.undefined.setdefault(name, place)
            return NOTHING
        if binding.since != self.segment:
            self.account.reads.setdefault(name, (self.frame.cell, self.line))
        if self.definition is not None:
            self.definition.needs.setdefault(name, binding)
        value = binding.value
        if self.remade:
            self._remark_remade(name, value)
        if binding.unbound and hasattr(builtins, name):
            value |= {self.imported(f"builtins.{name}").id}
        return value

    def _remark_remade(self, name: str, value: Value) -> None:
        for thing in value & set(self.remade):
            since, what = self.remade[thing][0], self.heap[thing].unfit
            if since < self.segment and what != "a lock":
                del self.remade[thing]
                self.remark(
                    "warning",
                    name,
                    f"`{name}` is {what} that each step makes anew: what an earlier step has done "
                    "with it is not there.",
                    "Keep what travels between steps in variables or files.",
                )

    def unseen(self, name: str) -> Thing:
        """Return what code that cannot be seen beforehand has bound to a name."""
        return self.heap.at(("dynamic", name), "opaque", self.dynamic[0], path=UNSEEN)

    def store(self, name: str, value: Value, *, frame: Frame | None = None) -> None:
        """Bind a name in the current scope."""
        frame = frame or self.frame
        while frame.kind == "comprehension" and name not in frame.scope.own and frame.parent:
            frame = frame.parent
        if name in frame.scope.outer:
            frame = self.module
        elif name in frame.scope.kept and frame.parent is not None:
            self.store_outside(name, value, frame.parent)
            return
        for log in frame.logs:
            known = log.get(name)
            if known is None or not value <= known:
                log[name] = value | (known or NOTHING)
                self.heap.version += 1
        if frame.kind == "module":
            self.stores += 1
            self.account.writes.add(name)
            if self.definition is not None and self.definition.name != name:
                self.definition.pure = False
        if frame.scope.nests and frame.kind == "function":
            self.link(frame.thing, name, value)
        frame.names[name] = Binding(value, self.segment)

    def store_outside(self, name: str, value: Value, frame: Frame | None) -> None:
        """Bind a name declared `nonlocal`: the variables of the outer call change."""
        while frame is not None and (frame.kind != "function" or name not in frame.scope.own):
            frame = frame.parent
        if frame is not None:
            before = frame.names.get(name, UNBOUND)
            frame.names[name] = before.join(Binding(value, self.segment))
            self.link(frame.thing, name, value)
            self.mutate({frame.thing})

    def delete(self, name: str) -> None:
        """Unbind a name in the current scope."""
        frame = self.module if name in self.frame.scope.outer else self.frame
        for log in frame.logs:
            log.setdefault(name, NOTHING)
        if frame.kind == "module":
            self.stores += 1
            self.account.writes.add(name)
            # Whether it was bound at all decides if this is an error.
            if frame.names.get(name, UNBOUND).since != self.segment:
                self.account.reads.setdefault(name, (frame.cell, self.line))
        frame.names[name] = Binding(NOTHING, self.segment, True)

    def imported(self, path: str) -> Thing:
        """Return the object that stands for something of a library, by its dotted name."""
        return self.heap.at(("import", path), "import", 0, path=path)

    # Branches

    def names_now(self) -> tuple[Names, Names]:
        """Return copies of the names of the notebook and of the current frame."""
        own = dict(self.frame.names) if self.frame is not self.module else {}
        return dict(self.module.names), own

    def restore(self, state: tuple[Names, Names]) -> None:
        """Go back to names that were copied before."""
        self.module.names = dict(state[0])
        if self.frame is not self.module:
            self.frame.names = dict(state[1])

    def maybe(self, action: Callable[[], Value]) -> Value:
        """Do something that may not happen: names it binds may also keep what they had."""
        state = self.names_now()
        value = action()
        self.module.names = join_names(state[0], self.module.names)
        if self.frame is not self.module:
            self.frame.names = join_names(state[1], self.frame.names)
        return value


THROUGH = frozenset({"collections.ChainMap", "types.MappingProxyType"})
"""What is a view of other objects: a change of it changes them."""

UNSEEN = "(unseen)"
"""Path of objects that code in computed texts may have made."""

_ALWAYS = frozenset(
    {"_exit_code", "__name__", "__doc__", "__builtins__", "__file__", "get_ipython", "display"}
)
