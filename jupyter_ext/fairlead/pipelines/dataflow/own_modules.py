"""State that a notebook's own modules keep: each step imports them anew, and begins without it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from fairlead.pipelines.dataflow.heap import scope_of
from fairlead.pipelines.dataflow.machine import SETUP, Machine
from fairlead.pipelines.dataflow.tables import CHANGING


def know_modules(m: Machine, modules: Iterable[str]) -> None:
    """Find which of the notebook's own modules there are, and what their functions change.

    Parameters
    ----------
    modules
        Paths relative to the notebook; as a mapping, with the source of each.
    """
    m.local_modules = frozenset(path.split("/")[0].split(".")[0] for path in modules)
    for path, source in modules.items() if isinstance(modules, Mapping) else ():
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        state = changed_name(source)
        if state:
            m.module_states[name] = state


def changed_name(source: str) -> str:
    """Return a variable of a module that its own functions change; nothing if there is none."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ""
    known = _bound(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            scope = scope_of(node)
            for part in ast.walk(node):
                name = _changed_by(part)
                if name in scope.outer or (name in known and name not in scope.own):
                    return name
    return ""


def _bound(tree: ast.Module) -> set[str]:
    """Return the variables and classes at the top of a module."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found.update(n.id for n in ast.walk(node) if _is_stored(n) and isinstance(n, ast.Name))
    return found


def _is_stored(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)


def _changed_by(node: ast.AST) -> str:
    """Return the name at the root of what an assignment or a method changes."""
    if isinstance(node, ast.Name | ast.Subscript | ast.Attribute) and _is_stored(node):
        return _root(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _root(node.func.value) if node.func.attr in CHANGING else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        return _root(node.args[0]) if node.func.id in ("next", "setattr") else ""
    return ""


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def import_module(m: Machine, path: str) -> None:
    """Refuse to import what an earlier step has put into `sys.modules`: only its process has it."""
    placed = m.placed_modules.get(path.split(".", 1)[0])
    placed = m.placed_modules.get(path, placed)
    if placed is None or placed[0] in (SETUP, m.segment):
        return
    m.remark(
        "error",
        path,
        f"`{path}` is a module that line {placed[2]} of cell {placed[1]} puts into `sys.modules`, "
        "which exists in one process only: this step would import another one, or none.",
        "Put that line into a cell tagged `setup`, or write the module into a .py file beside the "
        "notebook.",
    )


def use_module(m: Machine, path: str, *, called: bool) -> None:
    """Note that a step uses something of a module; warn where an earlier step has changed it.

    Parameters
    ----------
    path
        Dotted name of what is used.
    called
        Whether its code runs, and so may change the module's variables.
    """
    name = path
    while name and name not in m.module_states:
        name = name.rpartition(".")[0]
    if not name or m.segment < 2:  # setup runs in every step
        return
    since = m.module_changes.get(name, m.segment)
    if since < m.segment:
        state = m.module_states.pop(name)
        m.remark(
            "warning",
            name,
            f"`{name}` keeps `{state}`, which its functions change. Each step imports the module "
            "anew: what an earlier step has left in it is not there.",
            "Let the functions take the value and return it, or use the module in one step.",
        )
    elif called:
        m.module_changes.setdefault(name, m.segment)
