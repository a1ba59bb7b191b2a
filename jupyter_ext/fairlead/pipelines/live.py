"""What the values of a live kernel say of a pipeline, before it runs.

A front end asks a kernel with `question()`, and `problems_of` words the answer at the cells. The
kernel may be ahead of the notebook or behind it, so nothing here refuses a notebook.
"""

from __future__ import annotations

import ast
import base64
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fairlead.errors import SpecError
from fairlead.pipelines.cells import Cell, Notebook
from fairlead.pipelines.plan import plan_notebook
from fairlead.pipelines.records import Problem
from fairlead.pipelines.runner import weighing_source

LARGE = 2**30
"""Bytes of a value above which its way to another step is worth a word."""

_UNITS = ("B", "KB", "MB", "GB", "TB")


@lru_cache(maxsize=1)
def question() -> str:
    """Return a Python expression: a function of a list of names, to be called in the kernel.

    It answers the JSON of `weighing.ask` in base64. It binds no name and changes no value.
    """
    packed = base64.b64encode(zlib.compress(weighing_source().encode(), 9)).decode()
    source = f"__import__('zlib').decompress(__import__('base64').b64decode('{packed}')).decode()"
    run = f"__import__('builtins').exec({source}, space)"
    space = "__import__('IPython').get_ipython().user_ns"
    return f"(lambda names: (lambda space: ({run}, space['ask'](names, {space}))[1])({{}}))"


def problems_of(notebook: Notebook, answer: Mapping[str, Any]) -> list[Problem]:
    """Say what cannot travel, or is large, at the line that makes it.

    Parameters
    ----------
    answer
        What the kernel said, by name: `weighing.weigh`.

    Returns
    -------
    list of Problem
        Warnings only, in the order of the cells. What the analysis says itself is not said twice.
    """
    plan = plan_notebook(notebook)
    told = {problem.name for problem in plan.layout.problems}
    found = []
    for planned, step in zip(plan.steps, plan.analysis.steps, strict=True):
        for name in step.writes:
            said = answer.get(name)
            if said is not None and not isinstance(said, Mapping):
                raise SpecError(f"The kernel's answer on `{name}` must be an object.")
            words = _words(name, said) if said and name not in told else None
            if words:
                cell, line = _place(planned.step.cells, name)
                found.append(Problem("warning", cell.id, cell.index, line, name, *words))
    return sorted(found, key=lambda problem: (problem.cell_index, problem.line, problem.name))


def _words(name: str, said: Mapping[str, Any]) -> tuple[str, str] | None:
    kind, size = said.get("type", "object"), said.get("size")
    if "error" in said:
        inside = f" that holds a {said['part']}" if "part" in said else ""
        return (
            f"`{name}` cannot travel to a later step: in the kernel it is a {kind}{inside}, which "
            f"has no form outside its process ({said['error']}).",
            "Make it in the step that uses it, put it into a cell tagged `setup`, or join the two "
            "steps.",
        )
    if isinstance(size, int | float) and size > LARGE:
        return (
            f"`{name}` is large: {_amount(size)} in the kernel. Every step that takes it stores "
            f"and loads that much.",
            "Hand on less of it, write it to a file on a volume, or join the steps.",
        )
    return None


def _amount(size: float) -> str:
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"


def _place(cells: list[Cell], name: str) -> tuple[Cell, int]:
    """Return the cell and the line that bind a name last, as far as can be seen."""
    for cell in reversed(cells):
        lines = [
            node.lineno
            for node in ast.walk(cell.tree)
            if isinstance(node, ast.stmt | ast.expr) and _binds(node, name)
        ]
        if lines:
            return cell, max(lines)
    return cells[0], 0


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id == name and isinstance(node.ctx, ast.Store)
    if isinstance(node, ast.Import | ast.ImportFrom):
        return any((alias.asname or alias.name.split(".")[0]) == name for alias in node.names)
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return isinstance(node, definitions) and node.name == name
