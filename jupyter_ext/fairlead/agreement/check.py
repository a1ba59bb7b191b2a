"""Running a notebook both ways."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlead.agreement.differences import Difference, differing_output, differing_value
from fairlead.agreement.plain import run_plainly, unpacked
from fairlead.client import Run, connect, submit_spec
from fairlead.documents import read_notebook
from fairlead.errors import FairleadError, NotFoundError, SpecError
from fairlead.pipelines.plan import Plan, plan_notebook
from fairlead.pipelines.runner import describing_source
from fairlead.sources import notebook_parts, read_source

Json = dict[str, Any]

MOST_BYTES = 2**29
"""Bytes of a notebook's folder that are copied, twice."""

_NOT_COPIED = (".git", ".ipynb_checkpoints", "__pycache__", ".venv", "venv", "node_modules")


@dataclass(frozen=True, repr=False)
class Agreement:
    """What came of it.

    Parameters
    ----------
    difference : Difference or None
        The first one, in the order of the cells; None where all is the same.
    run : Run
        The run of the pipeline.
    cells, variables : int
        How many were compared.
    """

    difference: Difference | None
    run: Run
    cells: int
    variables: int

    def __repr__(self) -> str:
        return str(self)  # as the result of a cell

    def __str__(self) -> str:
        if self.difference is not None:
            return f"Different. {self.difference}\nThe run is {self.run.name} ({self.run.run_id})."
        return (
            f"The same: what {self.cells} cells show, and {self.variables} variables that go from "
            "step to step."
        )


def check_notebook(
    source: Path, *, context: str | None = None, notice: Callable[[str], None] = lambda _: None
) -> Agreement:
    """Run a notebook from top to bottom and as a pipeline, and find the first difference.

    Each way begins with a copy of the notebook's folder, at the same place; the notebook and its
    folder stay as they are. Cells tagged `skip` are in neither. Nothing is taken from the cache.

    Parameters
    ----------
    notice
        Called with what is being done, in words.

    Raises
    ------
    SpecError
        The notebook cannot become a pipeline, or its folder is too large to copy.
    """
    notebook, modules = notebook_parts(read_notebook(source), source)
    found = read_source(source)
    plan = plan_notebook(notebook, modules)
    with tempfile.TemporaryDirectory(prefix="fairlead-check-") as scratch:
        folder = Path(scratch) / "work"
        _copy(source.absolute().parent, folder)
        notice("Running the notebook from top to bottom ...")
        plain = _plain_cells(notebook, plan)
        values = run_plainly(plain, folder, {s.cells[-1].id: w for s, w, _ in _steps(plan)})
        shutil.rmtree(folder)
        _copy(source.absolute().parent, folder)
        notice("Running it as a pipeline ...")
        for scope in [found.spec["root"], *found.spec["components"].values()]:
            for task in scope.get("dag", {}).get("tasks", {}).values():
                task["cachingOptions"] = {}
        run = submit_spec(
            connect(context),
            found.spec,
            found.platform,
            name=f"check {source.stem}",
            parameters={},
            interpreter=sys.executable,
            working_dir=folder,
        )
        run.cell_numbers = found.numbers
        for _now in run.changes(notice=notice):
            pass
        return _compare(plain, plan, values, run, Path(scratch))


