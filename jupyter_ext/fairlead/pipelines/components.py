"""Cells tagged `component`: one typed function each, which other pipelines can load.

In the notebook's own pipeline such a cell is setup code: every step may call the function, as in
the notebook. Written alone it is a component of KFP, with the code around it that it needs.
"""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.names import dns_label
from fairlead.pipelines.cells import Cell, Layout
from fairlead.pipelines.definitions import statement_text
from fairlead.pipelines.parameters import annotated_type

_IMPORTS = (ast.Import, ast.ImportFrom, ast.Pass)
_HINT = "Write one function with types: `def scale(x: float, by: float = 2.0) -> float:`."


@dataclass(frozen=True)
class Port:
    """An input or output of a component; `default` is plain JSON."""

    name: str
    type: str
    optional: bool = False
    default: Any = None


@dataclass
class Component:
    """A function of a notebook as a component.

    Parameters
    ----------
    function
        Name of the function in Python.
    named
        Whether it returns a named tuple, whose fields are the outputs.
    source
        The function after all of the notebook's setup code that it needs.
    """

    name: str
    function: str
    cell: Cell
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    named: bool = False
    description: str = ""
    source: str = ""


def read_components(layout: Layout) -> dict[str, Component]:
    """Read the component cells of a notebook, by the names of their components."""
    found: dict[str, Component] = {}
    for cell in layout.cells:
        if not cell.component or not cell.tree.body:
            continue
        component = _read(layout, cell)
        if component is None:
            continue
        if component.name in found:
            message = f"Two cells of this notebook are the component '{component.name}'."
            layout.refuse(cell, 1, component.function, message, "Rename one of the functions.")
        found[component.name] = component
    return found


def _read(layout: Layout, cell: Cell) -> Component | None:
    body = [node for node in cell.tree.body if not isinstance(node, _IMPORTS)]
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef):
        odd = next((node for node in body if not isinstance(node, ast.FunctionDef)), None)
        line = odd.lineno if odd else (body[1].lineno if body[1:] else 1)
        message = "A component cell holds one function, and imports before it."
        layout.refuse(cell, line, "component", message, _HINT)
        return None
    node = body[0]
    made = Component(dns_label(node.name), node.name, cell)
    made.description = (ast.get_docstring(node) or "").strip().partition("\n")[0]
    before = len(layout.problems)
    made.inputs = list(_inputs(layout, cell, node))
    _outputs(layout, cell, node, made)
    made.source = _source(layout, cell, node)
    return made if len(layout.problems) == before else None


def _inputs(layout: Layout, cell: Cell, node: ast.FunctionDef) -> Iterator[Port]:
    given = node.args
    for odd in (given.vararg, given.kwarg, *given.posonlyargs):
        if odd is not None:
            message = f"`{odd.arg}` of `{node.name}` cannot be an input: inputs are given by name."
            layout.refuse(cell, odd.lineno, odd.arg, message, "Make it a plain parameter.")
    plain = list(given.args)
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    pairs = zip(
        [*plain, *given.kwonlyargs], [*defaults, *given.defaults, *given.kw_defaults], strict=True
    )
    for argument, default in pairs:
        kind = annotated_type(argument.annotation) if argument.annotation is not None else ""
        if not kind:
            message = f"`{argument.arg}` of `{node.name}` has no type that KFP knows."
            hint = "Annotate it with int, float, str, bool, list or dict."
            layout.refuse(cell, argument.lineno, argument.arg, message, hint)
            continue
        value: Any = None
        if default is not None:
            try:
                value = json.loads(json.dumps(ast.literal_eval(default)))
            except (ValueError, TypeError, SyntaxError):
                message = f"The default of `{argument.arg}` is not a plain value."
                hint = "Write it out, or default to None and make it inside."
                layout.refuse(cell, default.lineno, argument.arg, message, hint)
                continue
        yield Port(argument.arg, kind, default is not None, value)


def _outputs(layout: Layout, cell: Cell, node: ast.FunctionDef, made: Component) -> None:
    returned = node.returns
    if returned is None or (isinstance(returned, ast.Constant) and returned.value is None):
        gives = any(isinstance(n, ast.Return) and n.value for n in ast.walk(node))
        if returned is None and gives:
            message = f"`{node.name}` returns a value and does not say of which type."
            layout.refuse(cell, node.lineno, node.name, message, _HINT)
        return
    if isinstance(returned, ast.Call) and ast.unparse(returned.func).endswith("NamedTuple"):
        made.named = True
        fields = returned.args[1] if len(returned.args) == 2 else None
        pairs = fields.elts if isinstance(fields, ast.List | ast.Tuple) else []
        for pair in pairs:
            if isinstance(pair, ast.Tuple) and len(pair.elts) == 2:
                name, of = pair.elts
                if isinstance(name, ast.Constant) and annotated_type(of):
                    made.outputs.append(Port(str(name.value), annotated_type(of)))
                    continue
            made.outputs.clear()
            break
        if made.outputs:
            return
    elif kind := annotated_type(returned):
        made.outputs.append(Port("Output", kind))
        return
    message = f"`{node.name}` returns a type that KFP does not know: `{ast.unparse(returned)}`."
    hint = 'Return int, float, str, bool, list, dict, or NamedTuple("Outputs", [("a", int)]).'
    layout.refuse(cell, returned.lineno, node.name, message, hint)


def _source(layout: Layout, cell: Cell, node: ast.FunctionDef) -> str:
    """Return the function and the setup code that it needs, in the order of the notebook."""
    known: dict[str, list[tuple[int, Cell, ast.stmt]]] = {}
    order = 0
    for other in layout.cells:
        for statement in other.tree.body if other.role == "setup" else ():
            order += 1
            for name in _bound(statement):
                known.setdefault(name, []).append((order, other, statement))
    taken: dict[int, tuple[Cell, ast.stmt]] = {}
    waiting: list[ast.stmt] = [node]
    while waiting:
        for name, line in _free(waiting.pop()).items():
            if name not in known and not hasattr(builtins, name):
                message = f"The component `{node.name}` uses `{name}`, which no setup cell defines."
                hint = f"Make `{name}` a parameter of it, or define it in a cell tagged `setup`."
                where = line if any(n is node for n in cell.tree.body) else node.lineno
                layout.refuse(cell, where, name, message, hint)
                known[name] = []
            for place, other, statement in known.get(name, ()):
                if place not in taken and statement is not node:
                    taken[place] = (other, statement)
                    waiting.append(statement)
    parts = [statement_text(*taken[place])[1] for place in sorted(taken)]
    return "\n\n".join([*parts, statement_text(cell, node)[1]]) + "\n"


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds at the top."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in statement.names}
    return {
        n.id
        for n in ast.walk(statement)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _free(statement: ast.stmt) -> Mapping[str, int]:
    """Return the names that a statement takes from around it, and where first."""
    own = set()
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        own = {n.arg for n in ast.walk(statement) if isinstance(n, ast.arg)}
        own |= {
            n.id
            for n in ast.walk(statement)
            if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)
        }
        for part in ast.walk(statement):
            if isinstance(part, ast.stmt):
                own |= _bound(part) if not isinstance(part, ast.Global) else set()
            if isinstance(part, ast.ExceptHandler) and part.name:
                own.add(part.name)
        for part in ast.walk(statement):
            if isinstance(part, ast.Global):
                own -= set(part.names)
    found: dict[str, int] = {}
    for part in ast.walk(statement):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id not in own:
            found.setdefault(part.id, part.lineno)
    return found
