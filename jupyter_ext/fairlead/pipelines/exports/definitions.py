"""Functions and classes of a notebook, which pickles name by the place where they are defined.

A component of kfp defines again what it needs. What cannot be so is refused: a function or class
that travels as a value, and a class that means two things.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator

from fairlead.errors import SpecError
from fairlead.pipelines.cells import Cell
from fairlead.pipelines.connections import StepPlan
from fairlead.pipelines.exports.plain_code import bound_names
from fairlead.pipelines.plan import Plan

Place = Callable[[str], str]
"""From a cell's id to how messages name the cell."""

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def refuse_travelling(plan: Plan, place: Place) -> None:
    """Refuse a notebook whose functions and classes kfp's components cannot hold."""
    defined: dict[str, tuple[Cell, int, str]] = {}
    for cell in plan.layout.cells:
        for name, line, kind in _defined(cell) if cell.role != "skip" else ():
            if kind == "class" and name in defined:
                raise SpecError(
                    f"{place(cell.id)}, line {line}: the class `{name}` is defined a second time; "
                    "kfp's components cannot tell the two apart.",
                    hint="Give it another name.",
                )
            defined[name] = (cell, line, kind)
    for planned in plan.steps:
        for slot in planned.outputs:
            for name in slot.names:
                if name in defined and not slot.optional:
                    cell, line, kind = defined[name]
                    raise SpecError(
                        f"{place(cell.id)}, line {line}: the {kind} `{name}` travels to another "
                        "step as a value, which kfp's components cannot do.",
                        hint="Put it into a cell tagged `setup`.",
                    )


def _defined(cell: Cell) -> Iterator[tuple[str, int, str]]:
    """Yield the functions and classes that a cell binds where it runs, not inside of others."""
    waiting: list[ast.AST] = list(cell.tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.ClassDef):
            yield node.name, node.lineno, "class"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, "function"
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.lineno, "function"
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))


def earlier_definitions(
    planned: StepPlan, steps: dict[str, StepPlan], known: set[str]
) -> list[tuple[str, str]]:
    """Return what a step defines again: what it uses, and the classes of what it takes.

    Parameters
    ----------
    steps
        All steps by name.
    known
        Names that are there before: of setup cells and parameters.

    Returns
    -------
    list of tuple
        Ids of cells and code, in the order of the notebook.
    """
    above = _above(planned, steps)
    used = [each for name in above for each in steps[name].definitions]
    used = list(dict.fromkeys([*planned.definitions, *used]))
    found = [(d.cell_index, d.line, d.cell_id, d.source) for d in used]
    places = {(cell_id, line) for _, line, cell_id, _ in found}
    for name in above:
        for cell in steps[name].step.cells:
            if not any(isinstance(node, ast.ClassDef) for node in cell.tree.body):
                continue
            for node in cell.tree.body:
                source = _source(cell, node)
                if source and (cell.id, node.lineno) not in places:
                    found.append((cell.index, node.lineno, cell.id, source))
    bound = known | set(dir(builtins))
    made = []
    for _, _, cell_id, source in sorted(found):
        # A class whose bases or decorators are made by a step cannot be defined without it.
        if _needs(ast.parse(source).body[0]) <= bound:
            bound |= bound_names(source)
            made.append((cell_id, source))
    return made


def _source(cell: Cell, node: ast.stmt) -> str:
    if not isinstance(node, ast.ClassDef | ast.Import | ast.ImportFrom):
        return ""
    decorators = getattr(node, "decorator_list", [])
    text = ast.get_source_segment(cell.code, node) or ""
    return "".join(f"@{ast.unparse(each)}\n" for each in decorators) + text


def _needs(node: ast.AST) -> set[str]:
    """Return the names that a definition reads when it is made, not when it is called."""
    found: set[str] = set()
    own: set[str] = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Name):
            (found if isinstance(part.ctx, ast.Load) else own).add(part.id)
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            own.add(part.name)
            waiting += [*part.decorator_list, *part.args.defaults]
            waiting += [each for each in part.args.kw_defaults if each is not None]
        elif not isinstance(part, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(part))
    return found - own


def _above(planned: StepPlan, steps: dict[str, StepPlan]) -> set[str]:
    found: set[str] = set()
    waiting = [source.step for source in planned.inputs]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [source.step for source in steps[name].inputs]
    return found
