"""Cells tagged `parameters`: typed parameters of the pipeline, and the code beside them."""

from __future__ import annotations

import ast
import json
import math
from dataclasses import dataclass, field
from typing import Any

from fairlead.pipelines.cells import Cell, Layout
from fairlead.pipelines.records import Parameter

_TYPES: dict[type, str] = {
    bool: "BOOLEAN",
    int: "NUMBER_INTEGER",
    float: "NUMBER_DOUBLE",
    str: "STRING",
    list: "LIST",
    tuple: "LIST",
    dict: "STRUCT",
    type(None): "STRING",
}
_ANNOTATIONS = {kind.__name__.lower(): _TYPES[kind] for kind in _TYPES}


@dataclass
class ParameterCells:
    """The parameters of a notebook.

    Parameters
    ----------
    parameters : dict
        By name, in the order of the notebook.
    with_code : set of str
        Ids of parameters cells that hold more than literals: they run in every step.
    """

    parameters: dict[str, Parameter] = field(default_factory=dict)
    with_code: set[str] = field(default_factory=set)


def read_parameters(layout: Layout) -> ParameterCells:
    """Read the parameters cells of a notebook.

    An assignment of a literal to a name is a parameter, the last one of a name giving its default.
    Everything else is code. A name that code assigns as well has a default that only the code
    knows: it is optional, and a run that gives a value for it overrides what the code computed, as
    papermill does.
    """
    found = ParameterCells()
    for cell in layout.cells:
        if cell.role == "parameters":
            _read_cell(cell, found, layout)
    return found


def _read_cell(cell: Cell, found: ParameterCells, layout: Layout) -> None:
    for node in cell.tree.body:
        pair = _assignment(node)
        if pair is None:
            found.with_code.add(cell.id)
            for name in _stored(node):
                if name in found.parameters:
                    known = found.parameters[name]
                    found.parameters[name] = Parameter(name, known.type, None)
            continue
        name, value, annotation = pair
        if value is None:
            kind = annotation or "STRING"
            found.parameters.setdefault(name, Parameter(name, kind, None, optional=False))
            continue
        try:
            default = ast.literal_eval(value)
            plain = json.loads(json.dumps(default, allow_nan=False))
        except (ValueError, TypeError, SyntaxError, OverflowError, RecursionError):
            found.with_code.add(cell.id)
            continue
        if isinstance(default, int) and not isinstance(default, bool) and abs(default) > 2**53:
            message = f"The parameter `{name}` is larger than a pipeline parameter can be (2**53)."
            layout.warn(
                cell, node.lineno, name, message, "Write it as a string, or in a setup cell."
            )
        kind = annotation if annotation and _fits(plain, annotation) else _TYPES[type(default)]
        found.parameters[name] = Parameter(name, kind, plain, repr(default))


def _assignment(node: ast.stmt) -> tuple[str, ast.expr | None, str] | None:
    """Return name, value and annotated type of a plain assignment, or None for other code."""
    value: ast.expr | None
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value, annotation = node.targets[0], node.value, ""
    elif isinstance(node, ast.AnnAssign):
        target, value, annotation = node.target, node.value, annotated_type(node.annotation)
    else:
        return None
    if not isinstance(target, ast.Name):
        return None
    if value is not None:
        try:
            if type(ast.literal_eval(value)) not in _TYPES:
                return None
        except (ValueError, TypeError, SyntaxError, RecursionError):
            return None
    return target.id, value, annotation


def annotated_type(node: ast.expr) -> str:
    """Return the parameter type that an annotation names; empty for others."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return ""
    if isinstance(node, ast.Subscript):
        outer = ast.unparse(node.value).split(".")[-1].lower()
        return annotated_type(node.slice) if outer == "optional" else _ANNOTATIONS.get(outer, "")
    if isinstance(node, ast.BinOp):
        sides = [annotated_type(node.left), annotated_type(node.right)]
        return next((side for side in sides if side), "")
    return _ANNOTATIONS.get(ast.unparse(node).split(".")[-1].lower(), "")


def _fits(value: Any, kind: str) -> bool:
    """Tell whether a plain JSON value may be the default of a parameter of that type."""
    if value is None:
        return True
    if kind == "NUMBER_DOUBLE":
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        )
    wanted = {"BOOLEAN": bool, "NUMBER_INTEGER": int, "STRING": str, "LIST": list, "STRUCT": dict}
    return type(value) is wanted[kind]


def _stored(node: ast.AST) -> list[str]:
    return [
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)
    ]
