"""What each step runs, takes, gives and waits for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from fairlead.pipelines.cells import CellStep, Layout, Notebook, sort_cells
from fairlead.pipelines.parameters import ParameterCells, read_parameters
from fairlead.pipelines.records import Analysis, Step


@dataclass(frozen=True)
class Slot:
    """An output artifact: the names that travel in it."""

    key: str
    names: tuple[str, ...]
    optional: bool = False


@dataclass(frozen=True)
class Source:
    """An input artifact: where it comes from, the names in it, and those that the step binds."""

    key: str
    step: str
    slot: Slot
    bind: tuple[str, ...]


@dataclass(frozen=True)
class Definition:
    """An import, function or class of an earlier step that is executed again."""

    cell_id: str
    line: int
    name: str
    source: str


@dataclass
class StepPlan:
    """Everything that a step needs to run by itself."""

    step: CellStep
    parameters: list[str] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    inputs: list[Source] = field(default_factory=list)
    outputs: list[Slot] = field(default_factory=list)

    @property
    def depends_on(self) -> list[str]:
        """The steps that must have succeeded before."""
        return list(dict.fromkeys([source.step for source in self.inputs] + self.step.after))


@dataclass
class Plan:
    """A notebook as a pipeline."""

    layout: Layout
    parameters: ParameterCells
    steps: list[StepPlan]

    @property
    def analysis(self) -> Analysis:
        """What a reader of the notebook is told."""
        steps = []
        for color, planned in enumerate(self.steps):
            step = planned.step
            taken = {name for source in planned.inputs for name in source.bind}
            given = {name for slot in planned.outputs for name in slot.names if not slot.optional}
            steps.append(
                Step(
                    name=step.name,
                    title=step.title,
                    cell_ids=[cell.id for cell in step.cells],
                    first_cell_index=step.cells[0].index,
                    reads=sorted(taken | set(planned.parameters)),
                    writes=sorted(given),
                    after=list(step.after),
                    depends_on=planned.depends_on,
                    color_index=color,
                    resources=dict(step.resources),
                )
            )
        parameters = list(self.parameters.parameters.values())
        return Analysis(steps, parameters, list(self.layout.problems))


def plan_notebook(notebook: Notebook) -> Plan:
    """Sort a notebook into steps and find what flows between them."""
    layout = sort_cells(notebook)
    parameters = read_parameters(layout)
    producers: dict[str, tuple[str, int]] = {}
    plans: dict[str, StepPlan] = {}
    wanted: dict[str, set[str]] = {name: set() for name in layout.steps}
    bodies: dict[str, set[str]] = {}
    taken: dict[str, dict[str, str]] = {}
    for name, step in layout.steps.items():
        loads: set[str] = set()
        stores: set[str] = set()
        for cell in step.cells:
            for node in ast.walk(cell.tree):
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    stores.add(node.name)
                    bodies[node.name] = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                elif isinstance(node, ast.alias):
                    stores.add((node.asname or node.name).split(".")[0])
                elif isinstance(node, ast.Name):
                    (loads if isinstance(node.ctx, ast.Load) else stores).add(node.id)
                elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                    loads.add(node.target.id)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    if isinstance(node.func.value, ast.Name):
                        stores.add(node.func.value.id)
        while more := {m for n in loads for m in bodies.get(n, ())} - loads:
            loads |= more
        plans[name] = StepPlan(step, [p for p in parameters.parameters if p in loads])
        taken[name] = {n: producers[n][0] for n in sorted(loads) if n in producers}
        for n, producer in taken[name].items():
            wanted[producer].add(n)
        for n in stores:
            producers[n] = (name, 0)
    for name, planned in plans.items():
        planned.outputs = [Slot(n, (n,)) for n in sorted(wanted[name])]
        planned.inputs = [Source(n, p, Slot(n, (n,)), (n,)) for n, p in taken[name].items()]
    return Plan(layout, parameters, list(plans.values()))
