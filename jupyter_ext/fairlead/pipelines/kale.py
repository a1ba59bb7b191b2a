"""Notebooks that were annotated for Kale: their tags and metadata, as Fairlead's own.

Both generations of Kale are understood. What a tag means is translated into the cell's metadata
(`cell.metadata.fairlead`), which wins where it says something already; everything after this sees
one kind of notebook. What has no meaning here is said with its cell and name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fairlead.errors import SpecError
from fairlead.pipelines.cells import Layout, Notebook
from fairlead.pipelines.claims import Claim
from fairlead.pipelines.kale_settings import NOTEBOOK_KEY, Setting, notebook_settings, read_setting
from fairlead.pipelines.kale_volumes import read_volumes
from fairlead.pipelines.records import Problem

METRICS_STEP = "pipeline-metrics"
"""The step that prints the pipeline's metrics; Kale knows it as a tag only."""

_ROLES = {
    "imports": "setup",
    "functions": "setup",
    "pipeline-parameters": "parameters",
    "pipeline-metrics": "metrics",
    "skip": "skip",
}
_STEP = re.compile(r"^(?:step|block):\s*(.*)$")
_PREVIOUS = re.compile(r"^prev:\s*(.*)$")
_NOTEBOOK = re.compile(r"^notebook:\s*(.*)$")
_MARKS = re.compile(r"^(?:block:.*|prev:.*|functions|pipeline-parameters|pipeline-metrics)$")
"""Tags that only Kale has; `step:`, `imports` and `skip` mean the same to Fairlead."""


