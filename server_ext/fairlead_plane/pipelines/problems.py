"""What is wrong with a pipeline spec, collected while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.errors import SpecError

Json = Any

_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: the field's path in the spec, and the task it belongs to, if any."""

    path: str
    message: str
    task: str = ""
    cell: str = ""
    """The first notebook cell of that task, where it is made of cells."""

    def __str__(self) -> str:
        cell = f" (cell {self.cell})" if self.cell else ""
        task = f"task '{self.task}'{cell}: " if self.task else ""
        return f"{self.path}: {task}{self.message}"


class PipelineSpecError(SpecError):
    """A pipeline spec, or the values given for it, cannot be run."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        more = len(self.problems) - len(shown)
        if more:
            shown.append(f"and {more} more")
        super().__init__(f"Invalid input error: {'; '.join(shown)}")


class Reader:
    """Reads fields of the IR and notes what is not as it should be, instead of stopping there."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.task = ""
        self.cells: dict[str, str] = {}
        """First notebook cell of each task that is made of cells."""

    def problem(self, path: str, message: str) -> None:
        """Note a problem of the task that is being read."""
        cell = self.cells.get(self.task, "")
        self.problems.append(Problem(path, message, self.task, cell))

    def mapping(self, value: Json, path: str) -> dict[str, Json]:
        """Return an object; anything else but nothing at all is a problem."""
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.problem(path, "must be an object")
        return {}

    def strings(self, value: Json, path: str) -> list[str]:
        """Return a list of strings; anything else but nothing at all is a problem."""
        if value is None:
            return []
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        self.problem(path, "must be a list of strings")
        return []

    def string(self, value: Json, path: str) -> str:
        """Return a string; anything else but nothing at all is a problem."""
        if value is None or isinstance(value, str):
            return value or ""
        self.problem(path, "must be a string")
        return ""

    def fields(
        self, value: Mapping[str, Json], path: str, known: Iterable[str], later: Iterable[str] = ()
    ) -> None:
        """Check the names of an object's fields.

        Parameters
        ----------
        known : iterable of str
            Fields that are read.
        later : iterable of str
            Fields of the format that this engine does not run; refused by name when they say
            anything.
        """
        known, later = frozenset(known), frozenset(later)
        for name in value:
            if name in known:
                continue
            if name not in later:
                self.problem(f"{path}.{name}", "unknown field")
            elif value[name] not in (None, False, 0, "", [], {}):
                self.problem(f"{path}.{name}", f"`{name}` is not supported by this control plane")

    def finish(self) -> None:
        """Raise what was found.

        Raises
        ------
        PipelineSpecError
            There was a problem.
        """
        if self.problems:
            raise PipelineSpecError(self.problems)
