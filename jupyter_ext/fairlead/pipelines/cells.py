"""The cells of a notebook: what each of them is for, and which step it belongs to."""

from __future__ import annotations

import ast
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from fairlead.names import dns_label
from fairlead.pipelines.dataflow.tables import SEEDING, SESSION_CALLS
from fairlead.pipelines.records import Problem
from fairlead.pipelines.step_settings import (
    SettingProblem,
    StepSettings,
    check_settings,
    check_step,
    merge_settings,
    read_settings,
)
from fairlead.pipelines.syntax import transform_cell

Notebook = dict[str, Any]

_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_PURE = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass)
_OF_COMPONENTS = ("component", "image", "packages", "env", "resources", "cache")
_THEMES = frozenset({"use", "set", "rc", "ion", "ioff", "init_notebook_mode"})


@dataclass
class Cell:
    """A code cell.

    Parameters
    ----------
    role : str
        "step", "setup" (also imports), "parameters" or "skip".
    code : str
        The source as plain Python, line for line; equal to `source` where nothing was special.
    tree : ast.Module
        The code's syntax tree; empty where the cell cannot be read.
    step : str
        Name of its step; empty for other roles.
    metrics : list of str
        Names whose numbers are metrics of the run, beside those that a `metrics` cell assigns.
    given : dict
        Its `metadata.fairlead`, as far as it is right.
    component : bool
        Whether it is setup code that is a component, too.
    """

    id: str
    index: int
    source: str
    tags: list[str]
    role: str = "step"
    code: str = ""
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []))
    step: str = ""
    metrics: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    component: bool = False


@dataclass
class CellStep:
    """The cells of a step and what their tags and metadata ask for."""

    name: str
    title: str
    cells: list[Cell] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    settings: StepSettings = field(default_factory=StepSettings)


@dataclass
class Layout:
    """A notebook, sorted: code cells in order, steps in order of their first cell, problems."""

    cells: list[Cell] = field(default_factory=list)
    steps: dict[str, CellStep] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    own_names: set[str] = field(default_factory=set)
    """Names that hold Fairlead's own functions and runs."""

    def refuse(
        self, cell: Cell | None, line: int, name: str, message: str, hint: str, path: str = ""
    ) -> None:
        """Add an error; `path` is that of the setting at fault, if one is."""
        self._add("error", cell, (line, name, message, hint, path))

    def warn(
        self, cell: Cell | None, line: int, name: str, message: str, hint: str, path: str = ""
    ) -> None:
        """Add a warning; `path` is that of the setting in question, if there is one."""
        self._add("warning", cell, (line, name, message, hint, path))

    def _add(self, severity: str, cell: Cell | None, what: tuple[int, str, str, str, str]) -> None:
        cell_id, index = (cell.id, cell.index) if cell else ("", -1)
        problem = Problem(severity, cell_id, index, *what)
        if problem not in self.problems:
            self.problems.append(problem)


def sort_cells(notebook: Notebook) -> Layout:
    """Sort the cells of a notebook into steps.

    Steps come from tags and metadata. A code cell without any continues the step before it. With
    no step tag in the whole notebook, each markdown heading starts a step; without headings there
    is one step, `notebook`. Code before the first step is setup when it only imports, defines and
    names constants; otherwise it is a step, `start`.
    """
    layout = Layout()
    raw = notebook.get("cells") or []
    by_tags = any(_step_title(cell) for cell in raw if cell.get("cell_type") == "code")
    ids: set[str] = set()
    title, fresh = "", False
    for index, entry in enumerate(raw):
        if entry.get("cell_type") == "markdown" and not by_tags:
            heading = _last_heading(_text(entry))
            title, fresh = (heading, True) if heading else (title, fresh)
        if entry.get("cell_type") != "code" or not _text(entry).strip():
            continue
        cell = _read_cell(entry, index, ids, layout)
        layout.cells.append(cell)
        if cell.role != "step":
            continue
        if by_tags and _step_title(entry):
            _join(layout, cell, _step_title(entry), merge=True)
        elif not by_tags and title:
            _join(layout, cell, title, merge=not fresh)
            fresh = False
        elif layout.steps and (cell_step := _previous(layout, cell)):
            cell.step = cell_step
            layout.steps[cell_step].cells.append(cell)
        else:
            cell.role = "before"
    _place_preamble(layout, by_headings=bool(title))
    _read_settings(layout)
    _check_after(layout)
    return layout


