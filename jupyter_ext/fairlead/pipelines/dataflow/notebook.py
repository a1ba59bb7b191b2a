"""A notebook's cells, run on abstract objects segment by segment."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from fairlead.pipelines.cells import Cell, Layout
from fairlead.pipelines.dataflow import (
    calls,
    expressions,
    objects,
    own_modules,
    session,
    special,
    statements,
)
from fairlead.pipelines.dataflow.accounts import Definition, Remark
from fairlead.pipelines.dataflow.heap import ELEMENTS, NOTHING, PLAIN, SCALAR, Binding, Value
from fairlead.pipelines.dataflow.machine import SETUP, Machine
from fairlead.pipelines.parameters import ParameterCells

PARAMETERS, FIRST_STEP = 0, SETUP + 1
"""Segments: the values of parameters, the code that every step runs, then the steps in order."""

_HISTORY = re.compile(r"^(_{1,3}|_i{1,3}|_i?\d+|In|Out|_ih|_oh|_dh)$")
_DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass
class Run:
    """A notebook that has been run on abstract objects.

    Parameters
    ----------
    segments : list of tuple
        Step and cells of each segment from `FIRST_STEP` on. A step whose cells are not in one
        piece has several.
    """

    machine: Machine
    segments: list[tuple[str, list[Cell]]] = field(default_factory=list)


def run_notebook(layout: Layout, parameters: ParameterCells, modules: Iterable[str] = ()) -> Run:
    """Run the cells of a notebook on abstract objects, in the order of the notebook.

    Parameters
    ----------
    modules
        Paths of the notebook's own modules, as a mapping with their sources: their functions may
        change what they are given.
    """
    machine = Machine()
    own_modules.know_modules(machine, modules)
    machine.evaluate, machine.execute = expressions.evaluate, statements.execute
    machine.call, machine.resume_generator = calls.call, calls.resume_generator
    machine.run_comprehension = expressions.run_comprehension
    run = Run(machine)
    _know_texts(machine, layout)
    _bind_parameters(machine, parameters)
    machine.begin()
    for cell in layout.cells:
        if cell.role == "setup":
            _run_cell(machine, cell)
        elif cell.role == "parameters" and cell.id in parameters.with_code:
            before = dict(machine.module.names)
            _run_cell(machine, cell)
            _override(machine, parameters, before)
    for cell in layout.cells:
        if cell.role != "step":
            continue
        if not run.segments or run.segments[-1][0] != cell.step:
            run.segments.append((cell.step, []))
            machine.begin()
            machine.module.cell = cell.id
            session.take_settings(machine)
        run.segments[-1][1].append(cell)
        _run_cell(machine, cell)
    machine.finish()
    _place_dynamic_names(machine)
    _remark_undefined(machine, layout)
    return run


def _bind_parameters(m: Machine, parameters: ParameterCells) -> None:
    for name, parameter in parameters.parameters.items():
        value: Value = PLAIN
        if parameter.type in ("LIST", "STRUCT"):
            kind = "list" if parameter.type == "LIST" else "dict"
            made = m.heap.at(("parameter", name), kind, PARAMETERS)
            inner = m.heap.at(("parameter", name, ELEMENTS), "opaque", PARAMETERS)
            m.link(made.id, ELEMENTS, {inner.id, SCALAR})
            value = frozenset({made.id})
        m.module.names[name] = Binding(value, PARAMETERS)


def _override(m: Machine, parameters: ParameterCells, before: dict[str, Binding]) -> None:
    """Put the parameters' values in after their cell has run, as papermill does."""
    for name, parameter in parameters.parameters.items():
        computed = m.module.names.get(name)
        given = before.get(name)
        if given is None or computed is None:
            continue
        if parameter.literal:
            m.module.names[name] = given
        else:
            m.module.names[name] = Binding(given.value | computed.value, PARAMETERS)


def _run_cell(m: Machine, cell: Cell) -> None:
    m.module.cell = cell.id
    body = cell.tree.body
    for position, node in enumerate(body):
        m.line, m.touched = node.lineno, []
        if isinstance(node, _DEFINING):
            _run_definition(m, cell, node)
        elif position == len(body) - 1 and isinstance(node, ast.Expr):
            shown = m.evaluate(m, node.value)
            objects.call_special(m, shown, special.SHOWING, (), node)
        elif m.execute(m, [node]):
            break  # a `raise` or `return` that always happens
        if m.touched:
            session.note_session(m, cell, node)


def _run_definition(m: Machine, cell: Cell, node: ast.stmt) -> None:
    """Run a top-level function or class statement; note whether it could be run again elsewhere."""
    name = getattr(node, "name", "")
    definition = Definition(cell.id, node, name, m.segment, len(m.heap.things))
    m.definition = definition
    m.execute(m, [node])
    m.definition = None
    value = m.module.names[name].value - {SCALAR} if name in m.module.names else NOTHING
    if len(value) == 1:
        m.definitions[next(iter(value))] = definition


def _place_dynamic_names(m: Machine) -> None:
    """Let names that nothing binds come from the code before them that cannot be seen."""
    for account in m.accounts[FIRST_STEP:] if m.dynamic else ():
        earlier = [segment for segment in m.dynamic if segment < account.segment]
        for name in account.reads if earlier else ():
            known = m.accounts[account.segment - 1].names
            if name in known or hasattr(builtins, name):
                continue
            made = m.unseen(name)
            made.segment = earlier[-1]
            for later in m.accounts[earlier[-1] :]:
                binding = Binding(frozenset({made.id}), -1, True, earlier[-1])
                later.names.setdefault(name, binding)
            m.accounts[earlier[-1]].writes.add(name)


def _know_texts(m: Machine, layout: Layout) -> None:
    """Find the constant texts that names stand for, and those that queries may be made of."""
    stored: dict[str, int] = {}
    for cell in layout.cells:
        for node in ast.walk(cell.tree) if cell.role != "skip" else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                m.mentioned += [node.value] if "@" in node.value else []
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                stored[node.id] = stored.get(node.id, 0) + 1
            elif isinstance(node, ast.Attribute):
                m.asks_caches |= node.attr in ("cache_info", "cache_clear", "cache_parameters")
            elif isinstance(node, ast.arg):
                stored[node.arg] = stored.get(node.arg, 0) + 1
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                for target in node.targets:
                    if isinstance(target, ast.Name) and isinstance(node.value.value, str):
                        m.constants.setdefault(target.id, []).append(node.value.value)
    m.constants = {n: texts for n, texts in m.constants.items() if stored.get(n) == 1}


def _remark_undefined(m: Machine, layout: Layout) -> None:
    """Tell of names that are used before any cell binds them."""
    for name, (cell, line, segment) in m.undefined.items():
        if (m.dynamic and min(m.dynamic) <= segment) or (m.stars and m.stars[0][0] <= segment):
            continue
        severity, hint = "warning", "Run the notebook from top to bottom to see whether it works."
        if _HISTORY.match(name):
            severity, message = (
                "error",
                f"`{name}` is IPython's history, which a pipeline does not have.",
            )
            hint = "Give the value a name in the cell that makes it."
        elif any(name in account.writes for account in m.accounts):
            message = f"`{name}` is used here, before the cell that defines it."
        else:
            message = f"`{name}` is not defined in this notebook."
        m.remarks.append(Remark(severity, cell, line, name, message, hint))