def _copy(source: Path, target: Path) -> None:
    size = 0
    for path in source.rglob("*"):
        if path.is_file() and not set(path.relative_to(source).parts) & set(_NOT_COPIED):
            size += path.stat().st_size
            if size > MOST_BYTES:
                raise SpecError(
                    f"The folder {source} is larger than {MOST_BYTES >> 20} MiB, and both ways "
                    "run in a copy of it.",
                    hint="Put the notebook into a folder with only what it needs.",
                )
    try:
        shutil.copytree(source, target, ignore=_left_out, symlinks=True)
    except shutil.Error as error:
        path, _, why = error.args[0][0]
        raise SpecError(
            f"{path} could not be copied: {why}.",
            hint="Put the notebook into a folder with only what it needs.",
        ) from error


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return what of a folder is not copied: what tools keep there, and what is no file."""
    modes = {name: os.lstat(os.path.join(folder, name)).st_mode for name in names}
    strange = {
        name
        for name, mode in modes.items()
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))
    }
    return strange | (set(names) & set(_NOT_COPIED))


def _steps(plan: Plan) -> list[tuple[Any, list[str], dict[str, tuple[str, ...]]]]:
    """Return each step with the names that it hands on and its artifacts: key -> names."""
    return [
        (planned.step, step.writes, {slot.key: slot.names for slot in planned.outputs})
        for planned, step in zip(plan.steps, plan.analysis.steps, strict=True)
    ]


def _plain_cells(notebook: Json, plan: Plan) -> Json:
    """Return the notebook without what is no part of the pipeline, and without its own starts."""
    known = {cell.id: cell for cell in plan.layout.cells}
    cells = []
    for cell in notebook["cells"]:
        read = known.get(cell["id"])
        if cell["cell_type"] != "code" or read is None or read.role == "skip":
            continue
        # What starts pipelines is blank in the code that the steps have.
        code = read.code if "fairlead" in read.source else read.source
        cells.append({**cell, "source": code, "outputs": [], "execution_count": None})
    return {**notebook, "cells": cells, "nbformat": 4, "nbformat_minor": 5}


def _compare(
    plain: Json, plan: Plan, values: dict[str, Json], run: Run, scratch: Path
) -> Agreement:
    numbers = {cell.id: cell.index + 1 for cell in plan.layout.cells}
    nodes = _nodes(run)
    pages = _pages(run, nodes)
    ends = {step.cells[-1].id: (step, writes, slots) for step, writes, slots in _steps(plan)}
    cells = variables = 0
    for cell in plain["cells"]:
        at = (numbers[cell["id"]], cell["id"])
        raised = any(output["output_type"] == "error" for output in cell["outputs"])
        if cell["id"] in pages or raised:
            cells += 1
            found = differing_output(cell["outputs"], pages.get(cell["id"], []))
            if found:
                return Agreement(Difference(*at, *found), run, cells, variables)
        if raised:
            break
        step, writes, slots = ends.get(cell["id"], (None, [], {}))
        tasks = nodes.get(step.name, []) if step else []
        if tasks and writes:
            theirs = _values(run, tasks, slots, scratch)
            for name in writes:
                ours = values.get(cell["id"], {})
                variables += 1
                found = differing_value(name, ours.get(name), theirs.get(name))
                if found:
                    path, *both = found
                    what = f"`{path}`, which step '{step.name}' hands on"
                    return Agreement(Difference(*at, what, *both), run, cells, variables)
    else:
        if run.state != "SUCCEEDED":
            run.raise_for_state()
    return Agreement(None, run, cells, variables)


def _nodes(run: Run) -> dict[str, list[Json]]:
    """Return the tasks of each step that ran, in the order of the turns of a loop."""
    found: dict[str, list[Json]] = {}
    for node in run.view()["graph"]["nodes"]:
        if node["cell_ids"] and node["state"] not in ("SKIPPED", "PENDING"):
            found.setdefault(node["name"], []).append(node)
    return found


def _pages(run: Run, nodes: dict[str, list[Json]]) -> dict[str, list[Json]]:
    """Return what each cell showed in the pipeline; what runs in every step, in the first."""
    shown: dict[str, list[Json]] = {}
    for tasks in nodes.values():
        for task in tasks:
            try:
                page = run.notebook(task["id"])
            except NotFoundError:
                continue  # it failed before it could show anything
            for cell in page["cells"]:
                if cell["id"] not in shown or (len(tasks) > 1 and cell["id"] in task["cell_ids"]):
                    shown[cell["id"]] = [*shown.get(cell["id"], []), *cell.get("outputs", [])]
    return shown


def _values(run: Run, tasks: list[Json], slots: dict[str, tuple[str, ...]], scratch: Path) -> Json:
    """Return descriptions of the values that a step handed on, by name; its turns in order."""
    arguments: list[str] = []
    for task in tasks:
        for key, names in slots.items():
            path = scratch / f"artifact-{len(arguments)}"
            try:
                path.write_bytes(run.artifact(task["id"], key))
            except NotFoundError:
                continue
            arguments += [str(path), ",".join(names)]
    outcome = subprocess.run(
        [sys.executable, "-c", describing_source(), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        last = outcome.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise FairleadError(
            f"What step '{tasks[0]['name']}' handed on could not be read: {last[0]}.",
            hint=f"`fairlead show {run.run_id[:8]}` shows the run.",
        )
    return unpacked(outcome.stdout.strip().splitlines()[-1])
