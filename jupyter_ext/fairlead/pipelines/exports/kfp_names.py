"""Names of components and their arguments: as in the notebook, where Python and kfp allow it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from fairlead.pipelines.cells import Cell
from fairlead.pipelines.connections import StepPlan
from fairlead.pipelines.records import Parameter

TYPES = {
    "NUMBER_INTEGER": "int",
    "NUMBER_DOUBLE": "float",
    "BOOLEAN": "bool",
    "STRING": "str",
    "LIST": "list",
    "STRUCT": "dict",
}


@dataclass
class Component:
    """A component's function.

    Parameters
    ----------
    name : str
        Name of the function.
    inputs, outputs : dict
        Name of each artifact's argument, by its key in the pipeline spec.
    metrics : bool
        Whether it has an output of metrics, which is called `metrics`.
    cells : list, optional
        Its cells with the code that it runs of each, where that is not all of the cell.
    item, item_type : str
        Argument of one turn of a loop; empty where it is in none.
    returns, result : str, list of str
        Type that it returns, and the lines that do; empty where it returns nothing.
    of : str
        Name of the step of which it is a branch; empty for others.
    """

    name: str
    planned: StepPlan
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    metrics: bool = False
    cells: list[tuple[Cell, str]] | None = None
    item: str = ""
    item_type: str = ""
    returns: str = ""
    result: list[str] = field(default_factory=list)
    of: str = ""

    @property
    def step(self) -> str:
        """Name of the step of the notebook that it is, or is a part of."""
        return self.of or self.planned.step.name

    @property
    def code(self) -> list[tuple[Cell, str]]:
        """Its cells and what it runs of each."""
        whole = [(cell, cell.code) for cell in self.planned.step.cells]
        return whole if self.cells is None else self.cells


def type_of(parameter: Parameter) -> str:
    """Return the Python type of a parameter's annotation."""
    kind = TYPES[parameter.type]
    empty = parameter.optional and (not parameter.literal or parameter.default is None)
    return f"Optional[{kind}]" if empty else kind


def name_component(planned: StepPlan, taken: set[str]) -> Component:
    """Choose the names of a component and its artifacts.

    Parameters
    ----------
    taken
        Names of functions that are taken; added to.
    """
    made = Component(fresh(_identifier(planned.step.name, "step_"), taken), planned)
    taken.add(made.name)
    own = set(planned.parameters)
    made.metrics = any("metrics" in cell.tags or cell.metrics for cell in planned.step.cells)
    if made.metrics:
        own.add("metrics")
    for source in planned.inputs:
        made.inputs[source.key] = fresh(_identifier(source.key, "x"), own)
        own.add(made.inputs[source.key])
    for slot in planned.outputs:
        name = _identifier(slot.key, "x")
        made.outputs[slot.key] = fresh(f"{name}_out" if name in own else name, own)
        own.add(made.outputs[slot.key])
    return made


def _identifier(text: str, prefix: str) -> str:
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    return prefix + name if not name[:1].isalpha() or keyword.iskeyword(name) else name


def fresh(name: str, taken: Iterable[str]) -> str:
    """Return a name that is not taken."""
    known = set(taken)
    while name in known:
        name += "_"
    return name
