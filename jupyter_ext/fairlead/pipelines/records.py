"""What the analysis of a notebook says: steps, parameters, problems."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from fairlead.errors import SpecError


@dataclass(frozen=True)
class Problem:
    """Something in a notebook that a pipeline cannot do, or may do otherwise.

    Parameters
    ----------
    severity : str
        "error": the notebook is refused. "warning": it runs, and the reader should know.
    cell_id : str
        Id of the cell; empty where no single cell is to blame.
    cell_index : int
        Position of the cell in the notebook, from 0; -1 where no single cell is to blame.
    line : int
        Line in the cell, from 1; 0 where no line is to blame.
    name : str
        The variable, step, magic or parameter; may be empty.
    message : str
        What is wrong.
    hint : str
        What the reader can do.
    path : str
        Path of the setting that is at fault, `fairlead.resources.cpu`; empty where none is.
    node : str
        Label of the node of Elyra's that it is about; empty in a notebook, and for a whole file.
    """

    severity: str
    cell_id: str
    cell_index: int
    line: int
    name: str
    message: str
    hint: str
    path: str = ""
    node: str = ""


@dataclass(frozen=True)
class Parameter:
    """A parameter of the pipeline.

    Parameters
    ----------
    name : str
        Name of the variable.
    type : str
        A parameter type of KFP's spec: NUMBER_INTEGER, NUMBER_DOUBLE, STRING, BOOLEAN, LIST,
        STRUCT.
    default : object
        Plain JSON; None also where there is no default.
    literal : str
        The default as Python source; empty where there is no default.
    optional : bool
        Whether a run may leave it out.
    """

    name: str
    type: str
    default: Any
    literal: str = ""
    optional: bool = True


@dataclass(frozen=True)
class Step:
    """A step of the pipeline, as a reader of the notebook sees it.

    Parameters
    ----------
    name : str
        Name of the task: a DNS label.
    title : str
        The words of the tag or heading.
    cell_ids : list of str
        Its cells in the order of the notebook.
    first_cell_index : int
        Position of its first cell in the notebook.
    reads, writes : list of str
        Variables that it takes from, and gives to, other steps; parameters are among `reads`.
    after : list of str
        Steps that it was told to wait for.
    depends_on : list of str
        Steps whose values it takes, and those of `after`.
    color_index : int
        Number of the step, for its colour.
    resources : dict
        What it asks for: `{"cpu": "1", "memory": "1Gi"}`; empty asks for nothing.
    settings : dict
        All settings of its cells' metadata but `step` and `after`, as the metadata holds them.
    """

    name: str
    title: str
    cell_ids: list[str]
    first_cell_index: int
    reads: list[str]
    writes: list[str]
    after: list[str]
    depends_on: list[str]
    color_index: int
    resources: dict[str, str]
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Analysis:
    """All that can be said of a notebook without running it."""

    steps: list[Step] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """The problems for which the notebook is refused."""
        return [problem for problem in self.problems if problem.severity == "error"]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON for the front end."""
        parameters = [
            {"name": p.name, "type": p.type, "default": p.default} for p in self.parameters
        ]
        return {
            "steps": [asdict(step) for step in self.steps],
            "parameters": parameters,
            "problems": [asdict(problem) for problem in self.problems],
        }


class NotebookError(SpecError):
    """A notebook cannot become a pipeline.

    Parameters
    ----------
    problems : list of Problem
        All of them, warnings included; at least one is an error.
    """

    def __init__(self, problems: list[Problem]) -> None:
        errors = [problem for problem in problems if problem.severity == "error"]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{place(errors[0])}{errors[0].message}{more}", hint=errors[0].hint)
        self.problems = problems


def place(problem: Problem) -> str:
    """Return where a problem is, as the beginning of a sentence; empty where it is nowhere."""
    if problem.cell_index < 0:
        return f"Node '{problem.node}': " if problem.node else ""
    where = f"Cell {problem.cell_index + 1} ({problem.cell_id})"
    return f"{where}, line {problem.line}: " if problem.line else f"{where}: "


def sentence(problem: Problem) -> str:
    """Return a problem as text: where it is, what it is, and what to do."""
    return f"{place(problem)}{problem.message} {problem.hint}".strip()
