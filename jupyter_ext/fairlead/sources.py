"""What a run can be made of, by file: a notebook, a compiled pipeline, a pipeline of Elyra."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairlead.documents import (
    cell_numbers,
    read_elyra_pipeline,
    read_notebook,
    read_pipeline,
)
from fairlead.environment import Pins
from fairlead.pipelines import compile_component, compile_documents
from fairlead.pipelines.kale import read_kale
from fairlead.pipelines.kale_notebooks import put_together
from fairlead.pipelines.modules import local_modules
from fairlead.pipelines.records import Problem, sentence


@dataclass
class Source:
    """A file as a pipeline.

    Parameters
    ----------
    spec, platform : dict
        PipelineSpec and PlatformSpec of KFP; the latter is empty where nothing needs it.
    numbers : dict
        Position of each cell in the notebook that it was made from, by cell id, counted from 1.
    experiment : str
        Name of the experiment that the file says it belongs to; empty where it says nothing.
    problems : list of Problem
        Warnings: what of the file has no effect, or may come out otherwise than in the notebook.
    """

    spec: dict[str, Any]
    platform: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    experiment: str = ""
    problems: list[Problem] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """The problems in words."""
        return [sentence(problem) for problem in self.problems]


def read_source(path: Path, interpreter: str = "") -> Source:
    """Read a notebook (`.ipynb`), a pipeline of Elyra (`.pipeline`) or a pipeline spec (`.yaml`).

    Parameters
    ----------
    interpreter
        As `compile_document` has it.

    Raises
    ------
    SpecError
        It is not there, or cannot become a pipeline; the message says where in it.
    """
    if path.suffix == ".ipynb":
        return compile_document(read_notebook(path), path, interpreter)
    if path.suffix == ".pipeline":
        spec, platform, problems = read_elyra_pipeline(path)
        return Source(spec, platform, problems=problems)
    return Source(*read_pipeline(path))


def read_component(path: Path, name: str) -> Source:
    """Read a component of a notebook: a cell that is tagged so."""
    notebook, modules = notebook_parts(read_notebook(path), path)
    return Source(*compile_component(notebook, name, modules=modules, versions=Pins()))


def compile_document(notebook: dict[str, Any], path: Path, interpreter: str = "") -> Source:
    """Compile a notebook that is in memory.

    Parameters
    ----------
    path
        Where it is, or would be, saved.
    interpreter
        Path of the Python of its kernel, whose versions of packages the steps ask for; empty: the
        one that runs this.
    """
    problems: list[Problem] = []
    whole, modules = notebook_parts(notebook, path, problems.append)
    pins = Pins(interpreter)
    documents = compile_documents(
        whole, name=path.stem, modules=modules, versions=pins, warn=problems.append
    )
    problems += [_left_out(name) for name in sorted(pins.left_out)]
    return Source(*documents, cell_numbers(notebook), read_kale(notebook).experiment, problems)


def _left_out(name: str) -> Problem:
    message = (
        f"Steps import `{name}`, which is installed from a folder or a commit: no index has that, "
        "so it is not asked for."
    )
    hint = "Here it is there; on a cluster, have it in the image."
    return Problem("warning", "", -1, 0, name, message, hint)


def notebook_parts(
    notebook: dict[str, Any], path: Path, warn: Callable[[Problem], None] = lambda problem: None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a notebook with the cells of those that it refers to, and the modules that it imports.

    Parameters
    ----------
    path
        Where it is, or would be, saved: the others are looked for beside it.
    warn
        Told what of the others has no effect.

    Returns
    -------
    tuple
        The notebook, and the source of each of its own modules by relative path.
    """
    folder = path.absolute().parent

    def read(relative: str) -> str | None:
        file = folder / relative
        return file.read_text() if file.is_file() else None

    def other(relative: str) -> dict[str, Any] | None:
        file = folder / relative
        return read_notebook(file) if file.is_file() else None

    whole = put_together(notebook, other, warn)
    return whole, local_modules(whole, read)
