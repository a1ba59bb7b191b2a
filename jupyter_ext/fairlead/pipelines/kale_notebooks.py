"""Notebooks that Kale puts together from others: the cells of those, in their places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fairlead.errors import SpecError
from fairlead.names import dns_label
from fairlead.pipelines.cells import Notebook
from fairlead.pipelines.kale import read_kale, reference
from fairlead.pipelines.records import Problem

Reader = Callable[[str], Notebook | None]


def put_together(
    notebook: Notebook, read: Reader, warn: Callable[[Problem], None] = lambda problem: None
) -> Notebook:
    """Replace each cell tagged `notebook:NAME` by the cells of the notebook that it names.

    Their steps are called `NAME-STEP`. What they read of each other is found as in one notebook.

    Parameters
    ----------
    read
        Takes a path relative to the notebook's folder and returns the notebook of version 4 that
        is there, or None.
    warn
        Told what of the other notebooks has no effect.

    Raises
    ------
    SpecError
        A notebook is not there, or refers to others itself.
    """
    cells: list[dict[str, Any]] = []
    found = False
    ids = {str(cell.get("id") or "") for cell in notebook.get("cells") or []}
    for index, cell in enumerate(notebook.get("cells") or []):
        name = reference(_tags(cell)) if cell.get("cell_type") == "code" else ""
        found = found or bool(name)
        if not name:
            cells.append(cell)
            continue
        for inner in _cells(name, cell, index, read, warn):
            cells.append(_with_own_id(inner, name, ids))
    return {**notebook, "cells": cells} if found else notebook


def _with_own_id(cell: dict[str, Any], name: str, ids: set[str]) -> dict[str, Any]:
    """Give a cell another id where one has it already: a notebook may be a copy of another."""
    own = base = str(cell.get("id") or "")
    count = 0
    while own and own in ids:
        count += 1
        own = f"{dns_label(name)[:20]}-{count}-{base}"[:64]
    ids.add(own)
    return {**cell, "id": own} if own != base else cell


def _tags(cell: dict[str, Any]) -> list[str]:
    return [tag for tag in cell["metadata"].get("tags") or [] if isinstance(tag, str)]


def _cells(
    name: str, cell: dict[str, Any], index: int, read: Reader, warn: Callable[[Problem], None]
) -> list[dict[str, Any]]:
    place = f"Cell {index + 1} (`notebook:{name}`)"
    path = str(cell["metadata"].get("notebook_path") or "")
    lines = [line.strip() for line in cell["source"].splitlines()]
    if any(line and not line.startswith("#") for line in lines):
        raise SpecError(
            f"{place} has code, and stands for another notebook.",
            hint="Move the code to a cell of its own.",
        )
    other = read(path) if path else None
    if other is None:
        raise SpecError(
            f"{place} names a notebook that is not there: {path or 'no `notebook_path`'}.",
            hint="Correct `notebook_path` in the cell's metadata.",
        )
    if any(reference(_tags(inner)) for inner in other["cells"]):
        raise SpecError(
            f"{place}: {path} refers to other notebooks itself.",
            hint="Refer to all of them from this notebook.",
        )
    made = read_kale(other, always=True)
    for message, hint in made.errors:
        raise SpecError(f"{place}, in {path}: {message}", hint=hint)
    if made.claims:
        raise SpecError(
            f"{place}, in {path}: the volume '{made.claims[0].name}' is a claim that a run makes; "
            "a notebook that others refer to cannot have one.",
            hint="Put it among the volumes of this notebook.",
        )
    for problem in made.problems:
        cell_id = str(cell.get("id") or "")
        message = f"In {path}: {problem.message}"
        warn(replace(problem, cell_id=cell_id, cell_index=index, line=0, message=message))
    return [_renamed(name, inner) for inner in made.notebook["cells"]]


def _renamed(name: str, cell: dict[str, Any]) -> dict[str, Any]:
    """Put a notebook's name before the names of steps that a cell holds."""
    own = cell["metadata"].get("fairlead")
    if not isinstance(own, dict) or not own.get("step"):
        return cell
    after = own.get("after") or []
    listed = [after] if isinstance(after, str) else list(after)
    own = {**own, "step": f"{name} {own['step']}"}
    if listed:
        own["after"] = [f"{name} {step}" for step in listed]
    return {**cell, "metadata": {**cell["metadata"], "fairlead": own}}