@dataclass
class Translation:
    """A notebook in Fairlead's words.

    Parameters
    ----------
    notebook : dict
        The notebook; the given one where Kale has left nothing in it.
    name, description, experiment : str
        What Kale's metadata says of the pipeline; empty where it says nothing.
    """

    notebook: Notebook
    name: str = ""
    description: str = ""
    experiment: str = ""
    claims: list[Claim] = field(default_factory=list)
    """Claims that the run makes for itself."""
    cells: list[dict[str, Any]] = field(default_factory=list)
    """The cells as they were given."""
    references: list[tuple[int, str]] = field(default_factory=list)
    """Cells that stand for other notebooks, and the names of these."""
    _remarks: list[tuple[int, bool, str, str, str]] = field(default_factory=list)

    def refuse(self, index: int, name: str, message: str, hint: str) -> None:
        """Remember an error at a cell of the notebook, counted from 0; -1 for no single cell."""
        self._remarks.append((index, True, name, message, hint))

    def warn(self, index: int, name: str, message: str, hint: str) -> None:
        """Remember a warning."""
        self._remarks.append((index, False, name, message, hint))

    def check_whole(self) -> None:
        """Raise `SpecError` where the cells of another notebook have not been put in."""
        for index, name in self.references:
            raise SpecError(
                f"Cell {index + 1}: `notebook:{name}` stands for the cells of another notebook, "
                "and this one has no file beside which to look for it.",
                hint="Save the notebook and run its file, or copy the cells here.",
            )

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Message and hint of each error."""
        return [(message, hint) for _, wrong, _, message, hint in self._remarks if wrong]

    @property
    def problems(self) -> list[Problem]:
        """What has no effect, each with the number of its cell in the notebook."""
        return [
            Problem("warning", "", -1, 0, name, f"{_cell(index)}{message}", hint)
            for index, wrong, name, message, hint in self._remarks
            if not wrong
        ]

    def report(self, layout: Layout) -> None:
        """Tell a layout of the notebook what could not be translated."""
        cells = {cell.index: cell for cell in layout.cells}
        for index, wrong, name, message, hint in self._remarks:
            tell = layout.refuse if wrong else layout.warn
            tell(cells.get(index), 0, name, message, hint)


def read_kale(notebook: Notebook, *, always: bool = False) -> Translation:
    """Translate Kale's tags and metadata.

    Parameters
    ----------
    always
        Translate also a notebook in which Kale has left nothing; else it is returned as it is.
    """
    metadata = (notebook.get("metadata") or {}).get(NOTEBOOK_KEY)
    cells = [cell for cell in notebook.get("cells") or [] if isinstance(cell, dict)]
    marked = any(_MARKS.match(tag) for cell in cells for tag in _tags(cell))
    known = isinstance(metadata, dict)
    if not (always or known) and not any(_is_kale(tag) for cell in cells for tag in _tags(cell)):
        return Translation(notebook)
    made = Translation({**notebook, "cells": []}, cells=cells)
    defaults: list[Setting] = []
    if isinstance(metadata, dict):
        defaults = notebook_settings(metadata, made) + read_volumes(metadata, made)
    _Cells(made, defaults, inherits=known or marked).translate(notebook.get("cells") or [])
    return made


def _cell(index: int) -> str:
    return f"Cell {index + 1}: " if index >= 0 else ""


def _is_kale(tag: str) -> bool:
    return bool(_MARKS.match(tag) or _NOTEBOOK.match(tag)) or read_setting(tag) is not None


def _skipped(cell: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(cell.get("metadata") or {})
    return {**cell, "metadata": {**metadata, "tags": [*_tags(cell), "skip"]}}


def reference(tags: list[str]) -> str:
    """Return the name of the notebook whose cells a tag puts here; empty for none."""
    return next((match[1].strip() for tag in tags if (match := _NOTEBOOK.match(tag))), "")


def _tags(cell: dict[str, Any]) -> list[str]:
    tags = (cell.get("metadata") or {}).get("tags") or []
    return [tag for tag in tags if isinstance(tag, str)]


class _Cells:
    """Goes through the cells in order.

    Parameters
    ----------
    inherits : bool
        Whether an untagged cell continues the imports, functions or parameters before it, as Kale
        has it.
    """

    def __init__(self, made: Translation, defaults: list[Setting], *, inherits: bool) -> None:
        self._made = made
        self._defaults = defaults
        self._inherits = inherits
        self._role = ""  # of the block that an untagged cell continues
        self._seen: set[str] = set()
        self._begun = False

    def translate(self, cells: Iterable[dict[str, Any]]) -> None:
        """Add the cells to the translation."""
        for index, cell in enumerate(cells):
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                cell = self._cell(index, cell)
            self._made.notebook["cells"].append(cell)

    def _cell(self, index: int, cell: dict[str, Any]) -> dict[str, Any]:
        tags = _tags(cell)
        if self._inherits and not (tags or self._begun) and _installs(cell):
            # Kale leaves out what is before its first tag; other code runs here as in the notebook.
            message = f"Cell {index + 1} only runs commands before the first tag; it is left out."
            self._made.warn(
                -1, "", message, "Tag it `skip`, or name packages in a step's settings."
            )
            return _skipped(cell)
        self._begun = self._begun or bool(tags)
        if refers := reference(tags):
            self._made.references.append((index, refers))
            message = f"Cell {index + 1}: the cells of the notebook '{refers}' are put in here when"
            self._made.warn(index, refers, f"{message} it runs; they are not shown.", "")
            return _skipped(cell)
        metadata = dict(cell.get("metadata") or {})
        own = metadata.get("fairlead")
        own = dict(own) if isinstance(own, dict) else {}
        role = next((_ROLES[tag] for tag in tags if tag in _ROLES), "")
        step = "" if role else self._step(index, tags, own)
        if not role and not step and self._inherits:
            role = self._role
        if role == "metrics":
            own = {"step": METRICS_STEP, "metrics": _printed(cell), **own}
        elif role and role not in tags:
            metadata["tags"] = [*tags, role]
        if step or role not in ("", "skip"):
            self._role = role
        if not role:
            self._settings(index, tags, own, step)
        if own:
            metadata["fairlead"] = own
        return {**cell, "metadata": metadata}

    def _step(self, index: int, tags: list[str], own: dict[str, Any]) -> str:
        """Read what step the cell begins or continues, and what that waits for."""
        names = [match[1].strip() for tag in tags if (match := _STEP.match(tag))]
        names = [name for name in names if name]
        if len(names) > 1:
            self._made.refuse(
                index,
                names[1],
                f"This cell is tagged for {len(names)} steps: {', '.join(names)}.",
                "Give the cell one step.",
            )
        if names:
            own.setdefault("step", names[0])
        before = [match[1].strip() for tag in tags if (match := _PREVIOUS.match(tag))]
        if before and not own.get("after"):
            own["after"] = [name for name in before if name]
        return str(own.get("step") or "")

    def _settings(self, index: int, tags: list[str], own: dict[str, Any], step: str) -> None:
        """Read what the step asks for: its own tags first, then what holds for every step."""
        found: list[Setting] = []
        for tag in tags:
            setting = read_setting(tag)
            if setting is None:
                continue
            if setting.trouble:
                hint = "Correct the tag, or remove it."
                self._made.warn(index, tag, setting.trouble, hint)
            elif setting.field:
                found.append(setting)
        if step and step not in self._seen:
            self._seen.add(step)
            found += self._defaults
        given = dict(own)
        for setting in found:
            setting.apply(own, given)


def _installs(cell: dict[str, Any]) -> bool:
    """Tell whether a cell holds nothing but lines for the shell, as an installation does."""
    source = cell.get("source") or ""
    text = source if isinstance(source, str) else "".join(source)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return any(line.startswith("!") for line in lines) and all(
        line.startswith(("!", "#", "%pip", "%conda")) for line in lines
    )


def _printed(cell: dict[str, Any]) -> list[str]:
    """Return the names that a cell of metrics prints."""
    source = cell.get("source") or ""
    try:
        tree = ast.parse(source if isinstance(source, str) else "".join(source))
    except (SyntaxError, ValueError):  # the cell is refused for it elsewhere
        return []
    names: list[str] = []
    for node in tree.body:
        value = node.value if isinstance(node, ast.Expr) else None
        parts = value.args if isinstance(value, ast.Call) else [value] if value else []
        names += [part.id for part in parts if isinstance(part, ast.Name)]
        if isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return list(dict.fromkeys(names))