def read_plain_cells(notebook: Notebook) -> tuple[list[Cell], list[Problem]]:
    """Read the code cells of a notebook that runs as a whole, whatever its tags say of steps."""
    layout = Layout()
    ids: set[str] = set()
    for index, entry in enumerate(notebook.get("cells") or []):
        if entry.get("cell_type") == "code" and _text(entry).strip():
            kept = [tag for tag in _tags(entry) if tag == "raises-exception"]
            entry = {**entry, "metadata": {"tags": kept}}
            layout.cells.append(_read_cell(entry, index, ids, layout))
    return layout.cells, layout.problems


def _text(entry: dict[str, Any]) -> str:
    source = entry.get("source") or ""
    return source if isinstance(source, str) else "".join(source)


def _metadata(entry: dict[str, Any]) -> dict[str, Any]:
    metadata = entry.get("metadata") or {}
    own = metadata.get("fairlead")
    return own if isinstance(own, dict) else {}


def _tags(entry: dict[str, Any]) -> list[str]:
    tags = (entry.get("metadata") or {}).get("tags") or []
    return [tag for tag in tags if isinstance(tag, str)]


def _step_title(entry: dict[str, Any]) -> str:
    named = [tag[5:].strip() for tag in _tags(entry) if tag.startswith("step:")]
    title = _metadata(entry).get("step") or (named[0] if named else "")
    return str(title).strip()


def _last_heading(text: str) -> str:
    heading, fenced = "", False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (match := _HEADING.match(line)):
            heading = match.group(1)
    return heading


def _read_cell(entry: dict[str, Any], index: int, ids: set[str], layout: Layout) -> Cell:
    source, tags = _text(entry), _tags(entry)
    cell_id = str(entry.get("id") or "")
    if not cell_id or cell_id in ids:
        # Notebooks before format 4.5 have no ids: the content names the cell, wherever it moves.
        cell_id, count = "c" + hashlib.sha256(source.encode()).hexdigest()[:8], 1
        base = cell_id
        while cell_id in ids:
            count += 1
            cell_id = f"{base}-{count}"
    ids.add(cell_id)
    cell = Cell(cell_id, index, source, tags)
    cell.metrics = [str(name) for name in _metadata(entry).get("metrics") or []]
    roles = {"skip": "skip", "parameters": "parameters", "imports": "setup", "setup": "setup"}
    cell.role = next((role for tag, role in roles.items() if tag in tags), "step")
    if cell.role in ("step", "setup"):
        cell.component = "component" in tags or _metadata(entry).get("component") is True
        cell.role = "setup" if cell.component else cell.role
    if cell.role != "skip":
        _check_metadata(cell, entry, layout)
        _parse(cell, layout)
    return cell


def _check_metadata(cell: Cell, entry: dict[str, Any], layout: Layout) -> None:
    """Keep what the cell's metadata says; refuse what of it is wrong."""
    given = (entry.get("metadata") or {}).get("fairlead")
    problems = check_settings(given) if given is not None else []
    for problem in problems:
        _refuse_setting(layout, cell, problem)
    if given and not problems:
        cell.given = dict(given)
        if isinstance(given.get("after"), str):
            cell.given["after"] = [given["after"]]


def _refuse_setting(layout: Layout, cell: Cell, problem: SettingProblem) -> None:
    layout.refuse(cell, 0, problem.name, problem.message, problem.hint, problem.path)


