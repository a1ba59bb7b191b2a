"""Setup and parameters after steps: they come before all steps, so their place must not matter."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fairlead.pipelines.cells import Cell, Layout
from fairlead.pipelines.dataflow.notebook import FIRST_STEP, Run

_BODIES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def check_setup_order(layout: Layout, run: Run) -> None:
    """Refuse setup cells that would see, or leave, other values at the start of a step."""
    steps_before: list[Cell] = []
    setup_before: list[Cell] = []
    for cell in layout.cells:
        if cell.role == "step":
            steps_before.append(cell)
        elif cell.role in ("setup", "parameters"):
            if steps_before:
                _check(layout, run, cell, steps_before, setup_before)
            setup_before.append(cell)


def _check(
    layout: Layout, run: Run, cell: Cell, steps_before: list[Cell], setup_before: list[Cell]
) -> None:
    indexes = {before.index for before in steps_before}
    read: dict[str, str] = {}
    bound: dict[str, str] = {}
    for number, (step, cells) in enumerate(run.segments):
        if cells[0].index in indexes:
            account = run.machine.accounts[FIRST_STEP + number]
            read.update(dict.fromkeys(account.reads, step))
            bound.update(dict.fromkeys(account.writes, step))
    known = set(bound).union(*[set(_stores(before)) for before in setup_before])
    for name, line in _loads(cell):
        if name in bound:
            message = (
                f"This {cell.role} cell reads `{name}`, which step '{bound[name]}' binds before it"
            )
            _refuse(layout, cell, line, name, message)
            return
    for name, line in _stores(cell).items():
        if name in known and name in read | bound and not _repeats(cell, name, setup_before):
            step = (bound | read)[name]
            message = f"This {cell.role} cell binds `{name}`, which step '{step}' uses before it"
            _refuse(layout, cell, line, name, message)
            return


def _refuse(layout: Layout, cell: Cell, line: int, name: str, message: str) -> None:
    layout.refuse(
        cell,
        line,
        name,
        f"{message}; such a cell comes before every step.",
        "Move the cell up, or make it a step of its own.",
    )


def _loads(cell: Cell) -> Iterator[tuple[str, int]]:
    """Yield the names that a cell reads when it runs, not those that its functions read later."""
    waiting: list[ast.AST] = list(cell.tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, _BODIES):
            waiting.extend([*getattr(node, "decorator_list", []), *node.args.defaults])
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id, node.lineno
        waiting.extend(ast.iter_child_nodes(node))


def _stores(cell: Cell) -> dict[str, int]:
    """Return the names that a cell binds, and where."""
    found: dict[str, int] = {}
    for node in cell.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node.lineno
        else:
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
                    found[part.id] = part.lineno
    return found


def _repeats(cell: Cell, name: str, before: list[Cell]) -> bool:
    """Tell whether a cell binds a name by an import that an earlier setup cell has too."""
    imports = [
        ast.dump(alias)
        for node in cell.tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (alias.asname or alias.name.split(".")[0]) == name
    ]
    known = {
        ast.dump(alias)
        for other in before
        for node in other.tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return bool(imports) and set(imports) <= known
