"""The form of a cell that is a loop over steps: lists that collect, then one `for`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fairlead.pipelines.cells import Cell, Layout

_LIST_METHODS = frozenset({"append", "extend"})
_FORM = (
    "Write lists or dicts that begin empty, then one `for`; put the rest into steps of their own."
)


@dataclass(frozen=True)
class LoopBody:
    """A loop and what it collects: `list` or `dict` by name."""

    node: ast.For
    collects: dict[str, str]


def read_body(layout: Layout, cell: Cell) -> LoopBody | None:
    """Read the cell of a loop; None, with a problem at its place, where it has another form."""
    found = len(layout.problems)
    collects: dict[str, str] = {}
    loop: ast.For | None = None
    for node in cell.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
            continue
        empty = _empty(node)
        if loop is None and empty is not None:
            collects[empty[0]] = empty[1]
        elif loop is None and isinstance(node, ast.For):
            loop = node
        else:
            message = f"Step '{cell.step}' is a loop, and this statement is not part of it."
            layout.refuse(cell, node.lineno, cell.step, message, _FORM)
            return None
    if loop is None:
        message = f"Step '{cell.step}' is marked as a loop, and its cell has no `for` statement."
        layout.refuse(cell, 1, cell.step, message, _FORM)
        return None
    if loop.orelse:
        message = "The `else` of a loop over steps has no task to run in."
        layout.refuse(cell, loop.orelse[0].lineno, "else", message, "Move it to a later step.")
    for part in _own_statements(loop.body):
        if isinstance(part, ast.Break | ast.Return):
            message = "A loop over steps cannot be left early: its turns run side by side."
            layout.refuse(cell, part.lineno, "break", message, "Use `continue`, or drop the mark.")
    if "raises-exception" in cell.tags:
        message = "An exception ends a loop in the notebook, but not the other turns as tasks."
        hint = "Catch it inside the loop, and drop the tag `raises-exception`."
        layout.refuse(cell, loop.lineno, "raises-exception", message, hint)
    for name, kind in collects.items():
        _check_use(layout, cell, loop, name, kind)
    return LoopBody(loop, collects) if len(layout.problems) == found else None


def _empty(node: ast.stmt) -> tuple[str, str] | None:
    """Return name and kind where a statement begins an empty list or dict."""
    target: ast.expr
    if isinstance(node, ast.AnnAssign):
        target, value = node.target, node.value
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value
    else:
        return None
    if not isinstance(target, ast.Name) or value is None:
        return None
    if isinstance(value, ast.List) and not value.elts:
        return target.id, "list"
    if isinstance(value, ast.Dict) and not value.keys:
        return target.id, "dict"
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        if value.func.id in ("list", "dict") and not (value.args or value.keywords):
            return target.id, value.func.id
    return None


def _own_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a loop, without those of loops and functions inside."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.stmt):
            yield node
        if isinstance(node, ast.For | ast.While | ast.AsyncFor):
            waiting.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def _check_use(layout: Layout, cell: Cell, loop: ast.For, name: str, kind: str) -> None:
    """Refuse what a turn does with a collecting name besides adding to it."""
    allowed: set[int] = set()
    for node in ast.walk(loop):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
                methods = _LIST_METHODS if kind == "list" else {"update"}
                if function.attr in methods:
                    allowed.add(id(function.value))
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            if isinstance(node.op, ast.Add if kind == "list" else ast.BitOr):
                allowed.add(id(node.target))
        elif isinstance(node, ast.Assign) and kind == "dict":
            for target in node.targets:
                if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                    allowed.add(id(target.value))
    adds = "`.append`, `.extend` and `+=`" if kind == "list" else "`[key] = value` and `.update`"
    for node in ast.walk(loop):
        if isinstance(node, ast.Name) and node.id == name and id(node) not in allowed:
            message = (
                f"A turn of this loop uses `{name}` for more than adding to it ({adds}): it would "
                "see what the turns before it added."
            )
            layout.refuse(cell, node.lineno, name, message, "Use it in a later step.")
            return
    for other in layout.cells:
        for node in ast.walk(other.tree):
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if inside and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node)):
                if name in _locals(node):
                    continue
                message = f"`{name}`, which this loop collects, is used inside of a function."
                hint = "Give the list another name, or pass it to the function."
                layout.refuse(cell, loop.lineno, name, message, hint)
                return


def _locals(function: ast.AST) -> set[str]:
    """Return the names that are a function's own."""
    given = {n.arg for n in ast.walk(function) if isinstance(n, ast.arg)}
    stored = {
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    shared = {
        name
        for n in ast.walk(function)
        if isinstance(n, ast.Global | ast.Nonlocal)
        for name in n.names
    }
    return (given | stored) - shared
