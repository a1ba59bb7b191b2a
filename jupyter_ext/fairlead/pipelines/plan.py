"""What each step runs, takes, gives and waits for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from fairlead.pipelines.cells import Cell, Layout, Notebook, sort_cells
from fairlead.pipelines.components import Component, read_components
from fairlead.pipelines.connections import StepPlan, connect
from fairlead.pipelines.dataflow.notebook import Run, run_notebook
from fairlead.pipelines.dataflow.randomness import RANDOM
from fairlead.pipelines.dataflow.session import SETTINGS
from fairlead.pipelines.files import order_by_files
from fairlead.pipelines.kale import Translation, read_kale
from fairlead.pipelines.order import check_setup_order
from fairlead.pipelines.parameters import ParameterCells, read_parameters
from fairlead.pipelines.records import Analysis, Step
from fairlead.pipelines.split_records import Split
from fairlead.pipelines.splits import split_steps
from fairlead.pipelines.step_settings import write_settings


@dataclass
class Plan:
    """A notebook as a pipeline."""

    layout: Layout
    parameters: ParameterCells
    steps: list[StepPlan]
    translation: Translation
    splits: dict[str, Split] = field(default_factory=dict)
    """The steps whose turns or branches are tasks, by name."""
    components: dict[str, Component] = field(default_factory=dict)
    """Functions that other pipelines can load, by name."""

    @cached_property
    def common(self) -> list[Cell]:
        """Cells that every step runs before its own: setup code and parameters."""
        return [cell for cell in self.layout.cells if cell.role in ("setup", "parameters")]

    @property
    def analysis(self) -> Analysis:
        """What a reader of the notebook is told."""
        steps = []
        for color, planned in enumerate(self.steps):
            step = planned.step
            taken = {name for source in planned.inputs for name in source.bind} - {RANDOM, SETTINGS}
            given = {name for slot in planned.outputs for name in slot.names} - {RANDOM, SETTINGS}
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
                    resources=dict(step.settings.resources),
                    settings=write_settings(step.settings),
                )
            )
        parameters = list(self.parameters.parameters.values())
        return Analysis(steps, parameters, list(self.layout.problems))


def plan_notebook(notebook: Notebook, modules: Iterable[str] = ()) -> Plan:
    """Sort a notebook into steps and find what flows between them.

    Parameters
    ----------
    modules
        Paths of the notebook's own modules.
    """
    translation = read_kale(notebook)
    layout = sort_cells(translation.notebook)
    translation.report(layout)
    parameters = read_parameters(layout)
    order_by_files(layout)
    run = run_notebook(layout, parameters, modules)
    check_setup_order(layout, run)
    steps = connect(layout, parameters, run)
    splits = split_steps(layout, parameters, run, steps)
    components = read_components(layout)
    _check_claims(layout, translation, splits)
    _report(layout, run)
    return Plan(layout, parameters, steps, translation, splits, components)


def _check_claims(layout: Layout, translation: Translation, splits: dict[str, Split]) -> None:
    """Refuse a split step where the run makes a claim: KFP cannot mount it inside of a loop."""
    for claim in translation.claims:
        for name in layout.steps:
            if name in (claim.task, claim.deletion):
                message = (
                    f"Step '{name}' has the name of the task that is for volume '{claim.name}'."
                )
                layout.refuse(layout.steps[name].cells[0], 0, name, message, "Rename the step.")
    made = [claim.name for claim in translation.claims if not claim.claim]
    for name in splits if made else ():
        message = (
            f"The turns or branches of step '{name}' are tasks, and each run makes the claim "
            f"'{made[0]}' of the notebook's Kale metadata anew: KFP cannot mount it in those."
        )
        hint = "Make a claim once and give its name with the type `pvc`, or do not split the step."
        layout.refuse(layout.steps[name].cells[0], 0, made[0], message, hint)


def _report(layout: Layout, run: Run) -> None:
    """Turn what the analysis remarked into problems at their cells."""
    cells = {cell.id: cell for cell in layout.cells}
    for remark in run.machine.remarks:
        tell = layout.refuse if remark.severity == "error" else layout.warn
        tell(cells.get(remark.cell), remark.line, remark.name, remark.message, remark.hint)
    layout.problems.sort(key=lambda p: (p.cell_index, p.line, p.severity, p.name))
