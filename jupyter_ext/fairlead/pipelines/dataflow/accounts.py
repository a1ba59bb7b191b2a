"""What the abstract execution keeps of a notebook: remarks, accounts of segments, frames."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from fairlead.pipelines.dataflow.heap import NOTHING, SCALAR, Binding, Names, Scope, Value


@dataclass
class Remark:
    """Something to tell the user, at its place."""

    severity: str
    cell: str
    line: int
    name: str
    message: str
    hint: str


@dataclass
class Account:
    """What one segment does to the names and objects of the notebook.

    Parameters
    ----------
    reads : dict
        Names whose value from before the segment it may use, and where it does so first.
    writes : set of str
        Names that it may bind or delete.
    plain_writes : dict
        Names that it binds by an assignment statement, and where: candidates for results.
    mutated : set of int
        Objects that it may change.
    names : Names
        All names as they are after it.
    """

    segment: int
    reads: dict[str, tuple[str, int]] = field(default_factory=dict)
    writes: set[str] = field(default_factory=set)
    plain_writes: dict[str, tuple[str, int]] = field(default_factory=dict)
    mutated: set[int] = field(default_factory=set)
    names: Names = field(default_factory=dict)
    everything: bool = False
    """Whether it runs code that only exists when it runs, which may read any name."""


@dataclass
class Frame:
    """One activation of a body of code."""

    kind: str
    scope: Scope
    cell: str
    parent: Frame | None = None
    names: Names = field(default_factory=dict)
    thing: int = SCALAR
    returned: Value = NOTHING
    logs: list[dict[str, Value]] = field(default_factory=list)
    again: bool = False
    """Whether a recursive call has widened what goes in."""
    recursed: bool = False
    cls: int | None = None
    """The class whose method this is."""
    first: str = ""
    """Name of the first parameter."""


@dataclass
class Definition:
    """A top-level import, function or class statement that later segments may execute again."""

    cell: str
    node: ast.stmt
    name: str
    segment: int
    first: int
    """Objects from this number on are made by the statement itself."""
    needs: dict[str, Binding] = field(default_factory=dict)
    pure: bool = True
