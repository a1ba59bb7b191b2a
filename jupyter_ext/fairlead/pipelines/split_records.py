"""What a split step consists of: the turns of a loop, the branches of a condition."""

from __future__ import annotations

from dataclasses import dataclass

from fairlead.pipelines.definitions import Definition
from fairlead.pipelines.slots import Source


@dataclass(frozen=True)
class Control:
    """A task before a loop or condition: it evaluates what they depend on.

    It is not left to the step before, which would then run again whenever the loop's head changes.

    Parameters
    ----------
    key
        Its output parameter: `items`, a list of literals, or `branch`, the number of the branch.
    sources
        The expressions: the iterable, or the tests in their order.
    """

    name: str
    key: str
    cell_id: str
    line: int
    sources: tuple[str, ...]
    inputs: tuple[Source, ...]
    parameters: tuple[str, ...]
    definitions: tuple[Definition, ...]


@dataclass(frozen=True)
class Loop:
    """A step whose turns are tasks. What it goes over is one of `items`, `parameter`, `control`.

    Parameters
    ----------
    items
        The items as Python literals, where the text shows them.
    parameter
        A pipeline parameter that is a list of `item_type`.
    collects
        What later steps take, and whether it is a `list` or a `dict`.
    """

    collects: dict[str, str]
    parallelism: int = 0
    items: tuple[str, ...] | None = None
    parameter: str = ""
    item_type: str = "STRING"
    control: Control | None = None


@dataclass(frozen=True)
class Branches:
    """A step whose branches are tasks, of which one runs.

    Parameters
    ----------
    names
        Names of the branches' tasks; the last one is that of `else`.
    written
        Whether the `else` stands in the cell; else its task only hands on what was there before.
    conditions
        One for each branch, as KFP has them, where they ask parameters only.
    """

    names: tuple[str, ...]
    written: bool
    conditions: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    """Parameters that the conditions ask."""
    control: Control | None = None


Split = Loop | Branches
