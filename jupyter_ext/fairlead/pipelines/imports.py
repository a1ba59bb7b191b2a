"""What a step imports: the notebook's own modules, which it carries, and those of packages."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping

from fairlead.pipelines.cells import Layout
from fairlead.pipelines.connections import StepPlan

Versions = Callable[[Iterable[str]], list[str]]
"""From the dotted names of modules to requirements of the packages that have them."""


class Imports:
    """The imports of the steps of one notebook; each source is looked at once.

    Parameters
    ----------
    modules
        Source of local modules by relative path.
    """

    def __init__(self, layout: Layout, steps: list[StepPlan], modules: Mapping[str, str]) -> None:
        self._modules = modules
        self._local = {path.split("/")[0].removesuffix(".py") for path in modules}
        self._found: dict[str, set[str]] = {}
        self._foreign: dict[str, frozenset[str]] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}
        common = [cell.tree for cell in layout.cells if cell.role in ("setup", "parameters")]
        common_names = _names(common)
        self._own: dict[str, set[str]] = {}
        self._above = {step.step.name: {s.step for s in step.inputs} for step in steps}
        for step in steps:
            trees: list[ast.AST] = [cell.tree for cell in step.step.cells]
            names = common_names | _names(trees)
            for definition in step.definitions:
                names |= self._of_source(definition.source)
            self._own[step.step.name] = names

    def local(self, step: str) -> dict[str, str]:
        """Return the local modules that a step may import, and those that these import.

        Those of the steps whose values it takes are among them, as in `foreign`.
        """
        used: dict[str, str] = {}
        waiting = _tops(self._with_above(step)) if self._modules else set()
        while waiting:
            name = waiting.pop()
            for path in (f"{name}.py", f"{name}/__init__.py"):
                folder = path.rpartition("/")[0]
                for each in self._modules:
                    inside = folder and each.startswith(folder + "/")
                    if (each == path or inside) and each not in used:
                        used[each] = self._modules[each]
                        waiting |= _tops(self._of_source(used[each]))
        return dict(sorted(used.items()))

    def _with_above(self, step: str) -> set[str]:
        """Return the names that a step and those above it import."""
        names: set[str] = set()
        seen, waiting = set(), [step]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                names |= self._own[name]
                waiting += self._above[name]
        return names

    def foreign(self, step: str) -> frozenset[str]:
        """Return the dotted names of what a step imports and does not carry.

        Those of the steps whose values it takes are among them: a value is read with the package
        that has its class.
        """
        waiting = [step]
        while waiting:
            name = waiting[-1]
            missing = [above for above in self._above[name] if above not in self._foreign]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            whole = self._own_foreign(name).union(*[self._foreign[n] for n in self._above[name]])
            # Of many steps few have others: they share one set.
            self._foreign[name] = self._sets.setdefault(whole, whole)
        return self._foreign[step]

    def _own_foreign(self, step: str) -> frozenset[str]:
        names = set(self._own[step])
        for source in self.local(step).values():
            names |= self._of_source(source)
        return frozenset(name for name in names if name.split(".")[0] not in self._local)

    def _of_source(self, source: str) -> set[str]:
        if source not in self._found:
            try:
                self._found[source] = _names([ast.parse(source)])
            except (SyntaxError, ValueError):  # the import in the step will say so
                self._found[source] = set()
        return self._found[source]


def imported_names(tree: ast.AST) -> set[str]:
    """Return the dotted names that the import statements of some code name."""
    return _names([tree])


def _names(trees: Iterable[ast.AST]) -> set[str]:
    """Return the dotted names that the import statements of some code name."""
    found: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                found.update(f"{base}.{alias.name}".strip(".") for alias in node.names)
                if base:
                    found.add(base)
    return found


def _tops(names: Iterable[str]) -> set[str]:
    return {name.split(".")[0] for name in names}
