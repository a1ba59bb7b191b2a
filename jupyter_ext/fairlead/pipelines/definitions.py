"""Imports, functions and classes that a step executes again instead of waiting for them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fairlead.pipelines.cells import Cell, Layout
from fairlead.pipelines.dataflow import accounts as abstract
from fairlead.pipelines.dataflow.heap import SCALAR, Binding, Names
from fairlead.pipelines.dataflow.notebook import FIRST_STEP, PARAMETERS, Run
from fairlead.pipelines.dataflow.session import body_names


@dataclass(frozen=True, order=True)
class Definition:
    """A statement of an earlier step that a step executes before its own cells.

    Parameters
    ----------
    cell_index, line : int
        Where it begins; definitions are executed in this order.
    cell_id : str
        Its cell.
    name : str
        The function or class that it defines; empty for imports and settings.
    source : str
        Its text, from the first decorator to the last line.
    """

    cell_index: int
    line: int
    cell_id: str
    name: str
    source: str


class Definitions:
    """Decides what can be executed again with the same result."""

    def __init__(self, layout: Layout, run: Run, shared: set[int]) -> None:
        self._cells = {cell.id: cell for cell in layout.cells}
        self._machine = run.machine
        self._shared = shared
        self._known: dict[tuple[str, int], list[Definition] | None] = {}

    def replay(self, name: str, names: Names, segment: int) -> list[Definition] | None:
        """Return what gives a name its value when executed again, or None if its value must travel.

        Parameters
        ----------
        names
            All names as they are before the segment.
        """
        binding = names.get(name)
        if binding is None or binding.latest < FIRST_STEP:
            return None
        return self._replay(name, binding, segment)

    def _replay(self, name: str, binding: Binding, segment: int) -> list[Definition] | None:
        if binding.unbound or len(binding.value) != 1 or binding.value == {SCALAR}:
            return None
        thing = next(iter(binding.value))
        if self._machine.heap[thing].kind == "import":
            return self._imports(name, self._machine.heap[thing].path, segment)
        definition = self._machine.definitions.get(thing)
        if definition is None or definition.name != name:
            return None
        if (name, thing) not in self._known:
            self._known[name, thing] = None  # a class may need itself
            self._known[name, thing] = self._statement(thing, definition)
        return self._known[name, thing]

    def _imports(self, name: str, path: str, segment: int) -> list[Definition] | None:
        found: list[Definition] = []
        for since, cell, node in self._machine.imports.get((name, path), []):
            if not FIRST_STEP <= since < segment:
                continue
            found.append(self._definition(cell, node, ""))
            if isinstance(node, ast.Assign):  # `name = module.part`
                names = self._machine.accounts[since].names
                for part in ast.walk(node.value):
                    if isinstance(part, ast.Name) and part.id != name:
                        found.extend(self.replay(part.id, names, since + 1) or [])
        return found or None

    def _statement(self, thing: int, definition: abstract.Definition) -> list[Definition] | None:
        reached = self._machine.heap.reach({thing})
        own = {t for t in reached if self._machine.heap[t].segment != 0}
        if not definition.pure or own & (self._shared | self._machine.changed):
            return None
        found = [self._definition(definition.cell, definition.node, definition.name)]
        for name, binding in definition.needs.items():
            if binding.since == PARAMETERS:
                return None  # a run may give another value than the one it was defined with
            if binding.latest < FIRST_STEP:
                continue
            needed = self._replay(name, binding, definition.segment + 1)
            if needed is None:
                return None
            found.extend(needed)
        return found

    def _definition(self, cell_id: str, node: ast.stmt, name: str) -> Definition:
        cell = self._cells[cell_id]
        line, source = statement_text(cell, node)
        return Definition(cell.index, line, cell_id, name, source)

    def for_step(self, step: str, segments: list[int], parts: Iterable[Any]) -> list[Definition]:
        """Return all that a step executes again, in the order of the notebook."""
        own = {cell.id for cell in self._cells.values() if cell.step == step}
        found = {d for part in parts for listed in part.replays.values() for d in listed}
        found = {d for d in found if d.cell_id not in own}
        kept = [*self._machine.session, *self._machine.stars]
        for since, cell, node in kept:
            if FIRST_STEP <= since < max(segments) and since not in segments:
                found.add(self._definition(cell, node, ""))
                names = self._machine.accounts[since].names
                found.update(self._needed(node, names, since + 1, set()))
        return sorted(found)

    def _needed(
        self, node: ast.AST, names: Names, segment: int, seen: set[str]
    ) -> Iterator[Definition]:
        """Yield what a statement needs, with what the bodies of its functions need when called."""
        for name in body_names(self._machine, node) - seen:
            seen.add(name)
            yield from self.replay(name, names, segment) or []
            for thing in names[name].value if name in names else ():
                definition = self._machine.definitions.get(thing)
                if definition is not None and definition.name == name:
                    yield from self._needed(definition.node, names, segment, seen)


def statement_text(cell: Cell, node: ast.stmt) -> tuple[int, str]:
    """Return the first line of a statement, decorators included, and its text."""
    decorators = getattr(node, "decorator_list", [])
    line = min([node.lineno, *[part.lineno for part in decorators]])
    if line < node.lineno:
        lines = cell.code.split("\n")
        return line, "\n".join(lines[line - 1 : node.end_lineno])
    return line, ast.get_source_segment(cell.code, node) or ""
