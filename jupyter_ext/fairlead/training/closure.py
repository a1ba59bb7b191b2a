"""The code that some code of a notebook needs from the cells before it. Pure.

Imports, functions, classes and constants come along as they are written; plain values as they are
now. What was computed stays behind: that is said before anything starts.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.errors import SpecError
from fairlead.pipelines.cells import Cell
from fairlead.pipelines.definitions import statement_text
from fairlead.pipelines.syntax import transform_cell

LITERAL_MOST = 64 * 1024
"""Characters of a value that is written into the code."""

_BUILTIN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Source:
    """Code that has run.

    Attributes
    ----------
    place : str
        How a message names it: `cell [3]`, `train.py`.
    text : str
        As it was written.
    """

    place: str
    text: str


@dataclass(frozen=True)
class Missing:
    """A name that cannot come along: where it is used, and why not."""

    name: str
    place: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"`{self.name}` ({self.place}, line {self.line}): {self.why}"


@dataclass(frozen=True)
class _Statement:
    order: int
    place: str
    node: ast.stmt
    line: int
    text: str


class Closure:
    """What code needs from earlier code.

    Parameters
    ----------
    earlier : sequence of Source
        What has run, in its order.
    values : mapping
        What names hold now; empty where that is not known.
    """

    def __init__(self, earlier: Sequence[Source], values: Mapping[str, Any]) -> None:
        self._values = values
        self._binds: dict[str, list[_Statement]] = {}
        order = 0
        for source in earlier:
            for line, node, text in _statements(source):
                order += 1
                statement = _Statement(order, source.place, node, line, text)
                for name in bound_names(node):
                    self._binds.setdefault(name, []).append(statement)
        self._taken: dict[int, _Statement] = {}
        self._constants: dict[str, str] = {}
        self._missing: dict[str, Missing] = {}

    def source_of(self, name: str) -> _Statement | None:
        """Return the last function or class of a name, `None` where it is something else."""
        last = self._binds[name][-1] if name in self._binds else None
        return last if last is not None and isinstance(last.node, _DEFINITIONS) else None

    def function(self, name: str) -> str:
        """Return a function with all that it needs; raises `SpecError` for what is missing."""
        statement = self.source_of(name)
        if statement is None:
            raise SpecError(
                f"`{name}` is not defined by a `def` in this notebook.",
                hint="Write it as a function of a cell, or give a script's path.",
            )
        self._take(statement)
        return self._whole("")

    def code(self, source: Source) -> str:
        """Return code of a cell with all that it needs before it."""
        bound: set[str] = set()
        statements = list(_statements(source))
        every = {name for _, node, _ in statements for name in bound_names(node)}
        for line, node, text in statements:
            now, later = read_names(text)
            for name in sorted((now - bound) | (later - every)):
                self._need(name, source.place, _line_of(node, name, line))
            bound |= bound_names(node)
        return self._whole(transform_cell(source.text)[0])

    def _whole(self, own: str) -> str:
        if self._missing:
            raise SpecError(
                "What the code needs does not come along: "
                + "; ".join(str(each) for each in self._missing.values())
                + ".",
                hint="Make it inside, or give it as an argument: "
                "fairlead.train(function, {'name': value}).",
            )
        futures: list[str] = []
        parts: list[str] = []
        for order in sorted(self._taken):
            taken = self._taken[order]
            ahead = isinstance(taken.node, ast.ImportFrom) and taken.node.module == "__future__"
            (futures if ahead else parts).append(f"# {taken.place}\n{taken.text}")
        constants = [f"{name} = {text}" for name, text in sorted(self._constants.items())]
        return "\n\n".join([*futures, *constants, *parts, *([own] if own else [])]) + "\n"

    def _take(self, statement: _Statement) -> None:
        if statement.order in self._taken:
            return
        self._taken[statement.order] = statement
        now, later = read_names(statement.text)
        for name in sorted((now | later) - bound_names(statement.node)):
            self._need(name, statement.place, _line_of(statement.node, name, statement.line))

    def _need(self, name: str, place: str, line: int) -> None:
        if name in self._missing or name in self._constants:
            return
        statements = self._binds.get(name, [])
        last = statements[-1] if statements else None
        if last is None and name in _BUILTIN and name not in self._values:
            return
        if last is not None and isinstance(last.node, _IMPORTS):
            for each in statements:
                if isinstance(each.node, _IMPORTS):
                    self._take(each)
            return
        if last is not None and (isinstance(last.node, _DEFINITIONS) or _is_lambda(last.node)):
            self._take(last)
            return
        if name == "get_ipython":
            why = "a magic or a shell command cannot run in a pod"
        elif name in self._values:
            text = literal(self._values[name])
            if text is not None:
                self._constants[name] = text
                return
            what = f"it holds a {type(self._values[name]).__name__}"
            if last is None:
                why = f"{what} that no cell defines"
            else:
                why = f"{what} that was computed in {last.place}, line {last.line}"
        elif last is not None:
            if not self._values and _is_constant(last.node) and len(statements) == 1:
                self._take(last)
                return
            why = f"it was computed in {last.place}, line {last.line}"
        else:
            why = "nothing defines it"
        self._missing[name] = Missing(name, place, line, why)


def literal(value: Any) -> str | None:
    """Return Python source that gives exactly this value, `None` where it is no plain data."""
    if not _is_plain(value, 0):
        return None
    text = repr(value)
    for name in ("inf", "nan"):
        if name in text and not _evaluates(text):
            return None
    return text if len(text) <= LITERAL_MOST and _evaluates(text) else None


def _evaluates(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _is_plain(value: Any, depth: int) -> bool:
    # The types themselves: a subclass is written as what it is not.
    if value is None or type(value) in (bool, int, float, complex, str, bytes):
        return True
    if depth > 20:
        return False
    if type(value) in (list, tuple, set):
        return bool(value or type(value) is not set) and all(
            _is_plain(each, depth + 1) for each in value
        )
    if type(value) is dict:
        return all(_is_plain(each, depth + 1) for pair in value.items() for each in pair)
    return False


def bound_names(node: ast.stmt) -> set[str]:
    """Return the names that a statement binds where it runs."""
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}


def read_names(text: str) -> tuple[set[str], set[str]]:
    """Return the names that code reads when it runs, and those of its functions when called."""
    table = symtable.symtable(text, "cell", "exec")
    now = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    later: set[str] = set()
    waiting = list(table.get_children())
    while waiting:
        inner = waiting.pop()
        waiting += inner.get_children()
        later |= {s.get_name() for s in inner.get_symbols() if s.is_global() and s.is_referenced()}
    return now, later


def _statements(source: Source) -> Iterable[tuple[int, ast.stmt, str]]:
    code, _ = transform_cell(source.text)
    try:
        tree = ast.parse(code)
    except SyntaxError:
        # It has not run either.
        return
    cell = Cell("", 0, source.text, [], code=code, tree=tree)
    for node in tree.body:
        line, text = statement_text(cell, node)
        yield line, node, text


def _line_of(node: ast.AST, name: str, line: int) -> int:
    found = (n.lineno for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == name)
    return min(found, default=line)


def _is_lambda(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)


def _is_constant(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if value is None:
        return False
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError):
        return False
    return True