def _parse(cell: Cell, layout: Layout) -> None:
    code, complaints = transform_cell(cell.source)
    for complaint in complaints:
        layout.refuse(cell, complaint.line, complaint.name, complaint.message, complaint.hint)
    try:
        cell.tree = ast.parse(code)
        compile(code, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", 0) or 0
        hint = "Run the cell in the notebook and correct it, or tag it `skip`."
        layout.refuse(cell, line, "", f"This is not valid Python: {error}.", hint)
        cell.tree, code = ast.Module([], []), ""
    cell.code = _without_own_calls(cell, code, layout)
    if all(isinstance(node, ast.Pass) for node in cell.tree.body):
        cell.role = "skip"


def _without_own_calls(cell: Cell, code: str, layout: Layout) -> str:
    """Blank the statements that use Fairlead itself: a pipeline does not start pipelines."""
    kept, lines = [], code.split("\n")
    for node in cell.tree.body:
        imported = isinstance(node, ast.Import | ast.ImportFrom) and _is_own(node)
        inner = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        if not (imported or inner & layout.own_names):
            kept.append(node)
            continue
        bound = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
        layout.own_names.update(n.id for n in bound if isinstance(n.ctx, ast.Store))
        for alias in getattr(node, "names", []) if imported else []:
            layout.own_names.add(alias.asname or alias.name.split(".")[0])
        for number in range(node.lineno - 1, node.end_lineno or node.lineno):
            lines[number] = ""
    if len(kept) == len(cell.tree.body):
        return code
    cell.tree.body = kept
    return "\n".join(lines)


def _is_own(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == "fairlead"
    return all(alias.name.split(".")[0] == "fairlead" for alias in node.names)


def _join(layout: Layout, cell: Cell, title: str, *, merge: bool) -> None:
    """Put a cell into the step of that title, or begin it."""
    name = dns_label(title)
    known = layout.steps.get(name)
    if known and not merge:
        count = 2
        while f"{name}-{count}" in layout.steps:
            count += 1
        name, known = f"{name}-{count}", None
    if known and known.title != title:
        message = f"The steps '{known.title}' and '{title}' have the same name, '{name}'."
        layout.refuse(cell, 0, name, message, "Rename one of them.")
    cell.step = name
    layout.steps.setdefault(name, CellStep(name, title)).cells.append(cell)


def _previous(layout: Layout, cell: Cell) -> str:
    return next((c.step for c in reversed(layout.cells) if c.step), "")


def _place_preamble(layout: Layout, *, by_headings: bool) -> None:
    """Decide what the code before the first step is, and a first section that only imports."""
    before = [cell for cell in layout.cells if cell.role == "before"]
    if before and (not layout.steps or not all(_is_preamble(c) for c in before)):
        name = "start" if layout.steps else "notebook"
        step = CellStep(name if name not in layout.steps else f"{name}-0", name, before)
        layout.steps = {step.name: step, **layout.steps}
        for cell in before:
            cell.role, cell.step = "step", step.name
        return
    for cell in before:
        cell.role = "setup"
    for name in list(layout.steps) if by_headings else []:
        if len(layout.steps) == 1 or not all(_only_imports(c) for c in layout.steps[name].cells):
            break
        for cell in layout.steps.pop(name).cells:
            cell.role, cell.step = "setup", ""


def _only_imports(cell: Cell) -> bool:
    return all(isinstance(node, ast.Import | ast.ImportFrom) for node in cell.tree.body)


def _is_preamble(cell: Cell) -> bool:
    """Tell whether a cell only imports, defines, and names constants."""
    return all(
        isinstance(node, _PURE) or _is_constant(node) or _is_setting(node)
        for node in cell.tree.body
    )


def _is_setting(node: ast.stmt) -> bool:
    """Tell whether a statement sets up a library with constants: a seed, a theme, an option."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    call = node.value
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    parts = [*call.args, *[keyword.value for keyword in call.keywords]]
    known = name in SEEDING or name in SESSION_CALLS or (name in _THEMES and len(parts) < 4)
    return known and all(isinstance(part, ast.Constant | ast.Name) for part in parts)


def _is_constant(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, SyntaxError):
        return False
    return all(isinstance(target, ast.Name) for target in targets)


def _read_settings(layout: Layout) -> None:
    """Join what the cells of each step say of it."""
    for cell in layout.cells:
        allowed = _OF_COMPONENTS if cell.component else ()
        named = next((key for key in cell.given if key not in allowed), "")
        if cell.role in ("setup", "parameters") and named:
            message = f"`fairlead.{named}` is a setting of a step; this cell is {cell.role} code."
            hint = "Move it to the first cell of a step."
            layout.refuse(cell, 0, named, message, hint, f"fairlead.{named}")
    for step in layout.steps.values():
        joined: dict[str, Any] = {}
        for cell in step.cells:
            joined, problems = merge_settings(joined, cell.given)
            for problem in problems:
                _refuse_setting(layout, cell, problem)
            tags = [tag[6:] for tag in cell.tags if tag.startswith("after:")]
            for title in [*tags, *cell.given.get("after", ())]:
                name = dns_label(title)
                if name not in step.after:
                    step.after.append(name)
        for problem in check_step(joined):
            _refuse_setting(layout, step.cells[0], problem)
        step.settings = read_settings(joined)


def _check_after(layout: Layout) -> None:
    for step in layout.steps.values():
        for name in step.after:
            if name not in layout.steps:
                message = f"Step '{step.name}' waits for '{name}', and there is no such step."
                hint = "The steps are: " + ", ".join(layout.steps) + "."
                layout.refuse(step.cells[0], 0, name, message, hint, "fairlead.after")
        step.after = [name for name in step.after if name in layout.steps]
